//! Why a command could not be started, for the machine and for people.

use crate::events::StartFailure;

/// A command that could not be started.
///
/// `message` is a whole sentence that names the command and the cause; each cause of P15 has its own wording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SpawnError {
    /// What it means for the run.
    pub failure: StartFailure,
    /// What to tell people.
    pub message: String,
}

impl SpawnError {
    pub(super) fn not_found(program: &str, cause: &str) -> SpawnError {
        SpawnError::new(StartFailure::NotFound, program, cause)
    }

    pub(super) fn not_executable(program: &str, cause: &str) -> SpawnError {
        SpawnError::new(StartFailure::NotExecutable, program, cause)
    }

    pub(super) fn exhausted(program: &str, cause: &str) -> SpawnError {
        SpawnError::new(StartFailure::Exhausted, program, cause)
    }

    /// An attribute of the job cannot be had (P17).
    pub fn attributes(program: &str, cause: &str) -> SpawnError {
        SpawnError::new(StartFailure::Attributes, program, cause)
    }

    fn new(failure: StartFailure, program: &str, cause: &str) -> SpawnError {
        // `escape_debug` shows what a terminal would hide, such as the CR of a script with DOS line ends.
        let program = program.escape_debug();
        SpawnError {
            failure,
            message: format!("cannot start `{program}`: {cause}"),
        }
    }
}
