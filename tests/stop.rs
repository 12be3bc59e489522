//! The stop: who is asked, who is killed, in which order, and when it is over.
//!
//! A job here writes into the journal what happens to it, and waits for files that the test makes. Limits that must not
//! matter are far beyond the patience of a test; limits that must matter are short. A job that traps TERM runs short
//! commands in a loop: a shell's child in the background can swallow a TERM between its fork and its exec.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// Makes the file that a job waits for.
fn release(pilot: &Running, name: &str) {
    std::fs::write(pilot.dir().join(name), "").expect("a directory of ours takes files");
}

/// Starts it as PID 1 where that can be done, and as an ordinary process.
fn in_both_roles(pilot: impl Fn() -> Pilot, test: impl Fn(Running)) {
    test(pilot().start());
    if let Some(running) = pilot().start_as_pid1() {
        test(running);
    }
}

#[test]
fn s01_the_stop_ends_with_the_last_job() {
    // No grace period is slept through: 60 s would outlast the test.
    let pilot = || {
        Pilot::config(
            r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, jobs: [
                { name: "a", exec: { shell: "trap 'sleep 0.2; echo a >> journal; exit 0' TERM; echo a up; while :; do sleep 0.01; done" } },
                { name: "b", exec: { shell: "trap 'sleep 0.2; echo b >> journal; exit 1' TERM; echo b up; while :; do sleep 0.01; done" } },
            ] }"#,
        )
    };
    in_both_roles(pilot, |mut pilot| {
        pilot.wait_for_line("a up", PATIENCE);
        pilot.wait_for_line("b up", PATIENCE);
        pilot.signal(Signal::SIGTERM);
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
        let mut ends = pilot.journal().lines();
        ends.sort();
        assert_eq!(ends, ["a", "b"]);
    });
}

#[test]
fn s02_a_job_that_ignores_term_is_killed_at_its_own_timeout() {
    // `calm` takes for as long as `stubborn` lives: it must not be killed along with it.
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, jobs: [
            { name: "stubborn", stopTimeout: "300ms",
              exec: { shell: "trap '' TERM; echo $$ > stubborn.pid; echo stubborn up; while :; do sleep 0.05; done" } },
            { name: "calm", exec: "sh calm" },
        ] }"#,
    )
    .file(
        "calm",
        "outlive() { while kill -0 $(cat stubborn.pid) 2>/dev/null; do sleep 0.01; done; }
        trap 'outlive; echo calm >> journal; exit 0' TERM
        echo calm up; while :; do sleep 0.01; done",
    )
    .start();
    pilot.wait_for_line("stubborn up", PATIENCE);
    pilot.wait_for_line("calm up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines(), ["calm"]);
    pilot.wait_for_line("stubborn did not stop within 300ms: killing it", PATIENCE);
    assert!(!pilot.stdout().contains("calm did not stop"));
}

#[test]
fn s03_a_hanging_stopping_hook_is_killed_at_the_bound_of_its_job() {
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: "100ms", jobs: [
            { name: "app", stopTimeout: "1s",
              exec: { shell: "trap 'echo app >> journal; exit 0' TERM; echo app up; while :; do sleep 0.01; done" } },
            { name: "pre", when: { source: "app", once: "stopping" },
              exec: { shell: "trap '' TERM; echo pre >> journal; while :; do sleep 0.05; done" } },
        ] }"#,
    )
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines(), ["pre", "app"]);
    pilot.wait_for_line("pre did not end within 1s of the stop of app", PATIENCE);
    pilot.wait_for_line("pre did not stop within 100ms: killing it", PATIENCE);
}

#[test]
fn s03_a_hook_without_a_bound_ends_at_the_limit_of_the_whole_stop() {
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, shutdownTimeout: "1s", jobs: [
            { name: "app", exec: { shell: "echo app up; exec sleep 60" } },
            { name: "pre", when: { source: "app", once: "stopping" },
              exec: { shell: "trap '' TERM; echo pre >> journal; while :; do sleep 0.05; done" } },
            { name: "post", when: { source: "app", once: "stopped" },
              exec: { shell: "trap '' TERM; echo post >> journal; while :; do sleep 0.05; done" } },
        ] }"#,
    )
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines()[..1], ["pre"]);
}

