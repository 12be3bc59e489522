//! A program that runs: what a test asks of it, and what is said when it does not answer.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::client::{self, Response};
use super::journal::Journal;
use super::output::{Output, Stream};
use super::process::{self, PidNamespace, Process};
use super::{PATIENCE, holds_within};

/// How long the last output may take to arrive when somebody else holds the stream open.
const SETTLE: Duration = Duration::from_millis(100);

/// Lines of each output that a report shows.
const REPORTED_LINES: usize = 100;

/// What [`super::Pilot`] hands over.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) command: String,
    pub(super) config: String,
    pub(super) dir: tempfile::TempDir,
    pub(super) mark: String,
    pub(super) as_pid1: bool,
    pub(super) read_stdout: bool,
}

/// A started program. Dropping it kills whatever is left of it; leaving something behind after its own end fails the test.
pub(crate) struct Running {
    /// The program, or the `unshare` that waits for it and passes its status on.
    child: Child,
    /// The program as this test's namespace numbers it; `None` when it ended before it could be seen.
    pid: Option<Pid>,
    /// The PID namespace of its own, if it has one.
    namespace: Option<PidNamespace>,
    status: Option<ExitStatus>,
    output: Arc<Output>,
    command: String,
    config: String,
    dir: tempfile::TempDir,
    mark: String,
    may_leave: bool,
    reported: Cell<bool>,
}

impl Running {
    pub(super) fn new(started: Started) -> Self {
        let mut child = started.child;
        let output = Arc::new(Output::default());
        if started.read_stdout {
            let stdout = child.stdout.take().expect("stdout is piped");
            output.collect(Stream::Stdout, stdout);
        }
        let stderr = child.stderr.take().expect("stderr is piped");
        output.collect(Stream::Stderr, stderr);
        let mut running = Self {
            pid: None,
            namespace: None,
            status: None,
            output,
            command: started.command,
            config: started.config,
            dir: started.dir,
            mark: started.mark,
            may_leave: false,
            reported: Cell::new(false),
            child,
        };
        if started.as_pid1 {
            running.find_pid1();
        } else {
            running.pid = Some(pid_of(&running.child));
        }
        running
    }

    /// The program is the child of `unshare`, from the moment that it has replaced `unshare`'s own image.
    fn find_pid1(&mut self) {
        let unshare = pid_of(&self.child);
        let image = |pid: Pid| fs::read_link(format!("/proc/{pid}/exe")).ok();
        let mut found = None;
        let seen = holds_within(PATIENCE, &mut || {
            let child = process::all().into_iter().find(|p| p.parent == unshare);
            let child = child.map(|p| p.pid);
            found = child.filter(|pid| image(*pid).is_some_and(|it| Some(it) != image(unshare)));
            found.is_some() || self.try_exit().is_some()
        });
        assert!(seen, "{}", self.report("cannot see the program as PID 1"));
        self.pid = found;
        self.namespace = found.and_then(PidNamespace::of);
    }

