//! Every test of the built program, as one binary: it links once, and each module is one subject.
//!
//! A scenario test carries its id (`p01_…`). Tests that start hundreds of processes or move much data live in a module
//! named `heavy`; nextest runs those one after another.

mod control_clients;
mod control_endpoints;
mod control_socket;
mod corpus;
mod harness;
mod hostile;
mod layering;
mod log_lines;
mod log_load;
mod log_places;
mod regressions;
mod secrets;
mod static_binary;
mod support;
