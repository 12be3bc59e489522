//! Hooks, actions, and the forms of `when` and `restarts` that the original did not know.

use super::super::json5;
use super::*;
use crate::events::{EventCode, JobId, PublicEvent};
use crate::jobs::{Condition, Essential, Is, Leaf, MaxRestarts, Restarts};

/// What a text expands to, as a tree that can be compared.
#[track_caller]
fn expands(text: &str, expected: &str) {
    let found = expand(&Input {
        file: "app.json5",
        text,
        variables: &Variables::new(),
        addresses: known(addresses()),
        zones: Zones::NotLookedUp,
        app: None,
    });
    let found = found.unwrap_or_else(|report| panic!("{text}\n{report}"));
    let tree = |text: &str| super::super::print::print(&json5::parse(text).unwrap().root);
    assert_eq!(found, tree(expected), "{found}");
    // It says the same, and nothing is left to expand.
    let jobs = |text: &str| {
        try_load(text)
            .unwrap_or_else(|report| panic!("{text}\n{report}"))
            .config
            .jobs
    };
    assert_eq!(jobs(text), jobs(&found));
}

#[test]
fn what_the_template_has_put_in_is_no_template_any_more() {
    let text = "{ jobs: [{ name: 'app', exec: ['a', '{{ \"{{ .A }}{{{\" }}'] }] }";
    let expanded = expand(&Input {
        file: "app.json5",
        text,
        variables: &Variables::new(),
        addresses: known(addresses()),
        zones: zones(),
        app: None,
    });
    let expanded = expanded.unwrap_or_else(|report| panic!("{report}"));
    let argv = |text: &str| clean(text).jobs[0].exec.as_ref().unwrap().argv().to_vec();
    assert_eq!(argv(text), ["a", "{{ .A }}{{{"]);
    assert_eq!(argv(&expanded), argv(text), "{expanded}");
}

#[test]
fn hooks_are_jobs() {
    expands(
        "{ jobs: [{ name: 'app', exec: 'a', user: 'u', env: { A: '1', B: '2' }, preStart: 'p', postStart: ['q'],
            preStop: { exec: 'r', timeout: '3s', env: { A: '3' }, signal: 'INT' }, postStop: { shell: 's' } }] }",
        r#"{ jobs: [
            { name: "app.preStart", user: "u", env: { A: "1", B: "2" }, exec: "p", essential: "onFailure",
              when: { source: "global", once: "startup" } },
            { name: "app", exec: "a", user: "u", env: { A: "1", B: "2" }, when: { source: "app.preStart", once: "exitSuccess" } },
            { name: "app.postStart", user: "u", env: { A: "1", B: "2" }, exec: ["q"], when: { all: [{ source: "app", is: "running" }] } },
            { name: "app.preStop", user: "u", exec: "r", timeout: "3s", env: { B: "2", A: "3" }, stopSignal: "INT",
              when: { all: [{ source: "app", once: "stopping" }, { source: "app", is: "running" }] } },
            { name: "app.postStop", user: "u", env: { A: "1", B: "2" }, exec: { shell: "s" }, when: { source: "app", once: "stopped" } },
        ] }"#,
    );
}

#[test]
fn post_start_waits_for_what_makes_a_job_healthy() {
    for keys in [
        "health: { exec: 'c', interval: 1, ttl: 5 }",
        "ready: 'notify'",
        "health: [{ tcp: 80, interval: 1 }]",
    ] {
        let config = clean(&format!(
            "{{ jobs: [{{ name: 'app', exec: 'a', {keys}, postStart: 'p' }}] }}"
        ));
        let healthy = PublicEvent::job(EventCode::Healthy, JobId(0));
        assert_eq!(
            config.jobs[1].start.after,
            Condition::Once(healthy),
            "{keys}"
        );
    }
}

