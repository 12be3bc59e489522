//! The original's integration tests, re-created by name. Setups and assertions are its own, except where a difference is
//! wanted and said. What it asked of Docker is asked of a PID namespace here; those with a Consul are in `catalogue`, each
//! against a real one and against the embedded one. Of its fixtures, `app` and `nginx` are played by a small server: the
//! real nginx is in `docker::hello_world`.

mod catalogue;

use std::os::unix::fs::symlink;

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// Stops the program as `docker stop` does, which must succeed.
fn stop(pilot: &mut Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// Kills the one process with this command, as `pkill` does, and returns when it is gone.
fn pkill(pilot: &Running, command: &str) {
    let running = || {
        let mut found = pilot.find(command);
        found.retain(|process| process.command == command);
        found
    };
    pilot.wait_until(PATIENCE, command, || running().len() == 1);
    let old = running().swap_remove(0).pid;
    nix::sys::signal::kill(old, Signal::SIGTERM).expect("it runs");
    pilot.wait_until(PATIENCE, "its end", || {
        running().iter().all(|process| process.pid != old)
    });
}

/// Whether exactly one process has this command.
fn runs(pilot: &Running, command: &str) -> bool {
    pilot
        .find(command)
        .iter()
        .filter(|process| process.command == command)
        .count()
        == 1
}

#[test]
fn test_coprocess() {
    let config = |argument: &str| {
        format!(
            r#"[{{ name: "app", exec: "sleep 61" }}, {{ name: "coprocess", exec: ["sh", "-c", "exec sleep {argument}"], restarts: 1 }}]"#
        )
    };
    let Some(mut pilot) = Pilot::jobs(&config("101")).start_as_pid1() else {
        return;
    };
    pkill(&pilot, "sleep 101");
    pilot.wait_until(PATIENCE, "the coprocess again", || {
        runs(&pilot, "sleep 101")
    });
    pkill(&pilot, "sleep 101");
    pilot.wait_for_lines("coprocess exited with error: signal: SIGTERM", 2, PATIENCE);
    pilot.settle();
    assert!(pilot.find("sleep 101").is_empty(), "it stays gone");
    pilot.write_jobs(&config("102"));
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pkill(&pilot, "sleep 102");
    pilot.wait_until(PATIENCE, "the coprocess, its counter being new", || {
        runs(&pilot, "sleep 102")
    });
    stop(&mut pilot);
}

#[test]
fn test_envvars() {
    let Some(mut pilot) = Pilot::config(
        r#"{
            consul: "localhost:1", control: { socket: "@DIR@/control.socket" }, stopTimeout: 1,
            jobs: [
                { name: "testpid", exec: "sleep 61", port: 8000, interfaces: ["lo"],
                  health: { exec: "true", interval: "100ms", ttl: 5 } },
                { name: "testenvvar", exec: "env", port: 8001, interfaces: ["lo"], health: { interval: 1, ttl: 5 },
                  when: { source: "testpid", once: "healthy" } },
            ],
        }"#,
    )
    .start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("CONTAINERPILOT_TESTENVVAR_IP=127.0.0.1", PATIENCE);
    let pid = pilot.wait_for_line("CONTAINERPILOT_TESTPID_PID=", PATIENCE);
    let pid = pid.rsplit_once('=').expect("a value").1;
    assert!(pid.parse::<i32>().is_ok_and(|pid| pid > 1), "{pid}");
    // Different on purpose: the supervisor is PID 1 itself, as the original's manual says.
    pilot.wait_for_line("CONTAINERPILOT_PID=1", PATIENCE);
    stop(&mut pilot);
}

