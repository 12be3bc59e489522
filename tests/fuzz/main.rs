//! One binary for all targets: `PILOTHOUSE_FUZZ` names the one to run. See README.md.

#![no_main]

mod targets;

use std::sync::OnceLock;

use targets::Target;

static TARGET: OnceLock<Target> = OnceLock::new();

/// The target that was asked for.
fn target() -> Target {
    // Without a `main` of Rust's nobody has done this: a peer that closes early would end the process.
    // SAFETY: no handler is set, and no other thread runs yet.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let name = std::env::var("PILOTHOUSE_FUZZ").unwrap_or_default();
    let found = targets::ALL.iter().find(|(known, _)| *known == name);
    let Some((_, target)) = found else {
        let names = targets::ALL.map(|(name, _)| name).join(", ");
        eprintln!("PILOTHOUSE_FUZZ names no target; there are {names}");
        std::process::exit(2);
    };
    *target
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| TARGET.get_or_init(target)(input));
