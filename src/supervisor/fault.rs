//! Faults of our own: a panic anywhere is written down with its stack and becomes an orderly stop with status 70 (P14,
//! decision 24).

use std::backtrace::Backtrace;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tokio::sync::Notify;

/// Whether there was a fault, and who wants to know. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Faults {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    happened: AtomicBool,
    wake: Notify,
    /// What is to be written down about the first fault. Locked for as long as a text is moved.
    report: Mutex<Option<String>>,
}

impl Faults {
    /// Makes every panic of the program one of these faults. Called once, when the log is there.
    ///
    /// The hook itself writes nothing: the log may be what panicked, and stderr may be a full pipe or gone, which would
    /// block or end PID 1. The loop writes the report down.
    pub(super) fn watch(&self) {
        let shared = Arc::clone(&self.shared);
        std::panic::set_hook(Box::new(move |panic| {
            let report = format!("{panic}\n{}", Backtrace::force_capture());
            if let Ok(mut slot) = shared.report.try_lock() {
                slot.get_or_insert(report);
            }
            shared.happened.store(true, Ordering::Relaxed);
            shared.wake.notify_one();
        }));
    }

    /// Writes the report down that nobody has written yet.
    pub(super) fn report(&self) {
        let report = self
            .shared
            .report
            .try_lock()
            .ok()
            .and_then(|mut slot| slot.take());
        if let Some(report) = report {
            tracing::error!("a fault of our own, stopping everything: {report}");
        }
    }

    pub(super) fn any(&self) -> bool {
        self.shared.happened.load(Ordering::Relaxed)
    }

    /// Waits for the next fault that nobody has been told of.
    pub(super) async fn notified(&self) {
        self.shared.wake.notified().await;
    }
}

/// Runs a future; `None` if it panicked. What it worked on is as the panic left it.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

/// Panics when the tests of the built program ask for it; not in a release.
#[cfg(debug_assertions)]
pub(super) fn planted(place: &str) {
    let wanted = std::env::var_os("PILOTHOUSE_PLANTED_FAULT");
    assert!(
        wanted.is_none_or(|wanted| wanted != place),
        "planted fault: {place}"
    );
}

#[cfg(not(debug_assertions))]
pub(super) fn planted(_: &str) {}
