//! Who may know whom in `src/`, and what the pure rooms never name.
//!
//! The table below is the architecture. The reader is a small lexer, not a compiler: it follows every `use` and every
//! written path, but a macro that builds paths or an alias of an alias would escape it. `clippy.toml` and review hold
//! the rest.

mod map;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use source::{Named, Source};

const PURE: &[&str] = &[
    "events", "services", "schedule", "jobs", "watches", "metrics", "config",
];

/// Each room with the rooms that it may import. `main` is `src/main.rs`.
const ROOMS: &[(&str, &[&str])] = &[
    ("events", &[]),
    ("services", &["events"]),
    ("schedule", &["events"]),
    ("jobs", &["events", "services", "schedule"]),
    ("watches", &["events", "services"]),
    ("metrics", &["events", "services", "jobs", "watches"]),
    (
        "config",
        &[
            "events", "services", "schedule", "jobs", "watches", "metrics",
        ],
    ),
    ("process", PURE),
    ("discovery", PURE),
    ("catalog", PURE),
    ("control", PURE),
    ("checks", PURE),
    ("telemetry", PURE),
    ("logging", PURE),
    ("supervisor", EVERY_BUT_CLI),
    ("cli", FOR_THE_CLI),
    ("main", FOR_THE_CLI),
];

const EVERY_BUT_CLI: &[&str] = &[
    "events",
    "services",
    "schedule",
    "jobs",
    "watches",
    "metrics",
    "config",
    "process",
    "discovery",
    "catalog",
    "control",
    "checks",
    "telemetry",
    "logging",
];

const FOR_THE_CLI: &[&str] = &[
    "events",
    "services",
    "schedule",
    "jobs",
    "watches",
    "metrics",
    "config",
    "supervisor",
    "control",
    "catalog",
    "cli",
];

/// The crates that a pure room may use: small, without a clock, a file or a thread.
const PURE_CRATES: &[(&str, &[&str])] = &[
    ("events", &["serde", "thiserror"]),
    ("services", &["serde", "thiserror"]),
    ("schedule", &["thiserror", "croner", "tz"]),
    ("jobs", &["serde", "thiserror"]),
    ("watches", &["serde", "thiserror"]),
    ("metrics", &["serde", "thiserror"]),
    (
        "config",
        &[
            "serde",
            "thiserror",
            "humantime",
            "jsonc_parser",
            "memchr",
            "regex_lite",
            "strsim",
            "ipnet",
        ],
    ),
];

/// What a pure room never names: the start of a path, or two names that follow each other anywhere in one.
const IMPURE_PATHS: &[&[&str]] = &[
    &["std", "env"],
    &["std", "fs"],
    &["std", "os"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "net", "TcpListener"],
    &["std", "net", "TcpStream"],
    &["std", "net", "ToSocketAddrs"],
    &["std", "net", "UdpSocket"],
    &["io", "stdin"],
    &["io", "stdout"],
    &["io", "stderr"],
    &["Instant", "now"],
    &["SystemTime", "now"],
];

/// Who reads the wall clock, which may jump: the log, which shows it, the seed of the jitter, the
/// check of a file, whose time is of that clock, what starts jobs by it, and what tells clients when
/// something happened. Deadlines are monotonic
/// (decision 12).
const WALL_CLOCK: &[&str] = &[
    "checks/file.rs",
    "logging/clock.rs",
    "supervisor/chronicle.rs",
    "supervisor/cron.rs",
    "supervisor/start.rs",
];

/// The ways to read it.
const WALL_CLOCK_PATHS: &[&[&str]] = &[
    &["SystemTime", "now"],
    &["UNIX_EPOCH", "elapsed"],
    &["Local", "now"],
    &["Utc", "now"],
    &["CLOCK_REALTIME"],
    &["ClockId", "CLOCK_REALTIME"],
    &["libc", "time"],
    &["gettimeofday"],
];

