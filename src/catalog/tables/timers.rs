//! Deadlines by name: one moment each, so a stale one cannot exist.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Timers<K> {
    due: BTreeSet<(Instant, K)>,
    of: BTreeMap<K, Instant>,
}

impl<K> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers {
            due: BTreeSet::new(),
            of: BTreeMap::new(),
        }
    }
}

impl<K: Clone + Ord> Timers<K> {
    /// Sets, moves or (`None`) removes the deadline of `key`.
    pub(super) fn set(&mut self, key: K, at: Option<Instant>) {
        if let Some(old) = self.of.remove(&key) {
            self.due.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.due.insert((at, key.clone()));
            self.of.insert(key, at);
        }
    }

    pub(super) fn is_set(&self, key: &K) -> bool {
        self.of.contains_key(key)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Removes and returns the first that is due at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.due.pop_first()?;
        self.of.remove(&key);
        Some(key)
    }
}
