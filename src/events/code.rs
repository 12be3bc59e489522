//! The events that a configuration can name.

use std::fmt;

use super::{CustomName, JobId, Signal, WatchId};

/// What a public event says; the original's table 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventCode {
    /// Everything is set up.
    Startup,
    /// The program, or this configuration, comes to its end. Starts no job (D17).
    Shutdown,
    /// A run ended with status 0.
    ExitSuccess,
    /// A run ended otherwise, or could not start.
    ExitFailed,
    /// A job begins its end; its process may still be running.
    Stopping,
    /// A job is at its end and nothing that it owned is left.
    Stopped,
    /// A health check passed, or a watched service has instances.
    Healthy,
    /// A health check failed, or a watched service has no instance left.
    Unhealthy,
    /// The instances of a watched service changed.
    Changed,
    /// Maintenance was switched on.
    EnterMaintenance,
    /// Maintenance was switched off.
    ExitMaintenance,
    /// A job's `when.timeout` ran out before its first start.
    TimerExpired,
    /// A job was given up: it restarted too often, or was not started in time.
    Failed,
    /// A signal that jobs may be triggered by arrived.
    Signal,
    /// A client published an event of its own.
    Custom,
}

impl EventCode {
    /// Every code with the name a configuration uses for it (`when.once`, `when.each`).
    pub const NAMED: [(&'static str, EventCode); 13] = [
        ("startup", EventCode::Startup),
        ("shutdown", EventCode::Shutdown),
        ("exitSuccess", EventCode::ExitSuccess),
        ("exitFailed", EventCode::ExitFailed),
        ("stopping", EventCode::Stopping),
        ("stopped", EventCode::Stopped),
        ("healthy", EventCode::Healthy),
        ("unhealthy", EventCode::Unhealthy),
        ("changed", EventCode::Changed),
        ("enterMaintenance", EventCode::EnterMaintenance),
        ("exitMaintenance", EventCode::ExitMaintenance),
        ("timerExpired", EventCode::TimerExpired),
        ("failed", EventCode::Failed),
    ];

    /// The code that a configuration calls `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<EventCode> {
        let found = Self::NAMED.iter().find(|(known, _)| *known == name);
        found.map(|(_, code)| *code)
    }

    /// The name in a configuration; `signal` and `custom` for the codes that none can name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::NAMED.iter().find(|(_, code)| *code == self);
        let unnamed = if self == EventCode::Custom {
            "custom"
        } else {
            "signal"
        };
        found.map_or(unnamed, |(name, _)| name)
    }

    /// The original's own name for it: in its debug log, and in the label of a metric.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            EventCode::Startup => "Startup",
            EventCode::Shutdown => "Shutdown",
            EventCode::ExitSuccess => "ExitSuccess",
            EventCode::ExitFailed => "ExitFailed",
            EventCode::Stopping => "Stopping",
            EventCode::Stopped => "Stopped",
            EventCode::Healthy => "StatusHealthy",
            EventCode::Unhealthy => "StatusUnhealthy",
            EventCode::Changed => "StatusChanged",
            EventCode::EnterMaintenance => "EnterMaintenance",
            EventCode::ExitMaintenance => "ExitMaintenance",
            EventCode::TimerExpired => "TimerExpired",
            EventCode::Failed => "Failed",
            EventCode::Signal => "Signal",
            EventCode::Custom => "Custom",
        }
    }
}

/// Who published an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The program itself.
    Global,
    /// A job.
    Job(JobId),
    /// The health check of a job (`check.<job>`).
    Check(JobId),
    /// A watch (`watch.<name>`).
    Watch(WatchId),
    /// A signal.
    Signal(Signal),
    /// A client (`event.<name>`).
    Custom(CustomName),
}

/// A fact that jobs can be triggered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicEvent {
    /// What happened.
    pub code: EventCode,
    /// To whom.
    pub source: Source,
}

impl PublicEvent {
    /// An event of the program itself.
    #[must_use]
    pub fn global(code: EventCode) -> PublicEvent {
        PublicEvent {
            code,
            source: Source::Global,
        }
    }

    /// An event of a job.
    #[must_use]
    pub fn job(code: EventCode, job: JobId) -> PublicEvent {
        PublicEvent {
            code,
            source: Source::Job(job),
        }
    }
}

/// What a job waits for; the same pair as the event that satisfies it.
pub type Subscription = PublicEvent;

impl fmt::Display for EventCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
