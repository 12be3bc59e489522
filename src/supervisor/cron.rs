//! The wall clock, for the jobs that it starts.
//!
//! What is due is decided by [`crate::schedule`]; here the clock is read, and the next look becomes a deadline of the loop,
//! which knows only time that goes forward.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::app::App;
use crate::config::Config;
use crate::events::{Event, JobId, later};
use crate::jobs::Trigger;
use crate::schedule::Timetable;

/// The schedules of the present configuration, and when they are looked at next.
#[derive(Debug)]
pub(super) struct WallClock {
    read: fn() -> SystemTime,
    timetable: Timetable,
    next_look: Option<Instant>,
}

impl WallClock {
    pub(super) fn new(config: &Config, now: Instant) -> WallClock {
        WallClock::of(SystemTime::now, config, now)
    }

    /// A clock that is read so.
    fn of(read: fn() -> SystemTime, config: &Config, now: Instant) -> WallClock {
        let mut clock = WallClock {
            read,
            timetable: Timetable::default(),
            next_look: None,
        };
        clock.follow(config, now);
        clock
    }

    /// Takes the schedules of a configuration; those that were there before go on.
    pub(super) fn follow(&mut self, config: &Config, now: Instant) {
        let jobs = (0..).map(JobId).zip(&config.jobs);
        let schedules = jobs.filter_map(|(id, job)| match &job.start.trigger {
            Trigger::Cron { schedule, .. } => Some((id, schedule.clone())),
            Trigger::Once | Trigger::Each(_) | Trigger::Interval { .. } => None,
        });
        let wall = self.wall();
        self.timetable.follow(schedules, wall);
        self.plan(wall, now);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
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
    /// Tells the jobs whose time has come.
    pub(super) fn look_at_wall_clock(&mut self, now: Instant) {
        for job in self.wall_clock.look(now) {
            self.tell(&Event::Ticked(job));
        }
    }
}
