//! Starting, restarting, time limits, and what starts are told.

use super::world::*;
use crate::events::{Event, EventCode, Exit, JobId, PublicEvent, RunKind, Signal, StartFailure};
use crate::jobs::{Condition, Effect, JobSpec, JobState, Note, Orphans, Outcome, Restarts, Start};

#[test]
fn a_job_runs_once_and_the_program_ends_with_its_status() {
    let mut world = World::started(vec![job("one")]);
    assert_eq!(world.outcome(), None);
    world.exit(0, 0);
    assert_eq!(world.starts(0), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s16_the_first_final_failure_decides_the_status() {
    let mut world = World::started(vec![job("a"), job("b"), job("c")]);
    world.exit(1, 4);
    world.exit(0, 3);
    world.exit(2, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(4)));
}

#[test]
fn restarts_allow_that_many_runs_more() {
    let mut world = World::started(vec![restarting("a", Restarts::Limited(3))]);
    for _ in 0..4 {
        world.advance(secs(40));
        world.exit(0, 1);
    }
    assert_eq!(world.starts(0), 4);
    assert_eq!(world.outcome(), Some(Outcome::End(1)));
}

#[test]
fn the_first_restart_is_immediate_and_a_crash_loop_slows_down() {
    let mut world = World::started(vec![unlimited("a")]);
    let mut gaps = Vec::new();
    for _ in 0..14 {
        let ended = world.now;
        world.exit(0, 0);
        while !world.runs(0) {
            let due = world.jobs.next_deadline().expect("a restart is due");
            world.advance_to(due - world.start);
        }
        gaps.push(world.now - ended);
    }
    assert_eq!(gaps[0], ms(0));
    for (index, gap) in gaps.iter().enumerate().skip(1) {
        let plain = (ms(100) * (1 << (index - 1))).min(secs(30));
        assert!(
            *gap >= plain * 8 / 10 && *gap <= (plain * 12 / 10).min(secs(30)),
            "{index}: {gap:?}"
        );
    }
    assert!(gaps[13] >= secs(24));
    assert!(
        gaps[10..].iter().any(|gap| *gap != secs(30)),
        "at the cap, too, restarts are spread"
    );
}

#[test]
fn a_stable_run_makes_the_next_restart_immediate_again() {
    let mut world = World::started(vec![unlimited("a")]);
    world.exit(0, 1);
    world.exit(0, 1);
    assert!(!world.runs(0));
    world.advance(ms(130));
    world.advance(secs(10));
    world.exit(0, 1);
    assert!(world.runs(0));
}

#[test]
fn a_run_begins_only_when_the_last_one_is_gone() {
    let mut world = World::started(vec![unlimited("a")]);
    let first = world.main(0);
    world.leave(first, Exit::Code(1));
    assert_eq!(world.starts(0), 1);
    assert_eq!(world.live[&first], Some(Signal::TERM));
    assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 1);
    world.advance(secs(5));
    assert_eq!(world.live[&first], Some(Signal::KILL));
    world.gone(first);
    assert_eq!(world.starts(0), 2);
    assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 1);
}