/// What comes of a watch waits for the preparation, whatever that came to.
#[test]
fn on_change_waits_for_what_its_job_waits_for() {
    for (on_failure, events) in [
        ("abort", vec![EventCode::ExitSuccess]),
        (
            "ignore",
            vec![EventCode::ExitSuccess, EventCode::ExitFailed],
        ),
    ] {
        let config = clean(&format!(
            "{{ consul: 'c:1', watches: [{{ name: 'db', interval: 1 }}], jobs: [{{ name: 'app', exec: 'a',
                preStart: {{ exec: 'p', onFailure: '{on_failure}' }}, onChange: {{ db: {{ signal: 'HUP' }} }} }}] }}"
        ));
        for job in &config.jobs[1..] {
            let mut found = Vec::new();
            job.start.after.for_each(&mut |leaf| {
                if let Leaf::Once(event) = leaf {
                    found.push(event.code);
                }
            });
            assert_eq!(found, events, "{}", job.name);
        }
    }
}

#[test]
fn what_is_wrong_with_hooks_is_said() {
    let table = [
        ("preStart: {}", "jobs[0].preStart: `exec` is missing"),
        (
            "preStart: { exec: 'p', onFailure: 'stop' }",
            "expected one of `abort`, `retry`, `ignore`",
        ),
        (
            "preStop: { exec: 'p', onFailure: 'abort' }",
            "jobs[0].preStop: unknown key `onFailure`",
        ),
        ("preStop: ''", "jobs[0].preStop: cannot run"),
        (
            "onChange: { db: { signal: 'HUP', restart: true } }",
            "no use for a signal",
        ),
        (
            "onChange: { db: { signal: 'NO' } }",
            "jobs[0].onChange.db.signal: cannot use `NO`",
        ),
        (
            "action: { restart: 'other' }, exec: null",
            "there is no job `other`",
        ),
        (
            "action: { signal: 'HUP' }, exec: null",
            "write `{ signal: \"HUP\", job: \"app\" }`",
        ),
        ("action: { restart: 'b' }", "one of `exec` and `action`"),
    ];
    for (keys, expected) in table {
        refused(
            &format!(
                "{{ consul: 'c:1', watches: [{{ name: 'db', interval: 1 }}], jobs: [{{ name: 'app', exec: 'a', {keys} }}, {{ name: 'b', exec: 'b' }}] }}"
            ),
            expected,
        );
    }
    let two = "{ name: 'app', exec: 'a', preStop: 'p' }, { name: 'app', exec: 'b' }";
    let named = "{ name: 'app', exec: 'a', preStop: 'p' }, { name: 'app.preStop', exec: 'b' }";
    for (jobs, expected) in [
        (two, "hooks are found by name"),
        (named, "the name of this one's hook, `app.preStop`"),
    ] {
        let report = try_load(&format!("{{ jobs: [{jobs}] }}"))
            .unwrap_err()
            .to_string();
        assert!(report.contains(expected), "{report}");
    }
}

fn starting(when: &str) -> String {
    format!(
        "{{ jobs: [{{ name: 'app', exec: 'a', when: {when} }}, {{ name: 'db', exec: 'b' }}, {{ name: 'c', exec: 'c',
            health: {{ exec: 'h', interval: 1, ttl: 5 }} }}] }}"
    )
}

#[test]
fn several_sources_are_one_condition() {
    let config = clean(&starting(
        "{ all: [{ source: 'db', once: 'exitSuccess' }, { any: [{ source: 'c', is: 'healthy' }, { source: 'db', is: 'running' }] }] }",
    ));
    let is = |is, job| {
        Condition::Is(crate::jobs::State {
            source: crate::events::Source::Job(JobId(job)),
            is,
        })
    };
    let expected = Condition::All(vec![
        Condition::Once(PublicEvent::job(EventCode::ExitSuccess, JobId(1))),
        Condition::Any(vec![is(Is::Healthy, 2), is(Is::Running, 1)]),
    ]);
    assert_eq!(config.jobs[0].start.after, expected);
}

