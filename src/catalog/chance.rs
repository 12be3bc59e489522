//! Chance: names that nobody can guess, and waits that do not end together.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Numbers by a keyed hash over a count. The standard library draws the key from the system.
#[derive(Debug, Default)]
pub(super) struct Chance {
    key: RandomState,
    drawn: AtomicU64,
}

impl Chance {
    fn draw(&self) -> u64 {
        self.key
            .hash_one(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// A part of `span`.
    pub(super) fn part_of(&self, span: Duration) -> Duration {
        // The highest 32 bits: a fraction of 2^32.
        let share = u128::from(self.draw() >> 32);
        let nanoseconds = span.as_nanos().saturating_mul(share) >> 32;
        u64::try_from(nanoseconds).map_or(span, Duration::from_nanos)
    }

    /// A UUID (RFC 9562, version 4).
    pub(super) fn uuid(&self) -> String {
        let high = self.draw() & !0xf000 | 0x4000;
        let low = self.draw() & !(3 << 62) | 1 << 63;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::Chance;

    #[test]
    fn uuids_differ_and_have_the_form() {
        let chance = Chance::default();
        let many: BTreeSet<String> = (0..1_000).map(|_| chance.uuid()).collect();
        assert_eq!(many.len(), 1_000);
        for uuid in many {
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }

    #[test]
    fn parts_lie_below_the_whole_and_differ() {
        let chance = Chance::default();
        let whole = Duration::from_secs(1);
        let parts: BTreeSet<Duration> = (0..100).map(|_| chance.part_of(whole)).collect();
        assert!(parts.iter().all(|part| *part < whole));
        assert!(parts.len() > 90);
        assert_eq!(chance.part_of(Duration::ZERO), Duration::ZERO);
    }
}
