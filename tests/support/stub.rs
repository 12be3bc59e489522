//! Small C programs for what a shell cannot do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `source` to a program in `dir`.
///
/// # Panics
///
/// When it does not compile, with what the compiler says.
pub(crate) fn compiled(dir: &Path, name: &str, source: &str) -> PathBuf {
    compile(dir, name, source, &[])
}

/// The same to a shared library.
pub(crate) fn compiled_library(dir: &Path, name: &str, source: &str) -> PathBuf {
    compile(dir, name, source, &["-shared", "-fPIC"])
}

fn compile(dir: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let program = dir.join(name);
    let text = dir.join(format!("{name}.c"));
    fs::write(&text, source).expect("a directory of ours takes files");
    let made = Command::new("cc")
        .args(flags)
        .args(["-O1", "-Wall", "-Werror", "-o"])
        .args([&program, &text])
        .output()
        .unwrap_or_else(|error| panic!("cannot run cc (package gcc): {error}"));
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "cannot compile {name}:\n{said}");
    program
}
