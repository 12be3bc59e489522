//! Health checks by a command, and maintenance, which suspends them.

use super::world::*;
use crate::events::{
    Event, EventCode, Exit, JobId, PublicEvent, RunKind, Signal, Source, StartFailure,
};
use crate::jobs::{Health, JobSpec, Start};

fn service(name: &str) -> JobSpec {
    let mut spec = unlimited(name);
    spec.health = checked(secs(1), ms(900));
    spec
}

#[test]
fn every_result_is_published() {
    let mut world = World::started(vec![service("app")]);
    for (code, health) in [
        (0, Health::Healthy),
        (0, Health::Healthy),
        (255, Health::Unhealthy),
        (1, Health::Unhealthy),
    ] {
        world.advance(secs(1));
        world.end(world.check(0), Exit::Code(code));
        assert_eq!(world.status(0).health, health);
    }
    assert_eq!(world.announced(on(EventCode::Healthy, 0)), 2);
    assert_eq!(world.announced(on(EventCode::Unhealthy, 0)), 2);
    let check = |code| PublicEvent {
        code,
        source: Source::Check(JobId(0)),
    };
    assert_eq!(world.announced(check(EventCode::ExitSuccess)), 2);
    assert_eq!(world.announced(check(EventCode::ExitFailed)), 2);
}

#[test]
fn no_check_before_the_job_was_started() {
    let mut spec = service("later");
    spec.start = once(EventCode::ExitSuccess, 1);
    let mut world = World::started(vec![spec, job("first")]);
    world.advance(secs(10));
    assert_eq!(world.find(0, RunKind::Check(0)), None);
    world.advance(ms(400));
    world.exit(1, 0);
    world.advance(ms(600));
    world.check(0);
}

#[test]
fn j01_a_slow_check_is_killed_and_never_runs_twice() {
    let mut world = World::started(vec![service("app")]);
    for second in 1..7200_u64 {
        world.advance_to(secs(second));
        let run = world.check(0);
        assert_eq!(
            world
                .live
                .keys()
                .filter(|run| matches!(run.kind, RunKind::Check(_)))
                .count(),
            1
        );
        world.advance(ms(900));
        assert_eq!(world.live[&run], Some(Signal::KILL));
        world.end(run, Exit::Signal(Signal::KILL));
        assert_eq!(world.status(0).health, Health::Unhealthy);
    }
}

#[test]
fn j02_what_a_check_leaves_behind_is_killed_and_delays_nothing_else() {
    let mut world = World::started(vec![service("app")]);
    world.advance(secs(1));
    let run = world.check(0);
    world.leave(run, Exit::Code(0));
    assert_eq!(world.live[&run], Some(Signal::KILL));
    assert_eq!(world.announced(on(EventCode::Healthy, 0)), 1);
    world.gone(run);
    world.advance(secs(1));
    world.check(0);
}

#[test]
fn j03_a_check_that_cannot_start_is_unhealthy_but_want_of_resources_is_unknown() {
    let mut world = World::started(vec![service("app")]);
    world.advance(secs(1));
    world.fail_spawn(world.check(0), StartFailure::NotExecutable);
    assert_eq!(world.status(0).health, Health::Unhealthy);
    world.advance(secs(1));
    world.fail_spawn(world.check(0), StartFailure::Exhausted);
    assert_eq!(world.status(0).health, Health::Unknown);
    assert_eq!(world.announced(on(EventCode::Unhealthy, 0)), 1);
}

#[test]
fn a_restart_makes_the_health_unknown() {
    let mut world = World::started(vec![service("app")]);
    world.advance(secs(1));
    world.end(world.check(0), Exit::Code(0));
    world.exit(0, 1);
    assert_eq!(world.status(0).health, Health::Unknown);
}

#[test]
fn maintenance_suspends_checks_and_voids_the_one_under_way() {
    let mut world = World::started(vec![service("app")]);
    world.advance(secs(1));
    world.tell(&Event::Maintenance(true));
    world.end(world.check(0), Exit::Code(0));
    assert_eq!(world.announced(on(EventCode::Healthy, 0)), 0);
    // A restart in maintenance does not end it (D13).
    world.exit(0, 1);
    world.advance(secs(5));
    assert_eq!(world.find(0, RunKind::Check(0)), None);
    world.tell(&Event::Maintenance(false));
    assert_eq!(world.status(0).health, Health::Unknown);
    world.advance(secs(1));
    world.check(0);
}

#[test]
fn leaving_maintenance_checks_no_job_that_never_started() {
    let mut spec = service("later");
    spec.start = once(EventCode::ExitSuccess, 1);
    let mut world = World::started(vec![spec, job("first")]);
    world.tell(&Event::Maintenance(true));
    world.tell(&Event::Maintenance(false));
    world.advance(secs(5));
    assert_eq!(world.find(0, RunKind::Check(0)), None);
}

#[test]
fn maintenance_can_start_jobs_and_asking_twice_does_not_start_them_twice() {
    let mut spec = job("on enter");
    spec.start = Start::each(PublicEvent::global(EventCode::EnterMaintenance));
    let mut world = World::started(vec![spec]);
    world.tell(&Event::Maintenance(true));
    world.exit(0, 0);
    world.tell(&Event::Maintenance(true));
    assert_eq!(world.starts(0), 1);
    world.tell(&Event::Maintenance(false));
    world.tell(&Event::Maintenance(true));
    assert_eq!(world.starts(0), 2);
}
