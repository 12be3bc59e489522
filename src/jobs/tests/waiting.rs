//! What jobs wait for: conditions, what is waited for in vain (J07), limits of restarts (J08), actions.

use super::world::*;
use crate::events::{Event, EventCode, Exit, JobId, PublicEvent, Signal, Source, WatchId};
use crate::jobs::{
    Action, Condition, Effect, Is, JobSpec, JobState, MaxRestarts, Note, Orphans, Outcome,
    Restarts, Start, State,
};

fn is(is: Is, job: u32) -> Condition {
    let source = Source::Job(JobId(job));
    Condition::Is(State { source, is })
}

fn starts_by(name: &str, start: Start) -> JobSpec {
    JobSpec { start, ..job(name) }
}

fn state(world: &World, job: u32) -> JobState {
    world.status(job).state
}

#[test]
fn all_is_met_by_what_was_and_what_is() {
    let both = Condition::All(vec![
        Condition::Once(on(EventCode::ExitSuccess, 0)),
        is(Is::Running, 1),
    ]);
    let mut world = World::started(vec![
        job("setup"),
        unlimited("db"),
        starts_by("app", Start::once(both)),
    ]);
    world.end(world.main(1), Exit::Code(1));
    world.end(world.main(1), Exit::Code(1));
    assert!(!world.runs(1), "db waits for its next start");
    world.exit(0, 0);
    assert!(!world.runs(2), "setup is done and db does not run");
    world.advance(secs(1));
    assert!(world.runs(1) && world.runs(2));
}

#[test]
fn any_is_met_by_one_and_starts_once() {
    let either = Condition::Any(vec![
        Condition::Once(on(EventCode::ExitSuccess, 0)),
        Condition::Once(on(EventCode::ExitSuccess, 1)),
    ]);
    let mut world = World::started(vec![
        job("a"),
        job("b"),
        starts_by("c", Start::once(either)),
    ]);
    world.exit(1, 0);
    world.exit(2, 0);
    world.exit(0, 0);
    assert_eq!(world.starts(2), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

/// Triggers that came too early are one run as soon as the job may start.
#[test]
fn early_triggers_are_one_start() {
    let changed = PublicEvent {
        code: EventCode::Changed,
        source: Source::Watch(WatchId(0)),
    };
    let start = Start {
        after: Condition::Once(on(EventCode::ExitSuccess, 0)),
        ..Start::each(changed)
    };
    let mut world = World::started(vec![job("setup"), starts_by("hook", start)]);
    world.tell(&Event::Published(changed));
    world.tell(&Event::Published(changed));
    assert_eq!(world.starts(1), 0);
    world.exit(0, 0);
    assert_eq!(world.starts(1), 1);
    world.exit(1, 0);
    world.tell(&Event::Published(changed));
    assert_eq!(world.starts(1), 2);
}

#[test]
fn j07_a_chain_of_jobs_that_wait_in_vain_is_skipped() {
    let mut world = World::started(vec![
        job("setup"),
        starts_by("app", once(EventCode::ExitSuccess, 0)),
        starts_by(
            "last",
            Start::once(Condition::All(vec![is(Is::Running, 1)])),
        ),
    ]);
    world.exit(0, 3);
    assert_eq!(state(&world, 1), JobState::Skipped);
    assert_eq!(state(&world, 2), JobState::Skipped);
    let source = Source::Job(JobId(0));
    assert_eq!(world.reported(|note| *note == Note::Skipped { source }), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(3)));
}

/// A handler that is at work when its source ends for good is over with its run.
#[test]
fn j07_a_handler_that_outlasts_its_source_does_not_wait_for_ever() {
    let mut world = World::started(vec![
        job("app"),
        starts_by("handler", each(EventCode::ExitFailed, 0)),
    ]);
    world.exit(0, 5);
    assert!(world.runs(1));
    assert_eq!(world.outcome(), None);
    world.exit(1, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(5)));
}

