//! The catalogue: the rules of services and watches joined to the client.
//!
//! Each call and each question is a task of its own that sends one answer; the loop never waits for one. Short calls share
//! a few places, so that a thousand heartbeats at one tick are no thousand connections; questions are counted by the rules.

mod change;
mod tasks;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use self::change::{looked_up, plans};
use super::facts::{self, Facts, Told};
use super::interfaces;
use super::numbers::Ids;
use crate::config::{self, Config, ConsulSettings, InterfaceAddress, Variables};
use crate::discovery::consul::{Client, Lookup, Settings};
use crate::events::{EventCode, Failure, JobId, WatchId};
use crate::process::is_static_glibc;
use crate::services::{
    self, CallId, Link, LinkNote, Matter, Registration, Reply, Services, Subject,
};
use crate::watches::{self, Answer, AskId, Watches};

/// Short calls that are under way at once.
const PLACES: usize = 16;

/// Removals that are under way at once, beside them: at the end of a container they have a second for all of its services.
/// With the questions that stand by default, all together stay below the 200 connections that an agent permits a client.
const EXITS: usize = 64;

/// Answers that wait for the loop. When it is full, tasks wait with theirs: nothing is lost, and nobody else is held up.
pub(super) const ANSWERS: usize = 256;

/// How often the host's addresses are compared with the registered ones (D53).
const LOOK_AT_ADDRESSES: Duration = Duration::from_secs(10);

/// What came of a task.
#[derive(Debug)]
pub(super) enum Answered {
    Call {
        job: JobId,
        id: CallId,
        subject: Subject,
        result: Result<Reply, Failure>,
        /// How long the server took.
        took: Duration,
    },
    Ask {
        id: AskId,
        result: Result<Answer, Failure>,
    },
    Pulse {
        id: AskId,
        result: Result<(), Failure>,
    },
    /// Other credentials are in force.
    Credentials,
}

/// What the loop has to do about it.
#[derive(Debug)]
pub(super) enum Order {
    Service(services::Order),
    Watch(watches::Order),
    Say(LinkNote),
    /// A job's service has another address from now on.
    Readdressed(JobId, String),
}

/// Everything about one catalogue.
pub(super) struct Discovery {
    /// `None`: no catalogue is configured.
    client: Option<Client>,
    services: Services,
    watches: Watches,
    link: Link,
    told: Told,
    answers: mpsc::Sender<Answered>,
    places: Arc<Semaphore>,
    exits: Arc<Semaphore>,
    calls: HashMap<CallId, AbortHandle>,
    asks: HashMap<AskId, AbortHandle>,
    credentials: Option<AbortHandle>,
    /// The services whose address is looked up, with the specifications that choose it.
    looked_up: Vec<(JobId, Vec<String>)>,
    look_at: Option<Instant>,
    /// What an earlier configuration could not take out of its catalogue yet. One is enough: it holds its own.
    before: Option<Box<Discovery>>,
}

/// The client that a configuration asks for; reads files, so it blocks.
///
/// # Errors
///
/// What cannot be used, as a text for people.
pub(super) fn client(config: &Config, variables: &Variables) -> Result<Option<Client>, String> {
    let Some(consul) = &config.consul else {
        return Ok(None);
    };
    let settings = match consul.embedded_at() {
        None => Settings::resolve(consul, variables),
        // What the environment says of another catalogue does not hold for our own.
        Some(at) => Settings::resolve(&of_embedded(consul, at), &Variables::new()),
    };
    let settings = settings.map_err(|error| error.to_string())?;
    let lookup = if is_static_glibc() {
        Lookup::hosts_file()
    } else {
        Lookup::System
    };
    let client = Client::new(settings, lookup).map_err(|error| error.to_string())?;
    Ok(Some(client))
}

/// The settings of the client of the catalogue that this program serves itself.
fn of_embedded(consul: &ConsulSettings, at: SocketAddr) -> ConsulSettings {
    let ip = match at.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    ConsulSettings {
        address: SocketAddr::new(ip, at.port()).to_string(),
        ..consul.clone()
    }
}

impl Discovery {
    /// Without a task yet: see [`Discovery::begin`].
    pub(super) fn new(
        (config, ids): (&Config, &Ids),
        client: Option<Client>,
        answers: mpsc::Sender<Answered>,
        first: (CallId, AskId),
        seed: u64,
    ) -> Discovery {
        let Some(served) = client else {
            let services = Services::new(Vec::new(), first.0, seed);
            let watches = Watches::new(Vec::new(), 1, first.1, seed, Instant::now());
            return Discovery::of(None, services, watches, answers);
        };
        let room = served.max_connections();
        let specs = ids.watches(config).map(|(id, spec)| (id, spec.clone()));
        let services = Services::new(plans(config, ids), first.0, seed);
        let watches = Watches::new(specs.collect(), room, first.1, seed, Instant::now());
        let mut discovery = Discovery::of(Some(served), services, watches, answers);
        discovery.looked_up = looked_up(config, ids);
        discovery
    }

