//! The configuration as one log line shows it.

use std::time::Duration;

use serde::Serialize;

use crate::events::{EventCode, Source, Subscription};
use crate::jobs::{
    self, CheckSpec, Condition, Essential, Is, JobSpec, Probe, Restarts, Start, State, Trigger,
};
use crate::watches::{Target, WatchSpec};

use super::settings::{Config, ConsulSettings, LogFormat, LogLevel, LogOutput, Scheme};

/// What a configuration came to, for the log line `loaded config:` and for the status. Nothing in it is a secret (L12): of
/// a command it has the executable alone, of the catalogue no token, and no environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    logging: Logging,
    #[serde(with = "humantime_serde")]
    stop_timeout: Duration,
    #[serde(with = "humantime_serde")]
    shutdown_timeout: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    consul: Option<Consul>,
    control: Control,
    jobs: Vec<Job>,
    watches: Vec<Watch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    telemetry: Option<Telemetry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Logging {
    level: &'static str,
    format: &'static str,
    output: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Consul {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datacenter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<String>,
    #[serde(skip_serializing_if = "is_default_maximum")]
    max_connections: u16,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    embedded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Control {
    socket: String,
    mode: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    start: String,
    restarts: String,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    timeout: Option<Duration>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    stop_timeout: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<Health>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    essential: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Health {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
    #[serde(with = "humantime_serde")]
    interval: Duration,
    #[serde(with = "humantime_serde")]
    ttl: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    kind: &'static str,
    /// The command's program, a path, or where it connects to.
    of: String,
    #[serde(with = "humantime_serde")]
    interval: Duration,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Watch {
    name: String,
    #[serde(with = "humantime_serde")]
    interval: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kv: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dc: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Telemetry {
    port: u16,
    metrics: usize,
}

impl Config {
    /// What the configuration came to, without any secret.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            logging: self.logging_summary(),
            stop_timeout: self.stop.stop_timeout,
            shutdown_timeout: self.stop.shutdown_timeout,
            consul: self.consul.as_ref().map(|consul| Consul {
                address: without_user(&consul.address),
                scheme: consul.scheme.map(scheme_name),
                datacenter: consul.datacenter.clone(),
                namespace: consul.namespace.clone(),
                partition: consul.partition.clone(),
                max_connections: consul.max_connections,
                embedded: consul.embedded,
            }),
            control: Control {
                socket: self.control.socket.display().to_string(),
                mode: format!("{:04o}", self.control.mode),
            },
            jobs: self.jobs.iter().map(|job| self.job_summary(job)).collect(),
            watches: self.watches.iter().map(watch_summary).collect(),
            telemetry: self.telemetry.as_ref().map(|telemetry| Telemetry {
                port: telemetry.port,
                metrics: telemetry.metrics.len(),
            }),
        }
    }

    fn logging_summary(&self) -> Logging {
        Logging {
            level: level_name(self.logging.level),
            format: match self.logging.format {
                LogFormat::Default => "default",
                LogFormat::Text => "text",
                LogFormat::Json => "json",
            },
            output: match &self.logging.output {
                LogOutput::Stdout => "stdout".to_owned(),
                LogOutput::Stderr => "stderr".to_owned(),
                LogOutput::File(path) => path.display().to_string(),
            },
        }
    }

    fn job_summary(&self, job: &JobSpec) -> Job {
        let service = job.service.as_ref();
        let address = service.and_then(|service| {
            let fixed = service.static_address.clone();
            service.address.map(|address| address.to_string()).or(fixed)
        });
        Job {
            name: job.name.clone(),
            program: job.exec.as_ref().map(|exec| exec.program().to_owned()),
            start: self.start_text(&job.start),
            restarts: match job.restarts {
                Restarts::Limited(count) => count.to_string(),
                Restarts::Unlimited => "unlimited".to_owned(),
                Restarts::OnFailure => "onFailure".to_owned(),
            },
            timeout: job.timeout,
            stop_timeout: job.stop_timeout,
            health: job.health.as_ref().map(|health| Health {
                checks: health.checks.iter().map(check_summary).collect(),
                interval: health.interval,
                ttl: health.ttl,
            }),
            port: service.map(|service| service.port),
            address,
            essential: job.essential != Essential::No,
        }
    }

    fn start_text(&self, start: &Start) -> String {
        let after = match &start.after {
            after if *after == Condition::always() || *after == Condition::startup() => None,
            after => Some(self.condition_text(after)),
        };
        let trigger = match &start.trigger {
            Trigger::Once => {
                return after.map_or_else(
                    || "at startup".to_owned(),
                    |after| match &start.after {
                        Condition::Never => after,
                        Condition::Once(_) => format!("once {after}"),
                        _ => format!("when {after}"),
                    },
                );
            }
            Trigger::Interval { every, .. } => {
                format!("every {}", humantime::format_duration(*every))
            }
            Trigger::Cron { schedule, .. } => {
                format!("at `{}` in {}", schedule.cron.text(), schedule.zone.name())
            }
            Trigger::Each(events) => {
                let events = events.iter().map(|event| self.event_text(*event));
                format!("each {}", events.collect::<Vec<_>>().join(" or "))
            }
        };
        match after {
            Some(after) => format!("{trigger}, after {after}"),
            None => trigger,
        }
    }

    fn condition_text(&self, condition: &Condition) -> String {
        let list = |parts: &[Condition], word: &str| {
            let parts = parts.iter().map(|part| self.condition_text(part));
            format!("({})", parts.collect::<Vec<_>>().join(word))
        };
        match condition {
            Condition::Never => "never".to_owned(),
            Condition::Once(event) => self.event_text(*event),
            Condition::Is(State { source, is }) => {
                let is = match is {
                    Is::Running => "running",
                    Is::Healthy => "healthy",
                    Is::Unhealthy => "unhealthy",
                };
                let of = self.event_text(Subscription {
                    code: EventCode::Healthy,
                    source: *source,
                });
                of.replacen("healthy of", "", 1).trim().to_owned() + " is " + is
            }
            Condition::All(parts) => list(parts, " and "),
            Condition::Any(parts) => list(parts, " or "),
        }
    }

    fn event_text(&self, on: Subscription) -> String {
        let job = |number: u32| {
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            self.jobs.get(index).map_or("?", |job| job.name.as_str())
        };
        match on.source {
            Source::Global => format!("{}", on.code),
            Source::Job(id) => format!("{} of {}", on.code, job(id.0)),
            Source::Check(id) => format!("{} of check.{}", on.code, job(id.0)),
            Source::Watch(id) => {
                let index = usize::try_from(id.0).unwrap_or(usize::MAX);
                let name = self
                    .watches
                    .get(index)
                    .map_or("?", |watch| watch.name.as_str());
                format!("{} of watch.{name}", on.code)
            }
            Source::Signal(signal) => signal.to_string(),
            Source::Custom(name) => format!("event.{name}"),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_default_maximum(maximum: &u16) -> bool {
    *maximum == ConsulSettings::MAX_CONNECTIONS
}

/// `user:password@` before a host is a secret.
pub(super) fn without_user(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, host)) => host.to_owned(),
        None => address.to_owned(),
    }
}

fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Panic => "PANIC",
        LogLevel::Fatal => "FATAL",
        LogLevel::Error => "ERROR",
        LogLevel::Warn => "WARN",
        LogLevel::Info => "INFO",
        LogLevel::Debug => "DEBUG",
    }
}

/// Headers and the path of a request may have a secret in them.
fn check_summary(check: &CheckSpec) -> Check {
    let (kind, of) = match &check.probe {
        Probe::Exec(exec) => ("exec", exec.program().to_owned()),
        Probe::Http(probe) => ("http", target_text(&probe.target)),
        Probe::Tcp(target) => ("tcp", target_text(target)),
        Probe::Grpc { target, .. } => ("grpc", target_text(target)),
        Probe::File { path, .. } => ("file", path.clone()),
    };
    Check {
        kind,
        of,
        interval: check.interval,
        timeout: check.timeout,
    }
}

fn target_text(target: &jobs::Target) -> String {
    match target {
        jobs::Target::Port { host, port } => format!("{host}:{port}"),
        jobs::Target::Socket(path) => path.clone(),
    }
}

fn watch_summary(watch: &WatchSpec) -> Watch {
    let (service, kv, tags) = match &watch.subject.target {
        Target::Service { name, tags, .. } => (Some(name.clone()), None, tags.clone()),
        Target::Key(key) | Target::Prefix(key) => (None, Some(key.clone()), Vec::new()),
    };
    Watch {
        name: watch.name.clone(),
        interval: watch.interval,
        service,
        kv,
        tags,
        dc: watch.subject.dc.clone(),
    }
}
