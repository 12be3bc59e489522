//! What did not get out, and what has been said about it.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Lines that never reached the destination, since the start of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Our own messages that found the queue full.
    pub own: u64,
    /// Lines of jobs that found the queue full under `overflow: "drop"`, or that a gone run left when too many others waited.
    pub job: u64,
    /// Lines, ours or a job's, that the destination refused: its reader is gone, its disk full.
    pub refused: u64,
}

/// Counts of [`Dropped`], in total and since the last report.
#[derive(Debug, Default)]
pub(super) struct Drops {
    total: Dropped,
    own: u64,
    refused: u64,
    jobs: BTreeMap<Arc<str>, u64>,
}

/// A report that is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    Own(u64),
    Job(Arc<str>, u64),
    Refused(u64),
}

impl Drops {
    pub(super) fn total(&self) -> Dropped {
        self.total
    }

    /// One of our own messages found no room.
    pub(super) fn own(&mut self) {
        self.own += 1;
        self.total.own += 1;
    }

    /// So many lines of a job or check found no room.
    pub(super) fn job(&mut self, name: &Arc<str>, lines: u64) {
        if lines > 0 {
            *self.jobs.entry(Arc::clone(name)).or_default() += lines;
            self.total.job += lines;
        }
    }

    /// So many lines were refused by the destination.
    pub(super) fn refused(&mut self, lines: u64) {
        self.refused += lines;
        self.total.refused += lines;
    }

    /// The next thing to say, once; `refused` is said only when the destination takes lines again.
    pub(super) fn next_report(&mut self, works: bool) -> Option<Report> {
        if works && self.refused > 0 {
            return Some(Report::Refused(std::mem::take(&mut self.refused)));
        }
        if self.own > 0 {
            return Some(Report::Own(std::mem::take(&mut self.own)));
        }
        let (name, lines) = self.jobs.pop_first()?;
        Some(Report::Job(name, lines))
    }
}
