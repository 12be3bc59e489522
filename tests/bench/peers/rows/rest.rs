//! Rows about rest: memory, threads, wake-ups, and the files themselves.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::super::arena::{Arena, Usage};
use super::super::supervisors::{Kind, Plan, Supervisor};
use super::super::table::{Better, Row};
use super::{Setup, as_float, ms_between, pause, single_child};

/// How long a supervisor gets to come to rest.
const SETTLE: Duration = Duration::from_secs(1);

/// A supervisor whose jobs all run and that has had time to settle; the last first instruction.
fn settled(setup: &Setup, supervisor: &Supervisor, plan: &Plan) -> Result<(Arena, u64), String> {
    let started = setup.start_all(supervisor, plan)?;
    pause(SETTLE);
    Ok(started)
}

pub(super) fn memory(setup: &Setup) -> Vec<Row> {
    let one = memory_of(setup, 1, 3);
    let hundred = memory_of(setup, 100, 2);
    [one, hundred].concat()
}

fn memory_of(setup: &Setup, jobs: usize, rounds: usize) -> Vec<Row> {
    let plural = if jobs == 1 {
        "1 idle job".to_owned()
    } else {
        format!("{jobs} idle jobs")
    };
    let mut rss = Row::new(
        format!("memory of the supervisor, {plural}: RSS, summed over its processes, KiB"),
        Better::Lower,
    );
    let mut pss = Row::new("the same: PSS, KiB", Better::Lower);
    let mut threads = Row::new("the same: threads", Better::Lower);
    rss.remark(Kind::None, "there is no supervisor");
    if jobs > 1 {
        single_child(&mut rss, "runs a single child");
    }
    let wanted = |kind: Kind| kind != Kind::None && (jobs == 1 || kind.is_supervisor());
    setup.each_round(rounds, wanted, |supervisor| {
        match settled(setup, supervisor, &Plan::idle(jobs)) {
            Ok((arena, _)) => {
                let usage = arena.usage();
                rss.add(supervisor.kind, as_float(usage.rss_kib));
                pss.add(supervisor.kind, as_float(usage.pss_kib));
                threads.add(supervisor.kind, f64::from(usage.threads));
            }
            Err(why) => rss.failed(supervisor.kind, &why),
        }
    });
    vec![rss, pss, threads]
}

pub(super) fn many(setup: &Setup) -> Vec<Row> {
    let mut start = Row::new(
        "start of 1000 jobs: exec of the supervisor to the last job's first instruction, ms",
        Better::Lower,
    );
    let mut rss = Row::new("memory, 1000 idle jobs: RSS, KiB", Better::Lower);
    let mut pss = Row::new("the same: PSS, KiB", Better::Lower);
    let mut processes = Row::new("processes of the supervisor, 1000 jobs", Better::Lower);
    let mut threads = Row::new("threads of the supervisor, 1000 jobs", Better::Lower);
    single_child(&mut start, "runs a single child");
    let plan = Plan::idle(1000);
    setup.each_round(3, Kind::is_supervisor, |supervisor| {
        let kind = supervisor.kind;
        match settled(setup, supervisor, &plan) {
            Ok((arena, last)) => {
                let usage = arena.usage();
                start.add(kind, ms_between(arena.exec, last));
                rss.add(kind, as_float(usage.rss_kib));
                pss.add(kind, as_float(usage.pss_kib));
                processes.add(kind, f64::from(usage.processes));
                threads.add(kind, f64::from(usage.threads));
            }
            Err(why) => start.failed(kind, &why),
        }
    });
    vec![start, rss, pss, processes, threads]
}