#[test]
fn test_logging() {
    let Some(mut pilot) = Pilot::config(
        r#"{
            control: { socket: "@DIR@/control.socket" }, stopTimeout: 1,
            logging: { level: "DEBUG", format: "text" },
            jobs: [
                { name: "job1", exec: "echo job1 exec" },
                { name: "job2", exec: "echo job2 exec", logging: { raw: true } },
                { name: "job3", exec: "sleep 61", health: { exec: "echo job3 health", interval: 1, ttl: 5, logging: { raw: true } } },
                { name: "job4", exec: "sleep 61", health: { exec: "echo job4 health", interval: 1, ttl: 5 } },
            ],
        }"#,
    )
    .start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("loaded config:", PATIENCE);
    pilot.wait_for_line(r#"msg="job1 exec"#, PATIENCE);
    pilot.wait_for_line("job2 exec", PATIENCE);
    pilot.wait_for_line("job3 health", PATIENCE);
    pilot.wait_for_line(r#"msg="job4 health"#, PATIENCE);
    for raw in ["job2 exec", "job3 health"] {
        assert!(
            pilot.stdout().lines().any(|line| line == raw),
            "{}",
            pilot.stdout()
        );
    }
    // And the names of the debug log, which scripts look for.
    for event in [
        "Startup global",
        "ExitSuccess job1",
        "ExitSuccess check.job4",
        "StatusHealthy job4",
    ] {
        pilot.wait_for_line(&format!("event: {{{event}}}"), PATIENCE);
    }
    stop(&mut pilot);
}

#[test]
fn test_no_command() {
    // The image's entrypoint is the program under its old name, and the container's command one word, which is ignored.
    let pilot = Pilot::stand_in("exec @DIR@/containerpilot doesnothing")
        .file(
            "config.json5",
            r#"{ control: { socket: "@DIR@/control.socket" }, jobs: [{ name: "app", exec: "sleep 61" }] }"#,
        )
        .env("CONTAINERPILOT", "@DIR@/config.json5");
    symlink(
        env!("CARGO_BIN_EXE_pilothouse"),
        pilot.dir().join("containerpilot"),
    )
    .expect("a directory of ours takes links");
    let Some(mut pilot) = pilot.start_as_pid1() else {
        return;
    };
    pilot.wait_until(PATIENCE, "the app", || runs(&pilot, "sleep 61"));
    pilot.wait_for_line(
        "words after the flags are ignored, from `doesnothing` on",
        PATIENCE,
    );
    assert!(!pilot.stderr().contains("panic") && !pilot.stdout().contains("panic"));
    stop(&mut pilot);
}

#[test]
fn test_reap_zombies() {
    let Some(mut pilot) = Pilot::jobs(
        r#"[
            { name: "app", exec: ["sh", "orphans"], health: { exec: ["sh", "-c", "(sleep 0.05 &) ; echo check >> journal"], interval: "100ms", ttl: 5 } },
            { name: "main", exec: "sleep 61" },
        ]"#,
    )
    .file("orphans", "while :; do (sh -c 'sleep 0.02 & sleep 0.01' &); sleep 0.05; done")
    .start_as_pid1() else {
        return;
    };
    for round in 1..=20 {
        pilot.journal().wait_for(round, PATIENCE);
        // One that has just died is nobody's fault; more of them, and for longer, is.
        pilot.wait_until(PATIENCE, "at most one zombie", || pilot.zombies() <= 1);
    }
    assert!(!pilot.stdout().contains("no child processes"));
    stop(&mut pilot);
}

#[test]
fn test_reopen() {
    let Some(mut pilot) = Pilot::config(
        r#"{
            control: { socket: "@DIR@/control.socket" }, stopTimeout: 1,
            logging: { output: "@DIR@/containerpilot.log" },
            jobs: [{ name: "hello", exec: "echo hello world", when: { interval: 1 } }],
        }"#,
    )
    .start_as_pid1() else {
        return;
    };
    let (log, moved) = (
        pilot.dir().join("containerpilot.log"),
        pilot.dir().join("moved.log"),
    );
    let hellos = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .filter(|line| line.ends_with("hello world"))
            .count()
    };
    pilot.wait_until(PATIENCE, "a line", || hellos(&log) > 0);
    let before = hellos(&log);
    std::fs::rename(&log, &moved).expect("it is there");
    pilot.wait_until(PATIENCE, "a line in the moved file", || {
        hellos(&moved) > before
    });
    assert!(!log.exists());
    pilot.signal(Signal::SIGUSR1);
    pilot.wait_until(PATIENCE, "a line in the new file", || hellos(&log) > 0);
    stop(&mut pilot);
}

/// Different on purpose: the runs of `task1` and `task2` are shorter, so that a busy machine does not make them late.
#[test]
fn test_tasks() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "task1", exec: ["sh", "-c", "echo task1 >> journal; sleep 0.1"], when: { interval: "500ms" }, restarts: 5 },
            { name: "task2", exec: ["sh", "-c", "echo task2 >> journal; sleep 0.1"], when: { interval: "500ms" }, restarts: 5, timeout: "500ms" },
            { name: "task3", exec: ["sh", "-c", "echo task3 >> journal; sleep 2"], when: { interval: "500ms" }, restarts: 5, timeout: "100ms" },
            { name: "task4", exec: ["sh", "-c", "echo task4 >> journal"], when: { interval: "1000ms" } },
        ]"#,
    )
    .start();
    let count = |task: &str| {
        pilot
            .journal()
            .lines()
            .iter()
            .filter(|line| *line == task)
            .count()
    };
    for task in ["task1", "task2"] {
        pilot.wait_until(PATIENCE, task, || count(task) == 6);
    }
    let timeouts = pilot.wait_for_lines("task3 timeout after 100ms", 6, PATIENCE);
    pilot.wait_until(PATIENCE, "task4 after all others", || count("task4") >= 4);
    // A run of task3 that timed out before its first word is none that could be counted.
    assert!(count("task3") <= 6 && timeouts.len() == 6, "{timeouts:?}");
    assert_eq!((count("task1"), count("task2")), (6, 6));
    for task in ["task1", "task2", "task4"] {
        assert!(
            !pilot.stdout().contains(&format!("{task} timeout")),
            "{}",
            pilot.stdout()
        );
    }
    stop(&mut pilot);
}

#[test]
fn test_version_flag() {
    let Some(mut pilot) = Pilot::command(&["-version"]).start_as_pid1() else {
        return;
    };
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let first = format!("Version: {}\nGitHash: ", env!("CARGO_PKG_VERSION"));
    assert!(pilot.stdout().starts_with(&first), "{}", pilot.stdout());
}
