//! Jobs that the wall clock starts: what a tick does. When one comes is not theirs to know.

use std::sync::Arc;

use super::world::*;
use crate::events::{Event, EventCode, Exit, JobId, Signal, StartFailure, StopReason};
use crate::jobs::{Action, Condition, JobSpec, JobState, Outcome, Overlap, Restarts, Start};
use crate::schedule::{Cron, Schedule, Zone};

pub(super) fn daily() -> Arc<Schedule> {
    Arc::new(Schedule {
        cron: Cron::parse("@daily").expect("an expression"),
        zone: Zone::utc(),
    })
}

fn cron(overlap: Overlap) -> JobSpec {
    JobSpec {
        start: Start::cron(daily(), overlap),
        ..unlimited("nightly")
    }
}

impl World {
    fn tick(&mut self) {
        self.tell(&Event::Ticked(JobId(0)));
    }
}

#[test]
fn a_tick_is_a_start_and_nothing_else_is() {
    let mut world = World::started(vec![cron(Overlap::Skip)]);
    world.advance(secs(100_000));
    assert_eq!(world.starts(0), 0);
    for starts in 1..4 {
        world.tick();
        assert_eq!(world.starts(0), starts);
        world.exit(0, 1);
        // No restart, no back-off: the next tick.
        world.advance(secs(100));
        assert_eq!(world.starts(0), starts);
    }
    assert_eq!(world.jobs.next_deadline(), None);
    assert_eq!(world.outcome(), None);
}

#[test]
fn overlap_skip_queue_kill() {
    for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Kill] {
        let mut world = World::started(vec![cron(overlap)]);
        world.tick();
        let first = world.main(0);
        world.tick();
        world.tick();
        assert_eq!(world.starts(0), 1, "one at a time");
        let asked = (overlap == Overlap::Kill).then_some(Signal::TERM);
        assert_eq!(world.live[&first], asked, "{overlap:?}");
        world.advance(secs(5));
        let killed = (overlap == Overlap::Kill).then_some(Signal::KILL);
        assert_eq!(world.live[&first], killed, "{overlap:?}");
        world.end(first, Exit::Code(0));
        // Any number of ticks is one more run.
        let follows = usize::from(overlap != Overlap::Skip);
        assert_eq!(world.starts(0), 1 + follows, "{overlap:?}");
        if follows == 1 {
            world.exit(0, 0);
        }
        assert_eq!(world.starts(0), 1 + follows);
        world.tick();
        assert_eq!(world.starts(0), 2 + follows);
    }
}

#[test]
fn a_run_that_is_ending_makes_room() {
    let mut spec = cron(Overlap::Skip);
    spec.timeout = Some(secs(10));
    let mut world = World::started(vec![spec]);
    world.tick();
    let first = world.main(0);
    world.advance(secs(10));
    assert_eq!(world.live[&first], Some(Signal::KILL));
    world.tick();
    world.end(first, Exit::Signal(Signal::KILL));
    assert_eq!(world.starts(0), 2);
}

#[test]
fn restarts_are_ticks() {
    let mut spec = cron(Overlap::Skip);
    spec.restarts = Restarts::Limited(2);
    let mut world = World::started(vec![spec]);
    for starts in 1..4 {
        world.tick();
        assert_eq!(world.starts(0), starts);
        world.exit(0, 0);
    }
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
    world.tick();
    assert_eq!(world.starts(0), 3);
}

#[test]
fn ticks_before_what_it_waits_for_are_none() {
    let mut spec = cron(Overlap::Skip);
    spec.start.after = Condition::Once(on(EventCode::ExitSuccess, 1));
    let mut world = World::new(vec![spec, job("setup")]);
    world.tick();
    world.tell(&Event::Started);
    world.tick();
    assert_eq!(world.starts(0), 0);
    world.exit(1, 0);
    assert_eq!(world.starts(0), 0);
    world.tick();
    assert_eq!(world.starts(0), 1);
}

