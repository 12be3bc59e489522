//! Discovery: the program as a client of a catalogue.
//!
//! Whether a service should be registered, when a watch asks again and what counts as a change is decided in
//! [`crate::services`] and [`crate::watches`]. This room makes the one call that they want, within a limit, and says what
//! came of it: an answer, or a [`crate::events::Failure`] that tells what is to be done about it. It keeps no list of
//! services, retries nothing and publishes nothing.

pub mod consul;
