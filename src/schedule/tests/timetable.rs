use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::events::JobId;
use crate::schedule::Timetable;

/// A timetable and the clock that it is shown.
struct World {
    table: Timetable,
    clock: Duration,
    due: Vec<String>,
    anew: usize,
}

fn wall(text: &str) -> Duration {
    Duration::from_secs(u64::try_from(at(text)).expect("after 1970"))
}

impl World {
    fn new(crons: &[&str], clock: &str) -> World {
        let mut world = World {
            table: Timetable::default(),
            clock: wall(clock),
            due: Vec::new(),
            anew: 0,
        };
        world.follow(crons);
        world
    }

    fn follow(&mut self, crons: &[&str]) {
        let schedules = crons.iter().map(|cron| Arc::new(in_utc(cron)));
        self.table
            .follow((0..).map(JobId).zip(schedules), self.clock);
    }

    fn look(&mut self) {
        let look = self.table.on_clock(self.clock);
        self.anew += look.anew;
        let time = shown(i64::try_from(self.clock.as_secs()).expect("a time"));
        let line = |job: &JobId| format!("{} {}", job.0, &time[11..19]);
        self.due.extend(look.due.iter().map(line));
    }

    /// Time goes by, and the shell wakes the table when it wants to be woken.
    fn pass(&mut self, time: Duration) {
        let end = self.clock + time;
        for round in 0.. {
            assert!(round < 10_000, "the table never comes to rest");
            let wait = self.table.wait(self.clock).expect("there is a schedule");
            assert!(
                wait <= Duration::from_mins(1),
                "a jump would not be noticed"
            );
            if self.clock + wait > end {
                break;
            }
            self.clock += wait;
            self.look();
            assert!(
                self.table.wait(self.clock) > Some(Duration::ZERO),
                "asks for the same again"
            );
        }
        self.clock = end;
    }

    fn set(&mut self, clock: &str) {
        self.clock = wall(clock);
        self.look();
    }

    #[track_caller]
    fn expect(&mut self, due: &[&str]) {
        assert_eq!(std::mem::take(&mut self.due), due);
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn each_moment_is_due_once() {
    let mut world = World::new(&["*/5 * * * *", "7 12 * * *"], "2026-07-01T12:00:00Z");
    world.pass(MINUTE * 11);
    world.expect(&["0 12:05:00", "1 12:07:00", "0 12:10:00"]);
}

#[test]
fn without_schedules_nobody_is_woken() {
    let mut table = Timetable::default();
    assert_eq!(table.wait(wall("2026-07-01T12:00:00Z")), None);
    assert_eq!(table.on_clock(wall("2026-07-01T12:00:00Z")).due, []);
}

#[test]
fn p20_put_forward_over_many_moments_is_due_once() {
    let mut world = World::new(
        &["*/5 * * * *", "30 12 * * *", "30 14 * * *"],
        "2026-07-01T12:01:00Z",
    );
    world.set("2026-07-01T13:01:00Z");
    world.expect(&["0 13:01:00", "1 13:01:00"]);
    world.pass(MINUTE * 5);
    world.expect(&["0 13:05:00"]);
    // And many years.
    world.set("2036-07-01T13:01:00Z");
    world.expect(&["0 13:01:00", "1 13:01:00", "2 13:01:00"]);
    assert_eq!(world.anew, 0);
}

#[test]
fn p20_put_back_by_an_hour_nothing_of_the_day_is_due_again() {
    let mut world = World::new(&["30 12 * * *", "0 13 * * *"], "2026-07-01T12:01:00Z");
    world.pass(MINUTE * 40);
    world.expect(&["0 12:30:00"]);
    world.set("2026-07-01T11:41:00Z");
    world.pass(MINUTE * 120);
    world.expect(&["1 13:00:00"]);
    assert_eq!(world.anew, 0);
}

#[test]
fn p20_put_back_by_an_hour_what_is_often_goes_on_at_once() {
    let mut world = World::new(&["*/20 * * * *"], "2026-07-01T12:01:00Z");
    world.pass(MINUTE * 20);
    world.expect(&["0 12:20:00"]);
    world.set("2026-07-01T11:21:00Z");
    world.pass(MINUTE * 20);
    world.expect(&["0 11:40:00"]);
    assert_eq!(world.anew, 1);
}

#[test]
fn p20_put_back_by_a_moment_doubles_nothing() {
    let mut world = World::new(&["* * * * *"], "2026-07-01T12:00:30Z");
    world.pass(Duration::from_millis(30_200));
    world.expect(&["0 12:01:00"]);
    // A fraction of a second, and the most that is waited for.
    for back in [Duration::from_millis(400), MINUTE] {
        world.clock -= back;
        world.look();
        world.pass(back);
        world.pass(Duration::from_millis(59_500));
        assert!(world.due.len() <= 1, "{:?}", world.due);
    }
    world.expect(&["0 12:02:00"]);
    assert_eq!(world.anew, 0);
}

#[test]
fn p20_put_back_by_more_than_three_hours_everything_begins_anew() {
    let mut world = World::new(&["30 12 * * *"], "2026-07-01T12:31:00Z");
    world.set("2026-07-01T09:31:00Z");
    assert_eq!(world.anew, 0);
    world.set("2026-07-01T09:30:59Z");
    assert_eq!(world.anew, 1);
    world.pass(MINUTE * 181);
    world.expect(&["0 12:30:00"]);
    // A clock that was years ahead by mistake.
    world.set("2036-07-01T13:00:00Z");
    world.expect(&["0 13:00:00"]);
    world.set("2026-07-01T13:00:00Z");
    world.pass(MINUTE * 60 * 24);
    world.expect(&["0 12:30:00"]);
}

#[test]
fn p20_put_back_again_and_again_is_measured_from_the_first() {
    let mut world = World::new(&["30 12 * * *"], "2026-07-01T12:31:00Z");
    world.set("2026-07-01T10:31:00Z");
    world.set("2026-07-01T08:31:00Z");
    assert_eq!(world.anew, 1);
}

#[test]
fn a_reload_goes_on_with_what_has_not_changed() {
    let mut world = World::new(&["30 12 * * *", "31 12 * * *"], "2026-07-01T12:29:00Z");
    // The moment comes while the reload is under way.
    world.clock = wall("2026-07-01T12:30:10Z");
    world.follow(&["30 12 * * *", "30 12 * * *", "@hourly"]);
    world.look();
    world.expect(&["0 12:30:10"]);
    world.follow(&["30 12 * * *"]);
    world.pass(MINUTE * 60);
    world.expect(&[]);
}

#[test]
fn a_clock_that_was_never_set_is_a_clock() {
    let mut world = World::new(&["@hourly"], "1970-01-01T00:00:00Z");
    world.pass(MINUTE * 60);
    world.expect(&["0 01:00:00"]);
    world.set("2026-07-01T12:10:00Z");
    world.expect(&["0 12:10:00"]);
}
