//! A real Consul on loopback, for the rows that need one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::arena::{LIMIT, now, until};

/// An agent in development mode, which keeps nothing. Dropping it ends it.
pub(super) struct Consul {
    agent: Child,
    address: String,
    _dir: tempfile::TempDir,
}

impl Consul {
    /// Starts one, with its limit of connections from one client raised far above what a row needs.
    pub(super) fn start() -> Result<Consul, String> {
        let program = find().ok_or("there is no consul: set CONSUL_BIN")?;
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (http, server, serf) = (free_port(), free_port(), free_port());
        let config = format!(
            r#"{{ "ports": {{ "http": {http}, "server": {server}, "serf_lan": {serf}, "serf_wan": -1, "dns": -1, "grpc": -1 }},
                 "limits": {{ "http_max_conns_per_client": 5000 }}, "bind_addr": "127.0.0.1", "client_addr": "127.0.0.1",
                 "node_name": "bench", "log_level": "warn" }}"#
        );
        let path = dir.path().join("consul.json");
        fs::write(&path, config).map_err(|error| error.to_string())?;
        let agent = Command::new(program)
            .args(["agent", "-dev", "-config-file"])
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let consul = Consul {
            agent,
            address: format!("127.0.0.1:{http}"),
            _dir: dir,
        };
        let leads = || {
            let leader = consul.ask("GET", "/v1/status/leader", "")?;
            leader.contains(':').then_some(())
        };
        until(LIMIT, leads).ok_or("consul has no leader")?;
        Ok(consul)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The body of an answer with status 200.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> Option<String> {
        exchange(&self.address, method, path, body).map(|(_, body)| body)
    }

    /// Follows a service with blocking queries and nothing else: when Consul answers, whoever asks.
    pub(super) fn follow(&self, service: &str) -> Follower {
        let (address, path) = (
            self.address.clone(),
            format!("/v1/health/service/{service}"),
        );
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let mut index = 1;
            while !of_thread.ended.load(Ordering::Relaxed) {
                let query = format!("{path}?index={index}&wait=1s");
                let Some((head, body)) = exchange(&address, "GET", &query, "") else {
                    continue;
                };
                let moment = now();
                index = index_of(&head).unwrap_or(1);
                if let Ok(mut answers) = of_thread.answers.lock() {
                    // In development mode Consul indents its answers.
                    answers.push((moment, body.replace(char::is_whitespace, "")));
                }
            }
        });
        Follower {
            shared,
            thread: Some(thread),
        }
    }
}

#[derive(Default)]
struct Shared {
    ended: AtomicBool,
    /// When an answer was whole, and its body without blanks.
    answers: Mutex<Vec<(u64, String)>>,
}

/// A thread of blocking queries. Dropping it ends it, within the second that a query lasts.
pub(super) struct Follower {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// When the first answer that has `text` was whole; waits a second for it.
    pub(super) fn saw(&self, text: &str) -> Option<u64> {
        until(Duration::from_secs(1), || {
            let answers = self.shared.answers.lock().ok()?;
            let first = answers.iter().find(|(_, body)| body.contains(text))?;
            Some(first.0)
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn index_of(head: &str) -> Option<u64> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let (_, index) = lines.find(|(name, _)| name.eq_ignore_ascii_case("X-Consul-Index"))?;
    index.parse().ok()
}

/// Head and body of an answer with status 200, on a connection of its own.
fn exchange(address: &str, method: &str, path: &str, body: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 ")
        .then(|| (head.to_owned(), body.to_owned()))
}

impl Drop for Consul {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback takes a listener");
    listener.local_addr().expect("it listens").port()
}

/// The one that is named, on the PATH, or fetched for the tests.
fn find() -> Option<PathBuf> {
    let named = std::env::var_os("CONSUL_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|place| place.join("consul"));
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or(home);
    let fetched = cache.map(|cache| cache.join("pilothouse/tools/consul-1.8.7"));
    named
        .into_iter()
        .chain(on_path)
        .chain(fetched)
        .find(|file| file.is_file())
}
