//! The client at its edges.

mod settings;
