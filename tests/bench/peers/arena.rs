//! One supervisor as PID 1 of a namespace of its own, and what `/proc` says about it.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use super::supervisors::{Plan, Supervisor};

/// How long anything may take before it counts as failed.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// The clock of the stub, in nanoseconds.
pub(super) fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("the clock is always there");
    let nanoseconds = i128::from(time.tv_sec()) * 1_000_000_000 + i128::from(time.tv_nsec());
    u64::try_from(nanoseconds).expect("time since boot is positive")
}

/// The sum over the supervisor's processes, without the jobs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) processes: u32,
    pub(super) threads: u32,
    pub(super) rss_kib: u64,
    pub(super) pss_kib: u64,
    pub(super) cpu_ns: u64,
    pub(super) voluntary_switches: u64,
}

/// A running supervisor in a directory of its own. Dropping it ends everything in its namespace.
pub(super) struct Arena {
    dir: tempfile::TempDir,
    launcher: Child,
    stub: PathBuf,
    namespace: PathBuf,
    pid1: Option<Pid>,
    /// The moment of its exec.
    pub(super) exec: u64,
}

impl Arena {
    /// Starts the supervisor with the jobs of the plan.
    pub(super) fn start(
        supervisor: &Supervisor,
        plan: &Plan,
        stub: &Path,
        stdout: Stdio,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        // A short path: a script's first line has little room.
        let dir = tempfile::Builder::new()
            .prefix("p")
            .tempdir()
            .map_err(failed)?;
        let command = supervisor
            .prepare(plan, stub, dir.path())
            .ok_or("its configuration cannot be written")?;
        let stderr = fs::File::create(dir.path().join("stderr")).map_err(failed)?;
        let launcher = Command::new(stub)
            .arg("launch")
            .arg(dir.path())
            .args(command)
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            // A group of its own, so that a Ctrl-C ends the benchmark, whose end ends this.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let mut arena = Self {
            dir,
            launcher,
            stub: fs::canonicalize(stub).map_err(failed)?,
            namespace: PathBuf::new(),
            pid1: None,
            exec: 0,
        };
        let started = until(LIMIT, || arena.see_pid1());
        started.ok_or_else(|| arena.last_words())?;
        Ok(arena)
    }

    /// Gives the supervisor the configuration of another plan, which it is not told of.
    pub(super) fn rewrite(&self, supervisor: &Supervisor, plan: &Plan) {
        // What cannot be written shows by what does not happen.
        let _ = supervisor.prepare(plan, &self.stub, self.dir.path());
    }

    /// PID 1 and its namespace, once its exec has been noted.
    fn see_pid1(&mut self) -> Option<()> {
        self.exec = *self.records("exec").first()?;
        let pid = fs::read_to_string(self.dir.path().join("pid")).ok()?;
        let pid = pid.trim().parse().ok()?;
        // One that has ended already has no namespace, and nothing to be measured.
        self.namespace = fs::read_link(format!("/proc/{pid}/ns/pid")).unwrap_or_default();
        self.pid1 = Some(Pid::from_raw(pid));
        Some(())
    }

    /// The last line that the supervisor wrote to standard error.
    pub(super) fn last_words(&self) -> String {
        let text = fs::read(self.dir.path().join("stderr")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().last().unwrap_or("it says nothing").to_owned()
    }

    /// The standard output of the supervisor, when it was started with a pipe.
    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.launcher.stdout.take()
    }

    /// The records of a file so far.
    pub(super) fn records(&self, name: &str) -> Vec<u64> {
        let bytes = fs::read(self.dir.path().join(name)).unwrap_or_default();
        let whole = bytes.chunks_exact(8);
        whole
            .map(|record| u64::from_ne_bytes(record.try_into().expect("eight bytes")))
            .collect()
    }

    /// Waits for `count` records of a file; not beyond the end of PID 1, after which none can come.
    pub(super) fn wait_records(
        &self,
        name: &str,
        count: usize,
        limit: Duration,
    ) -> Option<Vec<u64>> {
        let seen = until(limit, || {
            let ended = !self.records("end").is_empty();
            let records = self.records(name);
            (ended || records.len() >= count).then_some(records)
        });
        seen.filter(|records| records.len() >= count)
    }

    /// Sends a signal to PID 1 and returns the moment before.
    pub(super) fn signal(&self, signal: Signal) -> u64 {
        let moment = now();
        // If it is gone already, the wait for its effect says so.
        let _ = self.pid1.map(|pid| kill(pid, signal));
        moment
    }

    /// Waits for the end of the whole tree: PID 1 ends after everything in its namespace.
    pub(super) fn wait_end(&self) -> Option<u64> {
        let records = self.wait_records("end", 1, LIMIT)?;
        records.first().copied()
    }

    /// What the supervisor's processes use now.
    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let path = entry.path();
            let is_ours = fs::read_link(path.join("ns/pid")).is_ok_and(|it| it == self.namespace);
            let exe = fs::read_link(path.join("exe"));
            if is_ours && exe.is_ok_and(|exe| exe != self.stub) {
                usage.add(&path);
            }
        }
        usage
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // PID 1 takes everything in its namespace with it, and the launcher's end kills PID 1.
        if self.records("end").is_empty() {
            let _ = self.pid1.map(|pid| kill(pid, Signal::SIGKILL));
        }
        if self.pid1.is_none() {
            let _ = self.launcher.kill();
        }
        let _ = self.launcher.wait();
    }
}

impl Usage {
    fn add(&mut self, process: &Path) {
        self.processes += 1;
        let rollup = fs::read_to_string(process.join("smaps_rollup")).unwrap_or_default();
        self.rss_kib += field(&rollup, "Rss:");
        self.pss_kib += field(&rollup, "Pss:");
        for task in fs::read_dir(process.join("task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            self.threads += 1;
            let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            self.voluntary_switches += field(&status, "voluntary_ctxt_switches:");
            let times = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            self.cpu_ns += field(&times, "");
        }
    }
}

/// The number after `name` at the start of a line; 0 if there is none.
fn field(text: &str, name: &str) -> u64 {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
    let words = values
        .next()
        .and_then(|rest| rest.split_whitespace().next());
    words.and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Looks every half millisecond until there is a value. The looks take no part in what is measured: the times are the
/// stub's own.
pub(super) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        let seen = look();
        if seen.is_some() || Instant::now() >= deadline {
            return seen;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}
