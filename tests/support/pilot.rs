//! What to start: the program, its configuration, its environment.

use std::ffi::OsString;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::process::MARKER;
use super::running::{Running, Started};
use super::{namespace, skip};

/// A program about to be started in a directory of its own. `@DIR@` in any text stands for that directory.
#[derive(Debug)]
pub(crate) struct Pilot {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(OsString, OsString)>,
    dir: tempfile::TempDir,
    config: String,
    /// Words in front of the program, see [`Pilot::preceded_by`].
    front: Vec<String>,
    stdin: Stdin,
    read_stdout: bool,
}

/// What the program gets as its standard input.
#[derive(Debug)]
enum Stdin {
    Empty,
    Piped,
    Given(OwnedFd),
}

impl Pilot {
    /// The built program with this configuration, exactly as written. It should name a control socket of its own, such
    /// as `@DIR@/control.socket`: the default one is shared by the whole machine.
    pub(crate) fn config(text: &str) -> Self {
        let mut pilot =
            Self::command(&[]).with_arguments(&["-config", "@DIR@/containerpilot.json5"]);
        pilot.config = text.replace("@DIR@", &pilot.place());
        let path = pilot.dir().join("containerpilot.json5");
        fs::write(path, &pilot.config).expect("a directory of ours takes files");
        pilot
    }

    /// The built program with these jobs (a JSON5 array), a control socket in its directory and a stop limit of 1 s.
    pub(crate) fn jobs(array: &str) -> Self {
        Self::config(&with_jobs(array))
    }

    /// The built program with these arguments and no configuration.
    pub(crate) fn command(arguments: &[&str]) -> Self {
        Self::program(env!("CARGO_BIN_EXE_pilothouse")).with_arguments(arguments)
    }

    /// A shell script in the program's place, to test the harness itself.
    pub(crate) fn stand_in(script: &str) -> Self {
        Self::program("/bin/sh").with_arguments(&["-c", script])
    }

    fn program(path: &str) -> Self {
        Self {
            program: PathBuf::from(path),
            arguments: Vec::new(),
            environment: Vec::new(),
            dir: tempfile::tempdir().expect("tests need a temporary directory"),
            config: String::new(),
            front: Vec::new(),
            stdin: Stdin::Empty,
            read_stdout: true,
        }
    }

    fn with_arguments(mut self, arguments: &[&str]) -> Self {
        let place = self.place();
        self.arguments
            .extend(arguments.iter().map(|word| word.replace("@DIR@", &place)));
        self
    }

    /// Sets a variable. The program gets these, `PATH` and a mark of the harness; nothing of the caller's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        let value = value.replace("@DIR@", &self.place());
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Writes a further file into the directory; one that begins with `#!` is made executable.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.dir().join(name);
        fs::write(&path, text.replace("@DIR@", &self.place()))
            .expect("a directory of ours takes files");
        if text.starts_with("#!") {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))
                .expect("a file of ours takes a mode");
        }
        self
    }

    /// Takes the static binary where `PILOTHOUSE_STATIC` names one: what is released.
    pub(crate) fn released(mut self) -> Self {
        if let Some(path) = std::env::var_os("PILOTHOUSE_STATIC") {
            self.program = PathBuf::from(path);
        }
        self
    }

    /// Leaves the program's standard output unread in a pipe, for [`Running::take_stdout`].
    pub(crate) fn unread_stdout(mut self) -> Self {
        self.read_stdout = false;
        self
    }

    /// Gives the program a pipe as standard input, for [`Running::take_stdin`]; otherwise it is empty.
    pub(crate) fn piped_stdin(mut self) -> Self {
        self.stdin = Stdin::Piped;
        self
    }

    /// Gives the program this as standard input.
    pub(crate) fn stdin(mut self, file: OwnedFd) -> Self {
        self.stdin = Stdin::Given(file);
        self
    }

    /// Starts this command instead, with the program and its arguments behind it, for surroundings that a program cannot
    /// make for itself. It should end in the program's exec, so that its pid is the program's.
    pub(crate) fn preceded_by(mut self, words: &[&str]) -> Self {
        let place = self.place();
        let words = words.iter().map(|word| word.replace("@DIR@", &place));
        self.front = words.chain(self.front).collect();
        self
    }

    /// Runs a shell script that ends in the program's exec; the script ends at its first error.
    pub(crate) fn after(self, script: &str) -> Self {
        self.preceded_by(&["sh", "-ec", &format!("{script}\nexec \"$@\""), "sh"])
    }

    /// Lets every user of this machine execute the program and use its directory.
    pub(crate) fn for_everybody(mut self) -> Self {
        let copy = self.dir().join("program");
        fs::copy(&self.program, &copy).expect("a directory of ours takes files");
        for path in [self.dir(), &copy] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777))
                .expect("a file of ours takes a mode");
        }
        self.program = copy;
        self
    }

    /// The directory: the program's working directory, gone after the test.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn place(&self) -> String {
        self.dir.path().display().to_string()
    }

    /// Starts it as an ordinary child of the test.
    pub(crate) fn start(self) -> Running {
        let mut words = self.words();
        let mut command = Command::new(words.remove(0));
        command.args(words);
        self.spawn(command, false)
    }

    /// Starts it as PID 1 of a namespace of its own, with its own `/proc`. `None`, after saying why, where that is not
    /// allowed; in CI that fails.
    pub(crate) fn start_as_pid1(self) -> Option<Running> {
        match namespace::arguments() {
            Ok(arguments) => {
                let mut command = Command::new("unshare");
                command.args(arguments).arg("--").args(self.words());
                Some(self.spawn(command, true))
            }
            Err(why) => {
                skip("a test as PID 1", &why);
                None
            }
        }
    }

    /// The program, and what stands in front of it.
    fn words(&self) -> Vec<OsString> {
        let front = self.front.iter().map(OsString::from);
        front.chain([self.program.clone().into()]).collect()
    }

    fn spawn(mut self, mut command: Command, as_pid1: bool) -> Running {
        let mark = next_mark();
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let stdin = match std::mem::replace(&mut self.stdin, Stdin::Empty) {
            Stdin::Empty => Stdio::null(),
            Stdin::Piped => Stdio::piped(),
            Stdin::Given(file) => file.into(),
        };
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", path)
            .env(MARKER, &mark)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.dir())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let words = format!("{command:?}");
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {words}: {error}"));
        Running::new(Started {
            child,
            command: words,
            config: self.config,
            dir: self.dir,
            mark,
            as_pid1,
            read_stdout: self.read_stdout,
        })
    }
}

/// The configuration of [`Pilot::jobs`].
pub(super) fn with_jobs(array: &str) -> String {
    format!("{{ control: {{ socket: \"@DIR@/control.socket\" }}, stopTimeout: 1, jobs: {array} }}")
}

/// A mark that no other test of this run has, in this process or another.
fn next_mark() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}.{number}", std::process::id())
}
