//! Jobs, checks and schedules. Times that are hours in a scenario are in virtual time beside the rules; here is what only
//! real processes show.

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// How many lines of the journal are exactly this.
fn count(pilot: &Running, line: &str) -> usize {
    let lines = pilot.journal().lines();
    lines.into_iter().filter(|found| found == line).count()
}

fn release(pilot: &Running, name: &str) {
    std::fs::write(pilot.dir().join(name), "").expect("a directory of ours takes files");
}

/// Stops the program, which must succeed.
fn stop(pilot: &mut Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn j01_a_check_that_takes_too_long_runs_alone_and_dies_with_its_tree() {
    // Each check tells whether anything of the one before it is there. A fifth of the time it may take is its interval.
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "slow", exec: "sleep 60", health: { exec: "sh slow", interval: "50ms", ttl: 60, timeout: "250ms" } },
            { name: "quick", exec: "sleep 60", health: { exec: { shell: "echo quick >> journal" }, interval: "50ms", ttl: 60, timeout: "5s" } },
            { name: "hook", when: { source: "slow", each: "unhealthy" }, exec: { shell: "echo unhealthy >> journal" } },
        ]"#,
    )
    .file(
        "slow",
        "[ -e pids ] && kill -0 $(cat pids) 2>/dev/null && echo overlap >> journal
        for pid in $(cat pids 2>/dev/null); do kill -0 $pid 2>/dev/null && echo overlap >> journal; done
        sleep 61 & echo $$ $! > pids
        echo slow >> journal; exec sleep 62",
    )
    .start();
    let mut quick = 0;
    for checks in 2..=5 {
        pilot.wait_until(PATIENCE, "the slow check again", || {
            count(&pilot, "slow") >= checks
        });
        let now = count(&pilot, "quick");
        assert!(now > quick, "the other check waited for the slow one");
        quick = now;
    }
    pilot.wait_until(PATIENCE, "an unhealthy job", || {
        count(&pilot, "unhealthy") > 0
    });
    assert_eq!(count(&pilot, "overlap"), 0);
    pilot.wait_for_line("check.slow timeout after 250ms", PATIENCE);
    stop(&mut pilot);
}

#[test]
fn j03_a_check_that_fails_or_cannot_run_is_unhealthy() {
    let check = |name: &str, exec: &str| {
        format!(
            r#"{{ name: "{name}", exec: "sleep 60", health: {{ exec: {exec}, interval: "100ms", ttl: 60, timeout: "5s" }} }},
               {{ name: "{name}-bad", when: {{ source: "{name}", each: "unhealthy" }}, exec: {{ shell: "echo {name} >> journal" }} }},
               {{ name: "{name}-good", when: {{ source: "{name}", each: "healthy" }}, exec: {{ shell: "echo {name} passed >> journal" }} }},"#
        )
    };
    let checks = [
        ("fails", r#""false""#),
        ("code", r#"{ shell: "exit 255" }"#),
        ("missing", r#""/no/such/file""#),
        ("unsearchable", r#""no-such-command""#),
        ("text", r#""@DIR@/containerpilot.json5""#),
        ("killed", r#"{ shell: "kill -KILL $$" }"#),
    ];
    let jobs: String = checks
        .iter()
        .map(|(name, exec)| check(name, exec))
        .collect();
    let mut pilot = Pilot::jobs(&format!("[{jobs}]")).start();
    for (name, _) in checks {
        pilot.wait_until(PATIENCE, name, || count(&pilot, name) >= 2);
        let answer = pilot.ask(&["healthy", name]);
        assert_eq!(answer.code, Some(1), "{answer:?}");
        assert_eq!(answer.stderr, format!("{name} is unhealthy\n"));
    }
    let lines = pilot.journal().lines();
    assert!(
        !lines.iter().any(|line| line.contains("passed")),
        "{lines:?}"
    );
    stop(&mut pilot);
}

#[test]
fn j05_events_during_a_run_of_an_each_job_become_one_more_run() {
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, logging: { level: "DEBUG" }, jobs: [
            { name: "handler", when: { source: "SIGUSR2" },
              exec: { shell: "echo run >> journal; until [ -e release ]; do sleep 0.01; done" } },
        ] }"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "the socket", || {
        pilot.ask(&["-ping"]).code == Some(0)
    });
    pilot.signal(Signal::SIGUSR2);
    pilot.journal().wait_for(1, PATIENCE);
    for sent in 2..=5 {
        pilot.signal(Signal::SIGUSR2);
        pilot.wait_for_lines("event: {Signal SIGUSR2}", sent, PATIENCE);
    }
    assert_eq!(count(&pilot, "run"), 1);
    release(&pilot, "release");
    pilot.wait_for_lines("handler exited: ", 2, PATIENCE);
    pilot.settle();
    stop(&mut pilot);
    assert_eq!(count(&pilot, "run"), 2);
}

#[test]
fn j05_a_once_event_that_comes_again_is_ignored() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "other", exec: "sleep 60" },
            { name: "job", when: { source: "global", once: "enterMaintenance" },
              exec: { shell: "echo run >> journal; until [ -e release ]; do sleep 0.01; done; echo end >> journal" } },
        ]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "the socket", || {
        pilot.ask(&["-ping"]).code == Some(0)
    });
    let toggle = || {
        for mode in ["enable", "disable"] {
            let target = format!("/v3/maintenance/{mode}");
            assert_eq!(pilot.request("POST", &target, "").status, 200);
        }
    };
    toggle();
    pilot.journal().wait_for(1, PATIENCE);
    toggle();
    release(&pilot, "release");
    pilot.wait_for_line("job exited: ", PATIENCE);
    toggle();
    pilot.settle();
    stop(&mut pilot);
    assert_eq!(pilot.journal().lines(), ["run", "end"]);
}

