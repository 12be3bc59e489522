//! Real children, each test in a process of its own.
//!
//! `waitid(P_ALL)` collects the children of the whole process, so two tests in one process would bury each other's. A
//! test therefore runs its own binary once more, for itself alone, and where PID 1 or recycled pids matter in a PID
//! namespace of its own.

mod attributes;
mod incoming;
mod pure;
mod reaping;
mod spawning;
mod stopping;
mod terminal;

use std::ffi::{CStr, CString};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::{Duration, Instant};

use super::*;
use crate::events::{Exit, JobId, Run, RunId, RunKind, Signal};
use crate::jobs::{Attributes, Orphans, Stdin};

const ALONE: &str = "PILOTHOUSE_TEST_ALONE";

/// The bound of every wait for a condition; reaching it is a failure.
const TOO_LONG: Duration = Duration::from_secs(20);

/// Where a test runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A child subreaper.
    Subreaper,
    /// PID 1 of a namespace, with a `/proc` of its own.
    Namespace,
}

/// Declares a test that runs in a process of its own.
macro_rules! alone {
    ($name:ident, $place:ident, $body:expr) => {
        #[test]
        fn $name() {
            let path = concat!(module_path!(), "::", stringify!($name));
            crate::process::tests::run_alone(path, crate::process::tests::Place::$place, $body);
        }
    };
}
use alone;

fn run_alone(path: &str, place: Place, body: fn(&mut World)) {
    let (_, path) = path.split_once("::").expect("a path begins with the crate");
    if std::env::var(ALONE).as_deref() == Ok(path) {
        return body(&mut World::new());
    }
    if place == Place::Namespace && !can_unshare() {
        eprintln!("left out: {path} needs a PID namespace, which this machine refuses");
        return;
    }
    let exe = std::env::current_exe().unwrap();
    let mut command = match place {
        Place::Subreaper => Command::new(exe),
        Place::Namespace => {
            let mut command = Command::new("unshare");
            command.args(["--pid", "--fork", "--mount-proc"]).arg(exe);
            command
        }
    };
    command
        .args([path, "--exact", "--nocapture"])
        .env(ALONE, path);
    let ran = command.output().unwrap();
    let out = String::from_utf8_lossy(&ran.stdout);
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success() && out.contains("1 passed"),
        "{path}: {}\n{out}\n{err}",
        ran.status
    );
}

fn can_unshare() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "true"]);
    command.output().is_ok_and(|ran| ran.status.success())
}

/// A program reduced to this room.
struct World {
    signals: Signals,
    role: Role,
    processes: Processes,
    events: Vec<ProcessEvent>,
    next: u64,
}

impl Drop for World {
    /// Nothing may be left running.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.processes.sweep_unowned(Signal::KILL);
            self.until("everything to end", |world| world.processes.is_alone());
        }
    }
}

impl World {
    fn new() -> World {
        let signals = Signals::install().unwrap();
        let role = adopt_role().unwrap();
        World {
            signals,
            role,
            processes: Processes::new(role).unwrap(),
            events: Vec::new(),
            next: 0,
        }
    }

    /// The same without procfs.
    fn blind(&mut self) {
        self.role.procfs = false;
        self.processes = Processes::new(self.role).unwrap();
    }

    fn run(&mut self) -> Run {
        self.next += 1;
        Run {
            id: RunId(self.next),
            job: JobId(0),
            kind: RunKind::Main,
        }
    }

    /// Starts a shell script without a pipe.
    fn start(&mut self, script: &str) -> (Run, i32) {
        let (run, spawned) = self
            .try_start(&["/bin/sh", "-c", script], &plain())
            .unwrap();
        (run, spawned.pid)
    }

    /// Starts a shell script whose output is read by the test.
    fn start_piped(&mut self, script: &str) -> (Run, OwnedFd) {
        let request = SpawnRequest {
            output: Output::Pipe,
            ..plain()
        };
        let (run, spawned) = self
            .try_start(&["/bin/sh", "-c", script], &request)
            .unwrap();
        (run, spawned.output.unwrap())
    }

    fn try_start(
        &mut self,
        argv: &[&str],
        like: &SpawnRequest<'_>,
    ) -> Result<(Run, Spawned), SpawnError> {
        let run = self.run();
        let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
        let request = SpawnRequest {
            run,
            argv: &argv,
            ..*like
        };
        self.processes.spawn(&request).map(|spawned| (run, spawned))
    }

    /// What a script prints, without its last line end.
    fn output_of(&mut self, script: &str) -> String {
        let (run, pipe) = self.start_piped(script);
        let text = self.read_all(pipe);
        assert_eq!(self.exit_of(run), (Exit::Code(0), false));
        text.trim_end().to_owned()
    }