/// Words that a pure room never uses, whatever stands before them.
const IMPURE_WORDS: &[&str] = &["Mutex", "RwLock", "OnceLock", "LazyLock", "thread_local"];

/// One file with its room, and whether it only exists in tests.
struct File {
    path: PathBuf,
    room: String,
    module: Vec<String>,
    is_test: bool,
    source: Source,
}

impl File {
    fn new(path: &Path, text: &str) -> Self {
        let relative = path.with_extension("");
        let mut module: Vec<String> = relative
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        let room = module.first().cloned().unwrap_or_default();
        let is_test = module.iter().skip(1).any(|part| part.starts_with("tests"));
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        Self {
            path: path.to_owned(),
            room,
            module,
            is_test,
            source: Source::read(text),
        }
    }

    fn complaint(&self, named: &Named, what: &str) -> String {
        format!("src/{}:{}: {what}", self.path.display(), named.line)
    }

    /// The path from the top of the crate, if it stays in this crate.
    fn inside_crate(&self, named: &Named) -> Option<Vec<String>> {
        let ups = named
            .path
            .iter()
            .take_while(|word| *word == "super")
            .count();
        match named.path.first()?.as_str() {
            "crate" | "pilothouse" => Some(named.path[1..].to_vec()),
            "super" => {
                // An inline module is one level deeper than its file.
                let mut here = self.module.clone();
                here.extend(named.inline_modules.iter().cloned());
                here.truncate(here.len().saturating_sub(ups));
                Some([here, named.path[ups..].to_vec()].concat())
            }
            _ => None,
        }
    }
}

fn table<'a>(of: &'a [(&str, &'a [&'a str])], room: &str) -> Option<&'a [&'a str]> {
    let row = of.iter().find(|(name, _)| *name == room);
    row.map(|(_, allowed)| *allowed)
}

/// The rooms of other files that this one names, against the table.
fn wrong_rooms(file: &File) -> Vec<String> {
    let Some(allowed) = table(ROOMS, &file.room) else {
        return vec![format!(
            "src/{}: a room that the table lacks",
            file.path.display()
        )];
    };
    let mut wrong = Vec::new();
    for named in &file.source.names {
        let Some(room) = file
            .inside_crate(named)
            .and_then(|path| path.first().cloned())
        else {
            continue;
        };
        let is_room = table(ROOMS, &room).is_some();
        if is_room && room != file.room && !allowed.contains(&room.as_str()) {
            wrong.push(file.complaint(named, &format!("`{}` may not know `{room}`", file.room)));
        }
    }
    wrong
}

/// Crates, paths and words that a pure room may not use. Its tests may.
fn impure(file: &File, crates: &BTreeSet<String>) -> Vec<String> {
    let Some(allowed) = table(PURE_CRATES, &file.room).filter(|_| !file.is_test) else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for named in file.source.names.iter().filter(|named| !named.in_test) {
        let path: Vec<&str> = named.path.iter().map(String::as_str).collect();
        let first = path[0];
        let is_crate = crates.contains(first) && (path.len() > 1 || named.is_use);
        if is_crate && !allowed.contains(&first) {
            wrong.push(file.complaint(named, &format!("a pure room uses the crate `{first}`")));
        }
        let banned = |words: &[&str]| path.windows(words.len()).any(|part| part == words);
        let word = |word: &&str| IMPURE_WORDS.contains(word);
        if IMPURE_PATHS.iter().any(|words| banned(words)) || path.iter().any(word) {
            wrong.push(file.complaint(named, &format!("a pure room names `{}`", path.join("::"))));
        }
    }
    wrong
}

fn unsafe_outside_process(file: &File) -> Vec<String> {
    if file.room == "process" {
        return Vec::new();
    }
    let words = file.source.names.iter().filter(|named| {
        named
            .path
            .iter()
            .any(|word| word == "unsafe" || word == "unsafe_code")
    });
    let what = "only `process` may be unsafe";
    words.map(|named| file.complaint(named, what)).collect()
}