#[test]
fn j06_the_wait_limit_does_not_touch_a_job_that_runs() {
    // The limit of `clock` is the later one: when it has passed, so has the one of `app`.
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "first", exec: "true" },
            { name: "app", when: { source: "first", once: "exitSuccess", timeout: "1s" }, exec: { shell: "echo app up; exec sleep 60" } },
            { name: "never", exec: { shell: "exec sleep 60" } },
            { name: "clock", when: { source: "never", once: "exitSuccess", timeout: "1100ms" }, exec: "true" },
        ]"#,
    )
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    let app = pilot.find("sleep 60");
    pilot.wait_for_line(
        "clock was not started within its when.timeout of 1s 100ms",
        PATIENCE,
    );
    assert!(!pilot.stdout().contains("app was not started"));
    let still: Vec<_> = pilot.find("sleep 60").iter().map(|p| p.pid).collect();
    assert!(app.iter().all(|before| still.contains(&before.pid)));
    assert_eq!(pilot.ask(&["healthy", "app"]).code, Some(0));
    assert_eq!(pilot.ask(&["healthy", "clock"]).code, Some(1));
    stop(&mut pilot);
}

#[test]
fn j10_a_tick_during_a_run_is_skipped_by_default() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "tick", when: { interval: "50ms" }, timeout: "60s",
              exec: { shell: "echo run >> journal; until [ -e release ]; do sleep 0.01; done" } }]"#,
    )
    .start();
    pilot.wait_for_lines("tick still runs at its next tick: skipped", 3, PATIENCE);
    assert_eq!(count(&pilot, "run"), 1);
    release(&pilot, "release");
    pilot.journal().wait_for(3, PATIENCE);
    stop(&mut pilot);
}

#[test]
fn j10_a_tick_during_a_run_waits_with_overlap_queue() {
    // `clock` shows when ticks are. After the long run one more follows at once.
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "clock", when: { interval: "1s" }, exec: { shell: "echo clock >> journal" } },
            { name: "tick", when: { interval: "1s", overlap: "queue" }, timeout: "60s",
              exec: { shell: "echo run >> journal; until [ -e release ]; do sleep 0.01; done" } },
        ]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "three ticks", || count(&pilot, "clock") == 3);
    assert_eq!(count(&pilot, "run"), 1);
    release(&pilot, "release");
    pilot.wait_until(PATIENCE, "the run that waited", || {
        count(&pilot, "run") >= 2
    });
    assert_eq!(count(&pilot, "clock"), 3, "it waited for a tick");
    assert!(!pilot.stdout().contains("skipped"));
    stop(&mut pilot);
}

#[test]
fn j10_missed_ticks_are_not_made_up_for() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "clock", when: { interval: "200ms" }, exec: { shell: "echo clock >> journal" } },
            { name: "tick", when: { interval: "200ms", overlap: "queue" }, timeout: "60s",
              exec: { shell: "echo run >> journal; until [ -e release ]; do sleep 0.01; done" } },
        ]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "eight ticks", || count(&pilot, "clock") >= 8);
    let missed = count(&pilot, "clock");
    release(&pilot, "release");
    pilot.wait_until(PATIENCE, "two more ticks", || {
        count(&pilot, "clock") >= missed + 2
    });
    // The first run, the one that waited, one at each tick since; and the two jobs do not write at the same moment.
    let runs = count(&pilot, "run");
    let since = count(&pilot, "clock") - missed;
    assert!(
        runs <= 2 + since + 1,
        "{runs} runs, {since} ticks since {missed}"
    );
    stop(&mut pilot);
}

#[test]
fn j10_a_tick_during_a_run_kills_it_with_overlap_kill() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "tick", when: { interval: "200ms", overlap: "kill" }, timeout: "60s", exec: "sh tick" }]"#,
    )
    .file(
        "tick",
        "[ -e pid ] && kill -0 $(cat pid) 2>/dev/null && echo overlap >> journal
        echo $$ > pid; echo run >> journal; trap '' TERM; while :; do sleep 0.05; done",
    )
    .start();
    pilot.wait_until(PATIENCE, "three runs", || count(&pilot, "run") >= 3);
    assert_eq!(count(&pilot, "overlap"), 0);
    stop(&mut pilot);
}

