//! What an operator does to jobs, rule by rule.

use super::world::*;
use crate::events::{Event, EventCode, Exit, JobId, RunKind, Signal, StopReason};
use crate::jobs::{
    Effect, Essential, Health, JobSpec, JobState, Note, Operation, Outcome, Progress, Refused,
};
use crate::services::Presence;

fn operate(world: &mut World, job: u32, operation: Operation) -> Result<Progress, Refused> {
    let (result, effects) = world.jobs.operate(JobId(job), operation, world.now);
    world.take(effects);
    result
}

fn state(world: &World, job: u32) -> JobState {
    world.status(job).state
}

/// Ends the run of a job.
fn exit(world: &mut World, job: u32, code: i32) {
    let run = world.main(job);
    world.end(run, Exit::Code(code));
}

fn essential(name: &str) -> JobSpec {
    JobSpec {
        essential: Essential::Yes,
        ..job(name)
    }
}

#[test]
fn a_stop_of_an_essential_job_ends_nothing() {
    let mut world = World::started(vec![essential("app")]);
    assert_eq!(operate(&mut world, 0, Operation::Stop), Ok(Progress::Begun));
    assert_eq!(
        operate(&mut world, 0, Operation::Stop),
        Ok(Progress::Already)
    );
    exit(&mut world, 0, 1);
    assert_eq!(state(&world, 0), JobState::Stopped);
    assert_eq!(world.outcome(), None, "the last job as well");
    // A stop of the program is a stop of the program.
    world.tell(&Event::StopRequested(StopReason::Requested));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn who_waits_for_a_stopped_job_goes_on_waiting() {
    let waits = JobSpec {
        start: once(EventCode::ExitSuccess, 0),
        essential: Essential::Yes,
        ..job("waits")
    };
    let mut world = World::started(vec![job("app"), waits]);
    let stopped = operate(&mut world, 0, Operation::Stop);
    assert_eq!(stopped, Ok(Progress::Begun));
    exit(&mut world, 0, 1);
    assert_eq!(state(&world, 1), JobState::Waiting);
    assert_eq!(
        operate(&mut world, 0, Operation::Start),
        Ok(Progress::Begun)
    );
    exit(&mut world, 0, 0);
    assert_eq!(state(&world, 1), JobState::Running);
}

#[test]
fn a_restart_is_an_end_and_a_beginning_with_hooks() {
    let pre_start = job("app.preStart");
    let app = JobSpec {
        start: once(EventCode::ExitSuccess, 0),
        ..served("app")
    };
    let pre_stop = JobSpec {
        start: once(EventCode::Stopping, 1),
        ..job("app.preStop")
    };
    let post_stop = JobSpec {
        start: once(EventCode::Stopped, 1),
        ..job("app.postStop")
    };
    let mut world = World::started(vec![pre_start, app, pre_stop, post_stop]);
    for _ in 0..3 {
        exit(&mut world, 0, 0);
        assert_eq!(state(&world, 1), JobState::Running);
        let first = world.main(1);
        assert_eq!(
            operate(&mut world, 1, Operation::Restart),
            Ok(Progress::Begun)
        );
        assert_eq!(
            operate(&mut world, 1, Operation::Restart),
            Ok(Progress::Already)
        );
        assert_eq!(
            operate(&mut world, 1, Operation::Start),
            Ok(Progress::Already)
        );
        world.tell(&Event::Left {
            job: JobId(1),
            was_there: true,
        });
        // The hook has its time before TERM.
        assert_eq!(world.live[&first], None);
        exit(&mut world, 2, 0);
        assert_eq!(world.live[&first], Some(Signal::TERM));
        exit(&mut world, 1, 0);
        assert_eq!(state(&world, 1), JobState::Stopped);
        assert!(
            world.find(0, RunKind::Main).is_none(),
            "not before its postStop"
        );
        exit(&mut world, 3, 0);
        assert_eq!(state(&world, 0), JobState::Running, "preStart comes first");
        assert_eq!(state(&world, 1), JobState::Waiting);
    }
    let back = Effect::Show(JobId(1), Presence::Back);
    let shown = world.log.iter().filter(|(_, effect)| *effect == back);
    assert_eq!(shown.count(), 3);
}

#[test]
fn a_start_does_not_wait_and_counts_anew() {
    let waits = JobSpec {
        start: once(EventCode::Healthy, 0),
        ..job("waits")
    };
    let mut world = World::started(vec![job("app"), waits]);
    assert_eq!(
        operate(&mut world, 1, Operation::Start),
        Ok(Progress::Begun)
    );
    assert_eq!(
        operate(&mut world, 1, Operation::Start),
        Ok(Progress::Already)
    );
    assert_eq!(world.start_times(1).len(), 1);
    // A failure that was made good is forgotten.
    exit(&mut world, 0, 3);
    assert_eq!(state(&world, 0), JobState::Complete);
    assert_eq!(
        operate(&mut world, 0, Operation::Start),
        Ok(Progress::Begun)
    );
    exit(&mut world, 0, 0);
    exit(&mut world, 1, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn a_start_in_a_delay_begins_at_once() {
    let mut world = World::started(vec![unlimited("app")]);
    exit(&mut world, 0, 1);
    exit(&mut world, 0, 1);
    assert_eq!(state(&world, 0), JobState::Backoff);
    assert_eq!(
        operate(&mut world, 0, Operation::Restart),
        Ok(Progress::Begun)
    );
    assert_eq!(state(&world, 0), JobState::Running);
    world.advance(secs(100));
    assert_eq!(world.start_times(0).len(), 3, "once");
}

#[test]
fn a_stop_takes_a_start_back() {
    let mut world = World::started(vec![job("app"), job("other")]);
    operate(&mut world, 0, Operation::Restart).expect("it runs");
    assert_eq!(operate(&mut world, 0, Operation::Stop), Ok(Progress::Begun));
    exit(&mut world, 0, 0);
    assert_eq!(state(&world, 0), JobState::Stopped);
    assert_eq!(world.start_times(0).len(), 1);
}

#[test]
fn the_end_of_everything_outweighs_an_operator() {
    let mut world = World::started(vec![job("app"), job("other")]);
    operate(&mut world, 0, Operation::Restart).expect("it runs");
    world.tell(&Event::StopRequested(StopReason::Requested));
    for operation in [
        Operation::Start,
        Operation::Restart,
        Operation::Check(false),
    ] {
        assert_eq!(operate(&mut world, 0, operation), Err(Refused::Ending));
    }
    assert_eq!(
        operate(&mut world, 0, Operation::Stop),
        Ok(Progress::Already)
    );
    exit(&mut world, 0, 0);
    exit(&mut world, 1, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
    assert_eq!(world.start_times(0).len(), 1);
}

#[test]
fn a_signal_goes_to_a_run_in_any_stage_of_it() {
    let mut world = World::started(vec![job("app")]);
    let signal = Operation::Signal(Signal::USR1);
    assert_eq!(operate(&mut world, 0, signal), Ok(Progress::Begun));
    operate(&mut world, 0, Operation::Stop).expect("it runs");
    assert_eq!(operate(&mut world, 0, signal), Ok(Progress::Begun));
    exit(&mut world, 0, 0);
    assert_eq!(operate(&mut world, 0, signal), Err(Refused::NotRunning));
}

#[test]
fn checks_that_are_off_neither_run_nor_count() {
    let app = JobSpec {
        health: checked(secs(1), secs(1)),
        ..served("app")
    };
    let mut world = World::started(vec![app]);
    world.advance(secs(1));
    let check = world.check(0);
    world.end(check, Exit::Code(1));
    assert_eq!(world.status(0).health, Health::Unhealthy);
    let off = Operation::Check(false);
    assert_eq!(operate(&mut world, 0, off), Ok(Progress::Begun));
    assert_eq!(operate(&mut world, 0, off), Ok(Progress::Already));
    assert_eq!(world.status(0).health, Health::Unknown);
    let before = world.log.len();
    world.advance(secs(10));
    let after = &world.log[before..];
    assert!(
        !after
            .iter()
            .any(|(_, effect)| matches!(effect, Effect::Spawn { .. })),
        "no check runs: {after:?}"
    );
    let passing = Effect::Show(JobId(0), Presence::Passing);
    let beats = after
        .iter()
        .filter(|(_, effect)| *effect == passing)
        .count();
    assert!(beats >= 10, "the service is said to be well: {beats}");
    // Off it stays, over a restart as well.
    operate(&mut world, 0, Operation::Restart).expect("it runs");
    world.tell(&Event::Left {
        job: JobId(0),
        was_there: false,
    });
    exit(&mut world, 0, 0);
    assert!(world.status(0).is_unchecked);
    world.advance(secs(5));
    assert!(world.find(0, RunKind::Check(0)).is_none());
    assert_eq!(
        operate(&mut world, 0, Operation::Check(true)),
        Ok(Progress::Begun)
    );
    assert!(world.find(0, RunKind::Check(0)).is_some(), "at once");
}

#[test]
fn maintenance_of_one_job_and_of_all_add_up() {
    let app = JobSpec {
        health: checked(secs(1), secs(1)),
        ..served("app")
    };
    let mut world = World::started(vec![app]);
    let checks = |world: &mut World| {
        let before = world.log.len();
        world.advance(secs(3));
        let runs = world.log[before..].iter();
        runs.filter(|(_, effect)| matches!(effect, Effect::Spawn { .. }))
            .count()
    };
    assert_eq!(
        operate(&mut world, 0, Operation::Maintenance(true)),
        Ok(Progress::Begun)
    );
    assert_eq!(
        operate(&mut world, 0, Operation::Maintenance(true)),
        Ok(Progress::Already)
    );
    assert_eq!(checks(&mut world), 0);
    world.tell(&Event::Maintenance(true));
    world.tell(&Event::Maintenance(false));
    assert_eq!(checks(&mut world), 0, "its own goes on");
    world.tell(&Event::Maintenance(true));
    assert_eq!(
        operate(&mut world, 0, Operation::Maintenance(false)),
        Ok(Progress::Begun)
    );
    assert_eq!(checks(&mut world), 0, "that of all goes on");
    world.tell(&Event::Maintenance(false));
    assert!(world.find(0, RunKind::Check(0)).is_some());
}

#[test]
fn a_hook_of_each_end_does_not_hold_up_the_first() {
    let hook = JobSpec {
        start: each(EventCode::Stopping, 0),
        ..job("hook")
    };
    let mut world = World::started(vec![job("app"), hook]);
    for _ in 0..3 {
        operate(&mut world, 0, Operation::Restart).expect("it runs");
        exit(&mut world, 1, 0);
        exit(&mut world, 0, 0);
        assert_eq!(state(&world, 0), JobState::Running);
    }
    let anew = |(_, effect): &&(_, Effect)| *effect == Effect::Report(JobId(0), Note::Anew);
    assert_eq!(world.log.iter().filter(anew).count(), 3);
}
