//! The end of everything: why, until when, and what comes of it.

use std::time::{Duration, Instant};

use crate::events::later;
use crate::events::{Exit, StopReason};

/// So long before the limit of the whole stop everything is killed, so that the program can end by it (S11).
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Why everything ends, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    why: Why,
    pub(super) limit: Limit,
}

/// The limit of a stop, of everything or of what a reload changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) deadline: Instant,
    /// What comes next before it.
    last: Last,
}

/// The last measures of a stop, which all come before its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// At this moment hooks are cut short and everything is killed.
    KillAt(Instant),
    /// Everything was killed; at the limit nobody is waited for any more.
    Killed,
    /// Nobody is waited for.
    Abandoned,
}

impl Ending {
    pub(super) fn new(why: Why, now: Instant, limit: Duration) -> Ending {
        let limit = Limit::new(now, limit);
        Ending { why, limit }
    }

    /// Another reason for the end: a fault outweighs everything. What is already under way changes nothing (D12).
    pub(super) fn also(&mut self, why: Why) {
        let outweighs = match (self.why, why) {
            (_, Why::Asked(StopReason::Fault)) => true,
            // The hook of an essential job's end that fails has the last word, as in version 2.
            (Why::Essential(_), Why::Essential(exit)) => {
                exit.is_some_and(|exit| !exit.is_success())
            }
            _ => false,
        };
        if outweighs {
            self.why = why;
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self.why {
            Why::Essential(exit) => Outcome::End(exit.map_or(1, Exit::status)),
            Why::Asked(StopReason::Requested) => Outcome::End(0),
            Why::Asked(StopReason::Fault) => Outcome::Fault,
        }
    }
}

impl Limit {
    pub(super) fn new(now: Instant, limit: Duration) -> Limit {
        let kill_after = limit.saturating_sub(LAST_WAIT.min(limit / 2));
        Limit {
            deadline: later(now, limit),
            last: Last::KillAt(later(now, kill_after)),
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        match self.last {
            Last::KillAt(at) => Some(at),
            Last::Killed => Some(self.deadline),
            Last::Abandoned => None,
        }
    }

    /// Whether a last measure is due; the next one is then the one after it.
    pub(super) fn on_time(&mut self, now: Instant) -> bool {
        let due = self.next().is_some_and(|at| at <= now);
        if due {
            let over = self.deadline <= now;
            self.last = if over { Last::Abandoned } else { Last::Killed };
        }
        due
    }

    pub(super) fn thaw(&mut self, by: Duration) {
        self.deadline = later(self.deadline, by);
        if let Last::KillAt(at) = &mut self.last {
            *at = later(*at, by);
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.last == Last::Abandoned
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    Asked(StopReason),
    /// The final exit of an essential job; `None`: it gave up waiting for its start event.
    Essential(Option<Exit>),
}

/// How everything ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program ends with this status (decision 9).
    End(u8),
    /// What the next configuration changes has ended: it may take over.
    Reload,
    /// A fault of our own ended it.
    Fault,
}
