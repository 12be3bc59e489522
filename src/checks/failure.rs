//! Why a check has not passed.

use std::fmt::Display;
use std::io;

/// The most that is said; a catalogue keeps it.
const LONGEST: usize = 500;

/// Why a check has not passed, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// What was looked at is not as it should be.
    Failed(String),
    /// There was no descriptor, memory or port to look with: says nothing about what was to be looked at (X02).
    Exhausted(String),
}

impl Failure {
    pub(super) fn failed(cause: impl Display) -> Failure {
        let text: String = cause.to_string();
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        Failure::Failed(plain.take(LONGEST).collect())
    }

    /// What the system said when `what` was done.
    pub(super) fn of(what: impl Display, error: &io::Error) -> Failure {
        let (Failure::Failed(text) | Failure::Exhausted(text)) =
            Failure::failed(format!("{what}: {error}"));
        let ours = [
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOMEM,
            libc::ENOBUFS,
            libc::EADDRNOTAVAIL,
        ];
        if error
            .raw_os_error()
            .is_some_and(|code| ours.contains(&code))
        {
            Failure::Exhausted(text)
        } else {
            Failure::Failed(text)
        }
    }
}
