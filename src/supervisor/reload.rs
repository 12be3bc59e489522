//! A reload: read and check beside the loop, then stop and start what has changed, one after the other (R01–R07, D2, D9).
//!
//! ```text
//!   asked ──> loading ──bad──> answered with the report, nothing changes
//!                │
//!                good ──> answered, what it changes stops ──> the last of that is gone: it takes over
//! ```
//!
//! Requests while one is loading share one more load after it, so that any number of them becomes two loads at most and
//! the last file wins (R05). A stop outweighs a reload (R06).

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::app::{App, Inputs};
use super::discovery::Discovery;
use super::numbers::Ids;
use super::outlook::in_one_line;
use super::recorder::What;
use super::start::{self, Ready, load};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::control::{ReloadPlan, Server};
use crate::discovery::consul::Client;
use crate::events::{Event, JobId, StopReason};
use crate::process::Received;

/// A client who asked.
pub(super) enum Asker {
    /// For a reload.
    Reload(oneshot::Sender<Result<(), String>>),
    /// For what a reload would do.
    Plan(oneshot::Sender<Result<ReloadPlan, String>>),
}

/// Those who share one load.
#[derive(Default)]
struct Askers {
    all: Vec<Asker>,
    /// Somebody wants what was loaded to take over.
    applies: bool,
}

impl Askers {
    fn add(&mut self, asker: Option<Asker>) {
        self.applies |= !matches!(asker, Some(Asker::Plan(_)));
        // A signal waits for no answer.
        if self.all.len() < ASKERS {
            self.all.extend(asker);
        }
    }
}

/// Clients that wait for one load; more are told to come again. The server's own limit of connections is lower.
const ASKERS: usize = 1024;

/// A file system that does not answer must not hold the program up; the load itself is bounded by its input.
const LOAD_LIMIT: Duration = Duration::from_secs(30);

/// Calls to the catalogue that a configuration leaves are waited for so long.
const LAST_CALLS: Duration = Duration::from_millis(250);

const STOPPING: &str = "the program is stopping";

/// Where a reload stands.
#[derive(Default)]
pub(super) struct Reload {
    /// The load under way and when it has taken too long.
    loading: Option<(JoinHandle<Result<Ready, String>>, Instant)>,
    /// Who waits for the load under way, and who for the one after it.
    askers: Askers,
    later: Option<Askers>,
    result: Option<Result<Ready, String>>,
    /// A good configuration that takes over once what it changes has stopped.
    next: Option<Next>,
}

/// What takes over, with what was made for it.
struct Next {
    config: Config,
    ids: Ids,
    client: Option<Client>,
    catalog: Option<Catalog>,
}

impl Reload {
    /// Waits for the load under way; for ever if there is none. Cancel-safe.
    pub(super) async fn loaded(&mut self) {
        let Some((loading, limit)) = &mut self.loading else {
            return std::future::pending().await;
        };
        let result = match tokio::time::timeout_at(*limit, loading).await {
            Ok(Ok(result)) => result,
            Ok(Err(fault)) => Err(format!("cannot load the configuration: {fault}")),
            Err(_) => Err(format!(
                "cannot load the configuration: it took longer than {LOAD_LIMIT:?}"
            )),
        };
        self.loading = None;
        self.result = Some(result);
    }
}

impl App {
    /// Somebody wants a reload, or to know what one would do: a client, or with `None` a signal.
    pub(super) fn request_reload(&mut self, asker: Option<Asker>) {
        if self.jobs.is_ending() {
            return refuse(asker, STOPPING);
        }
        if self.plan.is_fixed() {
            let error =
                "there is no configuration to reload: the program was started with a command";
            tracing::warn!("{error}");
            return refuse(asker, error);
        }
        if self.reload.loading.is_none() {
            self.reload.askers.add(asker);
            self.load_beside();
        } else {
            self.reload.later.get_or_insert_default().add(asker);
        }
    }

    fn load_beside(&mut self) {
        let plan = self.plan.clone();
        let variables = self.environment.template_variables();
        let served = self.served_at();
        let running = Some(self.config.dialect);
        let loading = tokio::task::spawn_blocking(move || load(&plan, &variables, served, running));
        self.reload.loading = Some((loading, Instant::now() + LOAD_LIMIT));
    }

    pub(super) fn on_loaded(&mut self) {
        let askers = std::mem::take(&mut self.reload.askers);
        if let Some(result) = self.reload.result.take() {
            // A stop that came during the load outweighs it (R06).
            let result = if self.jobs.is_ending() {
                Err(STOPPING.to_owned())
            } else {
                result
            };
            if askers.applies && !self.jobs.is_ending() {
                self.count(|counts| counts.on_reload(result.is_ok()));
            }
            self.answer_all(askers.all, &result);
            match result {
                _ if !askers.applies => {}
                Ok(ready) => self.on_good(ready),
                Err(report) => {
                    self.remember(What::NotReloaded);
                    tracing::error!(
                        "the configuration was not reloaded, everything goes on: {report}"
                    );
                }
            }
        }
        if let Some(later) = self.reload.later.take() {
            self.reload.askers = later;
            self.load_beside();
        }
    }

