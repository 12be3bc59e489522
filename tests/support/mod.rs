//! The harness: three lines to a running program, and an explanation when it does not do as expected.
//!
//! ```text
//! let pilot = Pilot::jobs(r#"[{ name: "app", exec: ["sh", "-c", "echo up; sleep 60"] }]"#).start();
//! pilot.wait_for_line("up", PATIENCE);
//! pilot.signal(Signal::SIGTERM);
//! assert!(pilot.wait_exit(PATIENCE).success());
//! ```
//!
//! It waits for conditions, never for durations: every limit only bounds a failure. It promises that nothing which a
//! test started outlives the test, and that a failed wait shows the command, the configuration, the status, the
//! processes and both outputs. It never retries.

mod ask;
mod cgroup;
mod client;
mod consul;
mod http;
mod journal;
mod metrics;
mod namespace;
mod output;
mod pilot;
mod process;
pub(crate) mod raw;
mod running;
pub(crate) mod schema;
mod shell;
mod stand_in;
mod stub;
mod surroundings;
mod terminal;

use std::time::Duration;

pub(crate) use ask::ask;
pub(crate) use cgroup::ControlGroup;
pub(crate) use client::request;
pub(crate) use consul::{Consul, NODE, free_port};
pub(crate) use http::{Response as HttpResponse, get as http_get, try_get as try_http_get};
pub(crate) use metrics::Scrape;
pub(crate) use nix::sys::signal::Signal;
pub(crate) use pilot::Pilot;
pub(crate) use process::Process;
pub(crate) use running::Running;
pub(crate) use stand_in::{Mood, StandIn};
pub(crate) use stub::{compiled, compiled_library};
pub(crate) use surroundings::{is_root, limit, no_more_files, send, wait_quiet};
pub(crate) use terminal::Terminal;

/// The usual limit of a wait: long for a machine under load, short beside the limit of a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two looks at a condition.
const GLANCE: Duration = Duration::from_millis(2);

/// One request to whoever serves HTTP at a port of loopback, and who must answer it.
pub(crate) fn web(port: u16, method: &str, path: &str) -> http::Response {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let answer = http::request(address, method, path, &[], "", PATIENCE);
    answer.unwrap_or_else(|error| panic!("cannot {method} {path}: {error}"))
}

/// One GET over loopback with an `Accept`; `None` while nobody listens.
pub(crate) fn try_get(port: u16, path: &str, accept: &str) -> Option<http::Response> {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    http::request(address, "GET", path, &[("Accept", accept)], "", PATIENCE).ok()
}

/// Says that a test is left out and why. In CI nothing may be left out, so there it fails.
pub(crate) fn skip(what: &str, why: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "cannot leave out {what} in CI: {why}"
    );
    eprintln!("skipped: {what}: {why}");
}

/// Looks at `condition` until it holds.
///
/// # Panics
///
/// When it does not hold within `limit`.
pub(crate) fn wait_until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    assert!(
        holds_within(limit, &mut condition),
        "waited {limit:?} in vain: {what}"
    );
}

/// Whether `condition` came to hold within `limit`.
pub(crate) fn holds_within(limit: Duration, condition: &mut dyn FnMut() -> bool) -> bool {
    let deadline = std::time::Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if std::time::Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
}