#[test]
fn kept_processes_outlive_their_run_and_end_with_the_job() {
    let mut spec = unlimited("daemon");
    spec.orphans = Orphans::Keep;
    spec.timeout = Some(secs(1));
    let mut world = World::started(vec![spec]);
    let first = world.main(0);
    world.leave(first, Exit::Code(0));
    assert_eq!(world.starts(0), 2);
    assert_eq!(world.live[&first], None);
    let second = world.find(0, RunKind::Main).filter(|run| *run != first);
    let second = second.unwrap_or_else(|| *world.live.keys().last().expect("runs"));
    world.advance(ms(500));
    assert_eq!(world.live[&first], None);
    world.stop();
    assert_eq!(world.live[&first], Some(Signal::TERM));
    world.end(second, Exit::Signal(Signal::TERM));
    assert_eq!(world.announced(on(EventCode::Stopped, 0)), 0);
    world.gone(first);
    assert_eq!(world.announced(on(EventCode::Stopped, 0)), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn p12_a_job_whose_command_left_a_daemon_ends_with_the_daemon() {
    let mut spec = job("daemon");
    spec.orphans = Orphans::Keep;
    let mut world = World::started(vec![spec.clone()]);
    let run = world.main(0);
    world.leave(run, Exit::Code(0));
    world.advance(secs(3_600));
    assert_eq!((world.live[&run], world.outcome()), (None, None));
    world.gone(run);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));

    let mut world = World::started(vec![spec]);
    let run = world.main(0);
    world.leave(run, Exit::Code(0));
    world.stop();
    assert_eq!(world.live[&run], Some(Signal::TERM));
    world.gone(run);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn an_answer_for_another_run_changes_nothing() {
    let mut world = World::started(vec![unlimited("a")]);
    let first = world.main(0);
    world.end(first, Exit::Code(1));
    let before = format!("{:?}", world.jobs);
    world.tell(&Event::Exited {
        run: first,
        exit: Exit::Code(1),
        left: false,
    });
    world.tell(&Event::Gone(first));
    world.tell(&Event::SpawnFailed(first, StartFailure::NotFound));
    assert_eq!(format!("{:?}", world.jobs), before);
}

#[test]
fn a_run_over_its_timeout_is_killed() {
    let mut spec = job("slow");
    spec.timeout = Some(ms(100));
    let mut world = World::started(vec![spec]);
    let run = world.main(0);
    world.advance(ms(99));
    assert_eq!(world.live[&run], None);
    world.advance(ms(1));
    assert_eq!(world.live[&run], Some(Signal::KILL));
    assert_eq!(
        world.reported(|note| matches!(note, Note::TimedOut { .. })),
        1
    );
    world.end(run, Exit::Signal(Signal::KILL));
    assert_eq!(world.outcome(), Some(Outcome::End(137)));
}

#[test]
fn a_missing_command_counts_as_a_failure_with_back_off() {
    let mut world = World::started(vec![restarting("a", Restarts::Limited(2))]);
    world.fail_spawn(world.main(0), StartFailure::NotFound);
    world.fail_spawn(world.main(0), StartFailure::NotFound);
    assert!(!world.runs(0), "the second restart waits");
    world.advance(ms(130));
    world.fail_spawn(world.main(0), StartFailure::NotFound);
    assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 3);
    assert_eq!(world.outcome(), Some(Outcome::End(127)));
}

