//! Rows about work: starting, reaping, restarting, lines, signals, stopping.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::super::arena::{Arena, LIMIT, now};
use super::super::supervisors::{Kind, Logged, Plan, Supervisor};
use super::super::table::{Better, Row};
use super::{Setup, as_float, ms_between, pause, single_child};

const ORPHANS: u64 = 10_000;
/// 200 MB.
const LINES: usize = 2_000_000;
const LINE: usize = 100;

pub(super) fn start(setup: &Setup) -> Vec<Row> {
    let mut row = Row::new(
        "start: exec of the supervisor to the job's first instruction, ms (p95)",
        Better::Lower,
    )
    .with_p95();
    setup.each_round(
        30,
        |_| true,
        |supervisor| match setup.start_all(supervisor, &Plan::idle(1)) {
            Ok((arena, first)) => row.add(supervisor.kind, ms_between(arena.exec, first)),
            Err(why) => row.failed(supervisor.kind, &why),
        },
    );
    vec![row]
}

pub(super) fn orphans(setup: &Setup) -> Vec<Row> {
    let mut whole = Row::new(
        "10,000 orphans: first fork to all reaped, ms",
        Better::Lower,
    );
    let mut tail = Row::new("the same: last fork to all reaped, ms", Better::Lower);
    let mut zombies = Row::new(
        "the same: most zombies at once (looked at every 2 ms)",
        Better::Lower,
    );
    whole.remark(Kind::None, "nothing there reaps");
    setup.each_round(
        3,
        |kind| kind != Kind::None,
        |supervisor| {
            let kind = supervisor.kind;
            match one_storm(setup, supervisor) {
                Ok(Storm {
                    whole_ms,
                    tail_ms,
                    most_zombies,
                }) => {
                    whole.add(kind, whole_ms);
                    tail.add(kind, tail_ms);
                    zombies.add(kind, most_zombies);
                }
                Err(why) => {
                    whole.failed(kind, &why);
                    tail.failed(kind, &why);
                }
            }
        },
    );
    vec![whole, tail, zombies]
}

struct Storm {
    whole_ms: f64,
    tail_ms: f64,
    most_zombies: f64,
}

fn one_storm(setup: &Setup, supervisor: &Supervisor) -> Result<Storm, String> {
    let patience = Duration::from_secs(10);
    let words = format!("orphans @/orphans {ORPHANS} {}", patience.as_millis());
    let arena = setup.start(supervisor, &Plan::of(&[&words]))?;
    let records = arena.wait_records("orphans", 4, LIMIT + patience);
    let &[first, last, reaped, most] = records.as_deref().unwrap_or_default() else {
        return Err("no result".to_owned());
    };
    if reaped == 0 {
        return Err(format!(
            "{most} zombies left after {} s",
            patience.as_secs()
        ));
    }
    Ok(Storm {
        whole_ms: ms_between(first, reaped),
        tail_ms: ms_between(last, reaped),
        most_zombies: as_float(most),
    })
}

pub(super) fn crash(setup: &Setup) -> Vec<Row> {
    let mut row = Row::new(
        "crash to the first instruction of the restarted job, ms (p95)",
        Better::Lower,
    )
    .with_p95();
    single_child(&mut row, "never restarts its child");
    row.remark(
        Kind::S6,
        "restarts at once only what has been ready for 1 s; the job is here",
    );
    row.remark(
        Kind::Runit,
        "restarts at once only what has run for 1 s; the job has here",
    );
    row.remark(
        Kind::Ours,
        "the first crash; quick ones after it are delayed, from 100 ms on and doubling",
    );
    setup.each_round(6, Kind::is_supervisor, |supervisor| {
        match one_crash(setup, supervisor) {
            Ok(ms) => row.add(supervisor.kind, ms),
            Err(why) => row.failed(supervisor.kind, &why),
        }
    });
    vec![row]
}

/// Milliseconds from the first end of a job to its second start.
fn one_crash(setup: &Setup, supervisor: &Supervisor) -> Result<f64, String> {
    let words = match supervisor.kind {
        Kind::S6 => "crash @/job 1100 3",
        Kind::Ours => "crash @/job 200",
        _ => "crash @/job 1100",
    };
    let plan = Plan {
        restart: true,
        ..Plan::of(&[words])
    };
    let arena = setup.start(supervisor, &plan)?;
    let starts = arena.wait_records("job", 2, LIMIT).ok_or("not restarted")?;
    let ends = arena.records("job.end");
    Ok(ms_between(*ends.first().ok_or("no end noted")?, starts[1]))
}

