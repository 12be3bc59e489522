//! What can go wrong for a caller.

use std::io;

/// A pump that could not be started. Faults of the destination are no errors: they are handled and counted here.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The descriptor cannot be read without blocking, or the kernel has no room to watch it.
    #[error("cannot read the output of `{name}`: {source}")]
    Watch {
        /// The job or check.
        name: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}
