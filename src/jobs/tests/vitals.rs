//! Several checks, thresholds, the start period, restarts by a check, readiness and watchdogs.

use super::world::*;
use crate::events::{Event, EventCode, Exit, JobId, Notice, Run, RunKind, Signal};
use crate::jobs::{CheckSpec, Health, HealthSpec, JobSpec, Note, Ready, Restarts};
use crate::services::Presence;

fn every_second() -> CheckSpec {
    check_spec(secs(1), ms(900))
}

fn with_checks(base: JobSpec, checks: Vec<CheckSpec>) -> JobSpec {
    JobSpec {
        health: Some(HealthSpec {
            checks,
            interval: secs(1),
            ttl: secs(3),
        }),
        ..base
    }
}

fn checked_by(check: CheckSpec) -> JobSpec {
    with_checks(unlimited("app"), vec![check])
}

/// Ends the live run of a check.
fn result(world: &mut World, number: u16, code: i32) {
    let run = world.find(0, RunKind::Check(number)).expect("a check runs");
    world.end(run, Exit::Code(code));
}

fn next(world: &mut World, code: i32) {
    world.advance(secs(1));
    result(world, 0, code);
}

fn health(world: &World) -> Health {
    world.status(0).health
}

fn counts(world: &World) -> (usize, usize) {
    (
        world.announced(on(EventCode::Healthy, 0)),
        world.announced(on(EventCode::Unhealthy, 0)),
    )
}

#[test]
fn decision_13_rise_and_fall_change_the_state_and_not_the_events() {
    let check = CheckSpec {
        rise: 2,
        fall: 3,
        ..every_second()
    };
    let app = with_checks(
        JobSpec {
            service: Some(service("app")),
            ..unlimited("app")
        },
        vec![check],
    );
    let hook = JobSpec {
        start: once(EventCode::Unhealthy, 0),
        ..job("hook")
    };
    let mut world = World::started(vec![app, hook]);
    next(&mut world, 0);
    assert_eq!((health(&world), counts(&world)), (Health::Unknown, (1, 0)));
    assert_eq!(world.shown(0), []);
    next(&mut world, 0);
    assert_eq!(health(&world), Health::Healthy);
    for code in [1, 1, 0, 1, 1] {
        next(&mut world, code);
        assert_eq!(health(&world), Health::Healthy);
    }
    assert_eq!(counts(&world), (3, 4));
    assert_eq!(world.shown(0), [Presence::Passing; 6]);
    assert!(!world.runs(1), "a single result is no change of the state");
    next(&mut world, 1);
    assert_eq!(health(&world), Health::Unhealthy);
    assert_eq!(world.shown(0).last(), Some(&Presence::Critical));
    assert!(world.runs(1));
}

#[test]
fn all_checks_must_pass_and_any_may_fail() {
    let app = with_checks(unlimited("app"), vec![every_second(), every_second()]);
    let mut world = World::started(vec![app]);
    world.advance(secs(1));
    result(&mut world, 0, 0);
    assert_eq!((health(&world), counts(&world)), (Health::Unknown, (0, 0)));
    result(&mut world, 1, 0);
    assert_eq!((health(&world), counts(&world)), (Health::Healthy, (1, 0)));
    world.advance(secs(1));
    result(&mut world, 1, 1);
    assert_eq!(health(&world), Health::Unhealthy);
    assert_eq!(world.jobs.failing_check(JobId(0)), Some(1));
    // The other one speaks for itself alone.
    result(&mut world, 0, 0);
    assert_eq!(
        (health(&world), counts(&world)),
        (Health::Unhealthy, (1, 1))
    );
    world.advance(secs(1));
    result(&mut world, 1, 0);
    assert_eq!((health(&world), counts(&world)), (Health::Healthy, (2, 1)));
}

/// J04.
#[test]
fn j04_nothing_is_said_of_a_slow_start_before_its_period_is_over() {
    let check = CheckSpec {
        start_period: secs(90),
        ..every_second()
    };
    let mut world = World::started(vec![checked_by(check)]);
    for second in 1..45 {
        world.advance_to(secs(second * 2 - 1));
        result(&mut world, 0, 1);
        // One that hangs is killed without a word.
        world.advance_to(secs(second * 2) + ms(900));
        let run = world.check(0);
        world.end(run, Exit::Signal(Signal::KILL));
    }
    assert_eq!((health(&world), counts(&world)), (Health::Unknown, (0, 0)));
    assert_eq!(world.reported(|_| true), 0);
    world.advance_to(secs(90));
    result(&mut world, 0, 1);
    assert_eq!(
        (health(&world), counts(&world)),
        (Health::Unhealthy, (0, 1))
    );
}

#[test]
fn j04_a_pass_ends_the_start_period() {
    let check = CheckSpec {
        start_period: secs(90),
        ..every_second()
    };
    let mut world = World::started(vec![checked_by(check)]);
    next(&mut world, 1);
    next(&mut world, 0);
    next(&mut world, 1);
    assert_eq!(
        (health(&world), counts(&world)),
        (Health::Unhealthy, (1, 1))
    );
    // The next start has a period of its own.
    world.exit(0, 1);
    next(&mut world, 1);
    assert_eq!((health(&world), counts(&world)), (Health::Unknown, (1, 1)));
}

