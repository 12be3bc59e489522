//! What the handle, the pumps, the writer task and the subscriber have in common.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::output::Output;
use super::recent::Recent;
use super::record::Record;
use crate::config::LogLevel;

/// Bytes of one read from a pipe: what a pipe holds by default (pipe(7)).
pub(super) const READ: usize = 64 * 1024;

/// See [`super`]. One for the program.
pub(super) struct Shared {
    /// Held for short sections without an await; the writes inside do not wait. `tracing` is never called under it, as our
    /// own subscriber takes it. A panic under it leaves at worst a torn line, so a poisoned lock is used on.
    output: Mutex<Output>,
    /// The last output of each job. Locked after `output` is left, for the moment of a copy.
    recent: Mutex<Recent>,
    /// The level of our own messages, read for each event without the lock.
    level: AtomicU8,
    /// Whose turn it is to read and frame. Fair: a job that floods waits behind all others (L03). Its owner may wait for
    /// room with the rest of a read in the buffer, which is why one buffer is enough for all pumps.
    pub(super) turn: tokio::sync::Mutex<Scratch>,
    /// For the writer task: the destination has become full, or is another one.
    pub(super) wake: Notify,
    /// For the owner of the turn: there is room.
    pub(super) room: Notify,
    /// For [`super::Logging::drain`]: everything is written.
    pub(super) idle: Notify,
}

impl fmt::Debug for Shared {
    /// Without what is queued: a log line has no place in another one.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// The one buffer that pipes are read into; allocated by the first pump.
#[derive(Debug, Default)]
pub(super) struct Scratch(Vec<u8>);

impl Scratch {
    pub(super) fn buffer(&mut self) -> &mut [u8] {
        if self.0.is_empty() {
            self.0 = vec![0; READ];
        }
        &mut self.0
    }
}

impl Shared {
    pub(super) fn new(output: Output, level: LogLevel) -> Shared {
        Shared {
            output: Mutex::new(output),
            recent: Mutex::new(Recent::default()),
            level: AtomicU8::new(rank(level)),
            turn: tokio::sync::Mutex::new(Scratch::default()),
            wake: Notify::new(),
            room: Notify::new(),
            idle: Notify::new(),
        }
    }

    /// Does something with the output, then wakes whoever waits for what came of it.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Output) -> R) -> R {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let was_blocked = output.is_blocked();
        let result = act(&mut output);
        let newly_blocked = output.is_blocked() && !was_blocked;
        let has_room = output.has_room() || !output.waits();
        let is_idle = output.is_idle();
        drop(output);
        if newly_blocked {
            self.wake.notify_one();
        }
        if has_room {
            self.room.notify_one();
        }
        if is_idle {
            self.idle.notify_waiters();
        }
        result
    }

    /// Does something with the last output of the jobs.
    pub(super) fn recent<R>(&self, act: impl FnOnce(&mut Recent) -> R) -> R {
        act(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes one of our own messages.
    pub(super) fn own(&self, record: &Record) {
        self.with(|output| output.own(record));
    }

    /// Whether our messages of this level are written. `panic` and `fatal` mean errors only, as we have nothing above.
    pub(super) fn is_enabled(&self, level: LogLevel) -> bool {
        rank(level) <= self.level.load(Ordering::Relaxed)
    }

    pub(super) fn set_level(&self, level: LogLevel) {
        self.level.store(rank(level), Ordering::Relaxed);
    }
}

fn rank(level: LogLevel) -> u8 {
    match level {
        LogLevel::Panic | LogLevel::Fatal | LogLevel::Error => 0,
        LogLevel::Warn => 1,
        LogLevel::Info => 2,
        LogLevel::Debug => 3,
    }
}
