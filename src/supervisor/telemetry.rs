//! Telemetry: what is counted and recorded, who asks for it, and our own service in the catalogue.
//!
//! Without a `telemetry` block there is none of this: nothing is counted, nothing listens, nothing wakes the loop.

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::app::{App, Inputs};
use super::discovery::Answered;
use super::environment::address_text;
use crate::config::{Config, Dialect, TelemetrySettings};
use crate::control::{GIT_HASH, ServerHandle, VERSION};
use crate::events::JobId;
use crate::jobs::{Health, JobState};
use crate::metrics::{
    Counts, Exposition, Format, Present, PresentJob, PresentWatch, Registry, Usage,
};
use crate::process::own_usage;
use crate::services::{Plan, Presence, Registration, ServiceSpec, Subject};
use crate::telemetry::{Ask, JobEntry, Server, ServiceEntry, Status};

/// Our own service (spec 4.9).
pub(super) const SERVICE: &str = "containerpilot";

/// Stands for a job where the catalogue's rules want one. No configuration has so many.
pub(super) const OWN: JobId = JobId(u32::MAX);

/// Time between its heartbeats, and how long one is believed.
const BEAT: Duration = Duration::from_secs(5);
const TTL: Duration = Duration::from_secs(15);

/// What the loop counts and records.
#[derive(Debug)]
pub(super) struct Telemetry {
    registry: Registry,
    counts: Counts,
    server: Server,
    asks: mpsc::Receiver<Ask>,
    /// What the catalogue was last told of our own service, and when it is told again.
    shown: Option<(Presence, Instant)>,
}

impl Telemetry {
    fn new(settings: &TelemetrySettings) -> Telemetry {
        let (server, asks) = Server::start(place(settings));
        Telemetry {
            registry: Registry::new(&settings.metrics, Instant::now()),
            counts: Counts::default(),
            server,
            asks,
            shown: None,
        }
    }

    /// Follows other settings: on another address the server moves, on the same one it stays (R07).
    fn follow(&mut self, settings: &TelemetrySettings) {
        self.registry.follow(&settings.metrics, Instant::now());
        self.shown = None;
        if self.server.address() != place(settings) {
            (self.server, self.asks) = Server::start(place(settings));
        }
    }
}

/// Where it listens. Where no address was found, as in a container without a network, only loopback can reach it.
fn place(settings: &TelemetrySettings) -> SocketAddr {
    let address = settings.address;
    let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    SocketAddr::new(address, settings.port)
}

/// The next question of a client; waits for ever without telemetry. Cancel-safe.
pub(super) async fn next_ask(telemetry: &mut Option<Box<Telemetry>>) -> Ask {
    if let Some(telemetry) = telemetry
        && let Some(ask) = telemetry.asks.recv().await
    {
        return ask;
    }
    std::future::pending().await
}

/// What is to stand in the catalogue for telemetry.
pub(super) fn own_plan(config: &Config, hostname: &str) -> Option<Plan> {
    let settings = config.telemetry.as_ref()?;
    let services = config.jobs.iter().filter_map(|job| job.service.as_ref());
    let namesakes = services.filter(|service| service.name == SERVICE).count();
    let mut tags = settings.tags.clone();
    tags.push(VERSION.to_owned());
    let spec = ServiceSpec {
        name: SERVICE.to_owned(),
        id: None,
        plain_check_id: config.dialect == Dialect::V2,
        ordinal: u32::try_from(namesakes + 1).unwrap_or(u32::MAX),
        port: settings.port,
        address: settings.address,
        static_address: None,
        interfaces: settings.interfaces.clone(),
        initial_status: None,
        tags,
        meta: BTreeMap::new(),
        weights: None,
        enable_tag_override: false,
        deregister_critical_after: None,
    };
    Some(Plan {
        job: OWN,
        registration: Registration::new(&spec, TTL, hostname),
        initial: None,
        interval: BEAT,
    })
}

impl App {
    /// Follows the configuration that has just been taken over.
    pub(super) fn adopt_telemetry(&mut self) {
        let Some(settings) = &self.config.telemetry else {
            self.telemetry = None;
            return;
        };
        let telemetry = match &mut self.telemetry {
            Some(telemetry) => {
                telemetry.follow(settings);
                telemetry
            }
            None => self.telemetry.insert(Box::new(Telemetry::new(settings))),
        };
        let jobs = self.ids.jobs(&self.config);
        let jobs = jobs.map(|(id, spec)| (id, spec.name.as_str()));
        let watches = self.ids.watches(&self.config);
        let watches = watches.map(|(id, spec)| (id, spec.name.as_str()));
        telemetry.counts.follow(jobs, watches);
    }

