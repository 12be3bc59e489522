//! The command line: what the program is asked for, and its exit status.
//!
//! [`parse()`] is a pure function from words to an [`Invocation`]. It reads Go's flag syntax, because start commands in
//! existing images are written in it: one dash or two, `-name value` or `-name=value`, the end at the first word that is
//! no flag. Subcommands are ours; one is only recognised as the very first word, and never when the program is called
//! `containerpilot`, so that no old start command can become one (decision 7).
//!
//! [`run()`] performs what needs no supervisor (`-template`, `-version`, the requests to a running supervisor) and passes the
//! rest to the functions that it is given. Requests need the path of the socket and nothing else: a configuration that is
//! broken by now does not keep them from the supervisor (D46).
//!
//! Where the original differs: our own errors go to stderr, help that was asked for goes to stdout with status 0, and a
//! request that the supervisor refused is a failure.

mod actions;
mod catalog;
mod check;
mod columns;
mod completions;
mod exit;
mod flags;
mod invocation;
mod live;
mod man;
mod parse;
mod parse_live;
mod program;
mod run;
mod schema;
mod table;
#[cfg(test)]
mod tests;
mod usage;

pub use completions::Shell;
pub use exit::ExitCode;
pub use invocation::{Action, CatalogOptions, CheckRequest, Invocation, RunOptions};
pub use live::LiveAction;
pub use parse::parse;
pub use program::main;
pub use run::{Console, SuperviseRequest, run};
pub use usage::{UsageError, usage};
