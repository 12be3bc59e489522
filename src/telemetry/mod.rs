//! The telemetry server: `/metrics`, `/status`, `/healthz` and `/readyz` over HTTP.
//!
//! The room turns a request into one [`Ask`], hands it to the supervisor's loop and writes the answer down. It counts and
//! decides nothing.
//!
//! | path | answer |
//! | --- | --- |
//! | `/metrics` | what [`crate::metrics`] writes, in the format that the client prefers |
//! | `/status` | jobs, services and watches, in the original's JSON |
//! | `/healthz` | 200 if the loop turns within 5 s |
//! | `/readyz` | 200 if the container can be given work (decision 26) |
//!
//! What the room promises:
//!
//! * It listens at one address, not at all of them, and is served by tasks that keep nobody alive (D51).
//! * An address that cannot be had is tried again; the jobs do not wait for it.
//! * Connections, their time and their requests are bounded. A body is never read.

mod ask;
mod limits;
mod request;
mod server;
mod status;
#[cfg(test)]
mod tests;

pub use ask::Ask;
pub use request::Scrapes;
pub use server::Server;
pub use status::{JobEntry, ServiceEntry, Status};
