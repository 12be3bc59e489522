//! Keys and their values: check-and-set, locks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Tables;
use super::limits::LOCK_DELAY;
use super::problem::Problem;
use super::topic::Topic;

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    /// A number of the client's own.
    pub(crate) flags: u64,
    /// How often the lock was taken.
    pub(crate) lock_index: u64,
    /// Who holds the lock.
    pub(crate) session: Option<String>,
    pub(crate) create: u64,
    pub(crate) modify: u64,
}

/// On what a write depends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    /// The key was last changed at this index; 0: it is not there.
    Unchanged(u64),
    /// The session gets or has the lock.
    Acquire(String),
    /// The session has the lock and gives it back.
    Release(String),
}

#[derive(Debug, Default)]
pub(super) struct Keys {
    entries: BTreeMap<String, Entry>,
    /// Bytes of all keys and values.
    bytes: usize,
    /// Until when a key cannot be locked.
    delays: BTreeMap<String, Instant>,
}

impl Tables {
    pub(crate) fn key(&self, key: &str) -> Option<&Entry> {
        self.keys.entries.get(key)
    }

    /// All entries whose keys begin with `prefix`, in order.
    pub(crate) fn keys_below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Entry> {
        let from = self.keys.entries.range(prefix.to_owned()..);
        from.take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(_, entry)| entry)
    }

    /// Writes a key if the condition holds; whether it held. What is the same already changes nothing.
    ///
    /// # Errors
    ///
    /// When the session that wants the lock does not exist, or a bound is reached.
    pub(crate) fn put_key(
        &mut self,
        key: &str,
        value: Vec<u8>,
        flags: u64,
        condition: &Condition,
        now: Instant,
    ) -> Result<bool, Problem> {
        let old = self.keys.entries.get(key);
        let holder = old.and_then(|old| old.session.clone());
        let locked = old.map_or(0, |old| old.lock_index);
        let (session, lock_index) = match condition {
            // Consul forgets the count at a write that is no lock, though not the holder.
            Condition::Always => (holder, 0),
            Condition::Unchanged(index) if old.map_or(0, |old| old.modify) == *index => (holder, 0),
            Condition::Acquire(session) => {
                self.known_session(session)?;
                if self.is_delayed(key, now) || holder.as_ref().is_some_and(|it| it != session) {
                    return Ok(false);
                }
                let count = if holder.is_none() { locked + 1 } else { locked };
                (Some(session.clone()), count)
            }
            Condition::Release(session) if holder.as_ref() == Some(session) => (None, locked),
            Condition::Unchanged(_) | Condition::Release(_) => return Ok(false),
        };
        let entry = Entry {
            key: key.to_owned(),
            value,
            flags,
            lock_index,
            session,
            create: old.map_or(0, |old| old.create),
            modify: old.map_or(0, |old| old.modify),
        };
        if old != Some(&entry) {
            self.have_room_for(&entry)?;
            self.store(entry);
        }
        Ok(true)
    }

    fn have_room_for(&self, entry: &Entry) -> Result<(), Problem> {
        let Keys { entries, bytes, .. } = &self.keys;
        let old = entries.get(&entry.key);
        let full = |what, limit| Err(Problem::Full { what, limit });
        if old.is_none() && entries.len() >= self.limits.keys {
            return full("keys", self.limits.keys);
        }
        let more = bytes + size(entry);
        if more.saturating_sub(old.map_or(0, size)) > self.limits.key_bytes {
            return full("bytes of keys and values", self.limits.key_bytes);
        }
        Ok(())
    }

    fn store(&mut self, mut entry: Entry) {
        let index = self.indexes.bump();
        if entry.create == 0 {
            entry.create = index;
        }
        entry.modify = index;
        self.indexes.touch(Topic::Key(entry.key.clone()));
        self.keys.bytes += size(&entry);
        let old = self.keys.entries.insert(entry.key.clone(), entry);
        self.keys.bytes -= old.as_ref().map_or(0, size);
    }

    /// Removes a key; whether the condition held. One that is not there counts as removed. Locks do not matter.
    pub(crate) fn delete_key(&mut self, key: &str, unchanged: Option<u64>) -> bool {
        let Some(old) = self.keys.entries.get(key) else {
            return true;
        };
        if unchanged.is_some_and(|index| old.modify != index) {
            return false;
        }
        self.indexes.bump();
        self.remove_key(key);
        true
    }

    /// Removes all keys that begin with `prefix`.
    pub(crate) fn delete_below(&mut self, prefix: &str) {
        let keys: Vec<String> = self
            .keys_below(prefix)
            .map(|entry| entry.key.clone())
            .collect();
        if !keys.is_empty() {
            self.indexes.bump();
        }
        for key in keys {
            self.remove_key(&key);
        }
    }

    fn remove_key(&mut self, key: &str) {
        if let Some(old) = self.keys.entries.remove(key) {
            self.keys.bytes -= size(&old);
            self.indexes.touch(Topic::Key(old.key));
        }
    }

    /// The session that held locks is gone: frees or removes what it held, and delays the next to lock it.
    pub(super) fn unlock_all(
        &mut self,
        session: &str,
        delete: bool,
        delay: Duration,
        now: Instant,
    ) {
        let held = |entry: &&Entry| entry.session.as_deref() == Some(session);
        let held: Vec<Entry> = self.keys.entries.values().filter(held).cloned().collect();
        self.keys.delays.retain(|_, until| *until > now);
        for mut entry in held {
            if let Some(until) = now
                .checked_add(delay.min(LOCK_DELAY))
                .filter(|at| *at > now)
            {
                self.keys.delays.insert(entry.key.clone(), until);
            }
            if delete {
                self.indexes.bump();
                self.remove_key(&entry.key);
            } else {
                entry.session = None;
                self.store(entry);
            }
        }
    }

    fn is_delayed(&self, key: &str, now: Instant) -> bool {
        self.keys.delays.get(key).is_some_and(|until| *until > now)
    }
}

fn size(entry: &Entry) -> usize {
    entry.key.len() + entry.value.len()
}
