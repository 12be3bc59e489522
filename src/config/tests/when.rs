use crate::events::{CustomName, EventCode, JobId, Signal, Source, Subscription, WatchId};
use crate::jobs::{Condition, Overlap, Restarts, Start, Trigger};

use super::*;

/// `app` waits; `db` has everything that emits events, `bare` nothing.
fn text(when: &str) -> String {
    format!(
        "{{ jobs: [
            {{ name: 'app', exec: 'a', when: {when} }},
            {{ name: 'db', exec: 'b', health: {{ exec: 'c', interval: 1, ttl: 5 }}, when: {{ source: 'SIGHUP', timeout: '1s' }} }},
            {{ name: 'bare' }},
          ],
          watches: [ {{ name: 'web', interval: 1 }} ] }}"
    )
}

fn on(code: EventCode, source: Source) -> Subscription {
    Subscription { code, source }
}

#[track_caller]
fn start(when: &str) -> Start {
    clean(&text(when)).jobs[0].start.clone()
}

#[track_caller]
fn never(when: &str, expected: &str) {
    let config = warned(&text(when), expected);
    assert!(config.jobs[0].start.after == Condition::Never, "{when}");
}

#[test]
fn without_when_a_job_starts_at_startup() {
    let job = job("exec: 'a'");
    assert_eq!(
        (job.start, job.restarts, job.timeout),
        (Start::startup(), Restarts::Limited(0), None)
    );
}

#[test]
fn interval_sets_restarts_and_timeout() {
    let job = job("exec: 'a', when: { interval: '90s' }");
    let every = secs(90);
    let overlap = Overlap::Skip;
    assert_eq!(job.start, Start::interval(every, overlap));
    assert_eq!(
        (job.restarts, job.timeout),
        (Restarts::Unlimited, Some(secs(90)))
    );
    let text = "exec: 'a', restarts: 2, timeout: 3, when: { interval: 1, overlap: 'queue' }";
    let job = super::job(text);
    assert_eq!(
        (job.restarts, job.timeout),
        (Restarts::Limited(2), Some(secs(3)))
    );
    assert!(matches!(
        job.start,
        Start {
            trigger: Trigger::Interval {
                overlap: Overlap::Queue,
                ..
            },
            ..
        }
    ));
}

#[test]
fn ticks_may_be_skipped_in_maintenance() {
    for (when, pauses) in [
        ("{ interval: 1 }", false),
        ("{ interval: 1, maintenance: 'run' }", false),
        ("{ interval: 1, maintenance: 'skip' }", true),
        ("{ cron: '@daily', maintenance: 'skip' }", true),
    ] {
        let job = job(&format!("exec: 'a', when: {when}"));
        assert_eq!(job.start.pauses, pauses, "{when}");
    }
    refused(
        "{ jobs: [{ name: 'a', exec: 'a', when: { source: 'a', each: 'healthy', maintenance: 'skip' } }] }",
        "`maintenance` is for jobs with `interval`",
    );
}

#[test]
fn events_are_found_by_the_name_of_their_source() {
    let db = JobId(1);
    let table = [
        (
            "{ source: 'db', once: 'healthy' }",
            EventCode::Healthy,
            Source::Job(db),
        ),
        (
            "{ source: 'db', once: 'stopping' }",
            EventCode::Stopping,
            Source::Job(db),
        ),
        (
            "{ source: 'db', once: 'timerExpired' }",
            EventCode::TimerExpired,
            Source::Job(db),
        ),
        (
            "{ source: 'bare', once: 'stopped' }",
            EventCode::Stopped,
            Source::Job(JobId(2)),
        ),
        (
            "{ source: 'check.db', once: 'exitFailed' }",
            EventCode::ExitFailed,
            Source::Check(db),
        ),
        (
            "{ source: 'watch.web', once: 'changed' }",
            EventCode::Changed,
            Source::Watch(WatchId(0)),
        ),
        (
            "{ source: 'global', once: 'startup' }",
            EventCode::Startup,
            Source::Global,
        ),
        (
            "{ source: 'global', once: 'enterMaintenance' }",
            EventCode::EnterMaintenance,
            Source::Global,
        ),
    ];
    for (when, code, source) in table {
        let expected = Start::once(Condition::Once(on(code, source)));
        assert_eq!(start(when), expected, "{when}");
        let each = when.replace("once", "each");
        let expected = Start::each(on(code, source));
        assert_eq!(start(&each), expected, "{each}");
    }
    let waiting = start("{ source: 'db', once: 'healthy', timeout: '10s' }");
    assert_eq!(waiting.wait.map(|wait| wait.limit), Some(secs(10)));
}

#[test]
fn signals_start_a_job_each_time() {
    for (source, signal) in [("SIGHUP", Signal::HUP), ("SIGUSR2", Signal::USR2)] {
        for extra in [
            "",
            ", once: 'startup'",
            ", each: 'changed'",
            ", once: 'SIGHUP'",
        ] {
            let when = format!("{{ source: '{source}'{extra} }}");
            let on = on(EventCode::Signal, Source::Signal(signal));
            assert_eq!(start(&when), Start::each(on), "{when}");
        }
    }
}

