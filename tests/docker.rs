//! The static binary in real containers: a Docker Engine of the test's own, and images made from nothing but the binary and
//! a static busybox. No registry and no network of the machine is used.
//!
//! They are run where `PILOTHOUSE_DOCKER` asks for them. Root, `dockerd` and a static `busybox` are needed, `PILOTHOUSE_STATIC`, and nginx for the example; `tests/run` gets them.
//! Where the engine does not run, the tests say so and are left out; in CI they fail.

mod cluster;
mod empty;
mod ends;
mod engine;
mod examples;
mod faults;
mod hello_world;
mod images;
mod logs;
mod network;
mod redis;
mod rights;
mod terminal;

use std::time::Duration;

pub(crate) use engine::{Container, Engine};

/// The usual limit of a wait for something that a container does: starting one takes half a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the examples' compose files say of the rights of their containers.
const LEAST: &[&str] = &[
    "--read-only",
    "--tmpfs=/run",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
];