/// Where a file reads the wall clock without leave.
fn wall_clock(file: &File) -> Vec<String> {
    if file.is_test || WALL_CLOCK.iter().any(|known| file.path == Path::new(known)) {
        return Vec::new();
    }
    let reads = |named: &&Named| {
        let path: Vec<&str> = named.path.iter().map(String::as_str).collect();
        let names = |words: &&[&str]| path.windows(words.len()).any(|part| part == *words);
        !named.in_test && WALL_CLOCK_PATHS.iter().any(names)
    };
    let found = file.source.names.iter().filter(reads);
    found
        .map(|named| file.complaint(named, "the wall clock may jump: ask `Instant`"))
        .collect()
}

fn complaints(file: &File, crates: &BTreeSet<String>) -> Vec<String> {
    [
        wrong_rooms(file),
        impure(file, crates),
        unsafe_outside_process(file),
    ]
    .concat()
}

/// The crates of `Cargo.toml` as code spells them.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    let manifest = manifest.expect("the package has a manifest");
    let mut in_dependencies = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies]");
        } else if in_dependencies && let Some((name, _)) = line.split_once('=') {
            found.insert(name.trim().replace('-', "_"));
        }
    }
    found
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What `judge` has to say about each file of `src/`, all together.
fn verdicts(judge: impl Fn(&File) -> Vec<String>) -> String {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut paths = Vec::new();
    rust_files(root, &mut paths);
    assert!(paths.len() > 3, "src/ was not found");
    let mut said = Vec::new();
    for path in &paths {
        let relative = path.strip_prefix(root).expect("found below it");
        // The library's root only names its rooms.
        if relative == Path::new("lib.rs") {
            continue;
        }
        let text = fs::read_to_string(path).expect("src/ can be read");
        said.extend(judge(&File::new(relative, &text)));
    }
    said.join("\n")
}

#[test]
fn rooms_know_only_whom_they_may() {
    let crates = dependencies();
    assert!(crates.contains("tokio") && crates.contains("humantime_serde"));
    let wrong = verdicts(|file| complaints(file, &crates));
    assert!(wrong.is_empty(), "\n{wrong}\n");
}

/// P20: the clock of one process cannot be set, so it is shown that no deadline asks it.
#[test]
fn p20_only_the_log_the_seed_files_and_cron_ask_the_wall_clock() {
    let wrong = verdicts(wall_clock);
    assert!(wrong.is_empty(), "\n{wrong}\n");
    // The guard itself.
    for (path, text, asks) in [
        (
            "supervisor/app.rs",
            "fn f() { std::time::SystemTime::now(); }",
            true,
        ),
        (
            "supervisor/app.rs",
            "fn f() { std::time::Instant::now(); }",
            false,
        ),
        (
            "supervisor/tests/a.rs",
            "fn f() { std::time::SystemTime::now(); }",
            false,
        ),
        (
            "checks/a.rs",
            "use chrono::Local; fn f() { Local::now(); }",
            true,
        ),
        ("process/a.rs", "fn f() { unsafe { libc::time(p) } }", true),
    ] {
        let said = wall_clock(&File::new(Path::new(path), text));
        assert_eq!(!said.is_empty(), asks, "{path}: {text}: {said:?}");
    }
}

/// What the guard says about a made-up file.
fn verdict(path: &str, text: &str) -> Vec<String> {
    complaints(&File::new(Path::new(path), text), &dependencies())
}

