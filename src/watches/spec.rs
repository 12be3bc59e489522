//! What a watch is, after the configuration has been checked.

use std::time::Duration;

/// One watch of the configuration. Two watches on one service that differ in tag or datacenter are two watches (D15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSpec {
    /// The service's name in the catalogue; the event source is `watch.<name>`.
    pub name: String,
    /// The longest time without a fresh answer.
    pub interval: Duration,
    /// Only instances with this tag.
    pub tag: Option<String>,
    /// The datacenter to ask in.
    pub dc: Option<String>,
}
