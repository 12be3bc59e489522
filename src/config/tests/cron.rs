//! `when.cron`.

use std::sync::Arc;

use super::*;
use crate::jobs::{Overlap, Restarts, Start, Trigger};
use crate::schedule::Schedule;

fn schedule(job: &JobSpec) -> (Arc<Schedule>, Overlap) {
    match &job.start.trigger {
        Trigger::Cron { schedule, overlap } => (Arc::clone(schedule), *overlap),
        other => panic!("no schedule: {other:?}"),
    }
}

#[test]
fn cron_has_no_time_limit_and_any_number_of_runs() {
    let job = job("exec: 'a', when: { cron: '*/5 * * * *', timezone: 'UTC' }");
    let (schedule, overlap) = schedule(&job);
    assert_eq!(schedule.cron.text(), "*/5 * * * *");
    assert_eq!(
        (schedule.zone.clone(), overlap),
        (Zone::utc(), Overlap::Skip)
    );
    assert_eq!(job.start, Start::cron(schedule, Overlap::Skip));
    assert_eq!((job.restarts, job.timeout), (Restarts::Unlimited, None));
    let job =
        super::job("exec: 'a', restarts: 2, timeout: 3, when: { cron: '@daily', overlap: 'kill' }");
    assert_eq!(self::schedule(&job).1, Overlap::Kill);
    assert_eq!(
        (job.restarts, job.timeout),
        (Restarts::Limited(2), Some(secs(3)))
    );
}

#[test]
fn zones_come_from_the_key_then_tz_then_utc() {
    let zone_of = |keys: &str, tz: &[(&str, &str)]| {
        let text = job_text(&format!("exec: 'a', when: {{ cron: '@daily', {keys} }}"));
        let loaded = with_variables(&text, tz).unwrap_or_else(|report| panic!("{report}"));
        let zone = schedule(&loaded.config.jobs[0]).0.zone.clone();
        (zone, loaded.warnings.to_string())
    };
    let berlin = Zone::from_rule("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule");
    let clean = String::new();
    for (keys, tz, zone) in [
        ("timezone: 'Europe/Berlin'", vec![], berlin.clone()),
        (
            "timezone: 'UTC'",
            vec![("TZ", "Europe/Berlin")],
            Zone::utc(),
        ),
        ("", vec![("TZ", "Europe/Berlin")], berlin.clone()),
        ("", vec![("TZ", ":Europe/Berlin")], berlin),
        ("", vec![("TZ", "UTC")], Zone::utc()),
        ("", vec![("TZ", "")], Zone::utc()),
        // There is no /etc/localtime.
        ("", vec![], Zone::utc()),
    ] {
        assert_eq!(zone_of(keys, &tz), (zone, clean.clone()), "{keys} {tz:?}");
    }
    let (zone, warning) = zone_of("", &[("TZ", "Bare/Image")]);
    assert_eq!(zone, Zone::utc());
    assert!(
        warning.contains("in UTC, since `TZ` cannot be used (`Bare/Image`)"),
        "{warning}"
    );
}

#[test]
fn a_zone_that_cannot_be_had_says_what_to_do() {
    for (zone, cause, help) in [
        (
            "Europe/Berlim",
            "no such time zone",
            "write a name such as `Europe/Berlin`",
        ),
        (
            "Bare/Image",
            "no time zone data",
            "install the zones in the image",
        ),
        ("Broken", "cannot be read: torn", "`UTC`"),
        ("/etc/passwd", "no time zone", "`UTC`"),
        ("../../etc/passwd", "no time zone", "`UTC`"),
        ("", "no time zone", "`UTC`"),
        ("Europe Berlin", "no time zone", "`UTC`"),
    ] {
        let when = format!("when: {{ cron: '@daily', timezone: '{zone}' }}");
        let report = refused(&job_text(&format!("exec: 'a', {when}")), cause).to_string();
        assert!(report.contains(help), "{report}");
        assert!(report.contains("jobs[0].when.timezone"), "{report}");
    }
}

#[test]
fn without_a_look_every_zone_is_one() {
    let text = job_text("exec: 'a', when: { cron: '@daily', timezone: 'Mars/Crater' }");
    let loaded = load(&Input {
        file: "app.json5",
        text: &text,
        variables: &Variables::new(),
        addresses: known(addresses()),
        zones: Zones::NotLookedUp,
        app: None,
    });
    assert!(loaded.is_ok_and(|loaded| loaded.warnings.is_empty()));
}

#[test]
fn expressions_that_cannot_be_used() {
    for (cron, expected) in [
        (
            "'* * * *'",
            "it has 4 fields, and a cron expression has five or six",
        ),
        ("'61 * * * *'", "cannot use `61 * * * *`: `61` is no minute"),
        ("'0 0 30 2 *'", "no day is ever like that"),
        ("'@reboot'", "there is no such name"),
        ("''", "0 fields"),
        ("5", "1 field"),
        ("{}", "expected a string"),
    ] {
        refused_job(&format!("exec: 'a', when: {{ cron: {cron} }}"), expected);
    }
}

#[test]
fn cron_stands_alone() {
    let others = [
        "source: 'SIGHUP'",
        "once: 'startup'",
        "each: 'healthy'",
        "interval: 5",
        "interval: 5, timezone: 'UTC'",
        "first: 'interval'",
        "all: [{ source: 'global', once: 'startup' }]",
        "any: [{ source: 'global', once: 'startup' }]",
        "timeout: '5s'",
    ];
    for other in others {
        let key = other.split(':').next().expect("a key");
        let when = format!("exec: 'a', when: {{ cron: '@daily', {other} }}");
        let report = refused(
            &job_text(&when),
            &format!("`{key}` has no place beside `cron`"),
        );
        assert!(report.to_string().contains(&format!("jobs[0].when.{key}")));
    }
    // Everything at once.
    let text = job_text("exec: 'a', when: { cron: '61 * * * *', timezone: 'Broken', interval: 5 }");
    let report = try_load(&text).expect_err("refused");
    assert_eq!(report.errors(), 3, "{report}");
    refused_job(
        "exec: 'a', when: { interval: 5, timezone: 'UTC' }",
        "`timezone` is for jobs with `cron`",
    );
    refused_job(
        "exec: 'a', when: { cron: '@daily', overlap: 'wait' }",
        "expected one of `skip`, `queue`, `kill`",
    );
    refused_job(
        "exec: 'a', when: { corn: '@daily' }",
        "did you mean `cron`?",
    );
}

#[test]
fn a_hook_before_comes_before_the_first_time() {
    let config = clean(
        "{ jobs: [{ name: 'app', exec: 'a', preStart: 'p', when: { cron: '@daily', overlap: 'queue' } }] }",
    );
    let app = &config.jobs[1];
    assert_eq!(
        (app.name.as_str(), schedule(app).1),
        ("app", Overlap::Queue)
    );
    assert_ne!(app.start.after, crate::jobs::Condition::startup());
}

#[test]
fn the_summary_shows_the_schedule() {
    let config = clean(&job_text(
        "exec: 'a', when: { cron: '30 2 * * 1-5', timezone: 'UTC' }",
    ));
    let summary = serde_json::to_string(&config.summary()).expect("JSON");
    assert!(summary.contains("at `30 2 * * 1-5` in UTC"), "{summary}");
}