#[test]
fn s05_a_second_term_or_int_changes_nothing() {
    for (first, second) in [
        (Signal::SIGTERM, Signal::SIGTERM),
        (Signal::SIGINT, Signal::SIGTERM),
        (Signal::SIGTERM, Signal::SIGINT),
    ] {
        let mut pilot = Pilot::config(
            r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, jobs: [
                { name: "app", exec: "sh app" },
                { name: "pre", when: { source: "app", each: "stopping" }, exec: { shell: "echo pre >> journal" } },
                { name: "post", when: { source: "app", each: "stopped" }, exec: { shell: "echo post >> journal" } },
            ] }"#,
        )
        .file(
            "app",
            "trap 'echo term >> journal' TERM; trap 'echo int >> journal' INT
            echo app up; until [ -e release ]; do sleep 0.01; done",
        )
        .start();
        pilot.wait_for_line("app up", PATIENCE);
        pilot.signal(first);
        pilot.wait_for_line("received: stopping", PATIENCE);
        pilot.journal().wait_for(2, PATIENCE);
        pilot.signal(second);
        pilot.wait_for_line("received: already stopping", PATIENCE);
        release(&pilot, "release");
        assert_eq!(
            pilot.wait_exit(PATIENCE).code(),
            Some(0),
            "{first} {second}"
        );
        assert_eq!(pilot.journal().lines(), ["pre", "term", "post"]);
    }
}

#[test]
fn s09_descendants_that_escape_are_gone_before_stopped() {
    // Three ways out of the job: a new session, a second fork, both. All of them ignore TERM.
    let pilot = || {
        Pilot::config(
            r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: "1s", jobs: [
                { name: "app", exec: "sh app" },
                { name: "post", when: { source: "app", once: "stopped" }, exec: "sh post" },
            ] }"#,
        )
        .file(
            "app",
            "setsid sh one & (sh two &); (setsid sh two 62 &)
            until [ -s one.pid ] && [ -s 61.pid ] && [ -s 62.pid ]; do sleep 0.01; done
            echo app up; exec sleep 63",
        )
        .file(
            "one",
            "trap 'echo one asked >> journal' TERM; echo $$ > one.pid; while :; do sleep 0.05; done",
        )
        .file(
            "two",
            "trap '' TERM HUP; echo $$ > ${1-61}.pid; exec sleep ${1-61}",
        )
        .file(
            "post",
            "for who in one 61 62; do
                kill -0 $(cat $who.pid) 2>/dev/null && echo $who lives || echo $who gone
            done >> journal",
        )
    };
    in_both_roles(pilot, |mut pilot| {
        pilot.wait_for_line("app up", PATIENCE);
        for sleeper in ["sleep 61", "sleep 62"] {
            pilot.wait_until(PATIENCE, sleeper, || pilot.find(sleeper).len() == 1);
        }
        pilot.signal(Signal::SIGTERM);
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
        assert_eq!(
            pilot.journal().lines(),
            ["one asked", "one gone", "61 gone", "62 gone"]
        );
    });
}

#[test]
fn s09_what_a_job_starts_after_its_term_is_asked_to_end_as_well() {
    // Nothing is waited for: the 60 s of the grace would outlast the test.
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, jobs: [
            { name: "app", exec: "sh app" },
        ] }"#,
    )
    .file(
        "app",
        "trap 'sh late & until [ -e ready ]; do sleep 0.01; done; exit 0' TERM
        echo app up; while :; do sleep 0.01; done",
    )
    // A program of its own: a shell that has only just been forked would swallow the signal.
    .file("late", "touch ready; exec sleep 61")
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn s10_a_held_output_does_not_hide_the_exit_of_its_job() {
    // The helper keeps the pipe, ignores TERM, and could do so for a minute.
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, jobs: [
            { name: "app", exec: "sh app" },
            { name: "next", when: { source: "app", once: "exitSuccess" }, exec: { shell: "echo next runs" } },
        ] }"#,
    )
    .file(
        "app",
        "(trap '' TERM; touch ready; until [ -e release ]; do sleep 0.01; done; echo leftover) &
        until [ -e ready ]; do sleep 0.01; done",
    )
    .start();
    pilot.wait_for_line("next runs", PATIENCE);
    assert!(!pilot.stdout().contains("leftover"));
    release(&pilot, "release");
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot.wait_for_line("leftover", PATIENCE);
}

#[test]
fn s10_what_is_left_in_the_pipe_is_written() {
    // It dies by KILL in the middle of a line.
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: "200ms", jobs: [{ name: "app", exec: "sh app" }] }"#,
    )
    .file(
        "app",
        "(trap '' TERM; printf 'no newline'; touch ready; while :; do sleep 0.05; done) &
        until [ -e ready ]; do sleep 0.01; done",
    )
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot.wait_for_line("no newline", PATIENCE);
}

/// An application with hooks of the kind `each`, before and after its end.
const HOOKED: &str = r#"[
    { name: "app", exec: { shell: "trap 'echo app >> journal; exit 0' TERM; echo app up; until [ -e done ]; do sleep 0.01; done" } },
    { name: "pre", when: { source: "app", each: "stopping" }, exec: { shell: "echo pre >> journal" } },
    { name: "post", when: { source: "app", each: "stopped" }, exec: { shell: "echo post >> journal" } },
]"#;

#[test]
fn s12_hooks_with_each_run_once_at_a_stop() {
    let mut pilot = Pilot::jobs(HOOKED).start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines(), ["pre", "app", "post"]);
}

