//! What is fuzzed: one function a target, from any bytes to properties that hold. They panic where one does not.
//!
//! The same functions run in two places: under libFuzzer (`main.rs` beside this folder), and over the seeds in the test
//! suite (`tests/fuzz.rs`).

mod answers;
mod catalogue;
mod configuration;
mod control;
mod http;

/// A target: any bytes are a valid input.
pub(crate) type Target = fn(&[u8]);

/// All targets by name.
pub(crate) const ALL: [(&str, Target); 4] = [
    ("answers", answers::run),
    ("catalogue", catalogue::run),
    ("configuration", configuration::run),
    ("control", control::run),
];

/// Stands between the parts of an input that has several, on a line of its own.
const SEPARATOR: &[u8] = b"\n~~~\n";

/// The parts of an input, at most so many.
fn parts(input: &[u8], most: usize) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = input;
    while parts.len() + 1 < most {
        let Some(at) = rest.windows(SEPARATOR.len()).position(|it| it == SEPARATOR) else {
            break;
        };
        parts.push(&rest[..at]);
        rest = &rest[at + SEPARATOR.len()..];
    }
    parts.push(rest);
    parts
}

/// A runtime of one thread, as the program's: what panics in a task of it panics on this thread.
fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime can be made")
}
