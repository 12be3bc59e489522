//! What the kernel grants and says, by the tools that everybody has: limits, signals by number, processor time.

use std::fs;
use std::process::Command;

use nix::unistd::Pid;

use super::{PATIENCE, Process, skip, wait_until};

/// Looks in a row that must agree before a process counts as quiet; with the pause between two looks 100 ms.
const QUIET_LOOKS: usize = 50;

/// Whether the test runs as root; says that `what` is left out if not.
pub(crate) fn is_root(what: &str) -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        skip(what, "it needs root");
    }
    root
}

/// Sends the signal of this number, real-time ones included.
pub(crate) fn send(pid: Pid, number: i32) {
    // Every shell has it, not every system the command.
    run("sh", &["-c", &format!("kill -{number} {pid}")]);
}

/// Sets a soft resource limit of a running process, such as `nofile`, in the name of its user.
pub(crate) fn limit(pid: Pid, resource: &str, soft: u64) {
    let process = Process::read(pid).expect("the process runs");
    let real = |field: &str| {
        let all = process.status_field(field).expect("the process runs");
        all.split_whitespace()
            .next()
            .map(str::to_owned)
            .expect("four numbers")
    };
    let user = format!("--reuid={}", real("Uid"));
    let group = format!("--regid={}", real("Gid"));
    let (pid, value) = (pid.to_string(), format!("--{resource}={soft}:"));
    let words = ["prlimit", "--pid", &pid, &value];
    if nix::unistd::geteuid().is_root() {
        // A root without CAP_SYS_RESOURCE may not do it for others.
        run(
            "setpriv",
            &[["--clear-groups", &user, &group].as_slice(), &words].concat(),
        );
    } else {
        run(words[0], &words[1..]);
    }
}

/// The limit of open files at which a process has none left: all numbers below it are taken. The smallest of some looks:
/// others are taken for a moment only.
pub(crate) fn no_more_files(pid: Pid) -> u64 {
    let is_taken = |number: &u64| fs::symlink_metadata(format!("/proc/{pid}/fd/{number}")).is_ok();
    let look = |_| (0..1000).find(|number| !is_taken(number));
    let fewest = (0..QUIET_LOOKS).filter_map(look).min();
    fewest.expect("no program of ours has a thousand files")
}

fn run(command: &str, words: &[&str]) {
    let done = Command::new(command).args(words).output();
    let done = done.unwrap_or_else(|error| panic!("cannot run {command}: {error}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command} {words:?}: {said}");
}

/// Waits until a process sleeps and uses no processor time: one that spins never does.
pub(crate) fn wait_quiet(pid: Pid) {
    let mut last = None;
    let mut looks = 0;
    wait_until(PATIENCE, "the program comes to rest", || {
        let now = Process::read(pid).filter(|p| p.state == 'S');
        let now = now.map(|process| process.ticks);
        looks = if now.is_some() && now == last {
            looks + 1
        } else {
            0
        };
        last = now;
        looks >= QUIET_LOOKS
    });
}
