//! A catalogue to test against: a real Consul of one node, or the embedded one of the built program.
//!
//! ```text
//! let Some(consul) = Consul::real() else { return };
//! consul.put("/v1/agent/service/register", r#"{ "Name": "app" }"#);
//! consul.wait_passing("app", 1);
//! ```
//!
//! Both listen on loopback alone, know nothing when they start, and call their node [`NODE`]. Dropping one kills it;
//! when a test fails, it shows the last lines that the server said.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::http::{self, Response};
use super::process::Process;
use super::{PATIENCE, holds_within, skip, wait_until};

/// The name of the node.
pub(crate) const NODE: &str = "n1";

/// Starts before a server is given up: somebody else may take a port between the look at it and its use.
const STARTS: usize = 5;

/// Lines of the server that a failing test shows.
const SHOWN_LINES: usize = 40;

/// Ports for real Consuls: below those that the kernel gives to clients, so that no connection takes one.
const PORTS: std::ops::Range<u16> = 18_000..30_000;

/// A running catalogue.
#[derive(Debug)]
pub(crate) struct Consul {
    program: Program,
    /// Of HTTP.
    port: u16,
    /// `None` after [`Consul::kill`].
    child: Option<Child>,
    dir: tempfile::TempDir,
}

#[derive(Debug)]
enum Program {
    Real { path: PathBuf, config: String },
    Embedded,
}

impl Consul {
    /// A real one. `None`, after saying why, on a machine without it; in CI that fails.
    pub(crate) fn real() -> Option<Consul> {
        Consul::real_with("")
    }

    /// The same with further settings of the agent, in HCL.
    pub(crate) fn real_with(config: &str) -> Option<Consul> {
        let Some(path) = find() else {
            let why = "set CONSUL_BIN to a Consul, or run `tests/run`, which fetches one";
            skip("a test against a real Consul", why);
            return None;
        };
        let config = config.to_owned();
        Some(Consul::start(Program::Real { path, config }))
    }

    /// The program of a real one, if there is one.
    pub(crate) fn program() -> Option<PathBuf> {
        find()
    }

    /// `pilothouse catalog`.
    pub(crate) fn embedded() -> Consul {
        Consul::start(Program::Embedded)
    }

    fn start(program: Program) -> Consul {
        let mut consul = Consul {
            program,
            port: 0,
            child: None,
            dir: tempfile::tempdir().expect("tests need a temporary directory"),
        };
        consul.launch();
        consul
    }

    /// Starts the server and waits until it serves; on the port that it had before, if it had one.
    fn launch(&mut self) {
        let chosen = self.port;
        for _ in 0..STARTS {
            self.port = chosen;
            let mut command = self.command();
            let log = File::create(self.log()).expect("a directory of ours takes files");
            let also = log.try_clone().expect("a file of ours has a second handle");
            let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
            command
                .env_clear()
                .env("PATH", path)
                .current_dir(self.dir.path())
                .stdin(Stdio::null())
                .stdout(also)
                .stderr(log);
            let child = command.spawn();
            self.child =
                Some(child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}")));
            if self.comes_up() {
                return;
            }
            self.kill();
        }
        panic!("cannot start a catalogue, {STARTS} times:\n{}", self.said());
    }