    fn of(
        client: Option<Client>,
        services: Services,
        watches: Watches,
        answers: mpsc::Sender<Answered>,
    ) -> Discovery {
        Discovery {
            looked_up: Vec::new(),
            services,
            watches,
            link: Link::default(),
            told: Told::default(),
            client,
            answers,
            places: Arc::new(Semaphore::new(PLACES)),
            exits: Arc::new(Semaphore::new(EXITS)),
            calls: HashMap::new(),
            asks: HashMap::new(),
            credentials: None,
            look_at: None,
            before: None,
        }
    }

    /// Everything of the configuration has been told to begin.
    pub(super) fn begin(&mut self, now: Instant) -> Vec<Order> {
        self.watch_credentials();
        self.look_at = (!self.looked_up.is_empty()).then(|| now + LOOK_AT_ADDRESSES);
        let services = self.services.begin(now);
        let watches = self.watches.begin(now);
        self.of_before(|before| of_services(before.services.begin(now)).collect());
        of_services(services).chain(of_watches(watches)).collect()
    }

    /// The first numbers for the configuration that follows. They leave room for the calls by which this one may have to go
    /// on taking services out.
    pub(super) fn next_numbers(&self) -> (CallId, AskId) {
        const ROOM: u64 = 1 << 32;
        let calls = self.services.next_call().0.saturating_add(ROOM);
        (CallId(calls), self.watches.next_ask())
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let rules = [self.services.next_deadline(), self.watches.next_deadline()];
        let before = self
            .before
            .as_ref()
            .and_then(|before| before.next_deadline());
        let own = rules.into_iter().chain([self.look_at, before]);
        own.flatten().min()
    }

    pub(super) fn on_time(&mut self, now: Instant) -> Vec<Order> {
        self.of_before(|before| before.on_time(now));
        let mut orders: Vec<Order> = of_services(self.services.on_time(now)).collect();
        orders.extend(of_watches(self.watches.on_time(now)));
        if self.look_at.is_some_and(|at| at <= now) {
            self.look_at = Some(now + LOOK_AT_ADDRESSES);
            orders.extend(self.look_at_addresses(now));
        }
        orders
    }

    pub(super) fn on_presence(
        &mut self,
        job: JobId,
        presence: services::Presence,
        output: &str,
        now: Instant,
    ) -> Vec<Order> {
        of_services(self.services.on_presence(job, presence, output, now)).collect()
    }

    /// The program was frozen: services renew their TTL (X08).
    pub(super) fn on_thaw(&mut self, now: Instant) -> Vec<Order> {
        of_services(self.services.on_thaw(now)).collect()
    }

    pub(super) fn on_answered(&mut self, answered: Answered, now: Instant) -> Vec<Order> {
        if self.is_of_before(&answered) {
            self.of_before(|before| before.on_answered(answered, now));
            return Vec::new();
        }
        match answered {
            Answered::Call {
                job,
                id,
                subject,
                result,
                ..
            } => {
                self.calls.remove(&id);
                let registration = self.services.registration(job);
                let name = registration.map(|registration| registration.name.clone());
                let name = name.unwrap_or_default();
                let mut orders = self.note(Matter { subject, name }, result.as_ref().err(), now);
                let rules = self.services.on_answer(job, id, result, now);
                orders.extend(of_services(rules));
                orders
            }
            Answered::Ask { id, result } => {
                self.asks.remove(&id);
                let matter = Matter {
                    subject: Subject::Watch,
                    name: self.watches.asked_for(id).unwrap_or_default().to_owned(),
                };
                let mut orders = self.note(matter, result.as_ref().err(), now);
                orders.extend(of_watches(self.watches.on_answer(id, result, now)));
                orders
            }
            Answered::Pulse { id, result } => {
                self.asks.remove(&id);
                let matter = Matter {
                    subject: Subject::Pulse,
                    name: String::new(),
                };
                let mut orders = self.note(matter, result.as_ref().err(), now);
                let rules = self.watches.on_pulse(id, result.as_ref().err(), now);
                orders.extend(of_watches(rules));
                orders
            }
            Answered::Credentials => {
                self.watch_credentials();
                let services = of_services(self.services.try_now(now));
                services
                    .chain(of_watches(self.watches.ask_again(now)))
                    .collect()
            }
        }
    }

