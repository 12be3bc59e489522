//! Why something was not done, in Consul 1.8's words where it has them.

/// A refusal; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("CheckID {0:?} does not have associated TTL")]
    NoTtl(String),
    #[error("ServiceID {0:?} does not exist")]
    NoSuchService(String),
    #[error("No service registered with ID {0:?}")]
    NoServiceForMaintenance(String),
    #[error("unknown service ID: {0}")]
    UnknownService(String),
    #[error("failed inserting check: Missing service registration on node {0:?}")]
    NoServiceOnNode(String),
    #[error("Missing node registration")]
    NoNode,
    #[error("Must provide address if SkipNodeUpdate is not set")]
    AddressMissing,
    #[error("Missing check '{0}' registration")]
    NoCheck(String),
    #[error("Check '{0}' is in critical state")]
    CheckIsCritical(String),
    #[error("failed session lookup: index error: UUID must be 36 characters")]
    NotAUuid,
    #[error("invalid session {0:?}")]
    NoSession(String),
    #[error("Session id '{0}' not found")]
    SessionGone(String),
    #[error("Invalid Session TTL '{0}', must be between [10s=24h0m0s]")]
    SessionTtl(u128),
    /// A bound of ours. `what` is in the plural.
    #[error(
        "cannot store it: the catalogue holds {limit} {what} at most; remove some, or use a Consul server"
    )]
    Full { what: &'static str, limit: usize },
}
