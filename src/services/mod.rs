//! Services: what of this container stands in the catalogue, and how it is kept so.
//!
//! A service is not "registered once". [`Services`] holds what should stand in the catalogue and what is known to stand
//! there, and orders the one call that brings the second nearer to the first: after a lost answer, an agent that came back
//! without its data, a registration that somebody took away, the end of maintenance, a changed address (D1, C03–C05).
//!
//! The room is pure: it knows no server, clock or socket. The shell makes the calls and tells what came of them.
//!
//! | file | the rule in it |
//! | --- | --- |
//! | `spec.rs` | what a configuration says of a service |
//! | `registration.rs` | what is written into the catalogue, and whether what stands there is that |
//! | `order.rs` | what the rules take and give |
//! | `machine.rs` | one service: what is wanted, what stands there, the next call; in `machine/answers.rs` what came of it |
//! | `fleet.rs` | all services, and the next deadline |
//! | `change.rs` | what a reload keeps of them |
//! | `link.rs` | whether the catalogue works, and what is said about it |

mod change;
mod fleet;
mod link;
mod machine;
mod order;
mod registration;
mod spec;
mod turn;

#[cfg(test)]
mod tests;

pub use fleet::{Plan, Services};
pub use link::{Link, LinkNote, Matter, Subject};
pub use order::{Call, CallId, Note, Order, Presence, Reply};

pub use registration::{CheckStatus, Registered, Registration};
pub use spec::{InitialStatus, ServiceSpec, Weights};
