//! How long a restart waits (decision 10, D8), and when there has been enough of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::spec::{BackoffSpec, MaxRestarts};
use crate::events::Jitter;

/// The delays between the restarts of one job: by default 0, then 100 ms doubling to 30 s, each with up to 20 % of jitter
/// either way. A run of 10 s starts the row again; every shorter run counts, a successful one too.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    spec: BackoffSpec,
    /// Runs in a row that were shorter than `reset`.
    short_runs: u32,
}

impl Backoff {
    pub(super) fn new(spec: BackoffSpec) -> Backoff {
        Backoff {
            spec,
            short_runs: 0,
        }
    }

    /// The delay before the next start, after a run that lasted for `lived`.
    pub(super) fn after_run(&mut self, lived: Duration, jitter: &mut Jitter) -> Duration {
        if lived >= self.spec.reset {
            self.short_runs = 0;
        }
        self.next(jitter)
    }

    /// The delay before a start that could not be tried for want of resources is tried again: never 0.
    pub(super) fn after_exhaustion(&mut self, jitter: &mut Jitter) -> Duration {
        self.short_runs = self.short_runs.max(1);
        self.next(jitter).max(Duration::from_millis(1))
    }

    fn next(&mut self, jitter: &mut Jitter) -> Duration {
        let BackoffSpec {
            first,
            initial,
            max,
            factor,
            ..
        } = self.spec;
        let delay = match self.short_runs {
            0 => first,
            n => {
                let exponent = i32::try_from(n - 1).unwrap_or(i32::MAX);
                let seconds = initial.as_secs_f64() * factor.powi(exponent);
                // Beyond what a duration can hold it is over the cap anyway.
                Duration::try_from_secs_f64(seconds).unwrap_or(max)
            }
        };
        self.short_runs = self.short_runs.saturating_add(1);
        if delay.is_zero() {
            return delay;
        }
        jitter.spread(delay.min(max)).min(max)
    }
}

/// Counts restarts within a window; bounded by the count that is permitted.
#[derive(Clone, Debug)]
pub(super) struct RestartWindow {
    spec: Option<MaxRestarts>,
    times: VecDeque<Instant>,
}

impl RestartWindow {
    pub(super) fn new(spec: Option<MaxRestarts>) -> RestartWindow {
        RestartWindow {
            spec,
            times: VecDeque::new(),
        }
    }

    /// Whether one more restart is permitted now; it then counts.
    pub(super) fn permits(&mut self, now: Instant) -> Result<(), MaxRestarts> {
        let Some(spec) = self.spec else {
            return Ok(());
        };
        while let Some(first) = self.times.front()
            && now.saturating_duration_since(*first) > spec.within
        {
            self.times.pop_front();
        }
        if self.times.len() >= spec.count as usize {
            return Err(spec);
        }
        self.times.push_back(now);
        Ok(())
    }
}