    /// Counts something, if anybody wants to know.
    pub(super) fn count(&mut self, act: impl FnOnce(&mut Counts)) {
        if let Some(telemetry) = &mut self.telemetry {
            act(&mut telemetry.counts);
        }
    }

    pub(super) fn count_answer(&mut self, answered: &Answered) {
        self.count(|counts| match answered {
            Answered::Call {
                subject,
                result,
                took,
                ..
            } => counts.on_call(*subject, result.as_ref().err(), Some(*took)),
            // The server holds these back until there is news.
            Answered::Ask { result, .. } => {
                counts.on_call(Subject::Watch, result.as_ref().err(), None);
            }
            Answered::Pulse { result, .. } => {
                counts.on_call(Subject::Pulse, result.as_ref().err(), None);
            }
            Answered::Credentials => {}
        });
    }

    /// Records values of the application's metrics, all or none. Without telemetry nobody would read them: they are
    /// dropped, as in the original.
    pub(super) fn record(&mut self, values: &[(String, f64)]) -> Result<(), String> {
        let Some(telemetry) = &mut self.telemetry else {
            tracing::debug!(
                "{} metric values are dropped: there is no telemetry",
                values.len()
            );
            return Ok(());
        };
        let recorded = telemetry.registry.record(values, Instant::now());
        recorded.map_err(|refusal| {
            telemetry.counts.on_refused();
            refusal.to_string()
        })
    }

    /// When our own service is to be looked after.
    pub(super) fn next_beat(&self) -> Option<Instant> {
        let telemetry = self.telemetry.as_ref()?;
        self.config.consul.as_ref()?;
        match telemetry.shown {
            None => Some(Instant::now()),
            Some((Presence::Passing, next)) => Some(next),
            Some(_) => None,
        }
    }

    /// Shows in the catalogue that we live: every five seconds, but not in maintenance, and no more once we stop. It goes
    /// first, because who scrapes us would only see us stop.
    pub(super) fn look_after_own_service(&mut self, now: Instant) {
        let presence = if self.jobs.is_ending() {
            Presence::Leaving
        } else if self.jobs.in_maintenance() {
            Presence::Absent
        } else {
            Presence::Passing
        };
        self.show_own_service(presence, now);
    }

    pub(super) fn show_own_service(&mut self, presence: Presence, now: Instant) {
        let Some(telemetry) = &mut self.telemetry else {
            return;
        };
        let is_due = match telemetry.shown {
            Some((Presence::Leaving, _)) => false,
            Some((shown, next)) => {
                shown != presence || (presence == Presence::Passing && next <= now)
            }
            None => true,
        };
        if is_due && self.config.consul.is_some() {
            telemetry.shown = Some((presence, now + BEAT));
            let orders = self.discovery.on_presence(OWN, presence, "", now);
            self.perform_discovery(orders);
        }
    }

    /// The host has another address: we listen there as well.
    pub(super) fn readdress_telemetry(&mut self, address: &str) {
        self.environment.set_address(SERVICE, address);
        if let (Some(settings), Ok(address)) = (&mut self.config.telemetry, address.parse()) {
            settings.address = Some(address);
            self.adopt_telemetry();
        }
    }

    /// Answers a client. One that has gone away is not missed.
    pub(super) fn on_ask(&mut self, ask: Ask, inputs: &Inputs) {
        match ask {
            Ask::Health { reply } => {
                let _ = reply.send(());
            }
            Ask::Ready { reply } => {
                let _ = reply.send(self.readiness());
            }
            Ask::Status { reply } => {
                let _ = reply.send(self.overview());
            }
            Ask::Metrics { format, reply } => {
                let _ = reply.send(self.scrape(format, inputs));
            }
        }
    }

    /// Whether the container can be given work; else why not (decision 26).
    fn readiness(&self) -> Result<(), String> {
        if self.jobs.is_ending() {
            return Err("stopping".to_owned());
        }
        if self.jobs.in_maintenance() {
            return Err("in maintenance".to_owned());
        }
        for (id, spec) in self.jobs.iter() {
            let Some(status) = self.jobs.status(id) else {
                continue;
            };
            // What has nothing to do, or nothing any more, has nothing to be asked for.
            let is_idle = matches!(
                status.state,
                JobState::Complete | JobState::Skipped | JobState::Idle | JobState::Stopped
            );
            // Nor what an operator has put aside.
            let is_aside = status.is_unchecked || status.in_maintenance;
            if status.is_checked && !is_aside && !is_idle && status.health != Health::Healthy {
                return Err(format!("{} is not healthy", spec.name));
            }
        }
        Ok(())
    }

