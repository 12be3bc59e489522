//! Every test of the built program, as one binary: it links once, and each module is one subject.
//!
//! A scenario test carries its id (`p01_…`). Tests that start hundreds of processes or move much data live in a module
//! named `heavy`; nextest runs those one after another.

mod attributes;
mod catalog;
mod catalog_contract;
mod catalogue_faults;
mod check;
mod command_line;
mod consul_harness;
mod control_clients;
mod control_endpoints;
mod control_socket;
mod corpus;
mod demo;
mod discovery;
mod docker;
mod examples;
mod exhaustion;
mod exit_status;
mod faults;
mod flight_recorder;
mod fuzz;
mod harness;
mod health;
mod hostile;
mod jobs;
mod layering;
mod lifecycle;
mod live;
mod live_reload;
mod log_lines;
mod log_load;
mod log_places;
mod neighbours;
mod older;
mod original;
mod orphans;
mod overload;
mod recorder;
mod regressions;
mod reload;
mod schedules;
mod schema;
mod secrets;
mod signals;
mod static_binary;
mod statuses;
mod stop;
mod support;
mod surroundings;
mod telemetry;
mod terminal;
