//! The run's mark in the environment of its processes.

use std::ffi::{CString, NulError};
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::events::RunId;

/// The variable that carries it.
const NAME: &str = "CONTAINERPILOT_RUN";

/// Marks of outer supervisors that are passed on, at most; beyond it they are dropped.
const MAX_INHERITED: usize = 256;

/// Makes and recognises marks that belong to this program instance and one run.
///
/// A mark is `<pid>.<random number>.<run>`: two supervisors in one PID namespace, and a supervisor that got the pid of
/// an earlier one, never take each other's processes for their own. A supervisor inside of another's job keeps the
/// outer mark in front of its own, so that both find their processes.
#[derive(Debug)]
pub(super) struct Marker {
    instance: String,
    inherited: String,
}

impl Marker {
    /// `inherited` is the variable's value in our own environment.
    pub(super) fn new(inherited: Option<String>) -> Marker {
        let mut inherited = inherited.unwrap_or_default();
        if inherited.len() > MAX_INHERITED || inherited.contains('\0') {
            inherited.clear();
        }
        // The standard library seeds this from the kernel's random numbers.
        let random = RandomState::new().build_hasher().finish();
        Marker {
            instance: format!("{}.{random:016x}.", std::process::id()),
            inherited,
        }
    }

    /// With the mark that our own environment carries.
    pub(super) fn from_environment() -> Marker {
        Marker::new(std::env::var(NAME).ok())
    }

    /// The variable, as it stands in an environment. No mark of ours holds a NUL, so there is always one.
    pub(super) fn variable(&self, run: RunId) -> Result<CString, NulError> {
        let separator = if self.inherited.is_empty() { "" } else { " " };
        let text = format!("{NAME}={}{separator}{}{run}", self.inherited, self.instance);
        CString::new(text)
    }

    /// Whether an environment entry is the marker's, whoever made it.
    pub(super) fn is_variable(entry: &[u8]) -> bool {
        let rest = entry.strip_prefix(NAME.as_bytes());
        rest.is_some_and(|rest| rest.first() == Some(&b'='))
    }

    /// The run of this instance that a start environment (entries that end with NUL) belongs to.
    pub(super) fn find(&self, environ: &[u8]) -> Option<RunId> {
        let entries = environ.split(|byte| *byte == 0);
        let mut marks = entries.filter(|entry| Marker::is_variable(entry));
        marks.find_map(|entry| self.run_in(&entry[NAME.len() + 1..]))
    }

    fn run_in(&self, value: &[u8]) -> Option<RunId> {
        let mut marks = value.split(|byte| *byte == b' ');
        let number = marks.find_map(|mark| mark.strip_prefix(self.instance.as_bytes()))?;
        str::from_utf8(number).ok()?.parse().ok().map(RunId)
    }
}
