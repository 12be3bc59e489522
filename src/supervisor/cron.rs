//! The wall clock, for the jobs that it starts.
//!
//! What is due is decided by [`crate::schedule`]; here the clock is read, and the next look becomes a deadline of the loop,
//! which knows only time that goes forward.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::app::App;
use crate::events::{Event, JobId, later};
use crate::jobs::{JobSpec, Trigger};
use crate::schedule::Timetable;

/// The schedules of the present configuration, and when they are looked at next.
#[derive(Debug)]
pub(super) struct WallClock {
    read: fn() -> SystemTime,
    timetable: Timetable,
    next_look: Option<Instant>,
    /// Jobs whose time came while a reload ended them.
    put_off: BTreeSet<JobId>,
}

impl WallClock {
    pub(super) fn new<'a>(
        jobs: impl Iterator<Item = (JobId, &'a JobSpec)>,
        now: Instant,
    ) -> WallClock {
        WallClock::of(SystemTime::now, jobs, now)
    }

    /// A clock that is read so.
    fn of<'a>(
        read: fn() -> SystemTime,
        jobs: impl Iterator<Item = (JobId, &'a JobSpec)>,
        now: Instant,
    ) -> WallClock {
        let mut clock = WallClock {
            read,
            timetable: Timetable::default(),
            next_look: None,
            put_off: BTreeSet::new(),
        };
        clock.follow(jobs, now);
        clock
    }

    /// Takes the schedules of a configuration; those that were there before go on.
    pub(super) fn follow<'a>(
        &mut self,
        jobs: impl Iterator<Item = (JobId, &'a JobSpec)>,
        now: Instant,
    ) {
        let schedules = jobs.filter_map(|(id, job)| match &job.start.trigger {
            Trigger::Cron { schedule, .. } => Some((id, schedule.clone())),
            Trigger::Once | Trigger::Each(_) | Trigger::Interval { .. } => None,
        });
        let wall = self.wall();
        self.timetable.follow(schedules, wall);
        self.plan(wall, now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.next_look
    }

    /// The jobs whose time has come.
    fn look(&mut self, now: Instant) -> Vec<JobId> {
        let wall = self.wall();
        let look = self.timetable.on_clock(wall);
        self.plan(wall, now);
        if look.anew > 0 {
            tracing::warn!(
                "the clock was put back: schedules of {} jobs begin anew",
                look.anew
            );
        }
        look.due
    }

    fn plan(&mut self, wall: Duration, now: Instant) {
        self.next_look = self.timetable.wait(wall).map(|wait| later(now, wait));
    }

    /// A time before 1970 counts as 1970.
    fn wall(&self) -> Duration {
        (self.read)().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl App {
    /// When the wall clock is to be looked at; not while everything stops.
    pub(super) fn wall_deadline(&self) -> Option<Instant> {
        let next = self.wall_clock.next_deadline();
        next.filter(|_| !self.jobs.is_ending())
    }

    /// Tells the jobs whose time has come.
    pub(super) fn look_at_wall_clock(&mut self, now: Instant) {
        let leaving: BTreeSet<JobId> = self.jobs.leaving().collect();
        for job in self.wall_clock.look(now) {
            if leaving.contains(&job) {
                self.wall_clock.put_off.insert(job);
            } else {
                self.tell(&Event::Ticked(job));
            }
        }
    }

    /// Takes the schedules of a configuration that has taken over. What was due while it waited for these jobs is due now.
    pub(super) fn follow_schedules(&mut self, renewed: &BTreeSet<JobId>) {
        let jobs = self.ids.jobs(&self.config);
        self.wall_clock.follow(jobs, Instant::now());
        for job in std::mem::take(&mut self.wall_clock.put_off) {
            if renewed.contains(&job) {
                self.tell(&Event::Ticked(job));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::config::{Addresses, Config, Input, Variables, Zones, load};

    thread_local! {
        /// What the wall clock shows, in milliseconds since 1970.
        static SHOWN: Cell<u64> = const { Cell::new(0) };
    }

    fn shown() -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(SHOWN.get())
    }

    fn numbered(config: &Config) -> impl Iterator<Item = (JobId, &JobSpec)> {
        (0..).map(JobId).zip(&config.jobs)
    }

    fn config(jobs: &str) -> Config {
        let loaded = load(&Input {
            file: "app.json5",
            text: &format!("{{ jobs: {jobs} }}"),
            variables: &Variables::new(),
            addresses: Addresses::NotLookedUp,
            zones: Zones::NotLookedUp,
            app: None,
        });
        loaded.unwrap_or_else(|report| panic!("{report}")).config
    }

    /// Waits for the deadline on both clocks, and looks.
    fn wait(clock: &mut WallClock, now: &mut Instant) -> Vec<JobId> {
        let due = clock.next_deadline().expect("a schedule");
        assert!(due > *now && due <= *now + Duration::from_mins(1));
        let waited = u64::try_from((due - *now).as_millis()).expect("a minute");
        SHOWN.set(SHOWN.get() + waited);
        *now = due;
        clock.look(*now)
    }

    const HOUR: u64 = 3_600_000;
    const NOON: u64 = 20_635 * 24 * HOUR + 12 * HOUR;

    #[test]
    fn p20_a_jump_of_the_clock_is_noticed_within_a_minute() {
        SHOWN.set(NOON + 250);
        let config = config(
            "[{ name: 'app', exec: 'a' }, { name: 'hourly', exec: 'b', when: { cron: '@hourly' } },
              { name: 'night', exec: 'c', when: { cron: '30 12 * * *' } }]",
        );
        let mut now = Instant::now();
        let mut clock = WallClock::of(shown, numbered(&config), now);
        assert_eq!(wait(&mut clock, &mut now), []);
        // An hour forward while nobody looks: each is due once.
        SHOWN.set(SHOWN.get() + HOUR);
        assert_eq!(wait(&mut clock, &mut now), [JobId(1), JobId(2)]);
        assert_eq!(wait(&mut clock, &mut now), []);
        // An hour back: what is of the day is not due again, what is often goes on.
        SHOWN.set(SHOWN.get() - HOUR);
        let mut due = Vec::new();
        for _ in 0..60 {
            due.extend(wait(&mut clock, &mut now));
        }
        assert_eq!(due, [JobId(1)]);
    }

    #[test]
    fn a_moment_is_waited_for_exactly() {
        SHOWN.set(NOON + 59_999);
        let config = config("[{ name: 'often', exec: 'a', when: { cron: '* * * * * *' } }]");
        let mut now = Instant::now();
        let start = now;
        let mut clock = WallClock::of(shown, numbered(&config), now);
        for second in 0..5 {
            assert_eq!(wait(&mut clock, &mut now), [JobId(0)]);
            assert_eq!(now - start, Duration::from_millis(1 + 1000 * second));
        }
    }

    #[test]
    fn a_reload_keeps_what_is_due_and_drops_what_is_gone() {
        SHOWN.set(NOON - 1000);
        let daily = config("[{ name: 'noon', exec: 'a', when: { cron: '0 12 * * *' } }]");
        let now = Instant::now();
        let mut clock = WallClock::of(shown, numbered(&daily), now);
        SHOWN.set(NOON + 1000);
        clock.follow(numbered(&daily), now);
        assert_eq!(clock.look(now), [JobId(0)]);
        clock.follow(numbered(&config("[{ name: 'app', exec: 'a' }]")), now);
        assert_eq!((clock.next_deadline(), clock.look(now)), (None, vec![]));
    }
}
