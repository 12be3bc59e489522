//! From a plan to the running loop, and from its end to an exit status.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use super::app::{App, Inputs, Parts};
use super::discovery::{self, ANSWERS};
use super::embedded;
use super::environment::{Environment, address_text};
use super::fault::{Faults, caught};
use super::file_watch::{Mark, mark};
use super::interfaces;
use super::place::ConfigPlace;
use super::sensing::SENSED;
use super::telemetry::SERVICE;
use super::zones::ZoneFiles;
use crate::catalog::Catalog;
use crate::config::{
    self, Addresses, Config, Diagnostic, Dialect, Input, Loaded, Report, Variables, Zones,
};
use crate::control::{BindError, Server};
use crate::discovery::consul::Client;
use crate::jobs::{JobSpec, Outcome};
use crate::logging::Logging;
use crate::process::{Processes, Role, Signals, adopt_role};

/// Requests that wait for the loop. Beyond that the server answers 503 (X09).
const COMMANDS: usize = 64;

/// Threads for loads. There is one load at a time; further threads are for when one hangs in a dead file system, so that the
/// next reload still works.
const LOADERS: usize = 4;

/// Descriptors beside those of the jobs: standard streams, runtime, signals, socket, clients, reserve, log file.
const OWN_FILES: u64 = 160;

/// The listener of telemetry, its clients, and what a scrape reads.
const TELEMETRY_FILES: u64 = 40;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the configuration comes from.
    pub origin: Origin,
    /// Replaces `control.socket`.
    pub socket: Option<PathBuf>,
    /// Words after the flags: the application of a configuration of version 2. One of version 3 has no use for them.
    pub words: Vec<OsString>,
}

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A file or a text, read again at each reload.
    Place(ConfigPlace),
    /// Made by the caller (`pilothouse run`); there is no control socket unless the plan names one, and no reload.
    Fixed(Arc<Config>),
}

impl Plan {
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.origin, Origin::Fixed(_))
    }
}

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this status (decision 9).
    Status(u8),
    /// By a fault of our own.
    Fault,
}

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is unreadable or wrong; the whole report.
    #[error("{0}")]
    Config(String),
    /// `control.required`, and the socket cannot be made.
    #[error("control.required: {0}")]
    Control(#[from] BindError),
    /// The system refuses what every start needs.
    #[error("cannot {what}: {source}")]
    System {
        what: &'static str,
        source: io::Error,
    },
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::System { what, source }
}

/// Runs the plan until everything has ended. `signals` were installed as the first thing in `main`.
///
/// # Errors
///
/// If nothing could be started; then nothing was.
pub fn supervise(plan: Plan, mut signals: Signals) -> Result<End, StartError> {
    let role = adopt_role().map_err(system("take on the role of a supervisor"))?;
    let environment = Environment::new(std::env::vars_os(), std::process::id());
    let ready = load(&plan, &environment.template_variables(), None, None);
    let Ready {
        loaded,
        client,
        catalog,
        file,
    } = ready.map_err(StartError::Config)?;
    let logging = Logging::start(&loaded.config.logging);
    let faults = Faults::default();
    faults.watch();
    greet(&plan, &loaded, role);

    let processes = Processes::new(role).map_err(system("open /dev/null"))?;
    let server = bind(&plan, &loaded.config)?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Only the load of a reload runs beside the loop: one thread at rest, two while it works.
        .max_blocking_threads(LOADERS)
        .thread_keep_alive(std::time::Duration::from_secs(1))
        .build()
        .map_err(system("set up the event loop"))?;
    let end = runtime.block_on(async {
        logging.attach();
        signals.attach().map_err(system("watch for signals"))?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (answered, answers) = mpsc::channel(ANSWERS);
        let (sensor, sensed) = mpsc::channel(SENSED);
        let server = server.and_then(|server| match server.serve(sender.clone()) {
            Ok(server) => Some(server),
            Err(error) => {
                tracing::warn!("there is no control socket: {error}");
                None
            }
        });
        let embedded = catalog.map(|catalog| embedded::serve(&loaded.config, catalog));
        let embedded = embedded.transpose();
        let embedded = embedded.map_err(|error| StartError::Config(error.to_string()))?;
        let parts = Parts {
            embedded,
            plan,
            config: loaded.config,
            processes,
            environment,
            logging: logging.clone(),
            server,
            commands: sender,
            faults,
            client,
            file,
            answered,
            sensed: sensor,
        };
        let mut inputs = Inputs {
            signals,
            commands,
            answers,
            sensed,
        };
        // On the heap: it lives as long as the program, and is large.
        Ok(Box::pin(run(App::new(parts), &mut inputs)).await)
    });
    // A load that hangs in the file system must not hold up the exit.
    runtime.shutdown_background();
    end
}