#[test]
fn s12_hooks_with_each_run_once_at_a_reload() {
    let mut pilot = Pilot::jobs(HOOKED).start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.alter("app");
    pilot.signal(Signal::SIGHUP);
    pilot.wait_for_lines("app up", 2, PATIENCE);
    assert_eq!(pilot.journal().lines(), ["pre", "app", "post"]);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let twice = ["pre", "app", "post", "pre", "app", "post"];
    assert_eq!(pilot.journal().lines(), twice);
}

#[test]
fn s12_hooks_with_each_do_not_keep_the_container() {
    let mut pilot = Pilot::jobs(HOOKED).start();
    pilot.wait_for_line("app up", PATIENCE);
    release(&pilot, "done");
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines(), ["pre", "post"]);
}

#[test]
fn s17_a_client_that_holds_its_connection_delays_no_stop() {
    let mut pilot =
        Pilot::jobs(r#"[{ name: "app", exec: { shell: "echo app up; exec sleep 60" } }]"#).start();
    pilot.wait_for_line("app up", PATIENCE);
    let connect = || UnixStream::connect(pilot.dir().join("control.socket")).expect("it listens");
    let mut clients = [connect(), connect(), connect()];
    // One says nothing, one stops in the middle of a request, one has been answered and stays.
    clients[1]
        .write_all(b"POST /v3/environ HTTP/1.1\r\nContent-Le")
        .expect("it reads");
    clients[2]
        .write_all(b"GET /v3/ping HTTP/1.1\r\nHost: control\r\n\r\n")
        .expect("it reads");
    let mut first = [0; 15];
    clients[2].read_exact(&mut first).expect("it answers");
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert!(!pilot.dir().join("control.socket").exists());
    for mut client in clients {
        let mut rest = Vec::new();
        // Closed, or reset because of what was not read; in any case over.
        let _ = client.read_to_end(&mut rest);
    }
}

/// A container whose files outlive it.
fn with_files_in(place: &Path) -> Pilot {
    let place = place.display();
    Pilot::config(&format!(
        r#"{{ control: {{ socket: "{place}/control.socket" }}, stopTimeout: 1,
             logging: {{ output: "{place}/pilot.log" }},
             jobs: [{{ name: "app", exec: {{ shell: "echo $$ > {place}/app.pid; exec sleep 60" }} }}] }}"#
    ))
}

#[test]
fn s18_what_a_killed_container_left_does_not_prevent_the_next_start() {
    let files = tempfile::tempdir().expect("tests need a temporary directory");
    let socket = files.path().join("control.socket");
    let socket = socket.display().to_string();
    let ping = || crate::support::ask(&["-socket", &socket, "-ping"], &[]);
    let Some(mut first) = with_files_in(files.path()).start_as_pid1() else {
        return;
    };
    first.wait_until(PATIENCE, "the first to answer", || ping().code == Some(0));
    first.wait_until(PATIENCE, "the job of the first", || {
        files.path().join("app.pid").exists()
    });
    first.signal(Signal::SIGKILL);
    first.wait_exit(PATIENCE);
    assert!(
        files.path().join("control.socket").exists(),
        "it had no time to remove it"
    );
    assert_eq!(ping().code, Some(1));
    std::fs::remove_file(files.path().join("app.pid")).expect("the job wrote it");

    let Some(mut second) = with_files_in(files.path()).start_as_pid1() else {
        return;
    };
    second.wait_until(PATIENCE, "the second to answer", || ping().code == Some(0));
    second.wait_until(PATIENCE, "the job of the second", || {
        files.path().join("app.pid").exists()
    });
    second.signal(Signal::SIGTERM);
    assert_eq!(second.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn p10_a_stop_takes_back_what_has_not_begun() {
    // The first job asks for the stop while hundreds wait for their turn: those never begin, and nobody waits for them.
    let others = (0..400).map(|number| {
        format!(r#"{{ name: "other{number}", exec: {{ shell: "echo ran >> journal" }} }}"#)
    });
    let others = others.collect::<Vec<_>>().join(",");
    let mut pilot = Pilot::jobs(&format!(
        r#"[{{ name: "first", exec: {{ shell: "kill -TERM $PPID; sleep 1000" }} }}, {others}]"#
    ))
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let began = pilot.journal().lines().len();
    assert!(began < 300, "{began} of 400 jobs began after the stop");
}

#[test]
fn a_negative_stop_timeout_kills_at_once() {
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: -1, jobs: [
            { name: "app", exec: { shell: "trap 'echo term >> journal' TERM; echo app up; while :; do sleep 60; done" } },
        ] }"#,
    )
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert!(pilot.journal().lines().is_empty());
}

#[test]
fn d10_a_configuration_without_jobs_hears_term() {
    let mut pilot = Pilot::jobs("[]").start();
    pilot.wait_until(PATIENCE, "the socket", || {
        pilot.ask(&["-ping"]).code == Some(0)
    });
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}
