//! `pilothouse check`: what is wrong with a configuration, for people and for tools.

use std::ffi::OsString;

use serde::Serialize;

use super::exit::ExitCode;
use super::invocation::CheckRequest;
use super::run::Console;
use crate::config::{
    self, Addresses, Around, Diagnostic, Input, Loaded, Report, Severity, Variables, Zones,
};
use crate::supervisor::{ConfigPlace, check_in_image};

/// Reads and checks a configuration without touching anything: no socket, no process, and no lookup unless it is asked
/// for. Findings go to stderr in words, or to stdout as JSON.
pub(super) fn check(
    request: &CheckRequest,
    variables: &Variables,
    environment: impl Iterator<Item = (OsString, OsString)>,
    console: &mut Console<'_>,
) -> ExitCode {
    let place = ConfigPlace::File(request.file.clone());
    let file = place.to_string();
    let answer = match place.read() {
        Ok(text) => {
            let input = Input {
                file: &file,
                text: &text,
                variables,
                addresses: Addresses::NotLookedUp,
                zones: Zones::NotLookedUp,
                app: None,
            };
            let loaded = if request.image {
                check_in_image(&input, environment, request.grace)
            } else {
                config::load_around(
                    &input,
                    Around {
                        grace: request.grace,
                        ..Around::default()
                    },
                )
            };
            loaded.map_err(Refused::Report)
        }
        Err(error) => Err(Refused::Unread(error.to_string())),
    };
    let code = match &answer {
        Ok(loaded) if loaded.warnings.is_empty() || !request.strict => ExitCode::Success,
        _ => ExitCode::Failure,
    };
    if request.json {
        let said = console.print(&json(&file, &answer));
        return if said == ExitCode::Success {
            code
        } else {
            said
        };
    }
    match answer {
        Ok(Loaded { warnings, .. }) if warnings.is_empty() => code,
        Ok(Loaded { warnings, .. }) if request.strict => {
            let verdict = "error: --strict refuses a configuration with warnings";
            console.refuse(&format!("{warnings}\n\n{verdict}"), code)
        }
        Ok(Loaded { warnings, .. }) => console.refuse(&warnings.to_string(), code),
        Err(Refused::Report(report)) => console.refuse(&report.to_string(), code),
        Err(Refused::Unread(error)) => console.refuse(&format!("error: {error}"), code),
    }
}

/// Why there is no configuration.
enum Refused {
    Unread(String),
    Report(Report),
}

/// What `--json` prints. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    file: &'a str,
    /// All of them, also those that are too many to be listed.
    errors: usize,
    warnings: usize,
    findings: Vec<Finding<'a>>,
}

#[derive(Debug, Serialize)]
struct Finding<'a> {
    severity: &'static str,
    message: &'a str,
    /// Such as `jobs[2].health.interval`.
    path: Option<&'a str>,
    file: &'a str,
    /// From 1, of the file as it is written.
    line: Option<usize>,
    /// From 1, in characters; in the rendered line if the template changed it.
    column: Option<usize>,
    /// The line after rendering, if the template changed it.
    rendered_line: Option<usize>,
    help: Option<&'a str>,
}

impl<'a> Finding<'a> {
    fn new(file: &'a str, diagnostic: &'a Diagnostic) -> Finding<'a> {
        let position = diagnostic.position;
        Finding {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: &diagnostic.message,
            path: diagnostic.path.as_deref(),
            file,
            line: position.map(|at| at.line),
            column: position.map(|at| at.column),
            rendered_line: position.and_then(|at| at.rendered_line),
            help: diagnostic.help.as_deref(),
        }
    }
}

fn json(file: &str, answer: &Result<Loaded, Refused>) -> Vec<u8> {
    let report = match answer {
        Ok(loaded) => Some(&loaded.warnings),
        Err(Refused::Report(report)) => Some(report),
        Err(Refused::Unread(_)) => None,
    };
    let mut shown = Answer {
        file,
        errors: report.map_or(0, Report::errors),
        warnings: report.map_or(0, Report::warnings),
        findings: Vec::new(),
    };
    for diagnostic in report.into_iter().flatten() {
        shown.findings.push(Finding::new(file, diagnostic));
    }
    if let Err(Refused::Unread(message)) = answer {
        shown.errors = 1;
        shown.findings.push(Finding {
            severity: "error",
            message,
            path: None,
            file,
            line: None,
            column: None,
            rendered_line: None,
            help: None,
        });
    }
    // Texts and numbers alone: there is nothing in it that could not be written.
    let mut text = serde_json::to_vec_pretty(&shown).unwrap_or_default();
    text.push(b'\n');
    text
}