#[test]
fn what_can_never_be_is_an_error_in_the_new_forms() {
    let table = [
        ("{ all: [] }", "the list names no source"),
        (
            "{ all: [{ source: 'nosuch', once: 'healthy' }] }",
            "nothing emits events as `nosuch`",
        ),
        (
            "{ all: [{ source: 'db', once: 'healthy' }] }",
            "can never happen",
        ),
        (
            "{ all: [{ source: 'db', is: 'healthy' }] }",
            "that job has no health check",
        ),
        (
            "{ all: [{ source: 'app', is: 'running' }] }",
            "does not wait for itself",
        ),
        (
            "{ all: [{ source: 'db' }] }",
            "one of `once`, `each` and `is`",
        ),
        (
            "{ all: [{ source: 'db', each: 'exitSuccess' }] }",
            "`each` stands in an `any`",
        ),
        (
            "{ all: [{ source: 'db', once: 'stopped' }], source: 'c' }",
            "says everything",
        ),
        (
            "{ all: [{ all: [{ all: [{ source: 'db', is: 'running' }] }] }] }",
            "one level deep",
        ),
        (
            "{ source: 'db', once: 'stopped', onTimeout: 'skip' }",
            "for jobs with `timeout`",
        ),
        (
            "{ source: 'db', once: 'stopped', first: 'now' }",
            "for jobs with `interval`",
        ),
    ];
    for (when, expected) in table {
        refused(&starting(when), expected);
    }
}

/// R01: in the form of the original a circle is odd, in the new ones an error; both say the chain.
#[test]
fn r01_circles_are_found() {
    let circle = |first: &str, second: &str| {
        format!(
            "{{ jobs: [{{ name: 'a', exec: 'x', when: {first} }}, {{ name: 'b', exec: 'x', when: {second} }}, {{ name: 'c', exec: 'x' }}] }}"
        )
    };
    let old = |source: &str| format!("{{ source: '{source}', once: 'exitSuccess' }}");
    let new = |source: &str| format!("{{ all: [{}] }}", old(source));
    let loaded = try_load(&circle(&old("b"), &old("a"))).unwrap();
    assert_eq!(loaded.warnings.len(), 2, "{}", loaded.warnings);
    assert!(
        loaded
            .warnings
            .to_string()
            .contains("`a` waits for `b`, `b` waits for `a`")
    );
    let report = try_load(&circle(&new("b"), &new("a"))).unwrap_err();
    assert_eq!(report.errors(), 2, "{report}");
    // One way out is enough.
    let either =
        "{ any: [{ source: 'b', once: 'exitSuccess' }, { source: 'c', once: 'exitSuccess' }] }";
    clean(&circle(either, &new("a")));
}

#[test]
fn restarts_have_limits() {
    let job = |keys: &str| super::job(&format!("exec: 'a', {keys}"));
    let spec = job(
        "restarts: 'onFailure', maxRestarts: { count: 3, within: '1m' }, essential: 'onFailure'",
    );
    assert_eq!(
        (spec.restarts, spec.essential),
        (Restarts::OnFailure, Essential::OnFailure)
    );
    let most = MaxRestarts {
        count: 3,
        within: secs(60),
    };
    assert_eq!(spec.max_restarts, Some(most));
    let backoff = job("backoff: { initial: 2, max: '1m', factor: 3 }").backoff;
    assert_eq!(
        (backoff.first, backoff.initial, backoff.max),
        (secs(2), secs(2), secs(60))
    );
    assert_eq!(job("timeout: 1").backoff.first, secs(0));
    for (keys, expected) in [
        ("backoff: { initial: 0 }", "cannot be less than 1ms"),
        (
            "backoff: { initial: 5, max: 2 }",
            "`max` is shorter than `initial`",
        ),
        ("backoff: { factor: 0.5 }", "a number from 1 to 100"),
        (
            "maxRestarts: { count: 3 }",
            "how many restarts are permitted",
        ),
        (
            "maxRestarts: { count: 0, within: 1 }",
            "a number from 1 to 10000",
        ),
        (
            "restarts: 'onFailure', when: { source: 'SIGHUP', each: 'changed' }",
            "infinite processes",
        ),
    ] {
        refused(
            &format!("{{ jobs: [{{ name: 'app', exec: 'a', {keys} }}] }}"),
            expected,
        );
    }
}
