//! Why a call to the catalogue came to nothing.

use std::fmt;

/// The failure of a call, by what is to be done about it. Texts are for people: bounded, on one line, without a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection, no answer in time, or the connection broke: try again soon.
    Unreachable(String),
    /// The server says that it cannot now (5xx): try again later.
    Busy(String),
    /// The server says that we ask for too much at once (429): try again later, and for less (C13).
    Crowded(String),
    /// The server does not permit it (401, 403): somebody has to change the token or its policy.
    Denied(String),
    /// The server understood and will never do it (400): somebody has to change the configuration (C19).
    Rejected(String),
    /// The server does not know the service or the check that the call is about: it has to be registered (again).
    Unknown(String),
    /// The answer is not what was asked for: no JSON, too large, a redirect, or a status that Consul does not give, as of
    /// somebody in between.
    Unreadable(String),
}

impl Failure {
    /// Whether the server did not do its work, whatever the call was about.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Failure::Unreachable(_) | Failure::Busy(_) | Failure::Crowded(_)
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Unreachable(text)
        | Failure::Busy(text)
        | Failure::Crowded(text)
        | Failure::Denied(text)
        | Failure::Rejected(text)
        | Failure::Unknown(text)
        | Failure::Unreadable(text)) = self;
        out.write_str(text)
    }
}