#[test]
fn the_guard_lets_through_what_is_right() {
    for (path, text) in [
        (
            "jobs/machine.rs",
            "use crate::events::{Event, Signal};\nuse super::spec::JobSpec;",
        ),
        (
            "jobs/machine.rs",
            "// tokio::spawn\n/* std::fs */ const A: &str = \"std::env::var\";",
        ),
        (
            "jobs/machine.rs",
            "fn f(now: std::time::Instant) -> char { '\"' }",
        ),
        ("jobs/tests.rs", "use proptest::prelude::*; use std::fs;"),
        (
            "jobs/a.rs",
            "#[cfg(test)]\nmod tests { use std::fs; use super::super::spec; }",
        ),
        (
            "config/json5.rs",
            "use jsonc_parser::ast; use crate::jobs::JobSpec;",
        ),
        ("config/interfaces.rs", "use std::net::{IpAddr, Ipv4Addr};"),
        (
            "process/spawn.rs",
            "use crate::jobs::Exec; unsafe { libc::fork() };",
        ),
        (
            "supervisor/run.rs",
            "use crate::{process, logging::Writer};",
        ),
        ("main.rs", "fn main() { pilothouse::cli::main() }"),
        (
            "config/r.rs",
            "const R: &str = r#\"tokio::x \"std::fs\" \"#; fn f<'a>(x: &'a str) {}",
        ),
    ] {
        assert_eq!(verdict(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn the_guard_sees_what_is_wrong() {
    for (path, text, part) in [
        (
            "events/a.rs",
            "use crate::jobs::JobSpec;",
            "`events` may not know `jobs`",
        ),
        (
            "jobs/a.rs",
            "\n\nuse crate::{events::Event, config::{Config}};",
            "a.rs:3: `jobs` may not",
        ),
        (
            "jobs/a.rs",
            "fn f() { super::super::watches::f() }",
            "`jobs` may not know `watches`",
        ),
        (
            "jobs/mod.rs",
            "use super::watches::WatchSpec;",
            "`jobs` may not know `watches`",
        ),
        (
            "jobs/a/b.rs",
            "use super::super::super::config;",
            "`jobs` may not know `config`",
        ),
        (
            "process/a.rs",
            "use crate::logging::Writer;",
            "`process` may not know `logging`",
        ),
        (
            "control/tests.rs",
            "use pilothouse::checks;",
            "`control` may not know `checks`",
        ),
        (
            "cli/a.rs",
            "crate::logging::start()",
            "`cli` may not know `logging`",
        ),
        ("misc/a.rs", "", "a room that the table lacks"),
        ("jobs/a.rs", "use tokio::sync::mpsc;", "crate `tokio`"),
        ("jobs/a.rs", "use tokio as t;", "crate `tokio`"),
        (
            "jobs/a.rs",
            "fn f() { tracing::info!(\"x\") }",
            "crate `tracing`",
        ),
        (
            "jobs/a.rs",
            "use humantime::parse_duration;",
            "crate `humantime`",
        ),
        ("config/a.rs", "use ::reqwest::Client;", "crate `reqwest`"),
        ("config/a.rs", "use std::{fmt, fs};", "`std::fs`"),
        (
            "config/a.rs",
            "use std::{net::{IpAddr, TcpStream}};",
            "`std::net::TcpStream`",
        ),
        ("config/a.rs", "std::env::var(\"A\")", "`std::env::var`"),
        ("watches/a.rs", "let t = Instant::now();", "`Instant::now`"),
        (
            "watches/a.rs",
            "let t = std::time::SystemTime::now();",
            "SystemTime::now`",
        ),
        ("watches/a.rs", "static A: Mutex<u8> = x;", "`Mutex`"),
        (
            "jobs/a.rs",
            "#[cfg(test)] mod tests { } use std::fs;",
            "`std::fs`",
        ),
        (
            "checks/a.rs",
            "unsafe { f() }",
            "only `process` may be unsafe",
        ),
        (
            "checks/mod.rs",
            "#![allow(unsafe_code)]",
            "only `process` may be unsafe",
        ),
    ] {
        let said = verdict(path, text).join("\n");
        assert!(
            said.contains(part),
            "{path}: {text}: wanted `{part}`, got `{said}`"
        );
    }
}
