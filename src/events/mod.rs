//! What happens: the names and the numbers that every other room shares.
//!
//! Two kinds of fact live here. A [`PublicEvent`] is a fact that a configuration's `when` may name (`healthy` of `app`,
//! `changed` of a watch); it is published in a FIFO and reaches, in config order, whoever subscribed to its source. An
//! [`Event`] is what the world tells the pure rooms: a process ended, a signal came, somebody asked for a stop.
//!
//! The room knows no clock, process or network, and allocates nothing but the text of names.

mod code;
mod custom;
mod fact;
mod failure;
mod ids;
mod signal;
#[cfg(test)]
mod tests;
mod time;

pub use code::{EventCode, PublicEvent, Source, Subscription};
pub use custom::{CustomName, NotAName};
pub use fact::{Event, Notice, StartFailure, StopReason};
pub use failure::Failure;
pub use ids::{Exit, JobId, Run, RunId, RunKind, WatchId};
pub use signal::{Signal, UnknownSignal};
pub use time::{Jitter, Retry, later};