pub(super) fn idle(setup: &Setup) -> Vec<Row> {
    let mut switches = Row::new(
        "10 s idle, 10 jobs: voluntary context switches of the supervisor",
        Better::Lower,
    );
    let mut cpu = Row::new("the same: CPU time, ms", Better::Lower);
    let mut checked_switches = Row::new(
        "10 s idle, 10 jobs with a 1 s health check each: voluntary context switches",
        Better::Lower,
    );
    let mut checked_cpu = Row::new(
        "the same: CPU time of the supervisor, without the checks themselves, ms",
        Better::Lower,
    );
    single_child(&mut switches, "with its single job");
    switches.remark(Kind::None, "there is no supervisor");
    for kind in Kind::ALL.iter().filter(|kind| !kind.checks_health()) {
        checked_switches.remark(*kind, "no health checks");
    }
    let rest = Duration::from_secs(if setup.quick { 2 } else { 10 });
    let rows = (&mut switches, &mut cpu);
    at_rest(setup, rest, |kind| kind != Kind::None, false, rows);
    let rows = (&mut checked_switches, &mut checked_cpu);
    at_rest(setup, rest, Kind::checks_health, true, rows);
    vec![switches, cpu, checked_switches, checked_cpu]
}

/// Context switches and CPU time while nothing is asked. At rest they do not disturb each other, so all rest at once.
fn at_rest(
    setup: &Setup,
    time: Duration,
    wanted: impl Fn(Kind) -> bool,
    checked: bool,
    (switches, cpu): (&mut Row, &mut Row),
) {
    let mut resting = Vec::new();
    for supervisor in setup.supervisors.iter().filter(|it| wanted(it.kind)) {
        let jobs = if supervisor.kind.is_supervisor() {
            10
        } else {
            1
        };
        let plan = Plan {
            checked,
            ..Plan::idle(jobs)
        };
        match settled(setup, supervisor, &plan) {
            Ok((arena, _)) => resting.push((supervisor.kind, arena)),
            Err(why) => switches.failed(supervisor.kind, &why),
        }
    }
    let before: Vec<Usage> = resting.iter().map(|(_, arena)| arena.usage()).collect();
    pause(time);
    for ((kind, arena), before) in resting.iter().zip(before) {
        let after = arena.usage();
        let used = after.cpu_ns.saturating_sub(before.cpu_ns);
        let turns = after
            .voluntary_switches
            .saturating_sub(before.voluntary_switches);
        switches.add(*kind, as_float(turns));
        cpu.add(*kind, as_float(used) / 1e6);
    }
}

pub(super) fn size(setup: &Setup) -> Vec<Row> {
    let mut files = Row::new("size of the program files, stripped, KiB", Better::Lower);
    let mut linked = Row::new("statically linked", Better::Neither);
    files.remark(Kind::None, "there is no supervisor");
    files.remark(Kind::Supervisord, "a script that needs an interpreter");
    for supervisor in &setup.supervisors {
        if matches!(supervisor.kind, Kind::None | Kind::Supervisord) {
            continue;
        }
        let bytes: u64 = supervisor
            .programs
            .iter()
            .map(|path| stripped_size(path))
            .sum();
        files.add(supervisor.kind, as_float(bytes) / 1024.0);
        let is_static = supervisor.programs.iter().all(|path| !has_loader(path));
        linked.say(supervisor.kind, if is_static { "yes" } else { "no" });
    }
    vec![files, linked]
}

/// The size without symbols, or as it is where there is no `strip`.
fn stripped_size(path: &Path) -> u64 {
    let size = |path: &Path| fs::metadata(path).map_or(0, |it| it.len());
    let Ok(copy) = tempfile::NamedTempFile::new() else {
        return size(path);
    };
    let strip = Command::new("strip")
        .arg("-o")
        .arg(copy.path())
        .arg(path)
        .status();
    if strip.is_ok_and(|status| status.success()) {
        size(copy.path())
    } else {
        size(path)
    }
}

/// Whether a 64-bit little-endian ELF file names a loader: a program header of type 3, elf(5).
fn has_loader(path: &Path) -> bool {
    let elf = fs::read(path).unwrap_or_default();
    let number = |at: usize, width: usize| {
        let field = elf.get(at..at + width).unwrap_or_default().iter().rev();
        field.fold(0, |value: usize, byte| value << 8 | usize::from(*byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).any(|header| number(table + header * size, 4) == 3)
}
