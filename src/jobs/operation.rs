//! What an operator asks of one job, and what comes of it.

use std::fmt;

use crate::events::Signal;

/// An order of an operator to one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Run it now, whatever it waits for. A job at its end begins anew, with the hooks around it.
    Start,
    /// Bring it to its end, with its hooks; it stays there until it is started. That is nobody's failure: it does not end
    /// the container, not even as an essential job or the last one, and who waits for it goes on waiting.
    Stop,
    /// Stop it as far as it runs, then start it.
    Restart,
    /// Send this signal to the processes of its run.
    Signal(Signal),
    /// Switch its checks on or off. While they are off nobody knows its health, and its service is said to be well.
    Check(bool),
    /// Suspend its checks and take its service out of the catalogue, or the other way round.
    Maintenance(bool),
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Start => out.write_str("start"),
            Operation::Stop => out.write_str("stop"),
            Operation::Restart => out.write_str("restart"),
            Operation::Signal(signal) => write!(out, "{signal} to"),
            Operation::Check(true) => out.write_str("checks on of"),
            Operation::Check(false) => out.write_str("checks off of"),
            Operation::Maintenance(true) => out.write_str("maintenance of"),
            Operation::Maintenance(false) => out.write_str("end of the maintenance of"),
        }
    }
}

/// How far an operation has come when it is answered. None is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is done, or under way.
    Begun,
    /// It follows when something has ended: the job itself, or its `postStop` hook.
    Later,
    /// It was so already.
    Already,
}

impl Progress {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Progress::Begun => "begun",
            Progress::Later => "later",
            Progress::Already => "already",
        }
    }
}

/// Why an operation is not done; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The whole program is stopping.
    Ending,
    /// A reload stops the job, to begin it anew or for good.
    Leaving,
    /// Nothing of the job runs that a signal could be sent to.
    NotRunning,
    /// It has no check that could be switched.
    NoCheck,
}

impl Refused {
    /// The word for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Refused::Ending => "stopping",
            Refused::Leaving => "reloading",
            Refused::NotRunning => "not_running",
            Refused::NoCheck => "no_check",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Refused::Ending => "the program is stopping",
            Refused::Leaving => "a reload is stopping the job: ask again when that is done",
            Refused::NotRunning => "the job does not run",
            Refused::NoCheck => "the job has no health check",
        })
    }
}
