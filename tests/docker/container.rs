//! A container of an engine, as its client sees it.

use std::cell::Cell;
use std::process::{Command, Output};
use std::time::Duration;

use super::engine::said;
use super::{Engine, PATIENCE};
use crate::support::holds_within;

/// A container that was started. The engine's end is its end.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    engine: &'a Engine,
    id: String,
    reported: Cell<bool>,
}

impl<'a> Container<'a> {
    pub(super) fn new(engine: &'a Engine, id: &str) -> Self {
        Self {
            engine,
            id: id.to_owned(),
            reported: Cell::new(false),
        }
    }

    /// What names it in a call of the client.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Both streams so far, as `docker logs` shows them: standard output, then standard error.
    pub(crate) fn logs(&self) -> String {
        let output = self.engine.try_docker(&["logs", &self.id]);
        let bytes = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until `count` lines of the log contain `pattern`.
    pub(crate) fn wait_for(&self, pattern: &str, count: usize) {
        let seen = || {
            self.logs()
                .lines()
                .filter(|line| line.contains(pattern))
                .count()
        };
        if !holds_within(PATIENCE, &mut || seen() >= count) {
            self.fail(&format!("no {count} lines with `{pattern}`"));
        }
    }

    /// Looks at `condition` until it holds; what it says until then is for the reader of a failure.
    pub(crate) fn wait_until(&self, what: &str, condition: impl Fn() -> Result<(), String>) {
        self.wait_within(PATIENCE, what, condition);
    }

    /// The same for what takes its time by design.
    pub(crate) fn wait_within(
        &self,
        limit: Duration,
        what: &str,
        condition: impl Fn() -> Result<(), String>,
    ) {
        let mut last = String::new();
        let holds = holds_within(limit, &mut || match condition() {
            Ok(()) => true,
            Err(seen) => {
                last = seen;
                false
            }
        });
        if !holds {
            self.fail(&format!("waited in vain: {what}: {last}"));
        }
    }

    /// Waits until the health check of its image says that it is well.
    pub(crate) fn wait_healthy(&self) {
        self.wait_until("the image's own health check", || {
            match self.inspect("{{.State.Health.Status}}").as_str() {
                "healthy" => Ok(()),
                other => Err(other.to_owned()),
            }
        });
    }

    /// Waits for its end: the status that `docker wait` prints.
    pub(crate) fn wait(&self) -> i32 {
        let ended = holds_within(PATIENCE, &mut || {
            self.inspect("{{.State.Status}}") == "exited"
        });
        if !ended {
            self.fail("the container does not end");
        }
        let status = self.engine.docker(&["wait", &self.id]);
        status.parse().expect("docker wait prints a number")
    }

    /// `docker stop` with this grace in seconds: the status.
    pub(crate) fn stop(&self, grace: u32) -> i32 {
        let grace = grace.to_string();
        self.engine.docker(&["stop", "--time", &grace, &self.id]);
        self.wait()
    }

    /// Sends a signal, by name without `SIG`, to its first process.
    pub(crate) fn signal(&self, name: &str) {
        self.engine.docker(&["kill", "--signal", name, &self.id]);
    }

    /// One field, by its Go template.
    pub(crate) fn inspect(&self, template: &str) -> String {
        self.engine
            .docker(&["inspect", "--format", template, &self.id])
    }

    /// Runs a command inside, whatever comes of it.
    pub(crate) fn try_exec(&self, words: &[&str]) -> Output {
        self.engine
            .try_docker(&[&["exec", self.id.as_str()], words].concat())
    }

    /// Runs a command inside that must succeed: what it printed.
    pub(crate) fn exec(&self, words: &[&str]) -> String {
        let output = self.try_exec(words);
        if !output.status.success() {
            self.fail(&format!("{words:?}: {}", said(&output)));
        }
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Runs a command of the machine in the container's network.
    pub(crate) fn on_network_of(&self, words: &[&str]) {
        let init = format!("--target={}", self.engine.namespaces());
        let target = format!("--target={}", self.inspect("{{.State.Pid}}"));
        let output = Command::new("nsenter")
            .args([&init, "--pid", "--mount", "nsenter", &target, "--net"])
            .args(words)
            .output()
            .expect("util-linux has nsenter");
        if !output.status.success() {
            self.fail(&format!("{words:?}: {}", said(&output)));
        }
    }

    /// Fails the test with all that is known.
    pub(crate) fn fail(&self, why: &str) -> ! {
        panic!("{}", self.report(why))
    }

    fn report(&self, why: &str) -> String {
        self.reported.set(true);
        let state = self.engine.try_docker(&[
            "inspect",
            "--format",
            "{{json .State}} {{json .Args}}",
            &self.id,
        ]);
        format!(
            "{why}\n--- state\n{}\n--- logs\n{}",
            said(&state),
            self.logs()
        )
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.reported.get() {
            eprintln!("{}", self.report("the test failed"));
        }
    }
}
