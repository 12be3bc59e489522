//! Settings of the shell rooms: defined here so that they can be checked without the rooms that use them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::jobs::{JobSpec, StopLimits};
use crate::metrics::MetricSpec;
use crate::watches::WatchSpec;

/// A configuration that has been read and checked: what the program acts on.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The version of the file, which decides what some signals mean (decision 6).
    pub dialect: Dialect,
    /// How our messages and the jobs' output are written.
    pub logging: LoggingSettings,
    /// The limits of a stop.
    pub stop: StopLimits,
    /// The jobs, in the order of the file.
    pub jobs: Vec<JobSpec>,
    /// The watches, in the order of the file.
    pub watches: Vec<WatchSpec>,
    /// The catalogue to register in; `None` when the file names none.
    pub consul: Option<ConsulSettings>,
    /// The control socket.
    pub control: ControlSettings,
    /// How often the file is looked at for a change, which reloads it; `None`: never.
    pub reload_on_change: Option<Duration>,
    /// Metrics and status over HTTP; `None` when the file has no `telemetry`.
    pub telemetry: Option<TelemetrySettings>,
}

/// The version that a file is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `ContainerPilot` 2, and 1.
    V2,
    /// `ContainerPilot` 3, with all that is new here.
    #[default]
    V3,
}

/// `logging`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggingSettings {
    /// The least severe of our own messages that is written. A job's output does not depend on it (D47).
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
    /// Where lines go.
    pub output: LogOutput,
    /// What happens to a job's output that the reader of ours does not take (decision 20).
    pub overflow: Overflow,
    /// Where the last events and decisions are written when the container ends badly, beside the log.
    pub flight_recorder: Option<PathBuf>,
}

/// How severe a message is, most severe first; the original's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Panic,
    Fatal,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

/// How a log line looks (spec: logging).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Default,
    Text,
    Json,
}

/// Where log lines go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogOutput {
    #[default]
    Stdout,
    Stderr,
    /// Appended to, created with 0666 less the umask, reopened at SIGUSR1.
    File(PathBuf),
}

/// What happens to a job's output while nobody reads ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The job waits in its next write; nothing is lost.
    #[default]
    Block,
    /// The job goes on; whole lines are dropped, counted and reported.
    Drop,
}

/// `control`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSettings {
    /// The path of the Unix socket.
    pub socket: PathBuf,
    /// Its permissions; 0600 by default (D43).
    pub mode: u32,
    /// Its owner and group, by number or by a name of the image's `/etc/passwd` and `/etc/group`.
    pub owner: Option<String>,
    /// Who may ask for what changes nothing: users and groups as in `owner`. `None`: everybody who can connect.
    pub readers: Option<Vec<String>>,
    /// Who may change things as well. `None`: everybody who may read.
    pub writers: Option<Vec<String>>,
    /// A socket that cannot be made ends the start with an error instead of a warning (K08).
    pub required: bool,
}

impl ControlSettings {
    /// The path that the original used.
    pub const DEFAULT_SOCKET: &'static str = "/var/run/containerpilot.socket";
}

impl Default for ControlSettings {
    fn default() -> ControlSettings {
        ControlSettings {
            socket: PathBuf::from(Self::DEFAULT_SOCKET),
            mode: 0o600,
            owner: None,
            readers: None,
            writers: None,
            required: false,
        }
    }
}

/// `consul`: the part that the file decides. `CONSUL_*` variables are applied by the client.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsulSettings {
    /// As written, without the scheme; empty: the client's default.
    pub address: String,
    /// `http` or `https`; `None`: the client's default.
    pub scheme: Option<Scheme>,
    /// The ACL token. Never shown.
    pub token: Option<String>,
    /// A file with the ACL token, read again when it changes (C06). Preferred to `token`.
    pub token_file: Option<PathBuf>,
    /// Certificates.
    pub tls: TlsSettings,
    /// The datacenter that watches without one of their own ask in; `None`: the agent's.
    pub datacenter: Option<String>,
    /// The namespace and the partition of all calls; only the Enterprise edition has them (C19).
    pub namespace: Option<String>,
    pub partition: Option<String>,
    /// How many blocking queries stand at once; further ones take turns (decision 25).
    pub max_connections: u16,
    /// The catalogue is served by this program itself; `address` is where it listens, and it speaks plain HTTP.
    pub embedded: bool,
}

impl ConsulSettings {
    /// Half of what an agent permits one client by default, which is 200 (C13).
    pub const MAX_CONNECTIONS: u16 = 100;
}

impl ConsulSettings {
    /// Where the embedded catalogue listens; `None` if there is none, or its address is no address to listen on. Nothing is
    /// looked up: `localhost` is 127.0.0.1.
    #[must_use]
    pub fn embedded_at(&self) -> Option<SocketAddr> {
        const PORT: u16 = 8500;
        if !self.embedded {
            return None;
        }
        let text = match self.address.as_str() {
            "" => "localhost",
            text => text,
        };
        if let Ok(at) = text.parse() {
            return Some(at);
        }
        if let Ok(host) = text.parse::<IpAddr>() {
            return Some(SocketAddr::new(host, PORT));
        }
        let port = match text.strip_prefix("localhost")? {
            "" => PORT,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

impl Default for ConsulSettings {
    fn default() -> ConsulSettings {
        ConsulSettings {
            address: String::new(),
            scheme: None,
            token: None,
            token_file: None,
            tls: TlsSettings::default(),
            datacenter: None,
            namespace: None,
            partition: None,
            max_connections: Self::MAX_CONNECTIONS,
            embedded: false,
        }
    }
}

/// The protocol to the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// `consul.tls`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    pub ca_file: Option<PathBuf>,
    pub ca_path: Option<PathBuf>,
    pub client_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub server_name: Option<String>,
    /// `None`: certificates are verified (D16); `Some(false)` is the explicit way out.
    pub verify: Option<bool>,
}

impl std::fmt::Debug for ConsulSettings {
    /// The token is a secret (L12).
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ConsulSettings")
            .field("address", &super::summary::without_user(&self.address))
            .field("scheme", &self.scheme)
            .field("token", &self.token.as_ref().map(|_| "redacted"))
            .field("token_file", &self.token_file)
            .field("tls", &self.tls)
            .field("datacenter", &self.datacenter)
            .field("namespace", &self.namespace)
            .field("partition", &self.partition)
            .field("max_connections", &self.max_connections)
            .field("embedded", &self.embedded)
            .finish()
    }
}

/// `telemetry`.
#[derive(Clone, Debug, PartialEq)]
pub struct TelemetrySettings {
    /// Port of the HTTP server.
    pub port: u16,
    /// Address to bind and to advertise; `None` as for [`crate::services::ServiceSpec::address`].
    pub address: Option<std::net::IpAddr>,
    /// The specifications that it came from, to look it up again. Empty when nothing is to be looked up.
    pub interfaces: Vec<String>,
    /// Tags of the `containerpilot` service.
    pub tags: Vec<String>,
    /// Metrics that the application records.
    pub metrics: Vec<MetricSpec>,
}