/// What a log line says of the next start, in milliseconds.
fn announced(line: &str) -> u64 {
    let words = line.rsplit_once("next start in ").expect("the wait").1;
    let text = words.split_whitespace().next().expect("a time");
    text.trim_end_matches("ms").parse().expect("milliseconds")
}

#[test]
fn d8_restarts_back_off_after_the_first() {
    // A clock can only be late: each start comes after the wait that was announced before it.
    let mut pilot = Pilot::jobs(
        r#"[{ name: "crash", restarts: "unlimited", exec: { shell: "echo $(date +%s%N) >> journal; echo crash runs; exit 1" } }]"#,
    )
    .start();
    let starts = pilot.journal().wait_for(5, PATIENCE);
    let waits = pilot.wait_for_lines("crash ended soon after its start", 3, PATIENCE);
    let waits: Vec<u64> = waits.iter().map(|line| announced(line)).collect();
    for (wait, middle) in waits.iter().zip([100, 200, 400]) {
        assert!(
            (middle * 8 / 10..=middle * 12 / 10).contains(wait),
            "{waits:?}"
        );
    }
    let starts: Vec<u64> = starts
        .iter()
        .map(|time| time.parse().expect("a time"))
        .collect();
    for (pair, wait) in starts[1..].windows(2).zip(&waits) {
        let gap = (pair[1] - pair[0]) / 1_000_000;
        assert!(
            gap >= *wait,
            "{gap} ms after a wait of {wait} ms: {starts:?}"
        );
    }
    // The first restart is not announced, because it does not wait.
    let text = pilot.stdout();
    let first_wait = text.find("next start in").expect("a wait");
    assert_eq!(
        text[..first_wait].matches("crash runs").count(),
        2,
        "{text}"
    );
    stop(&mut pilot);
}

#[test]
fn d8_a_crash_loop_does_not_delay_the_stop() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "crash", restarts: "unlimited", exec: { shell: "echo run >> journal; exit 1" } }]"#,
    )
    .start();
    pilot.wait_for_lines("crash ended soon after its start", 3, PATIENCE);
    let runs = pilot.journal().wait_for(4, PATIENCE).len();
    stop(&mut pilot);
    assert!(pilot.journal().lines().len() <= runs + 1);
}

#[test]
fn a_stopped_job_finds_its_event_in_its_environment() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "app", exec: { shell: "echo app up; exec sleep 60" } },
            { name: "post", when: { source: "app", once: "stopped" },
              exec: { shell: "echo $CONTAINERPILOT_EVENT of $CONTAINERPILOT_EVENT_SOURCE >> journal" } },
        ]"#,
    )
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    stop(&mut pilot);
    assert_eq!(pilot.journal().lines(), ["stopped of app"]);
}

mod heavy {
    use super::{count, stop};
    use crate::support::{PATIENCE, Pilot, Process, Running};

    /// What must not grow: descriptors, threads, processes.
    fn size(pilot: &Running) -> (usize, usize, usize) {
        let program = Process::read(pilot.pid()).expect("it runs");
        let threads = program.status_field("Threads").expect("a number");
        let threads = threads.parse().expect("a number");
        (program.open_files(), threads, pilot.processes().len())
    }

    #[test]
    fn j02_helpers_that_survive_a_check_do_not_add_up() {
        // Each check leaves a helper in a session of its own that ignores what it can and holds the pipe; every tenth
        // check hangs beside it.
        let Some(mut pilot) = Pilot::jobs(
            r#"[{ name: "app", exec: "sleep 60",
                  health: { exec: "sh check", interval: "10ms", ttl: 60, timeout: "100ms" } }]"#,
        )
        .file(
            "check",
            "setsid sh -c 'trap \"\" TERM HUP INT; touch held; sleep 61' &
            until [ -e held ]; do sleep 0.005; done; rm held
            echo check >> journal; [ $(($(wc -l < journal) % 10)) = 0 ] && sleep 62; true",
        )
        .start_as_pid1() else {
            return;
        };
        pilot.wait_until(PATIENCE, "twenty checks", || count(&pilot, "check") >= 20);
        let before = size(&pilot);
        pilot.wait_until(6 * PATIENCE, "200 checks", || count(&pilot, "check") >= 200);
        let after = size(&pilot);
        // One check with its helpers, and one that is on its way out, may be there at either look.
        assert!(
            after.0 <= before.0 + 8,
            "descriptors: {before:?}, then {after:?}"
        );
        assert!(after.1 <= 2, "threads: {after:?}");
        assert!(after.2 <= 16, "processes: {after:?}");
        stop(&mut pilot);
    }
}
