//! The static binary in real containers: a Docker Engine of the test's own, and images made from nothing but the binary and
//! a static busybox. No registry and no network of the machine is used. What docker/README.md says to type is typed as it stands,
//! with images of the machine's own programs under the names of those that a registry has.
//!
//! They are run where `PILOTHOUSE_DOCKER` asks for them. `tests/run` sets it as root, gets what they need (see there), and asks
//! `tests/docker/probe` first whether the kernel lets an engine run. Where one does not run all the same, the tests say so and are
//! left out; in CI they fail.

mod cluster;
mod container;
mod empty;
mod ends;
mod engine;
mod examples;
mod faults;
mod foreign;
mod hello_world;
mod images;
mod logs;
mod network;
mod reader;
mod redis;
mod rights;
mod rolling;
mod terminal;

use std::time::Duration;

pub(crate) use container::Container;
pub(crate) use engine::Engine;
use reader::Reader;

/// The usual limit of a wait for something that a container does: starting one takes half a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the examples' compose files say of the rights of their containers.
const LEAST: &[&str] = &[
    "--read-only",
    "--tmpfs=/run",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
];
