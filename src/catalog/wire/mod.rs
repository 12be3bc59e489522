//! How the tables look on the wire: Consul's JSON, Go's durations, escapes.
//!
//! Pure like the tables: text in, values out.

mod base64;
mod duration;
mod escape;
mod fields;
mod specs;
mod views;

#[cfg(test)]
mod tests;

pub(super) use duration::parse as parse_duration;
pub(super) use escape::{query_pairs, unescape};
pub(super) use fields::{DecodeError, Fields};
pub(super) use specs::{Refusal, check, deregistration, heartbeat, registration, service, session};
pub(super) use views::{
    AgentCheckView, AgentServiceView, CatalogServiceView, CheckView, InstanceView, KeyView,
    NodeView, ServiceView, SessionView,
};
