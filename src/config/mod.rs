//! Configuration: from text to a checked [`Config`].
//!
//! The way of a text: the template engine renders it, `json5` makes a tree in which every value knows its place, and one
//! reader for each section walks over the tree with `walk` and `section`, which read values by key and type and collect
//! whatever is wrong. So a person gets all faults of a file at once, each with its line and a way out, and no code behind
//! this room asks again whether a value makes sense.
//!
//! What the room promises: a configuration that the original started is accepted, and what the original silently ignored
//! or silently never ran is a warning (decision 1); what it refused stays refused unless config/README.md lists it. Any
//! text gives an answer in bounded time and memory. No message shows a secret (L12).
//!
//! What it never does: open a file, read the environment or the clock, look up an interface or a time zone, resolve a name, log. All that
//! comes in through [`Input`] and goes out through [`Loaded`] and [`Report`]; so checking a configuration touches nothing.

mod action;
mod actions;
mod attributes;
mod circles;
mod consul;
mod control;
mod cron;
mod diagnostic;
mod dialect;
mod duration;
mod exec;
mod health;
mod hooks;
mod image;
mod interfaces;
mod job;
mod json5;
mod keys;
mod load;
mod logging;
mod names;
mod print;
mod reload;
mod restarts;
mod secrets;
mod section;
mod sensor;
mod service;
mod settings;
mod source;
mod stop;
mod summary;
mod telemetry;
mod template;
mod tree;
mod tree_of_events;
mod v2;
mod walk;
mod watch;
mod when;

#[cfg(test)]
mod tests;

pub use cron::Zones;
pub use diagnostic::{Diagnostic, Excerpt, Position, Report, Severity};
pub use duration::{DurationError, SignedDuration, parse_duration};
pub use image::{Look, Missing};
pub use interfaces::{Addresses, InterfaceAddress, choose_again};
pub use keys::{Key, Kind, Shape, TOP};
pub use load::{
    Around, Input, Loaded, MAX_BYTES, control_socket, expand, load, load_around, migrate,
};
pub use service::address_variable;
pub use settings::{
    Config, ConsulSettings, ControlSettings, Dialect, LogFormat, LogLevel, LogOutput,
    LoggingSettings, Overflow, Scheme, TelemetrySettings, TlsSettings,
};
pub use summary::Summary;
pub use template::{Rendered, SourceMap, Template, TemplateError, Value, Variables, render};