    /// Answers as soon as it is known whether the configuration is good (K07). A client that did not wait is not missed.
    fn answer_all(&self, askers: Vec<Asker>, result: &Result<Ready, String>) {
        let mut plan = None;
        for asker in askers {
            match asker {
                Asker::Reload(reply) => {
                    let _ = reply.send(result.as_ref().map(|_| ()).map_err(Clone::clone));
                }
                Asker::Plan(reply) => {
                    let planned = |ready: &Ready| {
                        plan.get_or_insert_with(|| self.plan_of(&ready.loaded.config))
                            .clone()
                    };
                    let _ = reply.send(result.as_ref().map(planned).map_err(Clone::clone));
                }
            }
        }
    }

    fn plan_of(&self, config: &Config) -> ReloadPlan {
        let mut config = config.clone();
        // Numbers of names that are new are given again when it takes over.
        let ids = self.numbers.clone().number(&mut config);
        self.outlook(&config, &ids)
    }

    fn on_good(&mut self, ready: Ready) {
        start::report_warnings(&ready.loaded);
        self.file_watch.read = ready.file;
        let mut config = ready.loaded.config;
        let ids = self.numbers.number(&mut config);
        let next = ids.next(&config);
        // An earlier one that was to take over and did not makes room.
        self.reload.next = Some(Next {
            config,
            ids,
            client: ready.client,
            catalog: ready.catalog,
        });
        let effects = self.jobs.prepare(next, Instant::now().into());
        self.perform(effects);
        self.answer();
    }

    /// What the new configuration changes has ended: it takes over.
    pub(super) async fn take_over(&mut self, inputs: &mut Inputs, received: &mut Vec<Received>) {
        let Some(next) = self.reload.next.take() else {
            // Only a load ends anything for a reload; this line is here so that a fault of ours shows.
            tracing::error!("a reload ended without a configuration");
            return self.tell(&Event::StopRequested(StopReason::Fault));
        };
        let Next {
            config,
            ids,
            client,
            catalog,
        } = next;
        if config.logging != self.config.logging {
            self.logging.apply(&config.logging);
        }
        self.move_socket(&config).await;
        let moves = self.discovery.moves_to(client.as_ref());
        if moves {
            // What is on its way to take a service out arrives before the same service is registered again.
            self.finish_calls(inputs, LAST_CALLS).await;
        }
        self.move_catalogue(&config, catalog).await;
        // A stop that came meanwhile comes before the start of anything (D25).
        inputs.signals.drain(received);
        self.on_signals(received);
        if self.jobs.is_ending() {
            return;
        }
        let leaving: BTreeSet<JobId> = self.jobs.leaving().collect();
        let renewed = |job: JobId| leaving.contains(&job);
        for job in &leaving {
            self.environment.set_pid(self.names.job(*job), None);
        }
        self.checks.retain(|job, _| !renewed(*job));
        self.check_output.retain(|(job, _), _| !renewed(*job));
        if moves {
            let mut discovery = Discovery::new(
                (&config, &ids),
                client,
                self.answered.clone(),
                self.discovery.next_numbers(),
                start::seed(),
            );
            std::mem::swap(&mut discovery, &mut self.discovery);
            self.discovery.follow(discovery, renewed);
        } else {
            self.discovery.change(&config, &ids, renewed);
        }
        let done = in_one_line(&self.outlook(&config, &ids));
        self.numbers.settle(&ids);
        self.config = config;
        self.ids = ids;
        self.adopt_config(&inputs.signals);
        let effects = self.jobs.change(Instant::now().into());
        self.remember(What::Reloaded);
        tracing::info!("reloaded: {} jobs; {done}", self.config.jobs.len());
        tracing::debug!("control: reloaded app via control plane");
        self.perform(effects);
        if moves {
            self.begin_discovery();
        } else {
            let watches = self.ids.watches(&self.config);
            let watches = watches.map(|(id, spec)| (id, spec.clone())).collect();
            let orders = self.discovery.resume(watches, Instant::now().into());
            self.perform_discovery(orders);
        }
        self.answer();
        self.follow_schedules(&leaving);
        self.forget_past_jobs();
    }

    /// Follows changed settings of the control socket. On another path the new socket is made before the old one is
    /// closed; on the same one the old one makes way first, which takes 100 ms at most.
    async fn move_socket(&mut self, config: &Config) {
        if config.control == self.config.control && self.server.is_some() {
            return;
        }
        if config.control.socket == self.config.control.socket
            && let Some(server) = self.server.take()
        {
            server.close().await;
        }
        match Server::bind(&config.control).and_then(|server| server.serve(self.commands.clone())) {
            Ok(server) => {
                if let Some(old) = self.server.replace(server) {
                    old.close().await;
                }
            }
            Err(error) if self.server.is_some() => {
                tracing::error!("the control socket stays where it is: {error}");
            }
            Err(error) => tracing::error!("there is no control socket any more: {error}"),
        }
    }
}

fn refuse(asker: Option<Asker>, error: &str) {
    // A client that did not wait is not missed.
    match asker {
        Some(Asker::Reload(reply)) => {
            let _ = reply.send(Err(error.to_owned()));
        }
        Some(Asker::Plan(reply)) => {
            let _ = reply.send(Err(error.to_owned()));
        }
        None => {}
    }
}
