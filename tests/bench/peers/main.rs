//! Ours beside tini, dumb-init, s6, runit, Horust and supervisord, in one run on one machine.
//!
//! ```text
//! tests/bench/run [--ours PATH] [--row NAME]… [--quick]
//! ```
//!
//! Each supervisor runs as PID 1 of a PID namespace of its own, so this needs root. Its jobs are a stub that notes the
//! time at its first instruction. Rounds are interleaved, so a disturbance meets all alike. It prints a table of medians
//! and never fails on a figure: a goal is judged by a reader who knows the machine.

mod arena;
mod consul;
mod rows;
mod supervisors;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};

use rows::{GROUPS, Group, Setup};
use supervisors::{Kind, Supervisor};
use table::Row;

/// What the command line asks for.
struct Options {
    ours: Option<PathBuf>,
    rows: Vec<String>,
    quick: bool,
}

fn main() -> ExitCode {
    match Options::read().and_then(|options| run(&options)) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("peers: {why}");
            ExitCode::from(2)
        }
    }
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            ours: None,
            rows: Vec::new(),
            quick: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--ours" => options.ours = Some(PathBuf::from(value()?)),
                "--row" => options.rows.push(value()?),
                "--quick" => options.quick = true,
                // cargo bench adds it.
                "--bench" => {}
                _ => {
                    let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
                    return Err(format!(
                        "unknown `{word}`; [--ours PATH] [--row {}]… [--quick]",
                        names.join("|")
                    ));
                }
            }
        }
        Ok(options)
    }

    fn groups(&self) -> Result<Vec<&'static Group>, String> {
        if let Some(unknown) = self
            .rows
            .iter()
            .find(|name| !GROUPS.iter().any(|it| it.name == *name))
        {
            return Err(format!("unknown row `{unknown}`"));
        }
        let wanted =
            |group: &&Group| self.rows.is_empty() || self.rows.iter().any(|it| it == group.name);
        Ok(GROUPS.iter().filter(wanted).collect())
    }
}

fn run(options: &Options) -> Result<String, String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("a PID namespace for each supervisor needs root".to_owned());
    }
    let groups = options.groups()?;
    let dir = tempfile::tempdir().map_err(|error| format!("cannot make a directory: {error}"))?;
    let setup = Setup {
        stub: build_stub(dir.path())?,
        supervisors: supervisors(options.ours.as_deref()),
        quick: options.quick,
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let start = Instant::now();
    let busy = Busy::now();
    let mut rows: Vec<Row> = Vec::new();
    for group in groups {
        eprintln!("{:>4} s  {}", start.elapsed().as_secs(), group.name);
        rows.extend((group.measure)(&setup));
    }
    let table = table::markdown(&rows, &setup.supervisors);
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "{}, load at the start {load}, other work on it meanwhile {:.0} % of the CPUs. Whole run: {} s.\n\nMedians; where marked, the 95th percentile is in brackets.\n\n{table}\n{}\n",
        machine(),
        busy.others_share(),
        start.elapsed().as_secs(),
        versions(&setup.supervisors),
    ))
}

/// The stub, static if the machine has a static C library.
fn build_stub(dir: &Path) -> Result<PathBuf, String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/peers/stub.c");
    let stub = dir.join("stub");
    for link in [&["-static"][..], &[]] {
        let mut cc = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        cc.arg("-O2").args(link).arg("-o").arg(&stub).arg(source);
        let status = cc
            .status()
            .map_err(|error| format!("cannot run cc: {error}"))?;
        if status.success() {
            return Ok(stub);
        }
    }
    Err("cannot build the stub".to_owned())
}

/// Everyone who is there, in the order of the table.
fn supervisors(ours: Option<&Path>) -> Vec<Supervisor> {
    let ours = ours.map(Path::to_owned).or_else(built);
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let supervisor = match kind {
            Kind::Ours => ours
                .as_deref()
                .filter(|path| path.is_file())
                .map(Supervisor::ours),
            kind => Supervisor::find(*kind),
        };
        match supervisor {
            Some(supervisor) => found.push(supervisor),
            None => eprintln!("left out: {} is not there", kind.name()),
        }
    }
    found
}

/// The static binary that was named or built, else the release build.
fn built() -> Option<PathBuf> {
    let named = std::env::var_os("PILOTHOUSE_STATIC").map(PathBuf::from);
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    let musl = format!(
        "{target}/{}-unknown-linux-musl/release/pilothouse",
        std::env::consts::ARCH
    );
    let usual = [
        PathBuf::from(musl),
        PathBuf::from(format!("{target}/release/pilothouse")),
    ];
    named.into_iter().chain(usual).find(|path| path.is_file())
}

/// One line about the machine.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(key, _)| key.trim() == name);
        found
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let memory = value(&read("/proc/meminfo"), "MemTotal");
    let kib: u64 = memory
        .split(' ')
        .next()
        .and_then(|it| it.parse().ok())
        .unwrap_or(0);
    format!(
        "CPU {}, cores {}, memory {} GiB, Linux {}, date {}",
        value(&read("/proc/cpuinfo"), "model name"),
        std::thread::available_parallelism().map_or(0, usize::from),
        kib / 1024 / 1024,
        read("/proc/sys/kernel/osrelease").trim(),
        chrono::Utc::now().format("%Y-%m-%d"),
    )
}

fn versions(supervisors: &[Supervisor]) -> String {
    let named = supervisors.iter().filter(|it| it.kind != Kind::None);
    let each = named.map(|it| format!("{} {}", it.kind.name(), it.version));
    format!("Versions: {}.", each.collect::<Vec<_>>().join("; "))
}

/// CPU time of the machine and of this run, to tell how quiet the machine was.
struct Busy {
    machine: f64,
    own: f64,
    start: Instant,
}

impl Busy {
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = stat.lines().next().unwrap_or_default();
        let times: Vec<f64> = first
            .split_whitespace()
            .skip(1)
            .filter_map(|it| it.parse().ok())
            .collect();
        // user nice system idle iowait irq softirq …, in hundredths of a second
        let busy: f64 =
            times.iter().take(7).sum::<f64>() - times.iter().skip(3).take(2).sum::<f64>();
        Self {
            machine: busy / 100.0,
            own: cpu(UsageWho::RUSAGE_SELF) + cpu(UsageWho::RUSAGE_CHILDREN),
            start: Instant::now(),
        }
    }

    /// The share of all CPUs that others used since, in percent.
    fn others_share(&self) -> f64 {
        let end = Self::now();
        let others = (end.machine - self.machine) - (end.own - self.own);
        let cores = std::thread::available_parallelism()
            .map_or(1.0, |it| f64::from(u32::try_from(it.get()).unwrap_or(1)));
        (others / (self.start.elapsed().as_secs_f64() * cores) * 100.0).max(0.0)
    }
}

fn cpu(who: UsageWho) -> f64 {
    let seconds = |usage: Usage| {
        let (user, system) = (usage.user_time(), usage.system_time());
        let part = |time: nix::sys::time::TimeVal| {
            std::time::Duration::new(
                u64::try_from(time.tv_sec()).unwrap_or(0),
                u32::try_from(time.tv_usec()).unwrap_or(0) * 1000,
            )
        };
        (part(user) + part(system)).as_secs_f64()
    };
    getrusage(who).map_or(0.0, seconds)
}