    /// What `/status` shows.
    fn overview(&self) -> Status {
        let mut status = Status {
            version: VERSION.to_owned(),
            jobs: Vec::new(),
            services: Vec::new(),
            watches: self
                .config
                .watches
                .iter()
                .map(|watch| watch.name.clone())
                .collect(),
        };
        for (id, spec) in self.jobs.iter() {
            let (name, word) = (spec.name.clone(), self.status_word(id));
            let Some(service) = &spec.service else {
                status.jobs.push(JobEntry { name, status: word });
                continue;
            };
            let registered = self.discovery.registration(id);
            let address = registered.and_then(|registration| registration.address.clone());
            let written = || address_text(service.address, service.static_address.as_ref());
            status.services.push(ServiceEntry {
                name,
                address: address.or_else(written).unwrap_or_default(),
                port: service.port,
                status: word,
            });
        }
        if let Some(telemetry) = &self.telemetry {
            let place = telemetry.server.address();
            status.services.push(ServiceEntry {
                name: SERVICE.to_owned(),
                address: place.ip().to_string(),
                port: place.port(),
                status: "healthy",
            });
        }
        status
    }

    /// What `/status` calls the health of a job (spec 8.1).
    fn status_word(&self, id: JobId) -> &'static str {
        let Some(status) = self.jobs.status(id) else {
            return "unknown";
        };
        let is_over = matches!(
            status.state,
            JobState::Complete | JobState::Skipped | JobState::Failed | JobState::Stopped
        );
        match status.health {
            _ if is_over => "unknown",
            _ if self.jobs.in_maintenance() => "maintenance",
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
            Health::Unknown => "unknown",
        }
    }

    fn scrape(&mut self, format: Format, inputs: &Inputs) -> String {
        let now = Instant::now();
        let Some(telemetry) = &self.telemetry else {
            return String::new();
        };
        let present = self.present(telemetry, inputs, now);
        let mut out = Exposition::new(format);
        out.leave_out(telemetry.registry.names());
        telemetry.counts.write(&present, &mut out, now);
        out.take_all();
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.registry.write(&mut out, now);
        }
        out.finish()
    }

    fn present(&self, telemetry: &Telemetry, inputs: &Inputs, now: Instant) -> Present<'static> {
        let jobs = self.jobs.iter().filter_map(|(id, _)| {
            Some(PresentJob {
                id,
                state: self.jobs.status(id)?.state,
                status: self.status_word(id),
            })
        });
        let mut named = HashSet::new();
        let watches = self.ids.watches(&self.config);
        // Of several with one name the first counts, as in `when`.
        let watches = watches.filter(|(_, spec)| named.insert(spec.name.as_str()));
        let watches = watches.map(|(id, spec)| PresentWatch {
            name: spec.name.clone(),
            instances: self.discovery.instances(id),
            age: self.discovery.age(id, now),
        });
        let counters = self.processes.counters();
        let dropped = self.logging.dropped();
        let server = self.server.as_ref();
        Present {
            version: VERSION,
            commit: GIT_HASH,
            jobs: jobs.collect(),
            watches: watches.collect(),
            maintenance: self.jobs.in_maintenance(),
            queues: queues(telemetry, inputs),
            control: server.map(ServerHandle::requests).unwrap_or_default(),
            scrapes: telemetry.server.scrapes().counts(),
            processes: (counters.spawned, counters.collected, counters.orphans),
            oom_kills: counters.oom_kills,
            log_lines: self.logging.line_count(),
            log_dropped: [
                ("own", dropped.own),
                ("job", dropped.job),
                ("refused", dropped.refused),
            ],
            usage: own_usage().map(usage),
        }
    }
}

fn queues(telemetry: &Telemetry, inputs: &Inputs) -> Vec<(&'static str, usize, usize)> {
    fn queue<T>(name: &'static str, queue: &mpsc::Receiver<T>) -> (&'static str, usize, usize) {
        (name, queue.len(), queue.max_capacity())
    }
    vec![
        queue("control", &inputs.commands),
        queue("consul", &inputs.answers),
        queue("checks", &inputs.sensed),
        queue("telemetry", &telemetry.asks),
    ]
}

/// Rooms do not know each other.
fn usage(own: crate::process::Usage) -> Usage {
    Usage {
        cpu_seconds: own.cpu_seconds,
        open_files: own.open_files,
        max_files: own.max_files,
        virtual_bytes: own.virtual_bytes,
        resident_bytes: own.resident_bytes,
        start_seconds: own.start_seconds,
        threads: own.threads,
    }
}