/// J09.
#[test]
fn j09_a_failed_check_restarts_the_job_and_that_counts() {
    let check = CheckSpec {
        fall: 2,
        restarts: true,
        ..every_second()
    };
    let app = with_checks(restarting("app", Restarts::Limited(2)), vec![check]);
    let mut world = World::started(vec![app]);
    next(&mut world, 1);
    assert_eq!(world.live[&world.main(0)], None, "once is not for good");
    next(&mut world, 1);
    assert_eq!(world.live[&world.main(0)], Some(Signal::TERM));
    assert_eq!(world.reported(|note| *note == Note::Restarting), 1);
    // It ends as asked; that is no reason to leave it so.
    world.exit(0, 0);
    assert_eq!((world.starts(0), health(&world)), (2, Health::Unknown));
    next(&mut world, 1);
    next(&mut world, 1);
    world.exit(0, 0);
    assert_eq!(world.starts(0), 2, "the second restart waits");
    assert_eq!(
        world.reported(|note| matches!(note, Note::BackingOff { .. })),
        1
    );
    world.advance(secs(1));
    assert_eq!(world.starts(0), 3);
    while world.starts(0) == 3 && world.runs(0) && world.live[&world.main(0)].is_none() {
        world.advance(secs(1));
        result(&mut world, 0, 1);
    }
    world.exit(0, 0);
    world.advance(secs(60));
    assert_eq!(world.starts(0), 3, "two restarts were allowed");
}

/// A run that a failed check has ended is no success, whatever its status says.
#[test]
fn j09_a_run_that_was_ended_as_unwell_is_a_failure() {
    let check = CheckSpec {
        restarts: true,
        ..every_second()
    };
    let app = with_checks(restarting("app", Restarts::OnFailure), vec![check]);
    let mut world = World::started(vec![app]);
    next(&mut world, 1);
    assert_eq!(world.live[&world.main(0)], Some(Signal::TERM));
    world.exit(0, 0);
    assert_eq!(world.starts(0), 2);
    // One that ends well by itself is the end.
    world.exit(0, 0);
    assert_eq!(world.starts(0), 2);
    assert!(world.outcome().is_some());
}

fn says(world: &mut World, notice: Notice) {
    let run = world.main(0);
    world.tell(&Event::Notified(run, notice));
}

fn ready_by(ready: Ready) -> JobSpec {
    JobSpec {
        ready: Some(ready),
        ..unlimited("app")
    }
}

const NOTIFY: Ready = Ready::Notify { watchdog: None };

#[test]
fn ready_a_job_without_a_check_is_healthy_from_then_on() {
    let mut world = World::started(vec![ready_by(Ready::Descriptor(3))]);
    assert_eq!(health(&world), Health::Unknown);
    assert!(world.status(0).is_checked);
    // Another run's word counts nothing.
    let stale = Run {
        id: crate::events::RunId(99),
        ..world.main(0)
    };
    world.tell(&Event::Notified(stale, Notice::Ready));
    assert_eq!(counts(&world), (0, 0));
    says(&mut world, Notice::Ready);
    says(&mut world, Notice::Ready);
    assert_eq!((health(&world), counts(&world)), (Health::Healthy, (1, 0)));
    world.exit(0, 1);
    assert_eq!(health(&world), Health::Unknown);
    says(&mut world, Notice::Ready);
    says(&mut world, Notice::Stopping);
    assert_eq!((health(&world), counts(&world)), (Health::Unknown, (2, 0)));
}

#[test]
fn ready_a_passing_check_is_not_enough_before() {
    let mut app = checked_by(every_second());
    app.ready = Some(NOTIFY);
    let mut world = World::started(vec![app]);
    next(&mut world, 0);
    assert_eq!((health(&world), counts(&world)), (Health::Unknown, (0, 0)));
    says(&mut world, Notice::Ready);
    assert_eq!((health(&world), counts(&world)), (Health::Healthy, (1, 0)));
    // It was looked at once more, at once.
    result(&mut world, 0, 1);
    assert_eq!(health(&world), Health::Unhealthy);
}

#[test]
fn ready_a_service_without_a_check_is_shown_from_then_on() {
    let app = with_checks(
        JobSpec {
            service: Some(service("app")),
            ..ready_by(NOTIFY)
        },
        Vec::new(),
    );
    let mut world = World::started(vec![app]);
    world.advance(secs(5));
    assert_eq!(world.shown(0), []);
    says(&mut world, Notice::Ready);
    world.advance(secs(1));
    assert_eq!(world.shown(0), [Presence::Passing; 2]);
}

#[test]
fn ready_a_missed_heartbeat_is_a_failed_check() {
    let watchdog = Some(secs(2));
    let mut world = World::started(vec![ready_by(Ready::Notify { watchdog })]);
    world.advance(secs(60));
    assert_eq!(counts(&world), (0, 0), "nobody waits before it is ready");
    says(&mut world, Notice::Ready);
    for _ in 0..5 {
        world.advance(ms(1_900));
        says(&mut world, Notice::Alive);
    }
    assert_eq!((health(&world), counts(&world)), (Health::Healthy, (1, 0)));
    world.advance(secs(4));
    assert_eq!(
        (health(&world), counts(&world)),
        (Health::Unhealthy, (1, 2))
    );
    assert_eq!(
        world.reported(|note| matches!(note, Note::HeartbeatMissed { .. })),
        1
    );
    says(&mut world, Notice::Alive);
    assert_eq!((health(&world), counts(&world)), (Health::Healthy, (2, 2)));
    // Who does not run sends none.
    world.exit(0, 1);
    world.advance(secs(10));
    assert_eq!(counts(&world), (2, 2));
}
