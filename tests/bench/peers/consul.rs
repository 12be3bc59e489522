//! A real Consul on loopback, for the rows that need one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::arena::{LIMIT, until};

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
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }
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