pub(super) fn restarts(setup: &Setup) -> Vec<Row> {
    let mut row = Row::new(
        "restarts per second of a job that fails at once, 1/s",
        Better::Neither,
    );
    single_child(&mut row, "never restarts its child");
    row.remark(Kind::Ours, "on purpose: a back-off that doubles");
    row.remark(
        Kind::Supervisord,
        "with startsecs=0; with its default of 1 it gives up after 3 quick exits",
    );
    let time = Duration::from_secs(if setup.quick { 2 } else { 5 });
    setup.each_round(1, Kind::is_supervisor, |supervisor| {
        match restarts_within(setup, supervisor, time) {
            Ok(restarts) => row.add(supervisor.kind, restarts / time.as_secs_f64()),
            Err(why) => row.failed(supervisor.kind, &why),
        }
    });
    vec![row]
}

fn restarts_within(setup: &Setup, supervisor: &Supervisor, time: Duration) -> Result<f64, String> {
    let plan = Plan {
        restart: true,
        ..Plan::of(&["crash @/job 0"])
    };
    let (arena, _) = setup.start_all(supervisor, &plan)?;
    pause(time);
    let starts = u32::try_from(arena.records("job").len()).unwrap_or(u32::MAX);
    Ok(f64::from(starts - 1))
}

pub(super) fn lines(setup: &Setup) -> Vec<Row> {
    let mut inherited = Row::new(
        "200 MB of 100-byte lines, job inherits stdout (ours: raw), MB/s",
        Better::Higher,
    );
    let mut inherited_cpu = Row::new("the same: CPU time of the supervisor, ms", Better::Lower);
    let mut wrapped = Row::new(
        "200 MB of 100-byte lines, through the supervisor or its logger, MB/s",
        Better::Higher,
    );
    let mut wrapped_cpu = Row::new(
        "the same: CPU time of the supervisor and its logger, ms",
        Better::Lower,
    );
    inherited.remark(
        Kind::Supervisord,
        "always reads its children's output itself",
    );
    wrapped.remark(
        Kind::S6,
        "an s6-log that writes to standard output, no time stamps",
    );
    wrapped.remark(Kind::Supervisord, "passed on as it is");
    wrapped.remark(Kind::Ours, "each line with time, job and process id");
    wrapped.remark(Kind::Runit, "svlogd writes to files only");
    wrapped.remark(
        Kind::Horust,
        "writes a job's output to a file or leaves it alone",
    );
    single_child(
        &mut wrapped,
        "the child inherits stdout; nothing is processed",
    );
    let inherits = |kind| kind != Kind::Supervisord;
    let wraps = |kind| matches!(kind, Kind::Ours | Kind::S6 | Kind::Supervisord);
    let run = |supervisor: &Supervisor, logged, rate: &mut Row, cpu: &mut Row| match one_flood(
        setup, supervisor, logged,
    ) {
        Ok((mb_per_s, cpu_ms)) => {
            rate.add(supervisor.kind, mb_per_s);
            cpu.add(supervisor.kind, cpu_ms);
        }
        Err(why) => rate.failed(supervisor.kind, &why),
    };
    setup.each_round(
        5,
        |_| true,
        |supervisor| {
            if inherits(supervisor.kind) {
                run(
                    supervisor,
                    Logged::Inherited,
                    &mut inherited,
                    &mut inherited_cpu,
                );
            }
            if wraps(supervisor.kind) {
                run(supervisor, Logged::Wrapped, &mut wrapped, &mut wrapped_cpu);
            }
        },
    );
    vec![inherited, inherited_cpu, wrapped, wrapped_cpu]
}

