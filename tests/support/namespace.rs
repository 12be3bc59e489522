//! A PID namespace of one's own, made by `unshare` of util-linux: there the built program really is PID 1.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A PID and a mount namespace with a `/proc` that shows only what runs inside. When `unshare` dies, so does all in it.
const PID1: &[&str] = &["--pid", "--fork", "--mount-proc", "--kill-child"];

/// The same for a user without rights, who is root in a user namespace.
const PID1_AS_USER: &[&str] = &[
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
];

/// The arguments of `unshare` that work here, tried once; or why none does.
pub(super) fn arguments() -> Result<&'static [&'static str], String> {
    static FOUND: OnceLock<Result<&'static [&'static str], String>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

fn find() -> Result<&'static [&'static str], String> {
    let wanted = if nix::unistd::geteuid().is_root() {
        PID1
    } else {
        PID1_AS_USER
    };
    let tried = Command::new("unshare")
        .args(wanted)
        .arg("true")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run unshare (package util-linux): {error}"))?;
    if tried.status.success() {
        return Ok(wanted);
    }
    Err(format!(
        "cannot make a PID namespace: {}",
        String::from_utf8_lossy(&tried.stderr).trim()
    ))
}
