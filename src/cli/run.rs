//! The dispatcher: does what can be done here, passes the rest on.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;

use super::actions;
use super::completions;
use super::exit::ExitCode;
use super::invocation::{CatalogOptions, CheckRequest, Invocation, RunOptions};
use super::man;
use super::parse::parse;
use super::schema;
use super::usage::usage;
use crate::config::{self, Addresses, Input, Variables, Zones};
use crate::jobs::Exec;
use crate::supervisor::ConfigPlace;

/// What is to be supervised.
#[derive(Clone, Debug, PartialEq)]
pub enum SuperviseRequest {
    /// What a configuration says.
    Config {
        place: ConfigPlace,
        /// Replaces `control.socket`.
        socket: Option<PathBuf>,
        /// Deserve one warning.
        ignored: Vec<OsString>,
    },
    /// One command.
    Command { options: RunOptions, command: Exec },
}

/// Where answers and errors go: stdout and stderr of the process, or a test's.
#[expect(missing_debug_implementations, reason = "a writer has nothing to show")]
pub struct Console<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
}

/// Does what the command line says. `args[0]` is the program's name; `variables` is the environment.
/// At most one of the three functions is called, once.
pub fn run(
    args: &[OsString],
    variables: &Variables,
    console: &mut Console<'_>,
    supervise: impl FnOnce(SuperviseRequest) -> ExitCode,
    check: impl FnOnce(CheckRequest, &mut Console<'_>) -> ExitCode,
    catalog: impl FnOnce(CatalogOptions, &mut Console<'_>) -> ExitCode,
) -> ExitCode {
    let invocation = match parse(args) {
        Ok(invocation) => invocation,
        Err(error) => return console.refuse(&format!("{error}\n{}", usage()), ExitCode::Usage),
    };
    let place = |config: Option<OsString>| {
        let flag: Option<&OsStr> = config.as_deref();
        ConfigPlace::find(flag, variables)
    };
    match invocation {
        Invocation::Help => console.print(usage().as_bytes()),
        Invocation::Schema => console.print(schema::text().as_bytes()),
        Invocation::Completions(shell) => console.print(completions::script(shell).as_bytes()),
        Invocation::Man => console.print(man::page().as_bytes()),
        Invocation::Version => console.print(actions::version().as_bytes()),
        Invocation::Template { config, out } => {
            let render = |text: &str| {
                let rendered = config::render(text, variables);
                rendered
                    .map(|rendered| rendered.text)
                    .map_err(|error| error.to_string())
            };
            actions::template(&place(config), out.as_deref(), console, render)
        }
        Invocation::Request {
            config,
            socket,
            action,
        } => {
            let find = || {
                let named = |text: &str| config::control_socket(text, variables);
                actions::find_socket(socket, &place(config), named)
            };
            actions::request(&action, find, console)
        }
        Invocation::Render { expanded, file } => {
            let place = ConfigPlace::File(file);
            actions::print_config(&place, console, |text| {
                let name = place.to_string();
                if expanded {
                    let input = input(&name, text, variables);
                    config::expand(&input).map_err(|report| report.to_string())
                } else {
                    let rendered = config::render(text, variables);
                    rendered
                        .map(|rendered| rendered.text)
                        .map_err(|error| error.to_string())
                }
            })
        }
        Invocation::Migrate { file, app } => {
            let place = ConfigPlace::File(file);
            actions::print_config(&place, console, |text| {
                let name = place.to_string();
                let input = Input {
                    app: (!app.is_empty()).then_some(app.as_slice()),
                    ..input(&name, text, variables)
                };
                let migrated = config::migrate(&input).map_err(|report| report.to_string())?;
                migrated.ok_or_else(|| format!("`{name}` is of version 3 already"))
            })
        }
        Invocation::Check(request) => check(request, console),
        Invocation::Catalog(options) => catalog(options, console),
        Invocation::Run {
            config,
            socket,
            words,
        } => supervise(SuperviseRequest::Config {
            place: place(config),
            socket,
            ignored: words,
        }),
        Invocation::RunCommand { options, command } => {
            supervise(SuperviseRequest::Command { options, command })
        }
    }
}

fn input<'a>(file: &'a str, text: &'a str, variables: &'a Variables) -> Input<'a> {
    Input {
        file,
        text,
        variables,
        addresses: Addresses::NotLookedUp,
        zones: Zones::NotLookedUp,
        app: None,
    }
}

impl Console<'_> {
    /// Writes an answer. A reader that is gone makes it a failure, not a panic.
    pub(super) fn print(&mut self, bytes: &[u8]) -> ExitCode {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        match written {
            Ok(()) => ExitCode::Success,
            Err(error) => self.refuse(
                &format!("cannot write to stdout: {error}"),
                ExitCode::Failure,
            ),
        }
    }

    /// Writes an error and answers `code`.
    pub(super) fn refuse(&mut self, text: &str, code: ExitCode) -> ExitCode {
        // There is nowhere else to say that stderr cannot be written.
        let _ = writeln!(self.err, "{}", text.trim_end());
        code
    }
}
