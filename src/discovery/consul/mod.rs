//! The client of Consul's HTTP API, and of whatever speaks the same.
//!
//! What the room promises:
//!
//! * Every call ends within its limit, whatever the server does (C02, D27), and blocks the thread for nothing but memory.
//!   Answers are bounded; a body that is too large is never held.
//! * Certificates are verified unless the configuration says otherwise in so many words (D16, C20).
//! * Names are looked up at each new connection, and idle connections are given up after half a minute, so that a server
//!   that moved is found (C17).
//! * Tokens and certificates that are replaced on disk are taken over as one set, and only when the set is usable
//!   ([`Client::credentials_changed`], C06, C07).
//! * No text, of an error or for debugging, shows a token or a password (L12).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `settings.rs`, `address.rs`, `proxy.rs` | from configuration and environment to what the client does |
//! | `client.rs` | the calls |
//! | `request.rs`, `payload.rs`, `answer.rs` | what is sent, and how what comes back is read |
//! | `exchange.rs`, `outcome.rs` | one request within its limits; what its end means |
//! | `standing.rs` | questions that stand, over plain connections |
//! | `credentials.rs`, `tls.rs`, `rotation.rs` | files of secrets, what is made of them, and their replacement |
//! | `lookup.rs` | names to addresses |

mod address;
mod answer;
mod client;
mod credentials;
mod error;
mod exchange;
mod limits;
mod lookup;
mod outcome;
mod payload;
mod proxy;
mod request;
mod rotation;
mod secret;
mod session;
mod settings;
mod standing;
#[cfg(test)]
mod tests;
mod tls;

pub use client::Client;
pub use error::{CredentialsError, SettingsError, SetupError};
pub use lookup::Lookup;
pub use settings::Settings;
