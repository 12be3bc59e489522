//! The probes against real sockets and files.

mod looking;
mod saying;