#[test]
fn x02_a_start_for_which_there_is_no_process_is_tried_again_and_is_no_exit() {
    let mut world = World::started(vec![job("a")]);
    for _ in 0..5 {
        world.fail_spawn(world.main(0), StartFailure::Exhausted);
        assert!(!world.runs(0));
        world.advance(secs(31));
    }
    assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 0);
    world.exit(0, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn once_hears_its_event_once() {
    let mut follower = job("after");
    follower.start = once(EventCode::ExitSuccess, 0);
    let mut first = unlimited("first");
    first.restarts = Restarts::Limited(2);
    let mut world = World::started(vec![first, follower]);
    assert!(!world.runs(1));
    world.exit(0, 1);
    assert!(!world.runs(1));
    world.advance(secs(1));
    world.exit(0, 0);
    assert!(world.runs(1));
    world.exit(1, 0);
    world.advance(secs(1));
    world.exit(0, 0);
    assert_eq!(world.starts(1), 1);
}

#[test]
fn j05_events_during_a_run_become_one_more_run() {
    let mut handler = job("handler");
    handler.start = Start::each(signal_event(Signal::HUP));
    let mut world = World::started(vec![handler, unlimited("main")]);
    for _ in 0..5 {
        world.tell(&Event::signal(Signal::HUP));
    }
    assert_eq!(world.starts(0), 1);
    world.exit(0, 0);
    assert_eq!(world.starts(0), 2);
    world.exit(0, 0);
    assert_eq!(world.starts(0), 2);
    assert_eq!(world.status(0).state, JobState::Idle);
}

#[test]
fn restarts_of_an_each_job_are_spent_over_its_life() {
    let mut handler = job("handler");
    handler.start = Start::each(signal_event(Signal::USR2));
    handler.restarts = Restarts::Limited(1);
    let mut world = World::started(vec![handler]);
    world.tell(&Event::signal(Signal::USR2));
    world.exit(0, 1);
    world.exit(0, 1);
    assert_eq!(world.starts(0), 2);
    world.tell(&Event::signal(Signal::USR2));
    world.exit(0, 1);
    assert_eq!(world.starts(0), 3);
    assert_eq!(world.outcome(), None);
}

#[test]
fn the_event_of_a_start_is_its_cause() {
    let mut handler = job("handler");
    handler.start = Start::each(signal_event(Signal::USR2));
    let mut world = World::started(vec![handler]);
    world.tell(&Event::signal(Signal::USR2));
    let cause = Some(signal_event(Signal::USR2));
    assert_eq!(
        world.count(|e| matches!(e, Effect::Spawn { cause: found, .. } if *found == cause)),
        1
    );
}

#[test]
fn j06_a_wait_limit_ends_a_job_that_never_started_and_no_other() {
    let mut waits = job("waits");
    waits.start = Start::once(Condition::Once(on(EventCode::Healthy, 1))).within(Some(ms(100)));
    let mut world = World::started(vec![waits.clone(), job("never healthy")]);
    world.advance(ms(100));
    assert_eq!(world.announced(on(EventCode::TimerExpired, 0)), 1);
    assert_eq!(world.announced(on(EventCode::Stopping, 0)), 1);
    assert_eq!(world.announced(on(EventCode::Stopped, 0)), 1);
    assert_eq!(
        world.reported(|note| matches!(note, Note::WaitExpired { .. })),
        1
    );

    let mut world = World::started(vec![waits, job("healthy")]);
    world.tell(&Event::Published(on(EventCode::Healthy, 1)));
    world.advance(secs(10));
    assert!(world.runs(0));
}

#[test]
fn a_job_whose_start_can_never_come_waits_for_ever() {
    let mut spec = job("never");
    spec.start = Start::never();
    let mut world = World::started(vec![spec]);
    world.advance(secs(1_000_000));
    assert_eq!(world.starts(0), 0);
    assert_eq!(world.outcome(), None);
    world.stop();
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn a_job_without_a_command_never_ends_by_itself() {
    let mut spec = job("service only");
    spec.exec = None;
    let mut world = World::started(vec![spec, job("task")]);
    world.exit(1, 0);
    assert_eq!(world.outcome(), None);
    assert!(world.status(0).is_started);
    world.stop();
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

/// What was told to the starts of a job's command, in order.
fn causes(world: &World, job: u32) -> Vec<Option<PublicEvent>> {
    let spawned = world.log.iter().filter_map(|(_, effect)| match effect {
        Effect::Spawn { run, cause } if run.job == JobId(job) => Some(*cause),
        _ => None,
    });
    spawned.collect()
}

/// A hook that failed is tried again for what it was started for, and a later event during its back-off is told instead.
#[test]
fn decision_18_a_restart_is_told_what_its_run_was_for() {
    let hook = JobSpec {
        start: each(EventCode::ExitSuccess, 1),
        ..restarting("hook", Restarts::Limited(5))
    };
    let mut world = World::started(vec![hook, unlimited("source")]);
    world.exit(1, 0);
    let event = Some(on(EventCode::ExitSuccess, 1));
    for _ in 0..3 {
        world.exit(0, 1);
        world.advance(secs(30));
    }
    assert_eq!(causes(&world, 0), [event; 4]);
}
