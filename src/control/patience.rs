//! How long a connection may last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// A follower whose feed has ended may take its last words for so long.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The limit of one connection. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    until: Arc<watch::Sender<Option<Instant>>>,
}

impl Patience {
    pub(super) fn new(limit: Duration) -> Patience {
        let (until, _) = watch::channel(Some(Instant::now() + limit));
        Patience {
            until: Arc::new(until),
        }
    }

    /// The client follows something: no limit for now.
    pub(super) fn lift(&self) {
        self.until.send_replace(None);
    }

    /// What was followed has ended.
    pub(super) fn limit(&self) {
        self.until.send_replace(Some(Instant::now() + LAST_WORDS));
    }

    /// Waits until the limit has passed.
    pub(super) async fn over(&self) {
        let mut changes = self.until.subscribe();
        loop {
            let until = *changes.borrow_and_update();
            let passed = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => return,
                // The sender lives as long as this value.
                _ = changes.changed() => {}
            }
        }
    }
}
