//! Who is due, by a clock that somebody may set.
//!
//! Each schedule waits for one moment, and is asked again for the next one when that has come. What the clock does between
//! two looks changes that as little as can be (P20):
//!
//! - *Put forward* over one moment or many of a schedule: it is due once, at once. A program that was frozen, or a machine
//!   that slept, looks the same.
//! - *Put back* before what was due last: that is not due again. An expression that means times of the day waits until the
//!   clock is there again, and begins anew only if that would take more than three hours; one that says how often begins
//!   anew if it would take more than a minute, since its job is not to pause for hours.

use std::sync::Arc;
use std::time::Duration;

use super::Schedule;
use crate::events::JobId;

/// The longest time without a look: so late is it noticed that somebody has set the clock.
const LOOK: Duration = Duration::from_mins(1);

/// How far the clock may go back before a schedule begins anew.
const PATIENCE_OF_DAY: Duration = Duration::from_hours(3);
const PATIENCE_OF_CLOCK: Duration = Duration::from_mins(1);

/// The schedules of all jobs. Times are what the wall clock shows, as the length since the beginning of 1970.
#[derive(Debug, Default)]
pub struct Timetable {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    job: JobId,
    schedule: Arc<Schedule>,
    /// The moment that it waits for; `None` after the last one that can be counted.
    next: Option<Duration>,
    /// What the clock showed when it began to wait for that.
    since: Duration,
}

/// What a look at the clock has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The jobs whose moment has come, in their order.
    pub due: Vec<JobId>,
    /// How many schedules began anew because the clock was put back.
    pub anew: usize,
}

impl Timetable {
    /// Takes the schedules of a configuration. One that was there before, for the same job, goes on as it was: a reload
    /// neither loses nor doubles what is due.
    pub fn follow(
        &mut self,
        schedules: impl Iterator<Item = (JobId, Arc<Schedule>)>,
        now: Duration,
    ) {
        let mut before = std::mem::take(&mut self.entries);
        self.entries = schedules
            .map(|(job, schedule)| {
                let is_it = |entry: &Entry| entry.job == job && entry.schedule == schedule;
                match before.iter().position(is_it) {
                    Some(index) => before.swap_remove(index),
                    None => Entry::new(job, schedule, now),
                }
            })
            .collect();
    }

    /// Looks at who is due.
    pub fn on_clock(&mut self, now: Duration) -> Look {
        let mut look = Look::default();
        for entry in &mut self.entries {
            match entry.on_clock(now) {
                Found::Nothing => {}
                Found::Due => look.due.push(entry.job),
                Found::Anew => look.anew += 1,
            }
        }
        look
    }

    /// How long until the next look; `None` without a schedule.
    #[must_use]
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        let waits = self.entries.iter().filter_map(|entry| entry.next);
        let waits = waits.map(|next| next.saturating_sub(now));
        let first = waits.min().unwrap_or(LOOK);
        (!self.entries.is_empty()).then(|| first.min(LOOK))
    }
}

enum Found {
    Nothing,
    Due,
    Anew,
}

impl Entry {
    fn new(job: JobId, schedule: Arc<Schedule>, now: Duration) -> Entry {
        let mut entry = Entry {
            job,
            schedule,
            next: None,
            since: now,
        };
        entry.begin(now);
        entry
    }

    /// Waits for the first moment after `now`.
    fn begin(&mut self, now: Duration) {
        self.since = now;
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 2);
        let next = self.schedule.next_after(seconds);
        self.next = next.and_then(|next| Some(Duration::from_secs(u64::try_from(next).ok()?)));
    }

    fn on_clock(&mut self, now: Duration) -> Found {
        if self.next.is_some_and(|next| next <= now) {
            self.begin(now);
            return Found::Due;
        }
        let patience = if self.schedule.cron.repeats_within_a_day() {
            PATIENCE_OF_CLOCK
        } else {
            PATIENCE_OF_DAY
        };
        // After `since` nothing was due, so a clock that is back there finds the same moment to wait for.
        if self.since.saturating_sub(now) <= patience {
            return Found::Nothing;
        }
        self.begin(now);
        Found::Anew
    }
}
