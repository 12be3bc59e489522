//! Schedules: when the wall clock starts a job (`when.cron`).
//!
//! A [`Schedule`] is a cron expression in a time zone; it answers which moment is the next one. A [`Timetable`] holds the
//! schedules of all jobs with the moment that each of them waits for, and says who is due when it is told the time. The
//! room is pure: the shell reads the clock and the files of the zones, and wakes the timetable in time.
//!
//! | file | the rule in it |
//! | --- | --- |
//! | `cron.rs` | what an expression is, which times of day and which days it means |
//! | `zone.rs` | how far a zone's clocks are from UTC, and when that changes |
//! | `next.rs` | the next moment of an expression in a zone: times that do not exist and times that come twice |
//! | `timetable.rs` | who is due, and what becomes of a schedule when somebody sets the clock |

mod cron;
mod next;
mod timetable;
mod zone;

#[cfg(test)]
mod tests;

pub use cron::{Cron, CronFault};
pub use next::Schedule;
pub use timetable::{Look, Timetable};
pub use zone::{NoZone, Zone};
