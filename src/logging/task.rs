//! The writer task: writes on when a destination that was full takes bytes again.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;

use super::shared::Shared;
use super::watched::{Watched, watch as watch_fd};

/// How often a destination that cannot be watched is tried again: a device that says "later" but knows no readiness.
const BLIND: Duration = Duration::from_millis(50);

/// Runs for the life of the runtime. A destination is registered with the poller when it is full for the first time, so a
/// program whose log is read never pays for it.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut watch: Option<Watched> = None;
    loop {
        let Some(fd) = shared.with(|output| output.blocked_on()) else {
            shared.wake.notified().await;
            continue;
        };
        if !watch
            .as_ref()
            .is_some_and(|old| Arc::ptr_eq(old.get_ref(), &fd))
        {
            // The old registration goes first: two of one open file are an error.
            drop(watch.take());
            watch = watch_fd(fd, Interest::WRITABLE).ok();
        }
        let Some(ready) = &watch else {
            tokio::time::sleep(BLIND).await;
            shared.with(super::output::Output::flush);
            continue;
        };
        tokio::select! {
            writable = ready.writable() => {
                let Ok(mut guard) = writable else { return };
                let still_full = shared.with(|output| {
                    output.flush();
                    output.is_blocked()
                });
                if still_full {
                    guard.clear_ready();
                }
            }
            () = shared.wake.notified() => {}
        }
    }
}