    /// The program's process id, as seen from here.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
            .unwrap_or_else(|| self.fail("the program ended at once"))
    }

    /// The directory of the program.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Err(error) = kill(self.pid(), signal) {
            self.fail(&format!("cannot send {signal}: {error}"));
        }
    }

    /// The exit status if the program has ended.
    pub(crate) fn try_exit(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self
                .child
                .try_wait()
                .expect("the child is ours to wait for");
        }
        self.status
    }

    /// Waits for the end of the program, and of its output unless somebody else holds that open.
    pub(crate) fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        let ended = holds_within(limit, &mut || self.try_exit().is_some());
        if !ended {
            self.fail(&format!("the program still runs after {limit:?}"));
        }
        // What was left behind may hold the output open for as long as it likes.
        let patience = if self.processes().is_empty() {
            limit
        } else {
            SETTLE
        };
        self.output.wait_closed(patience);
        self.status.expect("the wait above saw the end")
    }

    /// Waits for a line of either stream that contains `pattern`, and returns the first.
    pub(crate) fn wait_for_line(&self, pattern: &str, limit: Duration) -> String {
        self.wait_for_lines(pattern, 1, limit).swap_remove(0)
    }

    /// Waits for `count` such lines, and returns all that are there.
    pub(crate) fn wait_for_lines(
        &self,
        pattern: &str,
        count: usize,
        limit: Duration,
    ) -> Vec<String> {
        let found = self.output.wait_for(pattern, count, limit);
        found.unwrap_or_else(|| {
            self.fail(&format!("no {count} lines with `{pattern}` in {limit:?}"))
        })
    }

    /// Looks at `condition` until it holds.
    pub(crate) fn wait_until(
        &self,
        limit: Duration,
        what: &str,
        mut condition: impl FnMut() -> bool,
    ) {
        if !holds_within(limit, &mut condition) {
            self.fail(&format!("waited {limit:?} in vain: {what}"));
        }
    }

    /// Standard output so far.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.bytes(Stream::Stdout)).into_owned()
    }

    /// Standard output so far, byte for byte.
    pub(crate) fn stdout_bytes(&self) -> Vec<u8> {
        self.output.bytes(Stream::Stdout)
    }

    /// Standard error so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.bytes(Stream::Stderr)).into_owned()
    }

    /// The pipe of [`super::Pilot::unread_stdout`].
    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("an unread stdout, once")
    }

    /// The pipe of [`super::Pilot::piped_stdin`].
    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("a piped stdin, once")
    }

    /// Everything that runs because of the program, itself and zombies included. As PID 1: its whole namespace.
    /// Otherwise: who carries the test's mark, wherever it escaped to, and their zombies.
    pub(crate) fn processes(&self) -> Vec<Process> {
        match &self.namespace {
            Some(namespace) => namespace.processes(),
            None => process::marked(&self.mark),
        }
    }

    /// The processes whose command contains `pattern`.
    pub(crate) fn find(&self, pattern: &str) -> Vec<Process> {
        let mut found = self.processes();
        found.retain(|process| process.command.contains(pattern));
        found
    }

    /// The one process with exactly this command, once there is one.
    pub(crate) fn only(&self, command: &str) -> Process {
        let mut found = Vec::new();
        self.wait_until(PATIENCE, command, || {
            found = self.find(command);
            found.retain(|process| process.command == command);
            found.len() == 1
        });
        found.swap_remove(0)
    }

    /// Ended processes that nobody has waited for.
    pub(crate) fn zombies(&self) -> usize {
        self.processes().iter().filter(|p| p.is_zombie()).count()
    }

    /// A request to the control socket `control.socket` in the program's directory, which must answer.
    pub(crate) fn request(&self, method: &str, target: &str, body: &str) -> Response {
        self.request_at(&self.dir().join("control.socket"), method, target, body)
    }

    /// The same to another socket.
    pub(crate) fn request_at(
        &self,
        socket: &Path,
        method: &str,
        target: &str,
        body: &str,
    ) -> Response {
        client::request(socket, method, target, body, PATIENCE)
            .unwrap_or_else(|error| self.fail(&format!("cannot {method} {target}: {error}")))
    }

    /// The file `journal` in the program's directory, for jobs that `echo … >> @DIR@/journal`.
    pub(crate) fn journal(&self) -> Journal {
        Journal::new(self.dir().join("journal"))
    }

    /// Allows processes to outlive the program. They are killed all the same.
    pub(crate) fn may_leave_processes(&mut self) {
        self.may_leave = true;
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{}", self.report(why))
    }

    /// All that is known, for the reader of a failure.
    fn report(&self, why: &str) -> String {
        self.reported.set(true);
        let mut text = format!("{why}\n--- command\n{}\n", self.command);
        let mut part = |name: &str, content: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "--- {name}\n{}", content.trim_end());
        };
        part("config", &self.config);
        part("status", &format!("{:?}", self.status));
        let processes = self.processes();
        let lines = processes.iter().map(|p| format!("{p:?}"));
        part("processes", &tail(&lines.collect::<Vec<_>>().join("\n")));
        part("stdout", &tail(&self.stdout()));
        part("stderr", &tail(&self.stderr()));
        if self.output.dropped() > 0 {
            part("lines not kept", &self.output.dropped().to_string());
        }
        text
    }

    /// Kills until nothing is left. Each turn looks anew, as a process may have forked while it was killed.
    fn kill_all(&mut self) -> bool {
        // The program first: as PID 1 it takes everything with it, and it cannot start anything again.
        let _ = self.pid.map(|pid| kill(pid, Signal::SIGKILL));
        let gone = holds_within(PATIENCE, &mut || {
            for process in self.processes() {
                // One that has gone since the look is what we want.
                let _ = kill(process.pid, Signal::SIGKILL);
            }
            self.try_exit().is_some() && self.processes().is_empty()
        });
        if self.status.is_none() {
            let _ = self.child.kill();
        }
        gone
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let failing = std::thread::panicking();
        if failing && !self.reported.get() {
            eprintln!("{}", self.report("the test failed"));
        }
        let ended = self.try_exit().is_some();
        let left = if ended { self.processes() } else { Vec::new() };
        let report = (!left.is_empty()).then(|| self.report("the program left processes behind"));
        if ended {
            // Its number may belong to somebody else by now.
            self.pid = None;
        }
        let gone = self.kill_all();
        if failing {
            return;
        }
        assert!(gone, "cannot kill what the test started");
        assert!(
            left.is_empty() || self.may_leave,
            "{}",
            report.unwrap_or_default()
        );
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("the kernel's process ids fit"))
}

/// The last lines, which tell the most.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(REPORTED_LINES)..].join("\n")
}
