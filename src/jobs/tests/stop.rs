//! The end: of one job, of all, asked for and by itself.

use super::world::*;
use crate::events::{Event, EventCode, Exit, Signal, StopReason};
use crate::jobs::{Effect, Essential, JobSpec, JobState, Note, Outcome, Restarts, StopLimits};

fn hook(name: &str, start: crate::jobs::Start) -> JobSpec {
    JobSpec { start, ..job(name) }
}

#[test]
fn a_stop_sends_term_and_is_over_with_the_last_process() {
    let mut world = World::started(vec![unlimited("a"), unlimited("b")]);
    world.stop();
    assert!(
        world
            .live
            .values()
            .all(|signal| *signal == Some(Signal::TERM))
    );
    world.end(world.main(0), Exit::Signal(Signal::TERM));
    assert_eq!(world.outcome(), None);
    world.end(world.main(1), Exit::Code(3));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
    assert_eq!(world.starts(0) + world.starts(1), 2);
}

#[test]
fn s02_a_run_that_ignores_term_is_killed_at_its_own_time() {
    let stubborn = JobSpec {
        stop_timeout: Some(secs(2)),
        ..unlimited("stubborn")
    };
    let mut world = World::started(vec![stubborn, unlimited("other")]);
    world.stop();
    world.advance(ms(1_999));
    assert_eq!(world.live[&world.main(0)], Some(Signal::TERM));
    world.advance(ms(1));
    assert_eq!(world.live[&world.main(0)], Some(Signal::KILL));
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    assert_eq!(
        world.reported(|note| matches!(note, Note::StopTimedOut { .. })),
        1
    );
}

#[test]
fn a_stop_timeout_of_zero_kills_at_once() {
    let mut world = World::started(vec![JobSpec {
        stop_timeout: Some(secs(0)),
        ..unlimited("a")
    }]);
    world.stop();
    assert_eq!(world.live[&world.main(0)], Some(Signal::KILL));
}

#[test]
fn s05_a_second_stop_changes_nothing() {
    let mut world = World::started(vec![
        unlimited("app"),
        hook("preStop", once(EventCode::Stopping, 0)),
    ]);
    world.stop();
    let before = format!("{:?}", world.jobs);
    world.stop();
    world.stop();
    assert_eq!(format!("{:?}", world.jobs), before);
    assert_eq!(world.starts(1), 1);
}

