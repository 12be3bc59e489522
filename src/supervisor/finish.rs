//! The end of the program: what nobody owns, the control socket, the last lines.

use std::time::{Duration, Instant};

use super::app::{App, Inputs};
use super::fault::caught;
use crate::events::Signal;
use crate::services::Presence;

/// What is left of the processes after KILL is waited for this long; then the kernel has to deal with it (S11).
const AFTER_KILL: Duration = Duration::from_millis(500);

/// What is done at the limit of the whole stop may still take this long.
const A_LITTLE: Duration = Duration::from_millis(100);

/// How long the file of the flight recorder may take: its file system may hang.
const RECORD_LIMIT: Duration = Duration::from_secs(2);

/// The last lines wait for a reader that reads, however slowly, and give up on one that takes nothing for so long.
const LAST_LINES: Duration = Duration::from_mins(1);
const STALLED: Duration = Duration::from_secs(2);

impl App {
    /// Closes the socket, ends what evaded every proof of ownership (decision 22) and, after a fault of the loop itself,
    /// all that runs, and writes what is left to write.
    pub(super) async fn finish(mut self, inputs: &mut Inputs) {
        let limit = self.within_stop(Duration::MAX);
        self.show_own_service(Presence::Leaving, Instant::now());
        self.finish_calls(inputs, limit).await;
        if let Some(embedded) = self.embedded.take() {
            embedded.close().await;
        }
        if let Some(server) = self.server.take() {
            // Followers have heard everything.
            self.chronicle.end_following();
            self.logging.keep_lines(|_| false);
            // Requests that still wait get their answer at once: nobody is there any more to do them.
            inputs.commands.close();
            server.close().await;
        }
        // What KILL did not end before gets no second grace.
        let grace = if self.jobs.gave_up_on_any() {
            Duration::ZERO
        } else {
            self.config.stop.stop_timeout
        };
        self.end_unowned(inputs, self.within_stop(grace)).await;
        self.logging
            .drain(STALLED, self.within_stop(LAST_LINES))
            .await;
    }

    /// Writes the flight recorder down if this is a bad end. `status` of `None`: a fault of our own. Of a single command
    /// there is nothing to tell but its status, which everybody sees.
    pub(super) async fn write_record(&mut self, status: Option<u8>) {
        let reason = match status {
            Some(0) => return,
            Some(_) if self.plan.is_fixed() => return,
            Some(status) => format!("the container ends with status {status}"),
            None => "the container ends by a fault of our own".to_owned(),
        };
        let file = self.config.logging.flight_recorder.as_deref();
        let limit = self.within_stop(RECORD_LIMIT);
        let written = self.recorder.write(&self.names, &reason, file, limit);
        // What stops the rest has not to be stopped by this.
        caught(written).await;
    }

    /// So much of a wait as the limit of the whole stop leaves (decision 8), and a little in any case.
    fn within_stop(&self, wait: Duration) -> Duration {
        let left = self
            .jobs
            .stop_deadline()
            .map(|at| at.saturating_duration_since(Instant::now()));
        wait.min(left.unwrap_or(wait).max(A_LITTLE))
    }

    async fn end_unowned(&mut self, inputs: &mut Inputs, grace: Duration) {
        self.collect();
        if self.processes.is_alone() {
            return;
        }
        tracing::debug!("ending processes that no job owns");
        for (signal, limit) in [
            (Signal::TERM, grace),
            (Signal::KILL, self.within_stop(AFTER_KILL)),
        ] {
            self.processes.sweep_unowned(signal);
            if self.wait_alone(inputs, limit).await {
                return;
            }
        }
        tracing::error!("processes are left that KILL does not end: leaving them to the kernel");
    }

    /// Waits until there is no child left, at most for `limit`.
    async fn wait_alone(&mut self, inputs: &mut Inputs, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut received = Vec::new();
        loop {
            self.collect();
            if self.processes.is_alone() {
                return true;
            }
            let more = inputs.signals.recv(&mut received);
            if !matches!(tokio::time::timeout_at(end.into(), more).await, Ok(Ok(()))) {
                return false;
            }
            received.clear();
        }
    }

    fn collect(&mut self) {
        let mut seen = Vec::new();
        while self.processes.reap(1024, &mut seen) {
            seen.clear();
        }
    }
}
