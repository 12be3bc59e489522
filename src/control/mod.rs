//! The control socket: how a running supervisor is asked for something from inside its container.
//!
//! HTTP/1.1 over a Unix socket. The `/v3/` paths are the original's, with its status codes and texts; `/api/v1/` is ours
//! and only grows (decision 26). The room turns a request into one [`Command`], hands it to the supervisor and writes the
//! answer down. It decides nothing about jobs, metrics or configurations. `ping` and `version` are answered here, without
//! the supervisor's loop: they say that the socket works. Whether the loop turns is what `health` says.
//!
//! What the room promises:
//!
//! * A socket that somebody serves, and anything that is no socket, is left alone; a stale socket is taken over
//!   (D42, K01, K02, S18). At the end only the socket that this server made is removed (R07).
//! * The mode and the owner are right before the first client can connect, whatever the umask is (D43, K03).
//! * Memory, connections and time are bounded. Connections that say nothing make room for those that speak (K04).
//! * Who may read and who may change things can be told apart by the credentials of the client (K03).
//! * A follower of events or lines costs a bounded part of memory, and is dropped when it reads too slowly.
//! * [`ServerHandle::close`] ends within 100 ms whatever the clients do (D7, S17).
//!
//! The room never makes a directory, never retries a bind, never touches the environment, and never waits for the
//! supervisor without a limit.

mod access;
mod answer;
mod body;
mod calls;
mod client;
mod command;
mod connections;
mod error;
mod feed;
mod limits;
mod live;
mod live_desk;
mod owner;
mod patience;
mod plan;
mod request;
mod requests;
mod route;
mod server;
mod socket;
#[cfg(test)]
mod tests;
mod version;

pub use calls::Followed;
pub use client::Client;
pub use command::{Command, HealthAnswer, Outcome};
pub use error::{BindError, ClientError, OwnerError};
pub use feed::Feed;
pub use live::{
    ConditionView, Decision, EventView, JobDetail, JobView, Live, OperateError, ServiceView,
    Status, WatchView,
};
pub use plan::{Planned, PlannedAction, ReloadPlan};
pub use server::{Server, ServerHandle};
pub use version::{GIT_HASH, VERSION};
