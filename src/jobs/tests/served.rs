//! Jobs with a service: what the catalogue is shown, and the order of the end.

use super::world::*;
use crate::events::{Event, EventCode, Exit, Signal};
use crate::jobs::{Effect, HealthSpec, JobSpec, Note, Outcome, Restarts};
use crate::services::{InitialStatus, Presence};

fn checked_app() -> JobSpec {
    JobSpec {
        health: checked(secs(10), secs(5)),
        ..served("app")
    }
}

fn beating_app() -> JobSpec {
    JobSpec {
        health: Some(HealthSpec {
            checks: Vec::new(),
            ..checked(secs(10), secs(5)).expect("a check")
        }),
        ..served("app")
    }
}

fn has_term(world: &World, job: u32) -> bool {
    world.live.get(&world.main(job)) == Some(&Some(Signal::TERM))
}

#[test]
fn every_result_of_a_check_is_shown() {
    let mut world = World::started(vec![checked_app()]);
    for code in [0, 0, 1, 0] {
        world.advance(secs(10));
        let check = world.check(0);
        world.end(check, Exit::Code(code));
    }
    let passing = Presence::Passing;
    let shown = [passing, passing, Presence::Critical, passing];
    assert_eq!(world.shown(0), shown);
}

#[test]
fn d40_a_failure_is_shown_before_anybody_acts_on_it() {
    let handler = JobSpec {
        start: each(EventCode::Unhealthy, 0),
        ..job("handler")
    };
    let mut world = World::started(vec![checked_app(), handler]);
    world.advance(secs(10));
    let check = world.check(0);
    world.log.clear();
    world.end(check, Exit::Code(1));
    let shown = world
        .log
        .iter()
        .position(|(_, e)| matches!(e, Effect::Show(..)));
    let spawned = world
        .log
        .iter()
        .position(|(_, e)| matches!(e, Effect::Spawn { .. }));
    assert!(shown < spawned);
}

#[test]
fn a_service_without_a_check_beats_at_each_interval_while_it_is_started() {
    let mut world = World::new(vec![beating_app()]);
    world.advance(secs(30));
    assert_eq!(world.shown(0), []);
    world.tell(&Event::Started);
    world.advance(secs(30));
    assert_eq!(world.shown(0), [Presence::Passing; 3]);
    // Its health stays unknown, and nothing is published.
    let healthy = on(EventCode::Healthy, 0);
    assert_eq!(world.announced(healthy), 0);
}

#[test]
fn a_service_without_a_check_does_not_beat_while_its_command_is_down() {
    let app = JobSpec {
        restarts: Restarts::Unlimited,
        ..beating_app()
    };
    let mut world = World::started(vec![app]);
    // Three quick ends: the next start is some 200 ms away, with the tick in between.
    world.advance(ms(9_950));
    for _ in 0..3 {
        world.advance(ms(5));
        if world.runs(0) {
            world.exit(0, 1);
        }
    }
    assert!(!world.runs(0));
    world.advance(ms(40));
    assert_eq!(world.shown(0), []);
    world.advance(secs(10));
    assert_eq!(world.shown(0), [Presence::Passing]);
}

#[test]
fn an_initial_status_is_shown_before_anything_runs() {
    let mut app = checked_app();
    app.service = Some(crate::services::ServiceSpec {
        initial_status: Some(InitialStatus::Passing),
        ..service("app")
    });
    let world = World::started(vec![app]);
    assert!(matches!(world.log[0].1, Effect::Show(_, Presence::Initial)));
}

#[test]
fn c05_d14_maintenance_hides_the_service_and_its_end_checks_at_once() {
    let mut world = World::started(vec![checked_app()]);
    let main = world.main(0);
    world.advance(secs(10));
    let check = world.check(0);
    world.end(check, Exit::Code(0));
    for _ in 0..2 {
        world.tell(&Event::Maintenance(true));
        world.tell(&Event::Maintenance(true));
        world.advance(secs(25));
        assert_eq!(world.shown(0).last(), Some(&Presence::Absent));
        world.tell(&Event::Maintenance(false));
        let check = world.check(0);
        world.end(check, Exit::Code(0));
        assert_eq!(world.shown(0).last(), Some(&Presence::Passing));
    }
    // D13: the process was never touched.
    assert_eq!(world.main(0), main);
    assert_eq!(world.starts(0), 1);
}

#[test]
fn c05_a_check_that_began_before_the_maintenance_is_followed_by_one_that_counts() {
    let mut world = World::started(vec![checked_app()]);
    world.advance(secs(10));
    let old = world.check(0);
    world.tell(&Event::Maintenance(true));
    world.tell(&Event::Maintenance(false));
    world.end(old, Exit::Code(0));
    assert!(!world.shown(0).contains(&Presence::Passing));
    let check = world.check(0);
    world.end(check, Exit::Code(0));
    assert_eq!(world.shown(0).last(), Some(&Presence::Passing));
}