async fn run(mut app: App, inputs: &mut Inputs) -> End {
    app.adopt_config(&inputs.signals);
    // A fault in the loop is followed by one more try, which only stops everything in order; then by brute force.
    for _ in 0..2 {
        if let Some(outcome) = caught(app.run(inputs)).await {
            let fault = app.faults.any();
            app.write_record(match outcome {
                Outcome::End(status) if !fault => Some(status),
                Outcome::End(_) | Outcome::Fault | Outcome::Reload => None,
            })
            .await;
            app.finish(inputs).await;
            return match outcome {
                Outcome::End(status) if !fault => End::Status(status),
                Outcome::End(_) | Outcome::Fault | Outcome::Reload => End::Fault,
            };
        }
    }
    app.faults.report();
    app.write_record(None).await;
    app.finish(inputs).await;
    End::Fault
}

/// A configuration that can begin.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) loaded: Loaded,
    /// The client of its catalogue, if it names one, with what its files held.
    pub(super) client: Option<Client>,
    /// The catalogue that it serves itself, listening; `None` if it serves none, or the one that is served already.
    pub(super) catalog: Option<Catalog>,
    /// The file that it comes from, as it was just before it was read.
    pub(super) file: Option<Mark>,
}

/// Reads, renders and checks the plan's configuration, and makes what it needs that may fail. Blocks for files.
/// `running`: the version of the configuration that runs, which a reload may not change (decision 6).
/// `served`: where a catalogue of ours listens already, which the configuration can take over.
pub(super) fn load(
    plan: &Plan,
    variables: &Variables,
    served: Option<SocketAddr>,
    running: Option<Dialect>,
) -> Result<Ready, String> {
    let file = match &plan.origin {
        Origin::Place(ConfigPlace::File(path)) => mark(path),
        _ => None,
    };
    let loaded = read(plan, variables)?;
    if running.is_some_and(|running| running != loaded.config.dialect) {
        return Err(
            "the configuration is now of another version of ContainerPilot, which a reload may not change: \
             restart the container"
                .to_owned(),
        );
    }
    let client = discovery::client(&loaded.config, variables)?;
    let catalog = embedded::listen(&loaded.config, served).map_err(|error| error.to_string())?;
    Ok(Ready {
        loaded,
        client,
        catalog,
        file,
    })
}

fn read(plan: &Plan, variables: &Variables) -> Result<Loaded, String> {
    let mut loaded = match &plan.origin {
        Origin::Place(place) => {
            let text = place.read().map_err(|error| error.to_string())?;
            let found = OnceCell::new();
            let look_up = || {
                let read = || interfaces::addresses().unwrap_or_default().into();
                Rc::clone(found.get_or_init(read))
            };
            let zones = ZoneFiles::default();
            let words: Vec<String> = plan
                .words
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            let input = Input {
                file: &place.to_string(),
                text: &text,
                variables,
                addresses: Addresses::Lookup(&look_up),
                zones: Zones::Lookup(&|name| zones.find(name)),
                app: Some(&words),
            };
            config::load(&input).map_err(|report| report.to_string())?
        }
        Origin::Fixed(config) => Loaded {
            config: Config::clone(config),
            warnings: Report::new(""),
        },
    };
    if let Some(socket) = &plan.socket {
        loaded.config.control.socket.clone_from(socket);
    }
    Ok(loaded)
}

/// The socket, if there is to be one and it can be made: without it the container still runs, with one warning (K08).
fn bind(plan: &Plan, config: &Config) -> Result<Option<Server>, StartError> {
    if plan.is_fixed() && plan.socket.is_none() {
        return Ok(None);
    }
    match Server::bind(&config.control) {
        Ok(server) => Ok(Some(server)),
        Err(error) if config.control.required => Err(error.into()),
        // Somebody else's place: an error, since two programs were told to serve one socket (K01, K02).
        Err(error @ (BindError::Live { .. } | BindError::NotASocket { .. })) => {
            tracing::error!("there is no control socket: {error}");
            Ok(None)
        }
        // As in an empty image or on a read-only root, where /var/run is missing or cannot be written to.
        Err(error @ (BindError::Directory { .. } | BindError::Bind { .. })) => {
            tracing::warn!(
                "there is no control socket: {error}; all else runs, and `control.socket` can name a place for it"
            );
            Ok(None)
        }
        Err(error) => {
            tracing::warn!("there is no control socket: {error}");
            Ok(None)
        }
    }
}

