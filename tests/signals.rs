//! Signals: what is passed on, what is heard from the first moment, what children start with.

use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Pilot, Process, Running, Signal, compiled, send, skip};

/// What may be forwarded: it can be caught, and is neither a fault of the program nor what it needs itself.
fn forwardable() -> Vec<i32> {
    let mut numbers: Vec<i32> = (1..=31).chain(34..=64).collect();
    // INT, ILL, BUS, FPE, KILL, SEGV, PIPE, TERM, CHLD, STOP, URG.
    numbers.retain(|number| ![2, 4, 7, 8, 9, 11, 13, 15, 17, 19, 23].contains(number));
    numbers
}

/// The program with two jobs that write signals down; `app` has these forwarded, `other` has none.
fn listener(forward: &[i32]) -> Pilot {
    let words: Vec<String> = forward
        .iter()
        .map(|number| format!("\"{number}\""))
        .collect();
    let words = words.join(", ");
    let pilot = Pilot::jobs(&format!(
        r#"[{{ name: "app", exec: "@DIR@/listen", forward: [{words}] }}, {{ name: "other", exec: "@DIR@/listen" }}]"#
    ));
    compiled(pilot.dir(), "listen", include_str!("stubs/signals.c"));
    pilot
}

/// The lines of a job.
fn lines_of(running: &Running, job: &str) -> Vec<String> {
    let output = running.stdout();
    let lines = output.lines().filter_map(|line| {
        let (_, rest) = line.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        let (pid, text) = rest.split_once(' ')?;
        (name == job && pid.parse::<u32>().is_ok()).then(|| text.to_owned())
    });
    lines.collect()
}

fn every_forwarded_signal_arrives_once(mut pilot: Running) {
    pilot.wait_for_lines(" ready", 2, PATIENCE);
    let mut expected = vec!["ready".to_owned()];
    for number in forwardable() {
        send(pilot.pid(), number);
        expected.push(format!("{number:02}"));
        // One after the other: a CONT that is on its way takes away a TSTP that is, and the other way round.
        pilot.wait_until(PATIENCE, &format!("signal {number} arrives"), || {
            lines_of(&pilot, "app").len() >= expected.len()
        });
    }
    assert_eq!(lines_of(&pilot, "app"), expected);
    assert_eq!(lines_of(&pilot, "other"), ["ready"]);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    // Nothing came late.
    assert_eq!(lines_of(&pilot, "app"), expected);
    assert_eq!(lines_of(&pilot, "other"), ["ready"]);
}

#[test]
fn p09_every_forwardable_signal_reaches_its_job_once() {
    every_forwarded_signal_arrives_once(listener(&forwardable()).start());
}

#[test]
fn p09_also_as_pid_1() {
    if let Some(pilot) = listener(&forwardable()).start_as_pid1() {
        every_forwarded_signal_arrives_once(pilot);
    }
}

#[test]
fn p09_what_the_program_needs_itself_never_travels() {
    for name in ["URG", "CHLD", "PIPE"] {
        let mut refused = Pilot::jobs(&format!(
            r#"[{{ name: "app", exec: "true", forward: ["{name}"] }}]"#
        ))
        .start();
        assert_eq!(refused.wait_exit(PATIENCE).code(), Some(1), "{name}");
        refused.wait_for_line("forward", PATIENCE);
    }
    let mut pilot = listener(&forwardable()).start();
    pilot.wait_for_lines(" ready", 2, PATIENCE);
    for signal in [Signal::SIGURG, Signal::SIGCHLD, Signal::SIGPIPE] {
        pilot.signal(signal);
    }
    // What was sent before this has been taken when this arrives.
    pilot.signal(Signal::SIGWINCH);
    pilot.wait_until(PATIENCE, "the later signal", || {
        lines_of(&pilot, "app").len() >= 2
    });
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(lines_of(&pilot, "app"), ["ready", "28"]);
}

/// The words of `env` of coreutils that give a program to understand that nobody wants these signals.
const DEAF: [&str; 3] = [
    "env",
    "--ignore-signal=TERM,INT,HUP,PIPE,CHLD,USR1,QUIT",
    "--block-signal=TERM,INT,HUP,PIPE,CHLD,USR2,RTMIN",
];

/// A plain job, one that owns the terminal and a health check, told apart by how long they sleep.
fn deaf() -> Pilot {
    Pilot::jobs(
        r#"[{ name: "app", exec: "sleep 1001",
              health: { exec: "sleep 1002", interval: "10ms", timeout: "60s", ttl: 60 } },
            { name: "front", exec: "sleep 1003", tty: true },
            { name: "brief", exec: ["sh", "-c", "exit 3"] }]"#,
    )
    .preceded_by(&DEAF)
}

