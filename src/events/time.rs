//! Delays, as every pure room counts them.

use std::time::{Duration, Instant};

/// `from + delay`, or a time that never comes where the clock cannot count so far.
#[must_use]
pub fn later(from: Instant, delay: Duration) -> Instant {
    const NEVER: Duration = Duration::from_hours(24 * 365 * 50);
    from.checked_add(delay).unwrap_or(from + NEVER)
}

/// A small generator (`SplitMix64`) for spreading delays: the rules stay a function of their seed and their events, and
/// programs that start or fail together do not try again together (C14).
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    #[must_use]
    pub fn new(seed: u64) -> Jitter {
        Jitter(seed)
    }

    /// `delay`, 20 % more or less.
    pub fn spread(&mut self, delay: Duration) -> Duration {
        let per_mille = 800 + self.next() % 401;
        // In whole seconds where a product could overflow: nobody sees the difference in a delay of years.
        let factor = u32::try_from(per_mille).unwrap_or(1000);
        delay
            .checked_mul(factor)
            .map_or_else(|| delay / 1000 * factor, |product| product / 1000)
    }

    /// Some part of `delay`, from half of it to all.
    pub fn within(&mut self, delay: Duration) -> Duration {
        let per_mille = u32::try_from(self.next() % 501).unwrap_or(0);
        delay.saturating_sub((delay / 1000) * per_mille)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// How long a failed call waits for its next try: 100 ms doubling to a longest, of which half is by chance.
#[derive(Clone, Debug, Default)]
pub struct Retry {
    failures: u32,
}

impl Retry {
    const FIRST: Duration = Duration::from_millis(100);

    /// The wait after one more failure.
    pub fn after_failure(&mut self, longest: Duration, jitter: &mut Jitter) -> Duration {
        let doubled = Self::FIRST * (1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        jitter.within(doubled.min(longest))
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }
}
