//! The embedded catalogue: the part of Consul's HTTP API that users of `ContainerPilot` touch, in memory.
//!
//! It is for development, for tests, and for what runs on one host. A configuration that names a Consul works against it
//! unchanged: register, heartbeat, watch, keys, sessions. Where it does not say otherwise it answers as Consul 1.8 does;
//! one set of contract tests runs against both.
//!
//! **Nothing is persisted**: a restart begins empty, with the index at its beginning, as a new Consul would.
//!
//! What of Consul is missing: other nodes' agents (no gossip, no Raft, no second server), DNS, TLS, access control
//! (tokens, in `X-Consul-Token` or `?token=`, are accepted and ignored), checks that Consul runs itself (HTTP, TCP,
//! scripts: refused at registration), Connect and its proxies, prepared queries, transactions, events, snapshots,
//! coordinates (`near` is ignored), `filter` (refused), the user interface, and blocking by `hash`. `agent/leave` answers
//! 200 and does nothing. A browser cannot be led here by a name that points to loopback: bound to a loopback address,
//! only requests to `localhost` or to an address are answered. There are no CORS headers.
//!
//! Four rules differ on purpose:
//!
//! * A service that stays critical goes exactly when its time is over (at least a minute, as documented); Consul looks
//!   every 30 seconds. A session ends at twice its TTL, as in Consul; both promise only that it lives for one TTL.
//! * The index of something that never existed is low and only its own; Consul shows the whole table's. So a query that
//!   waits for one name is not woken by another. Nor is one for the checks of a service, which Consul wakes at any check.
//! * A check shows its service's present name and tags; Consul shows those of the check's own last change.
//! * Everything is bounded (`limits.rs`, `tables/limits.rs`); beyond a bound the answer is 507 and says which.
//!
//! ```text
//!   request ──> request.rs ──> endpoints/ ──> wire/ ──> tables/   (pure, one lock, no await inside)
//!                                  ^                       │
//!                   blocking.rs ───┴── waiters.rs <── topics touched
//! ```
//!
//! The room runs on one thread, in the supervisor's loop or in a process of its own, and has no tick: it wakes for
//! requests and for the one next deadline of the tables.

mod answer;
mod blocking;
mod chance;
mod connections;
mod endpoints;
mod error;
mod host;
mod limits;
mod query;
mod request;
mod routes;
mod server;
mod settings;
mod shared;
mod tables;
mod waiters;
mod wire;

#[cfg(test)]
mod tests;

pub use error::CatalogError;
pub use server::{Catalog, Handle, bind};
pub use settings::Settings;