/// MB/s of payload and milliseconds of CPU for one flood of lines.
fn one_flood(setup: &Setup, supervisor: &Supervisor, logged: Logged) -> Result<(f64, f64), String> {
    let plan = Plan {
        logged,
        ..Plan::of(&[&format!("lines @/job {LINES}")])
    };
    let mut arena = Arena::start(supervisor, &plan, &setup.stub, Stdio::piped())?;
    let mut stdout = arena.stdout().ok_or("no output")?;
    // Only lines that carry payload count; ours begins each with a prefix, s6 and supervisord do not.
    let mut buffer = vec![0; 1 << 20];
    let (mut seen, mut bytes) = (0, 0);
    while seen < LINES {
        let length = stdout
            .read(&mut buffer)
            .map_err(|error| error.to_string())?;
        if length == 0 {
            return Err(format!("the output ended after {seen} lines"));
        }
        bytes += length;
        seen += memchr::memchr_iter(b'\n', &buffer[..length]).count();
    }
    let end = now();
    if bytes < LINES * LINE {
        return Err(format!("only {bytes} bytes came"));
    }
    let begin = *arena
        .records("job")
        .first()
        .ok_or("the job noted no start")?;
    let payload = as_float(u64::try_from(LINES * LINE).unwrap_or(0));
    // Bytes per microsecond are MB/s.
    let rate = payload / (ms_between(begin, end) * 1e3);
    // CPU time at rest is what the start took, some ms at most.
    Ok((rate, as_float(arena.usage().cpu_ns) / 1e6))
}

pub(super) fn stop(setup: &Setup) -> Vec<Row> {
    let mut one = stop_of(setup, 1, 15);
    let mut hundred = stop_of(setup, 100, 5);
    one.append(&mut hundred);
    one
}

fn stop_of(setup: &Setup, jobs: usize, rounds: usize) -> Vec<Row> {
    let plural = if jobs == 1 {
        "1 job".to_owned()
    } else {
        format!("{jobs} jobs")
    };
    let mut time = Row::new(
        format!("TERM to the end of the whole tree, {plural}, ms"),
        Better::Lower,
    );
    let mut told = Row::new(
        format!("the same: jobs that got their TERM, of {jobs}"),
        Better::Neither,
    );
    time.remark(
        Kind::Runit,
        "stopped with HUP, at which runsvdir tells its services to end and exits at once, so that the kernel kills them",
    );
    if jobs > 1 {
        single_child(&mut time, "runs a single child");
    }
    setup.each_round(
        rounds,
        |kind| jobs == 1 || kind.is_supervisor(),
        |supervisor| match one_stop(setup, supervisor, jobs) {
            Ok((ms, jobs_told)) => {
                time.add(supervisor.kind, ms);
                told.add(supervisor.kind, jobs_told);
            }
            Err(why) => time.failed(supervisor.kind, &why),
        },
    );
    vec![time, told]
}

/// Milliseconds from the signal to the end, and how many jobs saw their TERM.
fn one_stop(setup: &Setup, supervisor: &Supervisor, jobs: usize) -> Result<(f64, f64), String> {
    let (arena, _) = setup.start_all(supervisor, &Plan::idle(jobs))?;
    // The last job runs; its supervisor may still be noting that.
    pause(Duration::from_millis(50));
    let asked = arena.signal(supervisor.kind.stop_signal());
    let end = arena.wait_end().ok_or("it did not end")?;
    let told = u32::try_from(arena.records("job.term").len()).unwrap_or(u32::MAX);
    Ok((ms_between(asked, end), f64::from(told)))
}

pub(super) fn signals(setup: &Setup) -> Vec<Row> {
    let signals = [("SIGHUP", Signal::SIGHUP), ("SIGUSR2", Signal::SIGUSR2)];
    signals
        .map(|(name, signal)| on_signal(setup, name, signal))
        .into()
}

fn on_signal(setup: &Setup, name: &'static str, signal: Signal) -> Row {
    let title = format!("{name} to the first instruction of the job that it starts, ms (p95)");
    let mut row = Row::new(title, Better::Neither).with_p95();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Ours) {
        row.remark(*kind, "no jobs started by an event");
    }
    let Some(ours) = setup.supervisors.iter().find(|it| it.kind == Kind::Ours) else {
        return row;
    };
    let plan = Plan {
        on_signal: vec![(name, "mark @/mark".to_owned())],
        ..Plan::idle(1)
    };
    match setup.start_all(ours, &plan) {
        Ok((arena, _)) => send_signals(&arena, signal, setup.rounds(40), &mut row),
        Err(why) => row.failed(Kind::Ours, &why),
    }
    row
}

fn send_signals(arena: &Arena, signal: Signal, rounds: usize, row: &mut Row) {
    for round in 1..=rounds {
        // The run before has ended and been collected.
        pause(Duration::from_millis(20));
        let sent = arena.signal(signal);
        let Some(records) = arena.wait_records("mark", round, Duration::from_secs(2)) else {
            row.failed(Kind::Ours, "the job was not started");
            return;
        };
        row.add(Kind::Ours, ms_between(sent, records[round - 1]));
    }
}
