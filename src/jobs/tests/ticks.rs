//! Intervals: ticks, what a tick does while a run is there, and time that was missed.

use super::world::*;
use crate::events::{Event, Exit, Signal};
use crate::jobs::{Effect, JobSpec, Outcome, Overlap, Restarts, Start};

fn interval(every: std::time::Duration, overlap: Overlap) -> JobSpec {
    let mut spec = unlimited("periodic");
    spec.start = Start::interval(every, overlap);
    spec
}

#[test]
fn j10_ticks_count_from_the_load_and_do_not_drift() {
    let mut world = World::started(vec![interval(secs(60), Overlap::Skip)]);
    for _ in 0..24 * 60 {
        world.advance(ms(1_700));
        world.exit(0, 0);
        let passed = world.now - world.start;
        world.advance_to(secs((passed.as_secs() / 60 + 1) * 60));
    }
    let times = world.start_times(0);
    assert_eq!(times.len(), 24 * 60 + 1);
    assert!(
        times
            .iter()
            .enumerate()
            .all(|(index, at)| *at == secs(60 * index as u64))
    );
}

#[test]
fn an_interval_with_restarts_runs_that_many_times_more() {
    let mut spec = interval(ms(250), Overlap::Skip);
    spec.restarts = Restarts::Limited(2);
    let mut world = World::started(vec![spec]);
    for _ in 0..3 {
        world.exit(0, 0);
        world.advance(ms(250));
    }
    assert_eq!(world.starts(0), 3);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn j10_overlap_skip_queue_kill() {
    for (overlap, starts) in [(Overlap::Skip, 1), (Overlap::Queue, 1), (Overlap::Kill, 1)] {
        let mut world = World::started(vec![interval(secs(1), overlap)]);
        let first = world.main(0);
        world.advance(ms(3_500));
        assert_eq!(world.starts(0), starts);
        let killed = world.live[&first] == Some(Signal::KILL);
        assert_eq!(killed, overlap == Overlap::Kill);
        world.end(first, Exit::Code(0));
        let follows = overlap != Overlap::Skip;
        assert_eq!(
            world.starts(0),
            starts + usize::from(follows),
            "{overlap:?}"
        );
        if follows {
            world.exit(0, 0);
        }
        world.advance_to(secs(4));
        assert_eq!(world.starts(0), starts + usize::from(follows) + 1);
    }
}

#[test]
fn a_run_that_its_timeout_ends_at_the_tick_makes_room_for_that_tick() {
    let mut spec = interval(secs(1), Overlap::Skip);
    spec.timeout = Some(secs(1));
    let mut world = World::new(vec![spec]);
    // The loop is late: the first run starts a little after the load, and its time is over a little after the tick.
    world.advance(ms(3));
    world.tell(&Event::Started);
    for second in 1..5 {
        world.advance_to(ms(1000 * second + 3 * second));
        let run = world.main(0);
        assert_eq!(world.live[&run], Some(Signal::KILL));
        world.end(run, Exit::Signal(Signal::KILL));
    }
    assert_eq!(world.starts(0), 5);
}

#[test]
fn x08_ticks_missed_in_a_freeze_collapse_to_one() {
    let mut spec = interval(secs(1), Overlap::Skip);
    spec.health = checked(secs(1), secs(1));
    let mut world = World::started(vec![spec]);
    world.exit(0, 0);
    world.now += secs(600);
    let effects = world.jobs.on_time(world.now);
    let spawned = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Spawn { .. }))
        .count();
    assert_eq!(spawned, 2, "one run, one check: {effects:?}");
    assert!(world.jobs.next_deadline().is_some_and(|at| at > world.now));
}

#[test]
fn x08_nothing_is_killed_for_time_in_which_it_was_frozen() {
    let mut app = unlimited("app");
    app.timeout = Some(secs(30));
    let mut world = World::started(vec![app]);
    world.advance(secs(20));
    let frozen = secs(600);
    world.now += frozen;
    world.jobs.on_thaw(frozen, world.now);
    world.advance(ms(9_999));
    assert_eq!(world.live[&world.main(0)], None);
    world.advance(ms(1));
    assert_eq!(world.live[&world.main(0)], Some(Signal::KILL));
}