    fn note(&mut self, matter: Matter, failure: Option<&Failure>, now: Instant) -> Vec<Order> {
        if failure.is_none_or(|failure| !failure.is_outage()) {
            self.watches.on_heard(now);
        }
        let notes = self.link.on_result(matter, failure, now);
        notes.into_iter().map(Order::Say).collect()
    }

    /// What a job is told that this event of a watch starts. See [`Discovery::on_told`].
    pub(super) fn facts(&self, job: JobId, watch: WatchId, code: EventCode) -> Option<Facts> {
        let found = self.watches.shown(watch)?;
        // Who hears of every change is told what is new to it, also after several of them; who hears of some, what this
        // change was.
        let before = match code {
            EventCode::Changed => self.told.last(job),
            _ => self.watches.shown_before(watch),
        };
        let spec = self.watches.spec(watch)?;
        Some(facts::of_watch(spec, found, before.map(Rc::as_ref)))
    }

    /// The job runs and has been told.
    pub(super) fn on_told(&mut self, job: JobId, watch: WatchId) {
        if let Some(found) = self.watches.shown(watch) {
            self.told.tell(job, Rc::clone(found));
        }
    }

    /// Whether the catalogue was away until a moment ago.
    pub(super) fn is_just_back(&self, now: Instant) -> bool {
        self.link.is_just_back(now)
    }

    /// Whether a call is under way that changes what stands in the catalogue (S08).
    pub(super) fn is_busy(&self) -> bool {
        self.services.is_busy() || self.before.as_ref().is_some_and(|before| before.is_busy())
    }

    pub(super) fn registration(&self, job: JobId) -> Option<&Registration> {
        self.services.registration(job)
    }

    /// How many instances a watch found last; `None` before its first answer.
    pub(super) fn instances(&self, watch: WatchId) -> Option<usize> {
        self.watches.shown(watch).map(|found| found.len())
    }

    /// How long ago the catalogue last answered about a watch.
    pub(super) fn age(&self, watch: WatchId, now: Instant) -> Option<Duration> {
        let heard = self.watches.heard(watch)?;
        Some(now.saturating_duration_since(heard))
    }

    /// Whether a job's service stands in the catalogue, as far as is known.
    pub(super) fn is_present(&self, job: JobId) -> bool {
        self.services.is_present(job)
    }

    /// Questions are not needed any more; calls may still take a service out.
    pub(super) fn stop_asking(&mut self) {
        for (_, task) in self.asks.drain() {
            task.abort();
        }
    }

    fn watch_credentials(&mut self) {
        let Some(client) = self.client.clone() else {
            return;
        };
        let answers = self.answers.clone();
        let task = tokio::spawn(async move {
            client.credentials_changed().await;
            let _ = answers.send(Answered::Credentials).await;
        });
        if let Some(old) = self.credentials.replace(task.abort_handle()) {
            old.abort();
        }
    }

    /// The host may have got another address since.
    fn look_at_addresses(&mut self, now: Instant) -> Vec<Order> {
        let Ok(addresses) = interfaces::addresses() else {
            return Vec::new();
        };
        let addresses: Rc<[InterfaceAddress]> = addresses.into();
        let mut orders = Vec::new();
        for (job, specifications) in &self.looked_up {
            // Without any matching address the last one stays: an interface may be down for a moment.
            let chosen = config::choose_again(specifications, &addresses);
            let Some(chosen) = chosen.map(|address| address.to_string()) else {
                continue;
            };
            let registered = self.services.registration(*job);
            let old = registered.and_then(|registration| registration.address.clone());
            if old.as_ref() != Some(&chosen) {
                orders.push(Order::Readdressed(*job, chosen.clone()));
                orders.extend(of_services(self.services.readdress(*job, chosen, now)));
            }
        }
        orders
    }
}

impl Drop for Discovery {
    /// What a configuration has asked for ends with it.
    fn drop(&mut self) {
        let calls = self.calls.drain().map(|(_, task)| task);
        let asks = self.asks.drain().map(|(_, task)| task);
        for task in calls.chain(asks).chain(self.credentials.take()) {
            task.abort();
        }
    }
}

fn of_services(orders: Vec<services::Order>) -> impl Iterator<Item = Order> {
    orders.into_iter().map(Order::Service)
}

fn of_watches(orders: Vec<watches::Order>) -> impl Iterator<Item = Order> {
    orders.into_iter().map(Order::Watch)
}
