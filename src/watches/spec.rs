//! What a watch is, after the configuration has been checked.

use std::time::Duration;

use super::question::Subject;

/// One watch of the configuration. Two watches on one service that differ in tag or datacenter are two watches (D15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSpec {
    /// The event source is `watch.<name>`.
    pub name: String,
    /// What it looks at.
    pub subject: Subject,
    /// The longest time without news from the catalogue, and the period of asking a server that does not block.
    pub interval: Duration,
    /// Holds down a target that flaps (C11).
    pub debounce: Option<Debounce>,
}

/// How long changes are gathered before they are published as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debounce {
    /// The quiet that is waited for after a change.
    pub min: Duration,
    /// The longest that a change waits, however restless the target is. At least `min`.
    pub max: Duration,
}