#[test]
fn stopping_hooks_run_while_the_job_still_does_and_all_are_waited_for() {
    let mut world = World::started(vec![
        unlimited("app"),
        hook("first", once(EventCode::Stopping, 0)),
        hook("second", each(EventCode::Stopping, 0)),
        hook("after", once(EventCode::Stopped, 0)),
    ]);
    world.stop();
    assert!(world.runs(1) && world.runs(2));
    assert_eq!(
        world.live[&world.main(0)],
        None,
        "not asked to end before its hooks are done"
    );
    world.exit(1, 0);
    assert_eq!(world.live[&world.main(0)], None);
    world.exit(2, 0);
    assert_eq!(world.live[&world.main(0)], Some(Signal::TERM));
    assert!(!world.runs(3));
    world.end(world.main(0), Exit::Signal(Signal::TERM));
    assert!(world.runs(3));
    assert_eq!(world.outcome(), None);
    world.exit(3, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s03_a_hanging_hook_ends_at_the_stop_timeout_of_its_job() {
    let app = JobSpec {
        stop_timeout: Some(secs(3)),
        ..unlimited("app")
    };
    let mut world = World::started(vec![app, hook("hangs", once(EventCode::Stopping, 0))]);
    world.stop();
    world.advance(ms(2_999));
    assert_eq!(world.live[&world.main(0)], None);
    world.advance(ms(1));
    assert_eq!(world.live[&world.main(0)], Some(Signal::TERM));
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    assert_eq!(
        world.reported(|note| matches!(note, Note::HookTimedOut { .. })),
        1
    );
    world.advance(secs(5));
    assert_eq!(world.live[&world.main(1)], Some(Signal::KILL));
}

#[test]
fn a_hook_without_a_bound_ends_at_the_limit_of_the_whole_stop() {
    let limits = StopLimits {
        stop_timeout: secs(5),
        shutdown_timeout: secs(60),
    };
    let specs = vec![
        unlimited("app"),
        hook("hangs", once(EventCode::Stopping, 0)),
    ];
    let mut world = World::with_limits(specs, limits);
    world.tell(&Event::Started);
    world.stop();
    world.advance(ms(59_499));
    assert_eq!(world.live[&world.main(0)], None);
    world.advance(ms(1));
    assert!(
        world
            .live
            .values()
            .all(|signal| *signal == Some(Signal::KILL))
    );
    world.end(world.main(0), Exit::Signal(Signal::KILL));
    world.end(world.main(1), Exit::Signal(Signal::KILL));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s11_what_kill_cannot_end_holds_the_stop_up_for_two_seconds_only() {
    let mut world = World::started(vec![
        unlimited("stuck"),
        hook("post", once(EventCode::Stopped, 0)),
    ]);
    world.stop();
    world.advance(secs(5));
    assert_eq!(world.live[&world.main(0)], Some(Signal::KILL));
    assert_eq!(world.outcome(), None);
    world.advance(secs(2));
    assert_eq!(
        world.reported(|note| matches!(note, Note::Unkillable { .. })),
        1
    );
    assert_eq!(
        world.announced(on(EventCode::Stopped, 0)),
        0,
        "nobody has proved it"
    );
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn outside_a_stop_what_kill_cannot_end_is_waited_for() {
    let stuck = JobSpec {
        timeout: Some(secs(1)),
        restarts: Restarts::Limited(0),
        ..job("stuck")
    };
    let mut world = World::started(vec![stuck]);
    world.advance(secs(600));
    assert_eq!(world.outcome(), None);
    world.exit(0, 1);
    assert_eq!(world.outcome(), Some(Outcome::End(1)));
}

#[test]
fn s09_stopped_is_published_only_when_nothing_is_left() {
    let mut world = World::started(vec![unlimited("app")]);
    let run = world.main(0);
    world.stop();
    world.leave(run, Exit::Signal(Signal::TERM));
    assert_eq!(world.announced(on(EventCode::Stopped, 0)), 0);
    world.advance(secs(5));
    assert_eq!(world.live[&run], Some(Signal::KILL));
    world.gone(run);
    assert_eq!(world.announced(on(EventCode::Stopped, 0)), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s12_each_hooks_run_once_and_do_not_keep_the_program_alive() {
    let mut world = World::started(vec![
        job("app"),
        hook("pre", each(EventCode::Stopping, 0)),
        hook("post", each(EventCode::Stopped, 0)),
    ]);
    world.exit(0, 0);
    world.exit(1, 0);
    world.exit(2, 0);
    assert_eq!((world.starts(1), world.starts(2)), (1, 1));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn a_hook_of_an_end_that_is_over_does_not_hold_the_stop_up() {
    let mut late = hook("late", once(EventCode::ExitFailed, 0));
    late.restarts = Restarts::Limited(0);
    let mut world = World::started(vec![
        job("app"),
        hook("on late's end", once(EventCode::Stopping, 1)),
        late,
        unlimited("main"),
    ]);
    world.exit(0, 0);
    world.stop();
    world.end(world.main(3), Exit::Code(0));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn hooks_that_wait_for_each_other_do_not_hold_up_a_stop_in_which_nothing_lives() {
    let mut world = World::started(vec![
        hook("a", once(EventCode::Stopping, 1)),
        hook("b", once(EventCode::Stopping, 0)),
        unlimited("main"),
    ]);
    world.stop();
    assert_eq!(world.outcome(), None);
    world.end(world.main(2), Exit::Code(0));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn a_hook_restarts_no_more_once_everything_stops() {
    let mut pre = hook("pre", once(EventCode::Stopping, 0));
    pre.restarts = Restarts::Unlimited;
    let mut world = World::started(vec![unlimited("app"), pre]);
    world.stop();
    world.exit(1, 1);
    assert_eq!(world.starts(1), 1);
    assert_eq!(world.live[&world.main(0)], Some(Signal::TERM));
}

#[test]
fn a_hook_in_back_off_still_hears_its_event() {
    let mut world = World::started(vec![
        unlimited("app"),
        hook("pre", each(EventCode::Stopping, 0)),
    ]);
    world.tell(&Event::Published(on(EventCode::Stopping, 0)));
    world.fail_spawn(world.main(1), crate::events::StartFailure::Exhausted);
    world.stop();
    assert_eq!(world.starts(1), 2);
    world.exit(1, 0);
    world.end(world.main(0), Exit::Code(0));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s15_an_essential_job_ends_the_program_with_its_status() {
    let essential = JobSpec {
        essential: Essential::Yes,
        ..job("main")
    };
    let mut world = World::started(vec![essential.clone(), unlimited("helper")]);
    world.exit(0, 3);
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    world.stop();
    world.end(world.main(1), Exit::Signal(Signal::TERM));
    assert_eq!(world.outcome(), Some(Outcome::End(3)));

    let mut world = World::started(vec![essential, unlimited("helper")]);
    world.stop();
    world.exit(0, 3);
    world.end(world.main(1), Exit::Signal(Signal::TERM));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn an_essential_job_s_hooks_run_at_its_own_end() {
    let essential = JobSpec {
        essential: Essential::Yes,
        ..job("main")
    };
    let mut world = World::started(vec![
        essential,
        hook("pre", once(EventCode::Stopping, 0)),
        hook("post", once(EventCode::Stopped, 0)),
    ]);
    world.end(
        world.main(0),
        Exit::Signal(Signal::from_number(11).expect("SEGV")),
    );
    world.exit(1, 0);
    world.exit(2, 9);
    assert_eq!(world.outcome(), Some(Outcome::End(139)));
}

#[test]
fn s14_the_same_143_is_success_when_asked_for_and_failure_when_not() {
    let mut world = World::started(vec![job("a")]);
    world.stop();
    world.exit(0, 143);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
    let mut world = World::started(vec![job("a")]);
    world.exit(0, 143);
    assert_eq!(world.outcome(), Some(Outcome::End(143)));
}

#[test]
fn p10_a_stop_before_the_start_starts_nothing() {
    let mut world = World::new(vec![job("a"), hook("pre", once(EventCode::Stopping, 0))]);
    world.stop();
    world.tell(&Event::Started);
    assert_eq!(world.starts(0), 0);
    if world.runs(1) {
        world.exit(1, 0);
    }
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn zero_jobs_run_until_they_are_asked_to_stop() {
    let mut world = World::started(Vec::new());
    assert_eq!(world.outcome(), None);
    world.stop();
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn a_fault_outweighs_a_stop() {
    for (reasons, outcome) in [
        (vec![StopReason::Requested], Outcome::End(0)),
        (
            vec![
                StopReason::Requested,
                StopReason::Fault,
                StopReason::Requested,
            ],
            Outcome::Fault,
        ),
    ] {
        let mut world = World::started(vec![unlimited("a")]);
        for reason in reasons {
            world.tell(&Event::StopRequested(reason));
        }
        world.end(world.main(0), Exit::Signal(Signal::TERM));
        assert_eq!(world.outcome(), Some(outcome));
    }
}

#[test]
fn a_check_under_way_is_killed_and_waited_for() {
    let mut spec = unlimited("app");
    spec.health = checked(secs(1), ms(900));
    let mut world = World::started(vec![spec]);
    world.advance(secs(1));
    world.stop();
    let check = world.check(0);
    assert_eq!(world.live[&check], Some(Signal::KILL));
    world.end(world.main(0), Exit::Code(0));
    assert_eq!(world.status(0).state, JobState::Stopping);
    world.end(check, Exit::Signal(Signal::KILL));
    assert_eq!(world.announced(on(EventCode::Unhealthy, 0)), 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn events_reach_their_subscribers_in_config_order_and_in_the_order_of_publishing() {
    let mut world = World::started(vec![
        hook("z", once(EventCode::ExitSuccess, 2)),
        hook("a", once(EventCode::ExitSuccess, 2)),
        job("first"),
        hook("after its end", once(EventCode::Stopped, 2)),
    ]);
    world.exit(2, 0);
    let mut order = Vec::new();
    for (_, effect) in &world.log {
        if let Effect::Spawn { run, .. } = effect {
            order.push(run.job.0);
        }
    }
    assert_eq!(order, [2, 0, 1, 3]);
}

#[test]
fn a_running_job_that_an_earlier_end_started_is_stopped_like_any_other() {
    let mut world = World::started(vec![
        job("setup"),
        hook("server", once(EventCode::Stopped, 0)),
    ]);
    world.exit(0, 0);
    world.advance(secs(60));
    world.stop();
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    world.advance(secs(5));
    assert_eq!(world.live[&world.main(1)], Some(Signal::KILL));
}

#[test]
fn a_hook_of_an_end_that_began_before_the_stop_gets_the_time_of_a_run() {
    let mut world = World::started(vec![
        job("setup"),
        hook("server", once(EventCode::Stopping, 0)),
    ]);
    world.exit(0, 0);
    world.advance(secs(3_600));
    assert_eq!(
        world.live[&world.main(1)],
        None,
        "without a bound of its own it may take as long as it wants"
    );
    world.stop();
    world.advance(secs(5));
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    world.advance(secs(5));
    assert_eq!(world.live[&world.main(1)], Some(Signal::KILL));
}

#[test]
fn the_limit_of_the_whole_stop_is_one_for_what_dies_and_what_does_not() {
    let limits = StopLimits {
        stop_timeout: secs(50),
        shutdown_timeout: secs(10),
    };
    let mut world = World::with_limits(vec![unlimited("stuck")], limits);
    world.tell(&Event::Started);
    world.stop();
    assert_eq!(world.jobs.stop_deadline(), Some(world.now + secs(10)));
    world.advance(ms(9_500));
    assert_eq!(world.live[&world.main(0)], Some(Signal::KILL));
    assert_eq!(world.outcome(), None);
    world.advance(ms(500));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}
