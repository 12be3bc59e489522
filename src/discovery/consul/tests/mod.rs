//! The client at its edges: a scripted server on loopback stands for the catalogue.

mod answers;
mod credentials;
mod edges;
mod fake;
mod outcomes;
mod requests;
mod settings;
mod tls;