/// What the original accepted and silently never ran (D17, D34).
#[test]
fn what_never_happens_is_a_warning() {
    let table = [
        ("{}", "`when` names no event"),
        ("{ source: 'db' }", "`when` names no event"),
        ("{ timeout: '1s' }", "`when` names no event"),
        ("{ once: 'healthy' }", "`source` is missing or empty"),
        ("{ source: 'dbb', once: 'healthy' }", "did you mean `db`?"),
        (
            "{ source: 'watch.wep', once: 'changed' }",
            "did you mean `watch.web`?",
        ),
        (
            "{ source: 'check.nobody', once: 'exitFailed' }",
            "nothing emits events as `check.nobody`",
        ),
        (
            "{ source: 'SIGTERM', once: 'startup' }",
            "nothing emits events as `SIGTERM`",
        ),
        (
            "{ source: 'global', once: 'shutdown' }",
            "`shutdown` starts nothing",
        ),
        (
            "{ source: 'app', once: 'healthy' }",
            "a job does not hear its own events",
        ),
        (
            "{ source: 'check.app', once: 'exitSuccess' }",
            "a job does not hear its own events",
        ),
        (
            "{ source: 'bare', once: 'exitSuccess' }",
            "that job has no `exec`",
        ),
        (
            "{ source: 'bare', once: 'healthy' }",
            "that job has no `health.exec`",
        ),
        (
            "{ source: 'bare', once: 'timerExpired' }",
            "that job has no `when.timeout`",
        ),
        (
            "{ source: 'check.bare', once: 'exitFailed' }",
            "that job has no health check",
        ),
        (
            "{ source: 'db', once: 'changed' }",
            "changed is not an event of this source",
        ),
        (
            "{ source: 'db', once: 'startup' }",
            "startup is not an event of this source",
        ),
        (
            "{ source: 'check.db', once: 'healthy' }",
            "healthy is not an event of this source",
        ),
        (
            "{ source: 'watch.web', once: 'stopped' }",
            "stopped is not an event of this source",
        ),
        (
            "{ source: 'global', once: 'healthy' }",
            "healthy is not an event of this source",
        ),
        (
            "{ source: 'db', once: 'quit' }",
            "`quit` is never heard by a job",
        ),
        (
            "{ source: 'db', once: 'error' }",
            "`error` is never heard by a job",
        ),
        ("{ once: 'SIGHUP' }", "a signal is a source"),
        ("{ once: 'shutdown' }", "`source` is missing or empty"),
    ];
    for (when, expected) in table {
        never(when, expected);
    }
}

/// D34: events of the program itself need no source.
#[test]
fn the_source_of_global_events_is_found() {
    for name in ["startup", "enterMaintenance", "exitMaintenance"] {
        let config = warned(&text(&format!("{{ each: '{name}' }}")), "`global` is taken");
        let code = EventCode::from_name(name).unwrap();
        let expected = Start::each(Subscription::global(code));
        assert_eq!(config.jobs[0].start, expected);
    }
}

#[test]
fn what_interval_ignores_is_a_warning() {
    warned(
        &text("{ interval: '1s', source: 'db' }"),
        "no effect beside `interval`",
    );
    warned(
        &text("{ interval: '1s', timeout: '3s' }"),
        "no effect beside `interval`",
    );
}

#[test]
fn wrong_values_are_errors() {
    let table = [
        (
            "{ source: 'db', once: 'healty' }",
            "did you mean `healthy`?",
        ),
        (
            "{ source: 'db', once: 'Healthy' }",
            "`Healthy` is not a valid event code",
        ),
        (
            "{ source: 'SIGHUP', once: 'nonsense' }",
            "the events are startup, shutdown",
        ),
        (
            "{ source: 'db', once: 'healthy', each: 'healthy' }",
            "can have only one of 'interval', 'once', or 'each'",
        ),
        (
            "{ interval: '1s', once: 'startup' }",
            "can have only one of",
        ),
        (
            "{ interval: '500us' }",
            "jobs[0].when.interval: cannot use `500us`: cannot be less than 1ms",
        ),
        ("{ interval: 0 }", "cannot be less than 1ms"),
        ("{ interval: 'soon' }", "invalid duration"),
        (
            "{ source: 'db', once: 'healthy', timeout: 1.5 }",
            "missing unit in duration",
        ),
        (
            "{ source: 'db', once: 'healthy', overlap: 'skip' }",
            "`overlap` is for jobs with `interval`",
        ),
        ("{ interval: 1, overlap: 'kil' }", "did you mean `kill`?"),
        ("{ source: 'db', event: 'healthy' }", "unknown key `event`"),
        ("'startup'", "expected an object"),
        ("{ all: [] }", "the list names no source"),
    ];
    for (when, expected) in table {
        refused(&text(when), expected);
    }
}

#[test]
fn what_a_client_publishes_is_a_source() {
    let name: CustomName = "deploy-1".parse().unwrap();
    let custom = on(EventCode::Custom, Source::Custom(name));
    assert_eq!(start("{ source: 'event.deploy-1' }"), Start::each(custom));
    let any = start("{ any: [ { source: 'event.deploy-1' }, { source: 'db', each: 'healthy' } ] }");
    let healthy = on(EventCode::Healthy, Source::Job(JobId(1)));
    assert_eq!(any.trigger, Trigger::Each(vec![custom, healthy]));
    // Longer, or with other characters, it is nothing.
    never("{ source: 'event.' }", "names no event");
    let long = format!("{{ source: 'event.{}', once: 'healthy' }}", "x".repeat(32));
    never(&long, "nothing emits events as");
    // With an event it is a job as any other.
    let text = "{ jobs: [
        { name: 'event.x', exec: 'a', health: { exec: 'c', interval: 1, ttl: 5 } },
        { name: 'app', exec: 'b', when: { source: 'event.x', once: 'healthy' } },
    ] }";
    let healthy = on(EventCode::Healthy, Source::Job(JobId(0)));
    let app = clean(text).jobs[1].start.clone();
    assert_eq!(app, Start::once(Condition::Once(healthy)));
}
