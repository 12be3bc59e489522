mod actions;
mod parse;
mod table;

use std::ffi::OsString;

use super::{Console, ExitCode, SuperviseRequest, run};
use crate::config::Variables;

fn words(text: &[&str]) -> Vec<OsString> {
    text.iter().map(OsString::from).collect()
}

/// What a run of the program gave.
#[derive(Debug, PartialEq)]
struct Outcome {
    code: ExitCode,
    out: String,
    err: String,
    supervised: Option<SuperviseRequest>,
}

/// Runs a command line with a supervisor that ends with 42 , a check that ends with 43 and a catalogue that ends with 44.
fn program(args: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let pairs = variables.iter().map(|(name, value)| {
        let (name, value) = (*name, *value);
        (name.to_owned(), value.to_owned())
    });
    let variables: Variables = pairs.collect();
    let mut supervised = None;
    let code = run(
        &words(args),
        &variables,
        &mut Console {
            out: &mut out,
            err: &mut err,
        },
        |request| {
            supervised = Some(request);
            ExitCode::Job(42)
        },
        |_, _| ExitCode::Job(43),
        |_, _| ExitCode::Job(44),
    );
    Outcome {
        code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
        supervised,
    }
}