    fn command(&mut self) -> Command {
        match &self.program {
            Program::Embedded => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_pilothouse"));
                let bind = format!("127.0.0.1:{}", self.port);
                command.args(["catalog", "--node", NODE, "--bind", &bind]);
                command
            }
            Program::Real { path, config } => {
                if self.port == 0 {
                    self.port = free_port();
                }
                let file = self.dir.path().join("agent.hcl");
                // Without this it asks its maker for news.
                let config = format!("disable_update_check = true\n{config}\n");
                fs::write(&file, config).expect("a directory of ours takes files");
                let mut command = Command::new(path);
                command
                    .args(["agent", "-dev", "-node", NODE, "-disable-host-node-id"])
                    .args(["-bind", "127.0.0.1", "-client", "127.0.0.1"])
                    .args(["-dns-port", "-1", "-grpc-port", "-1"])
                    .args(["-serf-wan-port", "-1"])
                    .args(["-http-port", &self.port.to_string()])
                    .args(["-serf-lan-port", &free_port().to_string()])
                    .args(["-server-port", &free_port().to_string()])
                    .arg("-config-file")
                    .arg(file);
                command
            }
        }
    }

    /// Whether the server serves; `false` when it ends instead.
    fn comes_up(&mut self) -> bool {
        let up = holds_within(PATIENCE, &mut || self.has_ended() || self.is_up());
        up && !self.has_ended()
    }

    fn has_ended(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_none_or(|child| {
            let status = child.try_wait();
            status.expect("the child is ours to wait for").is_some()
        })
    }

    fn is_up(&mut self) -> bool {
        if self.port == 0 {
            let said = self.said();
            let line = said
                .lines()
                .find_map(|line| line.split_once("http://127.0.0.1:"));
            let digits =
                line.and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
            let Some(port) = digits.and_then(|digits| digits.parse().ok()) else {
                return false;
            };
            self.port = port;
        }
        let led = self.try_get("/v1/status/leader");
        if !led.is_some_and(|answer| answer.status == 200 && answer.body.trim() != "\"\"") {
            return false;
        }
        match &self.program {
            Program::Embedded => true,
            // Consul has a leader first, makes the tokens of its settings then, and puts its own node in at last. With
            // such settings that may be readable for some only, so there its log is asked.
            Program::Real { config, .. } if config.is_empty() => {
                let node = self.try_get(&format!("/v1/health/node/{NODE}"));
                node.is_some_and(|answer| answer.body.contains("serfHealth"))
            }
            Program::Real { .. } => self.said().contains("marking health alive"),
        }
    }

    fn try_get(&self, path: &str) -> Option<Response> {
        http::request(self.socket(), "GET", path, &[], "", PATIENCE).ok()
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// What the server said since its last start.
    fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn socket(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// `127.0.0.1:PORT`, where it serves HTTP.
    pub(crate) fn address(&self) -> String {
        self.socket().to_string()
    }

    /// The command that this one was started with, as an array of JSON, for a job.
    pub(crate) fn command_line(&self) -> String {
        let child = self.child.as_ref().expect("it was not killed");
        let words = fs::read(format!("/proc/{}/cmdline", child.id())).expect("it lives");
        let words = String::from_utf8_lossy(&words).into_owned();
        // Its own file of settings goes with it; there is nothing in it but what keeps it from asking its maker for news.
        let words: Vec<&str> = words.trim_end_matches('\0').split('\0').collect();
        let end = words.iter().position(|word| *word == "-config-file");
        let words = &words[..end.unwrap_or(words.len())];
        serde_json::json!(words).to_string()
    }

    /// One request, which must be answered within [`PATIENCE`].
    pub(crate) fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], "")
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Response {
        self.request("PUT", path, &[], body)
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path, &[], "")
    }

    /// The same with any method and further headers.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        http::request(self.socket(), method, path, headers, body, PATIENCE)
            .unwrap_or_else(|error| panic!("cannot {method} {path}: {error}"))
    }

    /// A request that is answered later, as a blocking query is.
    pub(crate) fn ask(&self, path: &str) -> Asked {
        Asked::new(self.socket(), path)
    }

    /// The number of instances whose checks all pass.
    pub(crate) fn passing(&self, service: &str) -> usize {
        let answer = self.get(&format!("/v1/health/service/{service}?passing"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json().as_array().map_or(0, Vec::len)
    }

    /// Waits until so many instances pass.
    pub(crate) fn wait_passing(&self, service: &str, count: usize) {
        let what = format!("{count} passing instances of {service}");
        wait_until(PATIENCE, &what, || self.passing(service) == count);
    }

    /// Stops it in its tracks: it still accepts connections, as the kernel does that, and answers nothing.
    pub(crate) fn pause(&self) {
        self.signal(Signal::SIGSTOP);
        let stopped = || Process::read(self.pid()).is_some_and(|it| it.state == 'T');
        wait_until(PATIENCE, "a catalogue that stands still", stopped);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Kills it. Its port refuses connections from now on.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again where it was, knowing nothing; kills it before if need be.
    pub(crate) fn restart_empty(&mut self) {
        self.kill();
        self.launch();
    }

    fn pid(&self) -> Pid {
        let child = self.child.as_ref().expect("it was not killed");
        Pid::from_raw(i32::try_from(child.id()).expect("the kernel's process ids fit"))
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("a child of ours takes signals");
    }
}

impl Drop for Consul {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!(
                "--- the catalogue at {}\n{}",
                self.address(),
                last.join("\n")
            );
        }
    }
}

/// A request under way on a thread of its own.
#[derive(Debug)]
pub(crate) struct Asked {
    path: String,
    answer: std::sync::mpsc::Receiver<std::io::Result<Response>>,
}

impl Asked {
    fn new(address: SocketAddr, path: &str) -> Asked {
        let (tell, answer) = std::sync::mpsc::channel();
        let target = path.to_owned();
        std::thread::spawn(move || {
            // Longer than a test lives: whoever waits for the answer has a limit.
            let limit = Duration::from_mins(2);
            // The test may have lost interest.
            let _ = tell.send(http::request(address, "GET", &target, &[], "", limit));
        });
        Asked {
            path: path.to_owned(),
            answer,
        }
    }

    /// Waits for the answer, for at most `limit`; `None` when it did not come.
    pub(crate) fn answer_within(&self, limit: Duration) -> Option<Response> {
        let answer = self.answer.recv_timeout(limit).ok()?;
        Some(answer.unwrap_or_else(|error| panic!("cannot GET {}: {error}", self.path)))
    }

    /// The answer, which must come within [`PATIENCE`].
    pub(crate) fn answer(&self) -> Response {
        self.answer_within(PATIENCE)
            .unwrap_or_else(|| panic!("no answer in {PATIENCE:?}: {}", self.path))
    }
}

/// The real Consul of this machine: `CONSUL_BIN`, what `tests/run` fetched, or one on `PATH`.
fn find() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = variable("CONSUL_BIN") {
        return Some(path.into());
    }
    let home = || variable("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let fetched = cache.map(|cache| cache.join("pilothouse/tools/consul-1.8.7"));
    let path = variable("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join(OsStr::new("consul")));
    fetched
        .into_iter()
        .chain(on_path)
        .find(|path| path.is_file())
}

/// A port that nobody has, for TCP and UDP. Each process of tests begins to look somewhere else.
pub(crate) fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id() % 1_000 * 12;
    let is_free = |port: &u16| {
        let address = (Ipv4Addr::LOCALHOST, *port);
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    };
    let count = PORTS.end - PORTS.start;
    let tries = (0..1_000).map(|_| {
        let next = begin + u32::from(TRIED.fetch_add(1, Ordering::Relaxed));
        PORTS.start + u16::try_from(next % u32::from(count)).expect("the range is small")
    });
    let mut free = tries.filter(is_free);
    free.next().expect("a thousand ports cannot all be taken")
}
