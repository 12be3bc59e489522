//! Facts that the shell tells the pure rooms.

use std::fmt;

use super::{Exit, JobId, PublicEvent, Run, Signal};

/// Why everything is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// SIGTERM, SIGINT or a request: the program ends with status 0 (decision 9a).
    Requested,
    /// A fault of our own: the children are stopped in order, the program ends with 70 (P14).
    Fault,
}

/// Why a command could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartFailure {
    /// No such file, or its interpreter is missing: status 127 (P15).
    NotFound,
    /// It is there and cannot be executed: no execute bit, a directory, another architecture: status 126 (P15).
    NotExecutable,
    /// An attribute of the job cannot be had: there is no such user, or the kernel refuses the switch: status 126 (P17).
    Attributes,
    /// The system refused for want of processes, descriptors or memory: says nothing about the command (X01, X02).
    Exhausted,
    /// It was to end before its turn to start had come.
    Withdrawn,
}

impl StartFailure {
    /// The exit that this failure counts as; the numbers are the shell's.
    #[must_use]
    pub fn as_exit(self) -> Exit {
        match self {
            StartFailure::NotFound => Exit::Code(127),
            StartFailure::NotExecutable | StartFailure::Attributes | StartFailure::Exhausted => {
                Exit::Code(126)
            }
            // Had it been there, the stop signal would have ended it.
            StartFailure::Withdrawn => Exit::Signal(Signal::TERM),
        }
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            StartFailure::NotFound => "not found",
            StartFailure::NotExecutable => "not executable",
            StartFailure::Attributes => "attributes refused",
            StartFailure::Exhausted => "the system has no resources left",
            StartFailure::Withdrawn => "no longer wanted",
        })
    }
}

/// What a job says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// It is ready to work.
    Ready,
    /// It still turns: a heartbeat for its watchdog.
    Alive,
    /// It is about to end.
    Stopping,
}

/// A fact, in the past tense; the only way the world reaches the machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Everything is set up: publishes `startup`.
    Started,
    /// A run's command could not be started; the run is over. A start that went well is answered by its `Exited`.
    SpawnFailed(Run, StartFailure),
    /// The first process of a run was collected. `left` says that others that the run owns are still there.
    Exited { run: Run, exit: Exit, left: bool },
    /// Nothing that the run owned is left; comes once, only after an `Exited` with `left`.
    Gone(Run),
    /// The job's service has left the catalogue; `was_there`: it stood there, so that others may still use its address.
    Left { job: JobId, was_there: bool },
    /// A public event from another room (a watch) or a signal.
    Published(PublicEvent),
    /// A run's processes said something of themselves.
    Notified(Run, Notice),
    /// The wall clock shows a time of the job's schedule.
    Ticked(JobId),
    /// Maintenance was switched on or off.
    Maintenance(bool),
    /// Everything shall stop.
    StopRequested(StopReason),
}

impl Event {
    /// The event of a signal that jobs may be triggered by.
    #[must_use]
    pub fn signal(signal: Signal) -> Event {
        Event::Published(PublicEvent {
            code: super::EventCode::Signal,
            source: super::Source::Signal(signal),
        })
    }
}