fn ignored_words(words: &[OsString]) -> Option<String> {
    let first = words.first()?.to_string_lossy();
    Some(format!(
        "words after the flags are ignored, from `{first}` on: the jobs of the configuration say what runs; \
         `pilothouse run -- COMMAND` runs a command without a configuration"
    ))
}

fn greet(plan: &Plan, loaded: &Loaded, role: Role) {
    if loaded.config.dialect == Dialect::V3
        && let Some(warning) = ignored_words(&plan.words)
    {
        tracing::warn!("{warning}");
    }
    if !role.pid1 {
        tracing::info!("not PID 1: collecting orphans as a child subreaper");
    }
    if !role.procfs {
        tracing::warn!(
            "there is no /proc: processes that leave their job's process group are not followed"
        );
    }
    report_warnings(loaded);
    let config = &loaded.config;
    let advertised = config.jobs.iter().any(|job| job.service.is_some());
    if config.consul.is_none() && (advertised || !config.watches.is_empty()) {
        tracing::warn!(
            "no `consul` is configured: no service is registered and nothing is watched"
        );
    }
}

/// What a load has to say beside its configuration.
pub(super) fn report_warnings(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{}", one_line(loaded.warnings.file(), warning));
    }
    if tracing::enabled!(tracing::Level::DEBUG) {
        match serde_json::to_string(&loaded.config.summary()) {
            Ok(summary) => tracing::debug!("loaded config: {summary}"),
            Err(error) => tracing::debug!("cannot show the configuration: {error}"),
        }
    }
}

/// A finding without its excerpt: a log line is one line.
fn one_line(file: &str, finding: &Diagnostic) -> String {
    let place = finding.position.map_or_else(
        || file.to_owned(),
        |position| format!("{file}:{}", position.line),
    );
    let path = finding
        .path
        .as_ref()
        .map_or_else(String::new, |path| format!("{path}: "));
    let help = finding
        .help
        .as_ref()
        .map_or_else(String::new, |help| format!("; {help}"));
    format!("{place}: {path}{}{help}", finding.message)
}

/// The advertised address of each job that has one.
pub(super) fn addresses_of(config: &Config) -> Vec<(&str, String)> {
    let services = config
        .jobs
        .iter()
        .filter_map(|job| Some((announced(job)?, job.service.as_ref()?)));
    let services = services.filter_map(|(name, service)| {
        let address = address_text(service.address, service.static_address.as_ref());
        Some((name, address?))
    });
    let own = config.telemetry.as_ref().and_then(|own| own.address);
    let own = own.map(|address| (SERVICE, address.to_string()));
    own.into_iter().chain(services).collect()
}

/// The name that a job's address is known by to the others: its service's, but for the second of two that share it.
pub(super) fn announced(job: &JobSpec) -> Option<&str> {
    let service = job.service.as_ref()?;
    let own = service.ordinal > 1;
    Some(if own { &job.name } else { &service.name })
}

/// A seed for the jitter of restarts: containers that start together must not restart together.
pub(super) fn seed() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = time.map_or(0, |since| u64::from(since.subsec_nanos()));
    // The time differs between containers, the pid between processes of one.
    time ^ u64::from(std::process::id()).rotate_left(32)
}

impl App {
    /// Raises our own limit of open files when the jobs may need it: a pipe for each run that is read.
    pub(super) fn raise_file_limit(&mut self) {
        let pipes = |job: &crate::jobs::JobSpec| {
            let checks = job.health.iter().flat_map(|health| &health.checks);
            // A command has its pipe, a probe its connection.
            let checks = checks.filter(|check| !check.raw).count() as u64;
            u64::from(job.exec.is_some() && !job.io.raw) + u64::from(job.ready.is_some()) + checks
        };
        // A kept or leftover process may hold a pipe of its own while the next run has its.
        let scrapes = u64::from(self.config.telemetry.is_some()) * TELEMETRY_FILES;
        let needed = OWN_FILES + scrapes + 2 * self.config.jobs.iter().map(pipes).sum::<u64>();
        match self.processes.raise_file_limit(needed) {
            Ok(limit) if limit < needed => {
                tracing::warn!(
                    "{needed} open files may be needed, the hard limit is {limit}: some starts may fail"
                );
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!("cannot raise the limit of open files to {needed}: {error}");
            }
        }
    }
}
