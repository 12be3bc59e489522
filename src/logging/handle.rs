//! The room's front door.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::clock::Clock;
use super::destination::Standard;
use super::drops::Dropped;
use super::error::LogError;
use super::output::Output;
use super::pump::{self, PumpHandle};
use super::recent::Follower;
use super::shared::Shared;
use super::style::Label;
use super::subscriber::LogSubscriber;
use super::task;
use crate::config::LoggingSettings;

/// The log of the program. Clones are the same log.
#[derive(Clone, Debug)]
pub struct Logging {
    shared: Arc<Shared>,
}

impl Logging {
    /// Opens the output and makes this the log of the whole program: what is said through `tracing` from now on goes here.
    /// Works without a runtime; a destination that is full then gets the rest after [`Logging::attach`].
    ///
    /// A file that cannot be opened is no error: stderr takes over, with one message (L10).
    #[must_use]
    pub fn start(settings: &LoggingSettings) -> Logging {
        let logging = Logging::new(settings);
        // Fails when the program already has a log; then the first one stays.
        let _ = tracing::subscriber::set_global_default(logging.subscriber());
        logging
    }

    /// As [`Logging::start`], but for whoever uses its [`Logging::subscriber`].
    #[must_use]
    pub fn new(settings: &LoggingSettings) -> Logging {
        Logging::with(Standard::of_process(), settings, Clock::system())
    }

    pub(super) fn with(standard: Standard, settings: &LoggingSettings, clock: Clock) -> Logging {
        let output = Output::new(standard, settings.clone(), clock);
        let shared = Shared::new(output, settings.level);
        shared.with(Output::flush);
        Logging {
            shared: Arc::new(shared),
        }
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// What takes the program's messages.
    #[must_use]
    pub fn subscriber(&self) -> LogSubscriber {
        LogSubscriber::new(Arc::clone(&self.shared))
    }

    /// Starts the writer task, once. Until then nothing waits for a full destination to have room again.
    ///
    /// # Panics
    /// Outside of a runtime with I/O and time.
    pub fn attach(&self) {
        tokio::spawn(task::run(Arc::clone(&self.shared)));
    }

    /// Takes the settings of a reload over: level, format, overflow at once; the output if it is another one. A file is
    /// opened again in any case, as in the original.
    pub fn apply(&self, settings: &LoggingSettings) {
        self.shared.set_level(settings.level);
        tracing::callsite::rebuild_interest_cache();
        self.shared.with(|output| output.apply(settings));
        self.shared.wake.notify_one();
    }

    /// Opens a file output again (SIGUSR1), so that a log rotation can move it first and signal then. A no-op for others.
    pub fn reopen(&self) {
        self.shared.with(Output::reopen);
        self.shared.wake.notify_one();
    }

    /// Reads the output of one run from the reading end of its pipe, line by line, until every writer has closed it or
    /// [`PumpHandle::finish`] is called. Must be called inside the runtime.
    pub fn pump(&self, fd: OwnedFd, label: Label) -> Result<PumpHandle, LogError> {
        pump::start(&self.shared, fd, label)
    }

    /// The last lines that a job has written, oldest first; without those of before its configuration was known here.
    /// `follower` is told all that follows, as it is read: whose run (a number), and the bytes, until it answers `false`.
    /// It must not wait, and not say anything through `tracing`.
    #[must_use]
    pub fn lines(&self, job: &str, follower: Option<Follower>) -> Vec<String> {
        self.shared.recent(|recent| recent.lines(job, follower))
    }

    /// Forgets the lines, and the followers, of all jobs but these.
    pub fn keep_lines(&self, is_kept: impl Fn(&str) -> bool) {
        self.shared.recent(|recent| recent.keep(is_kept));
    }

    /// At the program's end: finishes every pump and waits until all is written. A reader that takes nothing for `stall` is
    /// waited for no longer, and none for longer than `most` altogether; what is not taken by then is lost.
    pub async fn drain(&self, stall: Duration, most: Duration) {
        self.shared.with(Output::finish_pumps);
        let end = tokio::time::Instant::now() + most;
        loop {
            let before = self.shared.with(|output| output.written());
            let patience = end.min(tokio::time::Instant::now() + stall);
            if tokio::time::timeout_at(patience, self.idle()).await.is_ok() || patience == end {
                return;
            }
            if self.shared.with(|output| output.written()) == before {
                return;
            }
        }
    }

    /// Waits until everything is written.
    async fn idle(&self) {
        loop {
            let mut idle = std::pin::pin!(self.shared.idle.notified());
            // Registered before the question: an answer between question and wait is not missed.
            idle.as_mut().enable();
            let is_idle = self.shared.with(|output| {
                output.flush();
                output.is_idle()
            });
            if is_idle {
                return;
            }
            idle.await;
        }
    }

    /// Writes what is queued, and blocks while nobody takes it, at most for `limit`. For a program that ends before or
    /// after its runtime; never inside.
    pub fn flush(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            let blocked_on = self.shared.with(|output| {
                output.flush();
                output.blocked_on()
            });
            let Some(fd) = blocked_on else { return };
            let left = deadline.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)];
            let wait = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let ready = poll(&mut fds, wait);
            if left.is_zero() || matches!(ready, Err(error) if error != nix::Error::EINTR) {
                return;
            }
        }
    }

    /// Lines that did not get out since the start.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.shared.with(|output| output.dropped())
    }

    /// Lines that were taken since the start, ours and jobs'.
    #[must_use]
    pub fn line_count(&self) -> u64 {
        self.shared.with(|output| output.lines())
    }

    /// Pumps that have not ended.
    #[must_use]
    pub fn pumps(&self) -> usize {
        self.shared.with(|output| output.pumps())
    }
}
