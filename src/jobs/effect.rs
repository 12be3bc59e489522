//! Orders of the job rules to the shell.

use std::time::Duration;

use super::spec::{Expiry, MaxRestarts};
use crate::events::{Exit, JobId, PublicEvent, Run, Signal, Source};
use crate::services::Presence;

/// An order, in the imperative. The shell performs orders in the sequence in which they come and waits for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the run's command, or look at what a check without one looks at. `cause` is the event that triggered it, if one did.
    /// Answered by silence, or by [`crate::events::Event::SpawnFailed`]; the shell may take its time when it has many.
    Spawn {
        run: Run,
        cause: Option<PublicEvent>,
    },
    /// Send the stop signal to everything that the run owns. If it was not started yet, it never is, which is answered by
    /// [`crate::events::StartFailure::Withdrawn`].
    Terminate(Run),
    /// Send KILL to everything that the run owns, or do not start it, and go on doing so until nothing is left.
    Kill(Run),
    /// Send this signal to everything that the run owns, if it was started; nothing else changes.
    Signal(Run, Signal),
    /// Show this of the job in the catalogue. [`Presence::Leaving`] is answered by [`crate::events::Event::Left`]; the
    /// others by silence.
    Show(JobId, Presence),
    /// Tell who watches from outside (log, counters) that this was published; the rules have acted on it already.
    Announce(PublicEvent),
    /// Tell the operator.
    Report(JobId, Note),
}

/// What an operator wants to know of a job beyond its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A run lasted longer than the job's (or check's) `timeout` and is being killed.
    TimedOut { run: Run, limit: Duration },
    /// A run did not end within its stop timeout after TERM and is being killed (S02).
    StopTimedOut { run: Run, limit: Duration },
    /// KILL has been sent and the run is still there; the stop goes on without it (S11).
    Unkillable { run: Run },
    /// The next start waits for this long.
    BackingOff { delay: Duration },
    /// No resources for a start; tried again after this time (X01, X02).
    Exhausted { delay: Duration },
    /// `when.timeout` ran out before the job was started (D36).
    WaitExpired { limit: Duration, then: Expiry },
    /// What the job waits for cannot happen any more: it will not run (J07).
    Skipped { source: Source },
    /// It restarted more often than `maxRestarts` permits and is given up (J08).
    GivenUp(MaxRestarts),
    /// A tick came while the last run was still there and was skipped (J10, decision 20).
    TickSkipped,
    /// A `stopping` hook of this job took too long and is being stopped (S03).
    HookTimedOut { hook: JobId, limit: Duration },
    /// The service did not leave the catalogue within this time; the end goes on (S08).
    LeavingTimedOut { limit: Duration },
    /// A check has failed for good and the job is restarted for it (J09).
    Restarting,
    /// The heartbeat of a job with a watchdog did not come within this time.
    HeartbeatMissed { limit: Duration },
    /// An operator wants it back: it begins anew.
    Anew,
    /// The job ended and may not be started again.
    Completed { exit: Option<Exit> },
}