/// The same where it becomes free to start only when its source is over.
#[test]
fn j07_a_handler_that_is_free_too_late_does_not_wait_for_ever() {
    let healthy = PublicEvent {
        code: EventCode::Healthy,
        source: Source::Watch(WatchId(0)),
    };
    let start = Start {
        after: Condition::Once(healthy),
        ..each(EventCode::ExitFailed, 0)
    };
    let mut world = World::started(vec![job("app"), starts_by("handler", start)]);
    world.exit(0, 0);
    assert_eq!(world.outcome(), None, "the watch may still answer");
    world.tell(&Event::Published(healthy));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn s04_who_is_needed_stops_last() {
    let mut world = World::started(vec![
        unlimited("db"),
        JobSpec {
            start: Start::once(Condition::All(vec![is(Is::Running, 0)])),
            ..unlimited("app")
        },
    ]);
    world.stop();
    let db = world.main(0);
    assert_eq!(world.live[&db], None);
    world.end(world.main(1), Exit::Signal(Signal::TERM));
    assert_eq!(world.live[&db], Some(Signal::TERM));
    world.end(db, Exit::Signal(Signal::TERM));
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn j08_restarts_within_the_window_are_counted() {
    let app = JobSpec {
        max_restarts: Some(MaxRestarts {
            count: 2,
            within: secs(60),
        }),
        ..unlimited("app")
    };
    let mut world = World::started(vec![app]);
    for _ in 0..5 {
        world.advance(secs(31));
        world.exit(0, 0);
    }
    assert_eq!(world.starts(0), 6, "never three within a minute");
    world.exit(0, 0);
    assert_eq!(state(&world, 0), JobState::Failed);
    assert_eq!(world.announced(on(EventCode::Failed, 0)), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(1)));
}

/// An hour of lives of 5 ms: at the cap two starts a minute, two orders and one line each, and in the end the rule.
#[test]
fn j08_a_crash_loop_of_an_hour_is_bounded_and_then_failed() {
    let app = JobSpec {
        max_restarts: Some(MaxRestarts {
            count: 150,
            within: secs(2 * 3600),
        }),
        ..unlimited("app")
    };
    let mut world = World::started(vec![app]);
    while world.now - world.start < secs(3600) {
        world.advance(ms(5));
        world.exit(0, 1);
        let due = world.jobs.next_deadline();
        if let Some(due) = due.filter(|_| !world.runs(0)) {
            world.advance_to(due - world.start);
        }
    }
    let starts = world.starts(0);
    assert!((100..=150).contains(&starts), "{starts}");
    let lines = world.reported(|note| matches!(note, Note::BackingOff { .. }));
    assert!(
        lines <= starts && world.reported(|_| true) == lines,
        "{lines}"
    );
    while state(&world, 0) != JobState::Failed {
        assert!(world.starts(0) <= 151, "the rule says 150 restarts");
        if world.runs(0) {
            world.exit(0, 1);
        } else {
            world.advance(secs(30));
        }
    }
    assert_eq!(world.starts(0), 151);
}

fn acted(world: &mut World) {
    world.tell(&Event::signal(Signal::HUP));
}

fn with_action(app: JobSpec, action: Action) -> World {
    let act = JobSpec {
        exec: None,
        action: Some(action),
        ..starts_by("act", Start::each(signal_event(Signal::HUP)))
    };
    World::started(vec![app, act])
}

#[test]
fn a_restart_that_was_asked_for_counts_for_nothing() {
    let mut world = with_action(job("app"), Action::Restart(JobId(0)));
    for starts in 2..5 {
        acted(&mut world);
        let run = world.main(0);
        assert_eq!(world.live[&run], Some(Signal::TERM));
        world.end(run, Exit::Signal(Signal::TERM));
        assert_eq!(world.starts(0), starts);
    }
    acted(&mut world);
    world.stop();
    world.end(world.main(0), Exit::Signal(Signal::TERM));
    assert_eq!(world.starts(0), 4, "a stop outweighs it");
}

/// P12: what a command left on purpose is the job, and is renewed like one.
#[test]
fn p12_a_daemon_is_restarted_as_well() {
    let daemon = JobSpec {
        orphans: Orphans::Keep,
        ..restarting("daemon", Restarts::Limited(0))
    };
    let mut world = with_action(daemon, Action::Restart(JobId(0)));
    let first = world.main(0);
    world.leave(first, Exit::Code(0));
    acted(&mut world);
    assert_eq!(world.live[&first], Some(Signal::TERM));
    world.gone(first);
    assert_eq!(world.starts(0), 2);
}

#[test]
fn a_signal_goes_to_what_runs() {
    let mut world = with_action(job("app"), Action::Signal(JobId(0), Signal::USR1));
    acted(&mut world);
    let run = world.main(0);
    let sent = |world: &World| world.count(|effect| *effect == Effect::Signal(run, Signal::USR1));
    assert_eq!(sent(&world), 1);
    world.exit(0, 0);
    acted(&mut world);
    assert_eq!(sent(&world), 1);
}
