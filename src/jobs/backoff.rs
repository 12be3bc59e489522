//! How long a restart waits (decision 10, D8).

use std::time::Duration;

use crate::events::Jitter;

/// The delays between the restarts of one job: 0, then 100 ms doubling to 30 s, each with up to 20 % of jitter either
/// way. A run of 10 s starts the row again; every shorter run counts, a successful one too.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    /// Runs in a row that were shorter than [`Backoff::STABLE`].
    short_runs: u32,
}

impl Backoff {
    /// A run that lasted this long is stable.
    pub(super) const STABLE: Duration = Duration::from_secs(10);
    const FIRST: Duration = Duration::from_millis(100);
    pub(super) const LONGEST: Duration = Duration::from_secs(30);

    /// The delay before the next start, after a run that lasted for `lived`.
    pub(super) fn after_run(&mut self, lived: Duration, jitter: &mut Jitter) -> Duration {
        if lived >= Self::STABLE {
            self.short_runs = 0;
        }
        self.next(jitter)
    }

    /// The delay before a start that could not be tried for want of resources is tried again: never 0.
    pub(super) fn after_exhaustion(&mut self, jitter: &mut Jitter) -> Duration {
        self.short_runs = self.short_runs.max(1);
        self.next(jitter)
    }

    fn next(&mut self, jitter: &mut Jitter) -> Duration {
        let delay = match self.short_runs {
            0 => return self.count(Duration::ZERO),
            // 100 ms << 9 is over the cap; a larger shift would overflow.
            n => (Self::FIRST * (1 << (n - 1).min(9))).min(Self::LONGEST),
        };
        self.count(jitter.spread(delay).min(Self::LONGEST))
    }

    fn count(&mut self, delay: Duration) -> Duration {
        self.short_runs = self.short_runs.saturating_add(1);
        delay
    }
}
