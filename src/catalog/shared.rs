//! The tables behind their lock, with the waiters and the alarm of the next deadline.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, oneshot};

use super::chance::Chance;
use super::tables::{Tables, Topic};
use super::waiters::Waiters;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    // Held for one reading or one change, never across an await; there is one thread as a rule.
    inner: Mutex<Inner>,
    /// Rings when a deadline came to be that is earlier than the one the server sleeps until.
    earlier: Notify,
    pub(super) chance: Chance,
}

#[derive(Debug)]
struct Inner {
    tables: Tables,
    waiters: Waiters,
    /// Until when the server sleeps.
    armed: Option<Instant>,
}

/// A look at the tables: an answer, or a reason to wait.
#[derive(Debug)]
pub(super) enum Look<T> {
    Seen(T),
    Wait(Waiting),
}

/// A query's place among the waiters; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Waiting {
    shared: Arc<Shared>,
    topic: Topic,
    number: u64,
    woken: oneshot::Receiver<()>,
}

impl Shared {
    pub(super) fn new(tables: Tables, chance: Chance) -> Shared {
        Shared {
            inner: Mutex::new(Inner {
                tables,
                waiters: Waiters::default(),
                armed: None,
            }),
            earlier: Notify::new(),
            chance,
        }
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        // A fault in one request must not end the others; a change is noted before it is told, so what is there is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the tables, after what is due by now.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Tables, Instant) -> T) -> T {
        let mut inner = self.locked();
        let now = Instant::now();
        inner.tables.on_time(now);
        let result = act(&mut inner.tables, now);
        self.settle(&mut inner);
        result
    }

    /// Reads if the topic's index is above `after`; otherwise takes a place among its waiters, in the same step, so that
    /// no change falls in between.
    pub(super) fn look<T>(
        self: &Arc<Self>,
        topic: &Topic,
        after: Option<u64>,
        read: impl FnOnce(&Tables, u64) -> T,
    ) -> Look<T> {
        let mut inner = self.locked();
        inner.tables.on_time(Instant::now());
        self.settle(&mut inner);
        let index = inner.tables.index_of(topic);
        if after.is_none_or(|after| index > after) {
            return Look::Seen(read(&inner.tables, index));
        }
        let (number, woken) = inner.waiters.add(topic);
        Look::Wait(Waiting {
            shared: Arc::clone(self),
            topic: topic.clone(),
            number,
            woken,
        })
    }

    fn settle(&self, inner: &mut Inner) {
        let touched = inner.tables.take_touched();
        inner.waiters.wake(&touched);
        let next = inner.tables.next_deadline();
        let is_earlier = next.is_some_and(|next| inner.armed.is_none_or(|armed| next < armed));
        if is_earlier {
            self.earlier.notify_one();
        }
    }

    /// Does what is due, and says when to come again; comes back too when that moment moved forward.
    pub(super) async fn keep_time(&self) {
        let next = {
            let mut inner = self.locked();
            inner.tables.on_time(Instant::now());
            self.settle(&mut inner);
            inner.armed = inner.tables.next_deadline();
            inner.armed
        };
        let due = async {
            match next {
                Some(next) => tokio::time::sleep_until(next.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = self.earlier.notified() => {}
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.locked().waiters.count()
    }
}

impl Waiting {
    /// Ends when the topic was touched.
    pub(super) async fn woken(&mut self) {
        // Both outcomes mean the same: the sender is gone.
        let _ = (&mut self.woken).await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared
            .locked()
            .waiters
            .remove(&self.topic, self.number);
    }
}