#[test]
fn what_waits_for_nothing_starts_at_its_first_tick() {
    let mut spec = cron(Overlap::Skip);
    spec.start.after = Condition::always();
    let mut world = World::started(vec![spec]);
    world.tick();
    world.exit(0, 0);
    world.tick();
    assert_eq!(world.starts(0), 2);
}

#[test]
fn after_a_stop_has_begun_nothing_is_started() {
    for runs in [false, true] {
        let mut world = World::started(vec![cron(Overlap::Queue), unlimited("app")]);
        if runs {
            world.tick();
            world.tick();
        }
        world.tell(&Event::StopRequested(StopReason::Requested));
        world.tick();
        assert_eq!(world.starts(0), usize::from(runs));
        if runs {
            world.exit(0, 0);
        }
        assert_eq!(world.starts(0), usize::from(runs));
        assert_eq!(world.status(0).state, JobState::Complete);
    }
}

#[test]
fn s06_what_others_need_to_the_end_is_not_ended_by_a_tick() {
    let mut agent = cron(Overlap::Kill);
    agent.agent = true;
    let mut world = World::started(vec![agent, served("app")]);
    world.tick();
    let run = world.main(0);
    world.tell(&Event::StopRequested(StopReason::Requested));
    world.tick();
    assert_eq!(world.live[&run], None, "the service has not left yet");
}

#[test]
fn a_start_that_the_system_refused_is_one_start() {
    let mut world = World::started(vec![cron(Overlap::Skip)]);
    world.tick();
    let run = world.main(0);
    world.fail_spawn(run, StartFailure::Exhausted);
    world.tick();
    assert_eq!(world.starts(0), 1);
    world.advance(secs(60));
    assert_eq!(world.starts(0), 2);
}

#[test]
fn an_action_by_the_clock_is_done_each_time() {
    let mut spec = cron(Overlap::Skip);
    spec.exec = None;
    spec.action = Some(Action::Signal(JobId(1), Signal::HUP));
    let mut world = World::started(vec![spec, unlimited("app")]);
    for _ in 0..3 {
        let app = world.main(1);
        world.live.insert(app, None);
        world.tick();
        let hup = crate::jobs::Effect::Signal(app, Signal::HUP);
        assert_eq!(world.log.last().map(|(_, effect)| effect), Some(&hup));
        world.log.clear();
    }
    assert_eq!(world.outcome(), None);
}

#[test]
fn a_tick_of_a_job_without_a_schedule_is_none() {
    let mut world = World::started(vec![unlimited("app")]);
    world.exit(0, 0);
    let starts = world.starts(0);
    world.tick();
    world.tell(&Event::Ticked(JobId(7)));
    assert_eq!(world.starts(0), starts);
}

#[test]
fn times_in_maintenance_are_skipped_where_that_is_wanted() {
    let pausing = |spec: JobSpec| JobSpec {
        start: Start {
            pauses: true,
            ..spec.start
        },
        ..spec
    };
    let interval = JobSpec {
        start: Start::interval(secs(10), Overlap::Queue),
        ..unlimited("often")
    };
    let specs = vec![
        pausing(cron(Overlap::Queue)),
        pausing(interval.clone()),
        interval,
    ];
    let mut world = World::started(specs);
    world.exit(1, 0);
    world.exit(2, 0);
    world.tell(&Event::Maintenance(true));
    world.tick();
    world.advance_to(secs(10));
    world.exit(2, 0);
    assert_eq!(
        (world.starts(0), world.starts(1), world.starts(2)),
        (0, 1, 2)
    );
    // What was skipped is not made up for.
    world.tell(&Event::Maintenance(false));
    assert!(!world.runs(0) && !world.runs(1));
    world.tick();
    world.advance_to(secs(20));
    assert_eq!(
        (world.starts(0), world.starts(1), world.starts(2)),
        (1, 2, 3)
    );
}
