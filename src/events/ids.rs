//! Numbers that must not be mixed up.

use std::fmt;

use super::Signal;

/// The place of a job in the configuration, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u32);

/// The place of a watch in the configuration, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchId(pub u32);

/// The number of one run; never used twice while the program lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Which command of a job a run executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunKind {
    /// The job's `exec`.
    Main,
    /// The job's health check of this number.
    Check(u16),
}

/// One spawn of one command. An answer that carries another run's number changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Run {
    /// Its own number.
    pub id: RunId,
    /// The job it belongs to.
    pub job: JobId,
    /// The job's command or its health check.
    pub kind: RunKind,
}

/// How a run ended. Never folded into one number: 137 and "killed by 9" are two facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It called exit with this status.
    Code(i32),
    /// This signal killed it.
    Signal(Signal),
    /// The kernel killed it, by SIGKILL, for want of memory (X03).
    OutOfMemory,
}

impl Exit {
    /// Whether the run ended with status 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Exit::Code(0)
    }

    /// The status a shell would report: the code, or 128 + n for signal n.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            // The kernel keeps the low eight bits only (exit(2)), so nothing is lost here.
            Exit::Code(code) => code.to_le_bytes()[0],
            Exit::Signal(signal) => (128 + signal.number()).to_le_bytes()[0],
            Exit::OutOfMemory => Exit::Signal(Signal::KILL).status(),
        }
    }
}

impl fmt::Display for Exit {
    /// The wording that people grep for: `exit status 3`, `signal: SIGKILL`, `signal: SIGKILL (out of memory)`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(out, "exit status {code}"),
            Exit::Signal(signal) => write!(out, "signal: {signal}"),
            Exit::OutOfMemory => write!(out, "signal: {} (out of memory)", Signal::KILL),
        }
    }
}
