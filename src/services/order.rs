//! What the rules of services take and give.

use super::registration::{CheckStatus, Registered, Registration};
use crate::events::{Failure, JobId};

/// What the catalogue is to show of a job from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The service, with the status that the configuration gives to a service that no check has judged yet.
    Initial,
    /// The service, passing: its check passed, or it has none and the job is up.
    Passing,
    /// The service, critical: its check failed. What has never passed is not shown for that.
    Critical,
    /// Nothing: maintenance.
    Absent,
    /// Nothing, for good; the job waits to hear that it is so.
    Leaving,
    /// Nothing yet: the job, which had come to its end, begins anew.
    Back,
}

/// The number of one call; never used twice while the program lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// A call to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Write the service with its check, which begins with this status.
    Register(Box<Registration>, CheckStatus),
    /// Say how the check ended; renews the TTL.
    Update {
        check: String,
        status: CheckStatus,
        output: String,
    },
    /// Remove the service. That it is not there is a success.
    Deregister(String),
    /// Say what stands under this id.
    Inspect(String),
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// Of an `Inspect`: what stands there, if anything does.
    Found(Option<Registered>),
}

/// An order, in the imperative. The shell performs orders in the sequence in which they come and waits for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Make the call; answered by [`super::Services::on_answer`] with the same number.
    Call { job: JobId, id: CallId, call: Call },
    /// The answer to this call is not waited for any more.
    Abandon(CallId),
    /// Tell the job that its service has left the catalogue, or that there was nothing to leave.
    Left { job: JobId, was_there: bool },
    /// Tell the operator.
    Report(JobId, Note),
}

/// What an operator wants to know of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It stands in the catalogue, for the first time or again.
    Registered,
    /// It stood there and does not any more; it is being registered again (C03, C04).
    Lost,
    /// What stands there is not what should; it is being registered again.
    Mended,
    /// It was removed from the catalogue.
    Deregistered,
    /// An earlier program left another registration there; it is removed until the service is healthy (C15).
    Remnant,
    /// A check that was registered a moment ago is not known: several servers answer under this address (C16).
    Astray,
    /// At the end it could not be removed; the job does not wait for it any longer (S08).
    NotRemoved(Failure),
}