fn children_start_afresh(mut pilot: Running) {
    for command in ["sleep 1001", "sleep 1002", "sleep 1003"] {
        pilot.wait_until(PATIENCE, command, || !pilot.find(command).is_empty());
        let child = pilot.find(command).swap_remove(0);
        for field in ["SigBlk", "SigIgn"] {
            let set = child.status_field(field);
            assert_eq!(
                set.as_deref(),
                Some("0000000000000000"),
                "{field} of {command}"
            );
        }
    }
    // The program itself hears its signals and collects its children.
    pilot.wait_for_line("brief exited with error: exit status 3", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn p11_ignored_and_blocked_signals_end_with_the_program() {
    children_start_afresh(deaf().start());
}

#[test]
fn p11_also_as_pid_1() {
    if let Some(pilot) = deaf().start_as_pid1() {
        children_start_afresh(pilot);
    }
}

/// What happens between the system call that installs a handler and the moment when the program knows of it.
#[test]
fn p10_a_stop_in_the_moment_of_the_first_handler_is_heard() {
    let pilot = Pilot::jobs(r#"[{ name: "app", exec: "sleep 1000" }]"#);
    compiled(pilot.dir(), "early", include_str!("stubs/early.c"));
    let mut pilot = pilot.preceded_by(&["@DIR@/early"]).start();
    let status = pilot.wait_exit(PATIENCE);
    if pilot.stderr().contains("cannot trace") {
        return skip(
            "a stop in the moment of the first handler",
            "one process may not trace another here",
        );
    }
    assert_eq!(status.code(), Some(0));
    pilot.wait_for_line("SIGTERM received", PATIENCE);
}

mod heavy {
    use super::*;

    /// The bit of TERM in the masks of `/proc/PID/status`.
    const TERM: u64 = 1 << 14;

    const ROUNDS: u32 = 240;

    /// When to stop: every other time at once, else within the first 200 ms, most often early on, when the start happens.
    fn moment(round: u32) -> Duration {
        if round.is_multiple_of(2) {
            return Duration::ZERO;
        }
        // The steps of a linear generator: every part of the range in no order, and the same in each run.
        let step = f64::from(round * 67 % ROUNDS) / f64::from(ROUNDS);
        Duration::from_millis(200).mul_f64(step.powi(4))
    }

    /// Whether the program has a handler for TERM, from which moment on a stop may not be lost.
    fn listens(pilot: &Running) -> bool {
        let caught = Process::read(pilot.pid()).and_then(|p| p.status_field("SigCgt"));
        let caught = caught.and_then(|set| u64::from_str_radix(&set, 16).ok());
        caught.is_some_and(|set| set & TERM != 0)
    }

    /// Stops the program at this round's moment.
    fn stop_early(mut pilot: Running, round: u32) {
        let limit = Instant::now() + PATIENCE;
        // Without a pause between the looks: the first microseconds are the ones that count.
        while !listens(&pilot) {
            assert!(Instant::now() < limit, "the program never listens to TERM");
        }
        // The moment itself is what is tried here; nothing is awaited by it.
        std::thread::sleep(moment(round));
        pilot.signal(Signal::SIGTERM);
        // Its stop limit is far away: a job that was not asked to end would be seen here.
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0), "round {round}");
    }

    fn five_jobs() -> Pilot {
        Pilot::config(
            r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, jobs: [
                { name: "setup", exec: "true" },
                { name: "app", exec: "sleep 1001", when: { source: "setup", once: "exitSuccess" } },
                { name: "side", exec: "sleep 1002", health: { exec: "true", interval: "5ms", ttl: 1 } },
                { name: "often", exec: "true", when: { interval: "3ms" } },
                { name: "last", exec: ["sh", "-c", "echo done >> @DIR@/journal"], when: { source: "side", once: "stopped" } },
            ]}"#,
        )
    }

    /// Does all rounds, three side by side: most of a round is waiting. A round without a program is left out.
    fn rounds(start: impl Fn() -> Option<Running> + Sync) {
        std::thread::scope(|scope| {
            for first in 0..3 {
                let start = &start;
                scope.spawn(move || {
                    for round in (first..ROUNDS).step_by(3) {
                        let Some(pilot) = start() else { return };
                        stop_early(pilot, round);
                    }
                });
            }
        });
    }

    #[test]
    fn p10_term_is_heard_from_the_first_moment() {
        rounds(|| Some(five_jobs().start()));
    }

    #[test]
    fn p10_also_as_pid_1() {
        rounds(|| five_jobs().start_as_pid1());
    }
}
