//! Who waits for what: a change wakes those who read what it touched, and nobody else.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use super::tables::Topic;

/// The waiting queries by topic. Bounded by the number of connections.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    by_topic: BTreeMap<Topic, BTreeMap<u64, oneshot::Sender<()>>>,
}

impl Waiters {
    /// A new waiter: its number, and what ends when the topic is touched.
    pub(super) fn add(&mut self, topic: &Topic) -> (u64, oneshot::Receiver<()>) {
        let (wake, woken) = oneshot::channel();
        self.next += 1;
        let waiting = self.by_topic.entry(topic.clone()).or_default();
        waiting.insert(self.next, wake);
        (self.next, woken)
    }

    /// One that waits no longer; that it was woken before is no mistake.
    pub(super) fn remove(&mut self, topic: &Topic, number: u64) {
        if let Some(waiting) = self.by_topic.get_mut(topic) {
            waiting.remove(&number);
            if waiting.is_empty() {
                self.by_topic.remove(topic);
            }
        }
    }

    /// `touched` is sorted, as the tables give it.
    pub(super) fn wake(&mut self, touched: &[Topic]) {
        if self.by_topic.is_empty() {
            return;
        }
        for topic in touched {
            // Dropping the sender wakes the receiver.
            self.by_topic.remove(topic);
        }
        let keys = touched.iter().any(|topic| matches!(topic, Topic::Key(_)));
        if keys {
            self.by_topic.retain(|topic, _| match topic {
                Topic::Prefix(prefix) => !holds_key_below(touched, prefix),
                _ => true,
            });
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.by_topic.values().map(BTreeMap::len).sum()
    }
}

/// Whether a key with this beginning is among the sorted topics.
fn holds_key_below(touched: &[Topic], prefix: &str) -> bool {
    let from = Topic::Key(prefix.to_owned());
    let first = touched.partition_point(|topic| *topic < from);
    matches!(touched.get(first), Some(Topic::Key(key)) if key.starts_with(prefix))
}
