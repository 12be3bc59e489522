//! Runs that were ordered and whose turn has not come yet.
//!
//! A start takes the kernel about a millisecond, in which nobody else is served. A thousand at once would be a second in
//! which no signal is heard and no client answered, so each turn of the loop begins a few and the rest wait, in the
//! sequence of their orders.

use std::collections::BTreeMap;
use std::time::Instant;

use super::app::App;
use crate::events::{Event, PublicEvent, Run, RunId, StartFailure};

/// Starts of one turn: about five milliseconds. While somebody's time is over, time limits come first and one start goes
/// with them, so that the checks of five hundred jobs that fall on the same moment make nobody late (X07).
const START_SLICE: usize = 4;
const START_SLICE_WHEN_LATE: usize = 1;

/// The waiting runs by their numbers, which rise from order to order. A job has one of each of its commands at most.
#[derive(Debug, Default)]
pub(super) struct Starts(BTreeMap<RunId, (Run, Option<PublicEvent>)>);

impl Starts {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, run: Run, cause: Option<PublicEvent>) {
        self.0.insert(run.id, (run, cause));
    }

    /// Says whether the run still waits.
    pub(super) fn awaits(&self, run: RunId) -> bool {
        self.0.contains_key(&run)
    }

    /// Takes a run out that is to end. Says whether it still waited.
    pub(super) fn withdraw(&mut self, run: RunId) -> bool {
        self.0.remove(&run).is_some()
    }

    fn next(&mut self) -> Option<(Run, Option<PublicEvent>)> {
        self.0.pop_first().map(|(_, start)| start)
    }
}

impl App {
    /// Begins those whose turn it is.
    pub(super) fn begin_starts(&mut self, now: Instant) {
        let is_late = self.jobs.next_deadline().is_some_and(|due| due <= now);
        let slice = if is_late {
            START_SLICE_WHEN_LATE
        } else {
            START_SLICE
        };
        for _ in 0..slice {
            let Some((run, cause)) = self.starts.next() else {
                break;
            };
            self.spawn(run, cause);
        }
        self.answer();
    }

    /// Ends a run whose turn has not come. Says whether it was one.
    pub(super) fn withdraw(&mut self, run: Run) -> bool {
        let waited = self.starts.withdraw(run.id);
        if waited {
            let failure = Event::SpawnFailed(run, StartFailure::Withdrawn);
            self.answers.push_back(failure);
        }
        waited
    }
}