    /// Everything that comes out of a pipe, up to its end.
    fn read_all(&mut self, pipe: OwnedFd) -> String {
        let mut file = std::fs::File::from(pipe);
        let mut bytes = Vec::new();
        self.until("the end of the output", |_| {
            match file.read_to_end(&mut bytes) {
                Ok(_) => true,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => false,
                Err(error) => panic!("{error}"),
            }
        });
        String::from_utf8(bytes).unwrap()
    }

    /// One line of a pipe, that stays open.
    fn read_line(&mut self, pipe: &OwnedFd) -> String {
        let mut file = std::fs::File::from(pipe.try_clone().unwrap());
        let mut line = String::new();
        self.until("a line", |_| {
            let mut byte = [0];
            while !line.ends_with('\n') && matches!(file.read(&mut byte), Ok(1)) {
                line.push(byte[0].into());
            }
            line.ends_with('\n')
        });
        line.trim_end().to_owned()
    }

    /// A number that a script prints on a line.
    fn read_pid(&mut self, pipe: &OwnedFd) -> i32 {
        self.read_line(pipe).parse().unwrap()
    }

    /// Asks an `answering` script. Its answer proves that no deadly signal was sent to it before.
    fn assert_untouched(&mut self, pid: i32, pipe: &OwnedFd) {
        sys::send(pid, Signal::USR1).unwrap();
        assert_eq!(self.read_line(pipe), "alive");
    }

    /// One turn of the loop.
    fn turn(&mut self) {
        while self.processes.reap(64, &mut self.events) {}
        self.processes.sweep(Instant::now(), &mut self.events);
    }

    /// Turns the loop until a condition holds.
    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut World) -> bool) {
        let begin = Instant::now();
        loop {
            self.turn();
            if holds(self) {
                return;
            }
            let events = &self.events;
            assert!(begin.elapsed() < TOO_LONG, "no {what}: {events:?}");
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Waits for the end of a run's first process; its exit, and whether something was left.
    fn exit_of(&mut self, wanted: Run) -> (Exit, bool) {
        self.until("exit", |world| world.exit(wanted).is_some());
        self.exit(wanted).unwrap()
    }

    fn exit(&self, wanted: Run) -> Option<(Exit, bool)> {
        self.events.iter().find_map(|event| match *event {
            ProcessEvent::Exited {
                run, exit, left, ..
            } if run == wanted => Some((exit, left)),
            _ => None,
        })
    }

    fn wait_gone(&mut self, run: Run) {
        self.until("end of what is left", |world| world.gone(run) > 0);
        assert_eq!(self.gone(run), 1);
    }

    fn gone(&self, wanted: Run) -> usize {
        let gone = ProcessEvent::Gone { run: wanted };
        self.events.iter().filter(|event| **event == gone).count()
    }

    fn orphan_exits(&self) -> Vec<Exit> {
        let exits = self.events.iter().filter_map(|event| match *event {
            ProcessEvent::Orphan { exit, .. } => Some(exit),
            _ => None,
        });
        exits.collect()
    }
}

const PATH: &CStr = c"PATH=/usr/local/bin:/usr/bin:/bin";

static NO_ATTRIBUTES: Attributes = Attributes::NONE;

fn plain() -> SpawnRequest<'static> {
    SpawnRequest {
        run: Run {
            id: RunId(0),
            job: JobId(0),
            kind: RunKind::Main,
        },
        argv: &[],
        env: &[PATH],
        output: Output::Inherit,
        stdin: Stdin::Null,
        tty: false,
        sheltered: false,
        orphans: Orphans::Sweep,
        keeps: None,
        attributes: &NO_ATTRIBUTES,
        identity: None,
        ready: None,
    }
}

fn keeping() -> SpawnRequest<'static> {
    SpawnRequest {
        orphans: Orphans::Keep,
        ..plain()
    }
}

/// A shell script, to be put in single quotes, that says on a line who it is, and that it is alive whenever it is asked.
macro_rules! answering {
    () => {
        r#"trap "echo alive" USR1; echo $$; while :; do sleep 0.01; done"#
    };
}
use answering;

/// Whether a process is there and has not ended.
fn is_alive(pid: i32) -> bool {
    let stat = procfs::Procfs::stat(pid).unwrap();
    stat.is_some_and(|stat| !stat.has_ended())
}

fn c_strings(words: &[&str]) -> Vec<CString> {
    words
        .iter()
        .map(|&word| CString::new(word).unwrap())
        .collect()
}
