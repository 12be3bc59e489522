//! A reload: read and check beside the loop, then stop and start cleanly, one after the other (R01, D2, D9).
//!
//! ```text
//!   asked ──> loading ──bad──> answered with the report, nothing changes
//!                │
//!                good ──> answered, everything stops ──> the last job is gone: the new configuration takes over
//! ```
//!
//! Requests while one is loading share one more load after it, so that any number of them becomes two loads at most and
//! the last file wins (R05). A stop outweighs a reload (R06).

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::app::{App, Inputs};
use super::discovery::Discovery;
use super::start::{self, Ready, load};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::control::Server;
use crate::discovery::consul::Client;
use crate::events::{Event, StopReason};
use crate::jobs::Jobs;
use crate::process::Received;

/// Who asked, if it was a client.
pub(super) type Asker = oneshot::Sender<Result<(), String>>;

/// Clients that wait for one load; more are told to come again. The server's own limit of connections is lower.
const ASKERS: usize = 1024;

/// A file system that does not answer must not hold the program up; the load itself is bounded by its input.
const LOAD_LIMIT: Duration = Duration::from_secs(30);

const STOPPING: &str = "the program is stopping";

/// Where a reload stands.
#[derive(Default)]
pub(super) struct Reload {
    /// The load under way and when it has taken too long.
    loading: Option<(JoinHandle<Result<Ready, String>>, Instant)>,
    /// Who waits for the load under way, and who for the one after it.
    askers: Vec<Asker>,
    later: Option<Vec<Asker>>,
    result: Option<Result<Ready, String>>,
    /// A good configuration that takes over once everything has stopped.
    next: Option<Next>,
}

/// What takes over, with what was made for it.
struct Next {
    config: Config,
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
    /// Somebody wants a reload: a client, or with `None` a signal.
    pub(super) fn request_reload(&mut self, asker: Option<Asker>) {
        if self.jobs.is_ending() && !self.jobs.is_reloading() {
            answer(asker, Err(STOPPING.to_owned()));
            return;
        }
        if self.plan.is_fixed() {
            let error =
                "there is no configuration to reload: the program was started with a command"
                    .to_owned();
            tracing::warn!("{error}");
            answer(asker, Err(error));
            return;
        }
        if self.reload.loading.is_none() {
            self.reload.askers.extend(asker);
            self.load_beside();
            return;
        }
        let later = self.reload.later.get_or_insert_default();
        if later.len() < ASKERS {
            later.extend(asker);
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
            let stopping = self.jobs.is_ending() && !self.jobs.is_reloading();
            let result = if stopping {
                Err(STOPPING.to_owned())
            } else {
                result
            };
            let verdict = result.as_ref().map(|_| ()).map_err(Clone::clone);
            for asker in askers {
                answer(Some(asker), verdict.clone());
            }
            if !stopping {
                self.count(|counts| counts.on_reload(result.is_ok()));
            }
            match result {
                Ok(ready) => self.on_good(ready),
                Err(report) => tracing::error!(
                    "the configuration was not reloaded, everything goes on: {report}"
                ),
            }
        }
        if let Some(later) = self.reload.later.take() {
            self.reload.askers = later;
            self.load_beside();
        }
    }

    fn on_good(&mut self, ready: Ready) {
        start::report_warnings(&ready.loaded);
        // An earlier one that was to take over and did not makes room.
        self.reload.next = Some(Next {
            config: ready.loaded.config,
            client: ready.client,
            catalog: ready.catalog,
        });
        self.tell(&Event::StopRequested(StopReason::Reload));
    }

    /// Everything of the old configuration has ended: the new one begins.
    pub(super) async fn take_over(&mut self, inputs: &mut Inputs, received: &mut Vec<Received>) {
        let Some(next) = self.reload.next.take() else {
            // A reload ends only what a load has replaced; this line is here so that a fault of ours shows.
            tracing::error!("a reload ended without a configuration");
            return self.tell(&Event::StopRequested(StopReason::Fault));
        };
        let Next {
            config,
            client,
            catalog,
        } = next;
        self.logging.apply(&config.logging);
        self.move_socket(&config).await;
        let now = std::time::Instant::now();
        let mut jobs = Jobs::new(
            config.jobs.clone(),
            config.stop,
            now,
            self.jobs.next_run(),
            start::seed(),
        );
        if self.jobs.in_maintenance() {
            jobs.continue_maintenance();
        }
        self.first_run = self.jobs.next_run();
        self.environment.clear_pids();
        self.checks.clear();
        self.check_output.clear();
        self.forget_probes();
        // What is still on its way to take a service out arrives before the same service is registered again.
        let patience = std::time::Duration::from_millis(250);
        self.finish_calls(inputs, patience).await;
        self.move_catalogue(&config, catalog).await;
        let mut discovery = Discovery::new(
            &config,
            client,
            self.answered.clone(),
            self.discovery.next_numbers(),
            start::seed(),
        );
        std::mem::swap(&mut discovery, &mut self.discovery);
        self.discovery.follow(discovery);
        // Answers to jobs that are no more.
        self.answers.clear();
        self.jobs = jobs;
        self.config = config;
        self.adopt_config(&inputs.signals);
        tracing::info!("reloaded: {} jobs", self.config.jobs.len());
        tracing::debug!("control: reloaded app via control plane");
        // A stop that came meanwhile comes before the start of anything (D25).
        inputs.signals.drain(received);
        self.on_signals(received);
        self.start_all();
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

fn answer(asker: Option<Asker>, verdict: Result<(), String>) {
    if let Some(asker) = asker {
        // A client that did not wait is not missed.
        let _ = asker.send(verdict);
    }
}
