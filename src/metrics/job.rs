//! What is counted of one job.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::tally::Tally;
use crate::events::{Exit, Run, RunId, RunKind, StartFailure};

/// The counts of one job, for as long as a configuration has a job of its name.
#[derive(Debug)]
pub(super) struct JobCounts {
    pub(super) name: String,
    pub(super) events: Tally,
    pub(super) check_events: Tally,
    /// Runs of its command.
    pub(super) starts: u64,
    /// Runs of it that lasted longer than they may.
    pub(super) timeouts: u64,
    pub(super) main: Option<Live>,
    pub(super) last_run: Option<Duration>,
    pub(super) last_exit: Option<Exit>,
    checks: BTreeMap<u16, Live>,
    pub(super) results: [u64; Verdict::ALL.len()],
    pub(super) check_time: Duration,
    pub(super) last_check: Option<Duration>,
}

/// A run under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    id: RunId,
    pub(super) since: Instant,
    timed_out: bool,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    TimedOut,
    /// It could not be started, which says nothing of the job (X02).
    NotStarted,
}

impl Verdict {
    pub(super) const ALL: [(Verdict, &'static str); 4] = [
        (Verdict::Passed, "passed"),
        (Verdict::Failed, "failed"),
        (Verdict::TimedOut, "timeout"),
        (Verdict::NotStarted, "notStarted"),
    ];
}

impl JobCounts {
    pub(super) fn new(name: &str) -> JobCounts {
        JobCounts {
            name: name.to_owned(),
            events: Tally::default(),
            check_events: Tally::default(),
            starts: 0,
            timeouts: 0,
            main: None,
            last_run: None,
            last_exit: None,
            checks: BTreeMap::new(),
            results: Default::default(),
            check_time: Duration::ZERO,
            last_check: None,
        }
    }

    pub(super) fn on_started(&mut self, run: Run, now: Instant) {
        let live = Live {
            id: run.id,
            since: now,
            timed_out: false,
        };
        match run.kind {
            RunKind::Main => {
                self.starts += 1;
                self.main = Some(live);
            }
            RunKind::Check(number) => {
                self.checks.insert(number, live);
            }
        }
    }

    pub(super) fn on_timed_out(&mut self, run: Run) {
        let live = match run.kind {
            RunKind::Main => {
                self.timeouts += 1;
                self.main.as_mut()
            }
            RunKind::Check(number) => self.checks.get_mut(&number),
        };
        if let Some(live) = live.filter(|live| live.id == run.id) {
            live.timed_out = true;
        }
    }

    /// A run has ended; one that is not known changes nothing.
    pub(super) fn on_ended(&mut self, run: Run, exit: Exit, now: Instant) {
        match run.kind {
            RunKind::Main => {
                if let Some(live) = self.main.take_if(|live| live.id == run.id) {
                    self.last_run = Some(now.saturating_duration_since(live.since));
                    self.last_exit = Some(exit);
                }
            }
            RunKind::Check(number) => self.on_checked(number, run, exit, now),
        }
    }

    fn on_checked(&mut self, number: u16, run: Run, exit: Exit, now: Instant) {
        let live = self.checks.get(&number).copied();
        let Some(live) = live.filter(|live| live.id == run.id) else {
            return;
        };
        self.checks.remove(&number);
        let took = now.saturating_duration_since(live.since);
        self.check_time = self.check_time.saturating_add(took);
        self.last_check = Some(took);
        self.count(match (live.timed_out, exit.is_success()) {
            (true, _) => Verdict::TimedOut,
            (false, true) => Verdict::Passed,
            (false, false) => Verdict::Failed,
        });
    }

    /// A run could not be started. For a command this is an exit, unless the system had no room for it or nobody wants it
    /// any more: then it was not even tried.
    pub(super) fn on_not_started(&mut self, run: Run, failure: StartFailure) {
        match run.kind {
            RunKind::Main | RunKind::Check(_) if failure == StartFailure::Withdrawn => {}
            RunKind::Main if failure == StartFailure::Exhausted => {}
            RunKind::Main => {
                self.starts += 1;
                self.last_run = Some(Duration::ZERO);
                self.last_exit = Some(failure.as_exit());
            }
            RunKind::Check(number) => {
                self.checks.remove(&number);
                self.count(Verdict::NotStarted);
            }
        }
    }

    fn count(&mut self, verdict: Verdict) {
        for ((known, _), count) in Verdict::ALL.iter().zip(&mut self.results) {
            *count += u64::from(*known == verdict);
        }
    }

    /// How many checks have taken time.
    pub(super) fn checked(&self) -> u64 {
        self.results[..3].iter().sum()
    }
}
