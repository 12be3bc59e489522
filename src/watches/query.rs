//! The asking about one subject: which question comes next, and when.
//!
//! ```text
//!                    a place is free               answer: at once again, or after the pace
//!   Waiting(until) ──────> Ready ──────> Asked ────────────────────────────────┐
//!      ^    │                ^             │ failure: after a back-off          │
//!      │    └── time is up ──┘             v                                    │
//!      └───────────────────────────────────┴────────────────────────────────────┘
//! ```
//!
//! A question *stands* while the server holds its answer back (a blocking query). The rules of the index are Consul's: a
//! smaller one begins again from nothing, 0 is never sent, and a server that says none, or answers early with the same
//! one, is polled instead.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::order::AskId;
use super::question::{Answer, Found, Mode, Subject};
use crate::events::{Jitter, Retry, WatchId, later};

/// How long a question stands: less than the minute after which common proxies cut a silent connection, with the sixteenth
/// that Consul adds by chance.
const STANDING: Duration = Duration::from_secs(50);

/// The shortest stand of questions that take turns.
const SHORTEST: Duration = Duration::from_millis(50);

/// The pace at which one subject is asked about when its answers keep coming: this many at once, then one for each of
/// these times (C10). News that come more seldom than that are not held up.
const BURST: u32 = 10;
const PACE: Duration = Duration::from_millis(200);

/// Bounds of the longest wait for another try.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// One subject that is asked about.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) subject: Subject,
    /// The shortest interval of its watches.
    pub(super) interval: Duration,
    /// Who wants to hear.
    pub(super) watches: Vec<WatchId>,
    pub(super) phase: Phase,
    /// What was found last, confirmed where that was needed.
    pub(super) seen: Option<Rc<Found>>,
    /// When the last answer came.
    pub(super) heard: Option<Instant>,
    index: Option<u64>,
    /// The next question is the confirmation of an empty answer.
    confirming: bool,
    retry: Retry,
    /// When the pace would have used up what was asked so far.
    used_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Waiting {
        until: Instant,
    },
    Ready,
    Asked {
        id: AskId,
        since: Instant,
        mode: Mode,
    },
}

/// What an answer means for the watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Same,
    Changed,
}

impl Query {
    pub(super) fn new(subject: Subject, interval: Duration, now: Instant) -> Query {
        Query {
            subject,
            interval,
            watches: Vec::new(),
            phase: Phase::Waiting { until: now },
            seen: None,
            heard: None,
            index: None,
            confirming: false,
            retry: Retry::default(),
            used_until: None,
        }
    }

    /// Goes on with what another query for the same subject has asked and found.
    pub(super) fn follow(&mut self, before: &mut Query) {
        self.phase = before.phase;
        self.seen = before.seen.take();
        self.index = before.index;
        self.confirming = before.confirming;
        self.retry = std::mem::take(&mut before.retry);
        self.used_until = before.used_until;
    }

    /// The next question. `share`: how much of its interval it may stand, where subjects take turns.
    pub(super) fn ask(&mut self, id: AskId, now: Instant, share: Option<(u32, u32)>) -> Mode {
        let mode = match self.index {
            _ if self.confirming => Mode::Confirmed,
            Some(since) => Mode::Change {
                since,
                wait: standing(self.interval, share),
            },
            None => Mode::Now,
        };
        let from = self.used_until.map_or(now, |until| until.max(now));
        self.used_until = Some(later(from, PACE));
        self.phase = Phase::Asked {
            id,
            since: now,
            mode,
        };
        mode
    }

    /// An answer to the question that was asked last.
    pub(super) fn on_answer(&mut self, answer: Answer, now: Instant) -> News {
        let Phase::Asked { since, mode, .. } = self.phase else {
            return News::Same;
        };
        self.retry.reset();
        let was_empty = self.seen.as_ref().is_some_and(|seen| seen.is_empty());
        if answer.found.is_empty() && !was_empty && mode != Mode::Confirmed {
            // A server that has just lost its leader answers 200 with nothing (C08).
            self.confirming = true;
            self.phase = Phase::Ready;
            return News::Same;
        }
        self.confirming = false;
        let asked = match mode {
            Mode::Change { since: index, wait } => Some((index, wait)),
            Mode::Now | Mode::Confirmed => None,
        };
        let polls = self.take_index(answer.index, asked, now.saturating_duration_since(since));
        let until = if polls {
            later(now, self.interval)
        } else {
            self.paced(now)
        };
        self.phase = Phase::Waiting { until };
        if self.seen.as_deref() == Some(&answer.found) {
            return News::Same;
        }
        self.seen = Some(Rc::new(answer.found));
        News::Changed
    }

    /// Keeps the index to wait on; says whether the server has to be polled.
    fn take_index(
        &mut self,
        index: Option<u64>,
        asked: Option<(u64, Duration)>,
        took: Duration,
    ) -> bool {
        let Some(index) = index.map(|index| index.max(1)) else {
            self.index = None;
            return true;
        };
        if self.index.is_some_and(|last| index < last) {
            self.index = None;
            return false;
        }
        self.index = Some(index);
        asked.is_some_and(|(since, wait)| index == since && took < wait / 2)
    }

    /// How long the question that is under way has been.
    pub(super) fn asked_for(&self, now: Instant) -> Option<Duration> {
        match self.phase {
            Phase::Asked { since, .. } => Some(now.saturating_duration_since(since)),
            Phase::Waiting { .. } | Phase::Ready => None,
        }
    }

    /// No answer. What was found stays; the next question begins from nothing, so that it is answered at once.
    pub(super) fn on_failure(&mut self, is_final: bool, now: Instant, jitter: &mut Jitter) {
        self.index = None;
        self.confirming = false;
        let longest = self.interval.clamp(PATIENCE.0, PATIENCE.1);
        let delay = if is_final {
            jitter.spread(Duration::from_mins(5))
        } else {
            self.retry.after_failure(longest, jitter)
        };
        let until = later(now, delay);
        self.phase = Phase::Waiting { until };
    }

    /// It is asked again from nothing, by this time at the latest.
    pub(super) fn restart(&mut self, until: Instant) {
        self.index = None;
        self.confirming = false;
        self.retry.reset();
        self.phase = Phase::Waiting { until };
    }

    /// The earliest time for the next question.
    fn paced(&self, now: Instant) -> Instant {
        let burst = PACE * BURST;
        self.used_until
            .and_then(|until| until.checked_sub(burst))
            .map_or(now, |at| at.max(now))
    }
}

fn standing(interval: Duration, share: Option<(u32, u32)>) -> Duration {
    let Some((room, subjects)) = share else {
        return STANDING;
    };
    let turn = interval.as_secs_f64() * f64::from(room) / f64::from(subjects.max(1));
    Duration::try_from_secs_f64(turn)
        .unwrap_or(STANDING)
        .clamp(SHORTEST, STANDING)
}
