//! What the program does without supervising anything.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::exit::ExitCode;
use super::invocation::Action;
use super::live::{self, LiveAction, LiveError};
use super::run::Console;
use crate::config::ControlSettings;
use crate::control::{Client, ClientError, GIT_HASH, ReloadPlan, VERSION};
use crate::supervisor::{ConfigPlace, DEFAULT_CONFIG, ReadError};

/// The two lines of `-version`.
pub(super) fn version() -> String {
    format!("Version: {VERSION}\nGitHash: {GIT_HASH}\n")
}

/// Renders a configuration and writes it byte for byte. It is neither parsed nor checked.
pub(super) fn template(
    place: &ConfigPlace,
    out: Option<&Path>,
    console: &mut Console<'_>,
    render: impl FnOnce(&str) -> Result<String, String>,
) -> ExitCode {
    let text = match place.read() {
        Ok(text) => text,
        Err(error) => return console.refuse(&error.to_string(), ExitCode::Failure),
    };
    let rendered = match render(&text) {
        Ok(rendered) => rendered,
        Err(error) => {
            let message = format!("cannot render the template of `{place}`: {error}");
            return console.refuse(&message, ExitCode::Failure);
        }
    };
    let Some(path) = out else {
        return console.print(rendered.as_bytes());
    };
    match write(path, rendered.as_bytes()) {
        Ok(()) => ExitCode::Success,
        Err(error) => {
            let message = format!("cannot write `{}`: {error}", path.display());
            console.refuse(&message, ExitCode::Failure)
        }
    }
}

/// Prints what `make` makes of a configuration's text.
pub(super) fn print_config(
    place: &ConfigPlace,
    console: &mut Console<'_>,
    make: impl FnOnce(&str) -> Result<String, String>,
) -> ExitCode {
    let text = match place.read() {
        Ok(text) => text,
        Err(error) => return console.refuse(&error.to_string(), ExitCode::Failure),
    };
    match make(&text) {
        Ok(text) => console.print(text.as_bytes()),
        Err(error) => console.refuse(&error, ExitCode::Failure),
    }
}

/// Replaces the file's content; a new file gets 0644 less the umask.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o644);
    options.open(path)?.write_all(bytes)
}

/// The socket of the supervisor that is meant: the flag's, else the one that the configuration names, else the default.
/// `named` looks it up in a text and need not understand the rest of it (D46).
///
/// # Errors
///
/// When there is a configuration that cannot be read, or one was named that is not there: to ask another
/// supervisor instead would be worse than to ask none.
pub(super) fn find_socket(
    flag: Option<PathBuf>,
    place: &ConfigPlace,
    named: impl FnOnce(&str) -> Option<PathBuf>,
) -> Result<PathBuf, ReadError> {
    let default = || PathBuf::from(ControlSettings::DEFAULT_SOCKET);
    if let Some(flag) = flag {
        return Ok(flag);
    }
    match place.read() {
        Ok(text) => Ok(named(&text).unwrap_or_else(default)),
        Err(ReadError::File { path, source })
            if source.kind() == io::ErrorKind::NotFound && path == Path::new(DEFAULT_CONFIG) =>
        {
            // `pilothouse run -- CMD` has no configuration.
            Ok(default())
        }
        Err(error) => Err(error),
    }
}

/// Why a request gave no success.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error("{0}; `-socket PATH` needs no configuration")]
    Config(#[from] ReadError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot start a runtime: {0}")]
    Runtime(#[from] io::Error),
    #[error("{0}")]
    Unhealthy(String),
    #[error(transparent)]
    Live(#[from] LiveError),
}

/// Sends a request to a running supervisor.
pub(super) fn request(
    action: &Action,
    find_socket: impl FnOnce() -> Result<PathBuf, ReadError>,
    console: &mut Console<'_>,
) -> ExitCode {
    if let Action::Live(live) = action {
        return match request_live(live, find_socket, console) {
            Ok(code) => code,
            Err(error) => console.refuse(&format!("{}: {error}", live.name()), ExitCode::Failure),
        };
    }
    match perform(action, find_socket) {
        Ok(text) if text.is_empty() => ExitCode::Success,
        Ok(text) => console.print(text.as_bytes()),
        Err(error) => console.refuse(&format!("{}{error}", prefix(action)), ExitCode::Failure),
    }
}

/// What precedes an error; the original's words, each under its own flag (D46).
fn prefix(action: &Action) -> &'static str {
    match action {
        Action::Ping => "-ping: failed: ",
        Action::Reload => "-reload: failed to run subcommand: ",
        Action::Maintenance(_) => "-maintenance: failed to run subcommand: ",
        Action::PutEnv(_) => "-putenv: failed to run subcommand: ",
        Action::PutMetric(_) => "-putmetric: failed to run subcommand: ",
        Action::ReloadPlan { .. } => "reload --plan: ",
        Action::Healthy(_) | Action::Live(_) => "",
    }
}

fn request_live(
    action: &LiveAction,
    find_socket: impl FnOnce() -> Result<PathBuf, ReadError>,
    console: &mut Console<'_>,
) -> Result<ExitCode, RequestError> {
    let client = Client::new(&find_socket()?)?;
    let runtime = runtime()?;
    Ok(runtime.block_on(live::perform(action, &client, console))?)
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Says what is to be printed.
fn perform(
    action: &Action,
    find_socket: impl FnOnce() -> Result<PathBuf, ReadError>,
) -> Result<String, RequestError> {
    let socket = find_socket()?;
    let client = Client::new(&socket)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        match action {
            Action::Ping => {
                client.ping().await?;
                return Ok("ok\n".to_owned());
            }
            Action::Reload => client.reload().await?,
            Action::ReloadPlan { json } => {
                let plan = client.reload_plan().await?;
                return Ok(shown(&plan, *json));
            }
            Action::Maintenance(enable) => client.maintenance(*enable).await?,
            Action::PutEnv(pairs) => client.put_environ(pairs).await?,
            Action::PutMetric(pairs) => client.put_metric(pairs).await?,
            // Writes while it goes on.
            Action::Live(_) => {}
            Action::Healthy(job) => {
                let health = client.health(job.as_deref()).await?;
                if !health.healthy {
                    let reason = health.reason.unwrap_or_else(|| "not healthy".to_owned());
                    return Err(RequestError::Unhealthy(reason));
                }
            }
        }
        Ok(String::new())
    })
}

fn shown(plan: &ReloadPlan, json: bool) -> String {
    match serde_json::to_string_pretty(plan) {
        Ok(text) if json => text + "\n",
        _ if plan.is_empty() => "nothing would change\n".to_owned(),
        _ => plan.to_string(),
    }
}
