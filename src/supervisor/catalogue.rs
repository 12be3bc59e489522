//! What the rules of services and watches order, and what is said of it.

use std::time::{Duration, Instant};

use super::app::{App, Inputs};
use super::discovery::{Answered, Order};
use super::report::span;
use super::start::announced;
use super::telemetry::OWN;
use crate::events::{Event, Failure, JobId};
use crate::services::{self, LinkNote, Matter, Presence, Subject};
use crate::watches;

/// At the end of the program a call that takes a service out is waited for so long (S08).
const LAST_CALLS: Duration = Duration::from_millis(500);

impl App {
    /// Tells the catalogue what it is to show of a job.
    pub(super) fn show(&mut self, job: JobId, presence: Presence) {
        let output = match presence {
            Presence::Critical => self.failing_note(job),
            _ => String::new(),
        };
        let now = Instant::now();
        let orders = self.discovery.on_presence(job, presence, &output, now);
        self.perform_discovery(orders);
    }

    /// Registers what stands from the beginning, and asks the first questions.
    pub(super) fn begin_discovery(&mut self) {
        let orders = self.discovery.begin(Instant::now());
        self.perform_discovery(orders);
    }

    pub(super) fn on_answered(&mut self, answered: Answered) {
        self.count_answer(&answered);
        let orders = self.discovery.on_answered(answered, Instant::now());
        self.perform_discovery(orders);
    }

    pub(super) fn perform_discovery(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Service(order) => self.perform_service(order),
                Order::Watch(order) => self.perform_watch(order),
                Order::Say(note) => self.say_link(&note),
                Order::Readdressed(job, address) => self.on_readdressed(job, &address),
            }
        }
    }

    fn on_readdressed(&mut self, job: JobId, address: &str) {
        if job == OWN {
            tracing::info!("telemetry: the address is now {address}");
            return self.readdress_telemetry(address);
        }
        let name = self.names.job(job);
        tracing::info!(job = name, "the address of {name} is now {address}");
        let name = self.jobs.spec(job).and_then(announced).unwrap_or(name);
        self.environment.set_address(name, address);
    }

    fn perform_service(&mut self, order: services::Order) {
        match order {
            services::Order::Call { job, id, call } => self.discovery.call(job, id, call),
            services::Order::Abandon(id) => self.discovery.abandon_call(id),
            // Nobody waits for ours.
            services::Order::Left { job: OWN, .. } => {}
            services::Order::Left { job, was_there } => {
                self.answers.push_back(Event::Left { job, was_there });
            }
            services::Order::Report(job, note) => self.say_service(job, &note),
        }
    }

    fn perform_watch(&mut self, order: watches::Order) {
        match order {
            watches::Order::Ask { id, question } => self.discovery.ask(id, question),
            watches::Order::Pulse(id) => self.discovery.pulse(id),
            watches::Order::Abandon(id) => self.discovery.abandon_ask(id),
            watches::Order::Publish(event) => self.tell(&Event::Published(event)),
            watches::Order::Report(note) => say_watches(&note),
        }
    }

    fn say_service(&self, job: JobId, note: &services::Note) {
        let Some(registration) = self.discovery.registration(job) else {
            return;
        };
        let (job, id) = (self.names.job(job), registration.id.as_str());
        let name = registration.name.as_str();
        match note {
            services::Note::Registered => tracing::info!(job, id, "Service registered: {name}"),
            services::Note::Deregistered => tracing::info!(job, id, "Service deregistered: {name}"),
            // That an agent came back was said, and whatever it has forgotten is registered again.
            services::Note::Lost if self.discovery.is_just_back(Instant::now()) => {
                tracing::debug!(
                    job,
                    id,
                    "{name} is not in the catalogue any more: registering it again"
                );
            }
            services::Note::Lost => {
                tracing::warn!(
                    job,
                    id,
                    "{name} is not in the catalogue any more: registering it again"
                );
            }
            services::Note::Mended => {
                tracing::warn!(
                    job,
                    id,
                    "{name} was changed in the catalogue: registering it again"
                );
            }
            services::Note::Remnant => {
                tracing::info!(
                    job,
                    id,
                    "{name} stands in the catalogue from before, otherwise: removing it until it is healthy"
                );
            }
            services::Note::Astray => tracing::warn!(
                job,
                id,
                "the catalogue forgets {name} at once: does a load balancer spread the calls over several agents? \
                 Use the address of one agent"
            ),
            services::Note::NotRemoved(failure) => {
                tracing::warn!(
                    job,
                    id,
                    "deregistering {name} failed, the stop goes on: {failure}"
                );
            }
        }
    }

    fn say_link(&self, note: &LinkNote) {
        match note {
            // At the end the service that could not be removed says so itself.
            LinkNote::Lost(_) if self.jobs.is_ending() => {}
            LinkNote::Lost(failure) => {
                tracing::warn!(
                    "the catalogue does not answer, everything goes on without it: {failure}"
                );
            }
            LinkNote::Back(after) => {
                tracing::info!("the catalogue answers again after {}", span(*after));
            }
            LinkNote::Refused {
                matter,
                failure,
                others,
            } => say_refusal(matter, failure, *others),
            LinkNote::Accepted(matter) => {
                tracing::info!("the catalogue serves {} again", about(matter));
            }
        }
    }

    /// Waits for calls that take services out of the catalogue, at most for a little.
    pub(super) async fn finish_calls(&mut self, inputs: &mut Inputs, limit: Duration) {
        self.discovery.stop_asking();
        let end = Instant::now() + limit.min(LAST_CALLS);
        while self.discovery.is_busy() {
            let next = tokio::time::timeout_at(end.into(), inputs.answers.recv());
            let Ok(Some(answered)) = next.await else {
                return;
            };
            self.on_answered(answered);
        }
    }
}

/// Of many with one cause, as a token that is wrong, the first are told to everybody.
const TOLD: usize = 3;

fn say_refusal(matter: &Matter, failure: &Failure, others: usize) {
    let about = about(matter);
    let what = match failure {
        Failure::Unreadable(_) => "gives no readable answer to",
        Failure::Unreachable(_) | Failure::Busy(_) | Failure::Crowded(_) => {
            "fails again and again at"
        }
        Failure::Denied(_) | Failure::Rejected(_) | Failure::Unknown(_) => "refuses",
    };
    if others >= TOLD {
        tracing::debug!("the catalogue {what} {about}: {failure}");
    } else {
        tracing::error!("the catalogue {what} {about}: {failure}");
    }
}

fn about(matter: &Matter) -> String {
    let name = &matter.name;
    match matter.subject {
        Subject::Registration => format!("the registration of {name}"),
        Subject::HealthUpdate => format!("the health of {name}"),
        Subject::Deregistration => format!("the deregistration of {name}"),
        Subject::Inspection => format!("the inspection of {name}"),
        Subject::Watch => format!("the question of watch {name}"),
        Subject::Pulse => "questions about itself".to_owned(),
    }
}

fn say_watches(note: &watches::Note) {
    match note {
        watches::Note::TakingTurns { subjects, room } => tracing::warn!(
            "{subjects} things are watched and at most {room} connections may stand (consul.maxConnections): \
             they take turns within their intervals"
        ),
        watches::Note::Crowded { room } => tracing::warn!(
            "the catalogue takes no further connections: watches take turns on {room} of them; \
             raise its limit (http_max_conns_per_client) or lower consul.maxConnections"
        ),
    }
}
