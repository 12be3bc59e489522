//! pilothouse: a supervisor that lives in a container.
pub mod cli;
pub mod config;
pub mod control;
pub mod events;
pub mod jobs;
pub mod logging;
pub mod process;
pub mod watches;