#[test]
fn d14_a_job_that_never_started_is_not_checked_after_maintenance() {
    let app = JobSpec {
        start: once(EventCode::ExitSuccess, 1),
        ..checked_app()
    };
    let mut world = World::started(vec![app, job("setup")]);
    world.tell(&Event::Maintenance(true));
    world.tell(&Event::Maintenance(false));
    world.advance(secs(30));
    assert!(world.find(0, crate::events::RunKind::Check(0)).is_none());
}

#[test]
fn c05_a_service_without_a_check_is_back_at_once() {
    let mut world = World::started(vec![beating_app()]);
    world.tell(&Event::Maintenance(true));
    world.advance(secs(25));
    world.log.clear();
    world.tell(&Event::Maintenance(false));
    assert_eq!(world.shown(0), [Presence::Initial, Presence::Passing]);
}

#[test]
fn d32_term_comes_after_the_service_has_left() {
    let mut world = World::started(vec![served("app")]);
    world.stop();
    assert_eq!(world.shown(0), [Presence::Leaving]);
    assert!(!has_term(&world, 0));
    assert_eq!(world.announced(on(EventCode::Stopping, 0)), 0);
    world.left(0, true);
    assert!(has_term(&world, 0));
    world.exit(0, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s08_an_answer_that_does_not_come_is_waited_for_a_second() {
    let mut world = World::started(vec![served("app")]);
    world.stop();
    world.advance(ms(999));
    assert!(!has_term(&world, 0));
    world.advance(ms(1));
    assert!(has_term(&world, 0));
    let late = |note: &Note| matches!(note, Note::LeavingTimedOut { .. });
    assert_eq!(world.reported(late), 1);
    // A late answer changes nothing.
    world.left(0, true);
    assert_eq!(world.announced(on(EventCode::Stopping, 0)), 1);
}

#[test]
fn s07_drain_lies_between_leaving_and_term() {
    let drain = Some(secs(3));
    let app = JobSpec {
        drain,
        ..served("app")
    };
    let mut world = World::started(vec![app.clone()]);
    world.stop();
    world.left(0, true);
    world.advance(ms(2_999));
    assert!(!has_term(&world, 0));
    world.advance(ms(1));
    assert!(has_term(&world, 0));

    // Who was not there, or has ended, has nothing to drain.
    let mut world = World::started(vec![app.clone()]);
    world.stop();
    world.left(0, false);
    assert!(has_term(&world, 0));
    let mut world = World::started(vec![app]);
    world.stop();
    world.left(0, true);
    world.advance(secs(1));
    world.exit(0, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s07_hooks_work_while_the_service_drains() {
    let app = JobSpec {
        drain: Some(secs(3)),
        ..served("app")
    };
    let hook = JobSpec {
        start: once(EventCode::Stopping, 0),
        ..job("preStop")
    };
    let mut world = World::started(vec![app, hook]);
    world.stop();
    assert!(!world.runs(1), "a hook before the service has left");
    world.left(0, true);
    world.advance(secs(1));
    world.exit(1, 0);
    assert!(!has_term(&world, 0));
    world.advance(secs(2));
    assert!(has_term(&world, 0));
}

#[test]
fn a_job_that_ends_by_itself_leaves_the_catalogue() {
    let mut world = World::started(vec![served("app"), unlimited("other")]);
    world.exit(0, 1);
    assert_eq!(world.shown(0), [Presence::Leaving]);
    world.left(0, true);
    assert_eq!(world.announced(on(EventCode::Stopped, 0)), 1);
}

#[test]
fn s06_the_agent_stops_after_all_that_need_it() {
    let agent = JobSpec {
        agent: true,
        ..unlimited("consul")
    };
    let post_stop = JobSpec {
        start: once(EventCode::Stopped, 1),
        ..job("postStop")
    };
    let bystander = unlimited("other");
    let mut world = World::started(vec![agent, served("app"), post_stop, bystander]);
    world.stop();
    assert!(!has_term(&world, 0) && has_term(&world, 3));
    world.left(1, true);
    world.exit(1, 0);
    // The hook of the service's end may use the catalogue too.
    assert!(world.runs(2) && !has_term(&world, 0));
    world.exit(2, 0);
    assert!(has_term(&world, 0));
    world.exit(0, 0);
    world.exit(3, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s06_an_agent_that_dies_during_the_stop_is_not_started_again() {
    let agent = JobSpec {
        agent: true,
        ..unlimited("consul")
    };
    let mut world = World::started(vec![agent, served("app")]);
    world.stop();
    world.exit(0, 1);
    assert!(!world.runs(0));
    world.advance(secs(1));
    world.exit(1, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

/// Hooks that have no time follow a departure whose time is over: nothing is left to do at that moment.
#[test]
fn s08_a_departure_in_vain_and_hooks_without_time_are_one_step() {
    let app = JobSpec {
        stop_timeout: Some(secs(0)),
        restarts: Restarts::Unlimited,
        ..served("app")
    };
    let hook = JobSpec {
        start: once(EventCode::Stopping, 0),
        ..job("pre")
    };
    let mut world = World::started(vec![app, hook]);
    world.stop();
    let due = world
        .jobs
        .next_deadline()
        .expect("the departure is bounded");
    world.now = due;
    let _ = world.jobs.on_time(due);
    assert!(world.jobs.next_deadline().is_none_or(|at| at > due));
}
