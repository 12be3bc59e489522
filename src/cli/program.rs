//! The program: the command line joined to the supervisor and to the configuration.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::catalog;
use super::check;
use super::exit::ExitCode;
use super::run::{self, Console, SuperviseRequest};
use super::{Invocation, RunOptions, parse};
use crate::config::{
    Config, ControlSettings, Dialect, LogLevel, LogOutput, LoggingSettings, Variables,
};
use crate::events::Signal;
use crate::jobs::{Essential, Exec, JobIo, JobSpec, Restarts, Stdin, StopLimits};
use crate::supervisor::{self, End, Origin, Plan, Signals};

/// Does what the command line asks for. `signals` is what `main` installed before anything else.
pub fn main(signals: io::Result<Signals>) -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let text = |word: OsString| word.to_string_lossy().into_owned();
    let variables: Variables = std::env::vars_os()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    let mut console = Console {
        out: &mut io::stdout(),
        err: &mut io::stderr(),
    };
    let signals = match signals {
        Ok(signals) => signals,
        Err(error) => {
            return console.refuse(
                &format!("cannot set up the signals: {error}"),
                ExitCode::Failure,
            );
        }
    };
    let stays = matches!(
        parse(&args),
        Ok(Invocation::Run { .. } | Invocation::RunCommand { .. } | Invocation::Catalog(_))
    );
    let kept = Cell::new(Some(signals));
    if !stays && let Some(signals) = kept.take() {
        // A client is neither supervisor nor server: TERM and INT end it, as everybody expects.
        signals.release();
    }
    let supervise = |request| match kept.take() {
        Some(signals) => supervise(plan(request), signals),
        None => ExitCode::Fault,
    };
    let check = |request, console: &mut Console<'_>| {
        check::check(&request, &variables, std::env::vars_os(), console)
    };
    let catalog = |options, console: &mut Console<'_>| match kept.take() {
        Some(signals) => catalog::serve(options, signals, console),
        None => ExitCode::Fault,
    };
    run::run(&args, &variables, &mut console, supervise, check, catalog)
}

fn supervise(plan: Plan, signals: Signals) -> ExitCode {
    match supervisor::supervise(plan, signals) {
        Ok(End::Status(0)) => ExitCode::Success,
        Ok(End::Status(status)) => ExitCode::Job(status),
        Ok(End::Fault) => ExitCode::Fault,
        Err(error) => say(&format!("{error}\n"), ExitCode::Failure),
    }
}

fn plan(request: SuperviseRequest) -> Plan {
    match request {
        SuperviseRequest::Config {
            place,
            socket,
            ignored,
        } => Plan {
            origin: Origin::Place(place),
            socket,
            words: ignored,
        },
        SuperviseRequest::Command { options, command } => Plan {
            socket: options.socket.clone(),
            origin: Origin::Fixed(Arc::new(config_of(options, command))),
            words: Vec::new(),
        },
    }
}

/// The configuration that `pilothouse run` stands for: one essential job that has our streams and hears our signals.
fn config_of(options: RunOptions, command: Exec) -> Config {
    let base = Path::new(command.program())
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let restarts = options.restarts.unwrap_or(Restarts::Limited(0));
    let mut stop = StopLimits::default();
    stop.stop_timeout = options.stop_timeout.unwrap_or(stop.stop_timeout);
    let name = options.name.or(base).unwrap_or_else(|| "main".to_owned());
    let job = JobSpec {
        restarts,
        essential: Essential::Yes,
        io: JobIo {
            raw: true,
            stdin: Stdin::Inherit,
            // At a terminal the command must be in front of it: a read from the background would stop it (P13).
            tty: io::stdin().is_terminal(),
        },
        forward: FORWARDED.to_vec(),
        ..JobSpec::new(name, Some(command))
    };
    Config {
        dialect: Dialect::V3,
        // The command's output is the container's; ours is for when something is wrong.
        logging: LoggingSettings {
            level: LogLevel::Warn,
            output: LogOutput::Stderr,
            ..LoggingSettings::default()
        },
        stop,
        jobs: vec![job],
        watches: Vec::new(),
        consul: None,
        control: ControlSettings::default(),
        reload_on_change: None,
        telemetry: None,
    }
}

/// What people send to a container on purpose and what a command without a configuration expects to get itself.
const FORWARDED: [Signal; 6] = [
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::WINCH,
    Signal::CONT,
];

fn say(text: &str, code: ExitCode) -> ExitCode {
    use std::io::Write;
    // There is nowhere else to say that stderr cannot be written.
    let _ = io::stderr().write_all(text.as_bytes());
    code
}
