//! The next moment of an expression in a zone.
//!
//! Where a zone's clocks are put forward, some times of day do not exist; where they are put back, some come twice. The
//! rules are those of Vixie's cron:
//!
//! - An expression that says *how often* (a `*` in second, minute or hour) follows the clock as it is: nothing in the hour
//!   that is left out, and both times in the hour that comes twice.
//! - An expression that says *at which times* means each time once a day: one that is left out is made up for as soon as
//!   the clock has been put forward, several of them by one run; one that comes twice counts the first time.

use super::cron::Cron;
use super::zone::Zone;

const DAY: i64 = 24 * 60 * 60;

/// Searches within one answer. Each of them gets past one change of the zone's clocks, or past one day.
const STEPS: usize = 10_000;

/// A cron expression in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The expression.
    pub cron: Cron,
    /// Where its times are meant.
    pub zone: Zone,
}

impl Schedule {
    /// The first moment after `after`, both in seconds since 1970.
    #[must_use]
    pub fn next_after(&self, after: i64) -> Option<i64> {
        if self.cron.repeats_within_a_day() {
            self.next_by_the_clock(after)
        } else {
            self.next_time_of_day(after)
        }
    }

    /// A match at the same offset as `from` is one; a change of the offset on the way is where the search goes on.
    fn next_by_the_clock(&self, after: i64) -> Option<i64> {
        let mut from = after;
        for _ in 0..STEPS {
            let offset = self.zone.offset(from);
            let found = self.cron.next_local(from + offset)? - offset;
            let near = found.min(from + DAY);
            if self.zone.offset(near) != offset {
                // The first moment under the new offset may match.
                let change = self.zone.change(from, near);
                let new = self.zone.offset(change);
                let at_once = self.cron.next_local(change + new - 1)?;
                if at_once == change + new {
                    return Some(change);
                }
                from = change;
            } else if self.zone.offset(found) == offset {
                return Some(found);
            } else {
                // Nothing matches until shortly before, whatever the clocks do on the way.
                from = near.max(found - 2 * DAY);
            }
        }
        None
    }

    /// Each local time has one moment, and later times have no earlier ones.
    fn next_time_of_day(&self, after: i64) -> Option<i64> {
        // Offsets of two days do not differ by more than a day, so every time before has its moment before `after`.
        let mut local = after + self.zone.offset(after - DAY).min(self.zone.offset(after));
        for _ in 0..STEPS {
            local = self.cron.next_local(local)?;
            let moment = self.moment_of(local);
            if moment > after {
                return Some(moment);
            }
        }
        None
    }

    /// The moment of a local time: the first, if it has two; if it has none, that in which the clock passes it over.
    fn moment_of(&self, local: i64) -> i64 {
        let before = self.zone.offset(local - DAY);
        let after = self.zone.offset(local + DAY);
        let (early, late) = (local - before, local - after);
        if self.zone.offset(early) == before {
            early
        } else if self.zone.offset(late) == after || before >= after {
            late
        } else {
            self.zone.change(late, early)
        }
    }
}
