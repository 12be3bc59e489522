//! Exit statuses: none is lost, none is taken for another's, and the program ends with the right one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::{PATIENCE, Pilot, Running, Signal, wait_quiet};

/// For what takes seconds even where nothing else runs.
const LONG: Duration = PATIENCE.saturating_mul(4);

/// How often the log says which end of a job.
fn ends(running: &Running, job: &str) -> BTreeMap<String, usize> {
    let words = format!(" {job} exited");
    let mut found = BTreeMap::new();
    for line in running.stdout().lines() {
        let Some((_, end)) = line.split_once(&words) else {
            continue;
        };
        let end = end.split(" job=").next().unwrap_or_default();
        let end = end
            .trim_start_matches(" with error")
            .trim_start_matches(": ");
        *found.entry(end.to_owned()).or_default() += 1;
    }
    found
}

/// Two jobs that start again as soon as they have ended, until `count` ends of both are told; none may be told wrong.
fn many_ends(pilot: Pilot, jobs: [(&str, &str); 2], count: usize) {
    let mut running = pilot.start();
    for (job, end) in jobs {
        running.wait_for_lines(&format!(" {job} exited with error: {end}"), count, LONG);
    }
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(0));
    for (job, end) in jobs {
        let mut told = ends(&running, job);
        let right = told.remove(end).unwrap_or_default();
        // The stop may have met one run each.
        told.retain(|end, times| end != "signal: SIGTERM" || *times > 1);
        assert!(right >= count && told.is_empty(), "{job}: {told:?}");
    }
    assert!(!running.stdout().contains("unable to start"));
}

/// `overlap: "queue"` makes the next run begin with the end of the last one.
const TWO_IN_A_HURRY: &str = r#"[
    { name: "one", exec: ["sh", "-c", "exit 31"], timeout: "10s", when: { interval: "1ms", overlap: "queue" } },
    { name: "two", exec: ["sh", "-c", "exit 42"], timeout: "10s", when: { interval: "1ms", overlap: "queue" } },
]"#;

#[test]
fn p01_an_essential_end_beside_another_is_told_right() {
    for round in 0..40 {
        let mut pilot = Pilot::jobs(
            r#"[{ name: "app", exec: ["sh", "-c", "echo ready; read line; exit 7"], stdin: "inherit", essential: true },
                { name: "other", exec: ["sh", "-c", "echo ready; read line; exit 9"], stdin: "inherit" }]"#,
        )
        .piped_stdin()
        .start();
        pilot.wait_for_lines("ready", 2, PATIENCE);
        // Both read the end of one file.
        drop(pilot.take_stdin());
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(7), "round {round}");
        let app = BTreeMap::from([("exit status 7".to_owned(), 1)]);
        assert_eq!(ends(&pilot, "app"), app, "round {round}");
        // Its own end, or the stop that followed at once.
        let other = ends(&pilot, "other");
        let known = other.contains_key("exit status 9") || other.contains_key("signal: SIGTERM");
        assert!(known && other.len() == 1, "round {round}: {other:?}");
    }
}

/// The status of the program whose only job is this script.
fn status_of(script: &str, as_pid1: bool) -> Option<i32> {
    let pilot = Pilot::command(&["run", "--", "sh", "-c", script]);
    let mut running = if as_pid1 {
        pilot.start_as_pid1()?
    } else {
        pilot.start()
    };
    running.wait_exit(PATIENCE).code()
}

#[test]
fn p02_a_signal_is_128_and_its_number() {
    for (name, status) in [("TERM", 143), ("KILL", 137), ("SEGV", 139), ("ABRT", 134)] {
        let script = format!("ulimit -c 0; kill -{name} $$; sleep 60");
        assert_eq!(status_of(&script, false), Some(status), "{name}");
    }
}

#[test]
fn p02_also_as_pid_1() {
    for (script, status) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 126", 126),
        ("exit 127", 127),
        ("exit 255", 255),
        ("kill -KILL $$; sleep 60", 137),
        ("kill -TERM $$; sleep 60", 143),
    ] {
        let Some(found) = status_of(script, true) else {
            return;
        };
        assert_eq!(found, status, "{script}");
    }
}

#[test]
fn p05_an_orphan_that_ends_with_42_is_nobodys_end() {
    let pilot = Pilot::jobs(
        r#"[{ name: "app", stdin: "inherit", essential: true,
              exec: ["sh", "-c", "(sh -c 'exec >&-; echo orphan >> @DIR@/journal; exit 42' &); read line; exit 5"] }]"#,
    );
    let Some(mut pilot) = pilot.piped_stdin().start_as_pid1() else {
        return;
    };
    pilot.journal().wait_for(1, PATIENCE);
    pilot.wait_until(PATIENCE, "the orphan is collected", || {
        pilot.processes().len() == 2
    });
    // Whatever the orphan's end did, it has done once the program is at rest and answers.
    wait_quiet(pilot.pid());
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    assert!(ends(&pilot, "app").is_empty());
    drop(pilot.take_stdin());
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(5));
}

#[test]
fn p06_a_zombie_of_a_living_job_is_left_to_it() {
    // The shell starts a child and becomes a program that knows of no child.
    let pilot =
        Pilot::jobs(r#"[{ name: "app", exec: ["sh", "-c", "sleep 0 & exec sleep 1000"] }]"#);
    let Some(mut pilot) = pilot.start_as_pid1() else {
        return;
    };
    pilot.wait_until(PATIENCE, "the zombie", || {
        let app = pilot.find("sleep 1000");
        let mut processes = pilot.processes().into_iter();
        processes.any(|p| p.is_zombie() && app.first().is_some_and(|app| app.pid == p.parent))
    });
    wait_quiet(pilot.pid());
    assert_eq!(pilot.zombies(), 1);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// A file of an executable format that this machine does not run: an ELF header with the machine number 0.
fn foreign_program() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf
}

/// The program with one essential job that is this file.
fn only_job(name: &str, content: &[u8], mode: u32) -> Running {
    let pilot = Pilot::jobs(&format!(
        r#"[{{ name: "app", exec: "@DIR@/{name}", restarts: 2, essential: true }},
            {{ name: "hook", exec: ["sh", "-c", "echo failed >> @DIR@/journal"],
               when: {{ source: "app", each: "exitFailed" }} }}]"#
    ));
    if !content.is_empty() {
        let path = pilot.dir().join(name);
        fs::write(&path, content).expect("a directory of ours takes files");
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, mode).expect("a file of ours takes a mode");
    }
    pilot.start()
}

#[test]
fn p15_each_command_that_cannot_start_says_why() {
    let script = b"#!/no/such/interpreter\n";
    for (name, content, mode, status, words) in [
        (
            "missing",
            b"".as_slice(),
            0,
            127,
            "no such file or directory",
        ),
        (
            "plain",
            b"#!/bin/sh\n".as_slice(),
            0o644,
            126,
            "it has no execute bit",
        ),
        (
            "foreign",
            &foreign_program(),
            0o755,
            126,
            "another architecture",
        ),
        (
            "lost",
            script.as_slice(),
            0o755,
            127,
            "its interpreter `/no/such/interpreter`",
        ),
    ] {
        let mut pilot = only_job(name, content, mode);
        let code = pilot.wait_exit(PATIENCE).code();
        assert_eq!(code, Some(status), "{name}: {}", pilot.stdout());
        // Each try says why, and counts as a failure; between the tries there is a pause.
        let said = pilot.stdout();
        let times = |words: &str| said.lines().filter(|line| line.contains(words)).count();
        assert_eq!(times(words), 3, "{name}: {said}");
        assert_eq!(times("next start in"), 1, "{name}: {said}");
        assert!(!pilot.journal().lines().is_empty(), "{name}: {said}");
    }
}

#[test]
fn p16_there_is_no_helper_process() {
    let pilot = Pilot::jobs(r#"[{ name: "app", exec: "sleep 1000" }]"#);
    let Some(pilot) = pilot.start_as_pid1() else {
        return;
    };
    pilot.wait_until(PATIENCE, "the job", || !pilot.find("sleep 1000").is_empty());
    wait_quiet(pilot.pid());
    let all = pilot.processes();
    assert_eq!(all.len(), 2, "{all:?}");
    let me = all.iter().find(|process| process.pid == pilot.pid());
    let threads = me.and_then(|me| me.status_field("Threads"));
    assert_eq!(threads.as_deref(), Some("1"));
}

mod heavy {
    use super::*;

    #[test]
    fn p02_the_status_is_that_of_the_essential_job() {
        // Most of a round is waiting, so some go side by side.
        std::thread::scope(|scope| {
            for first in 0..4 {
                scope.spawn(move || {
                    for code in (first..=255).step_by(4) {
                        assert_eq!(status_of(&format!("exit {code}"), false), Some(code));
                    }
                });
            }
        });
    }

    #[test]
    fn p01_many_ends_at_once_are_told_right() {
        let jobs = [("one", "exit status 31"), ("two", "exit status 42")];
        many_ends(Pilot::jobs(TWO_IN_A_HURRY), jobs, 500);
    }

    /// On one processor, and behind the jobs in the queue for it, the program learns of an end long after it.
    #[test]
    fn p03_ends_before_the_start_has_returned_are_told_right() {
        let one_processor =
            "list=$(taskset -cp $$); taskset -cp \"${list##*[ ,-]}\" $$ > /dev/null";
        let pilot = Pilot::jobs(TWO_IN_A_HURRY).after(one_processor);
        let pilot = pilot.preceded_by(&["nice", "-n", "10"]);
        let jobs = [("one", "exit status 31"), ("two", "exit status 42")];
        many_ends(pilot, jobs, 500);
    }

    #[test]
    fn p04_a_storm_of_orphans_leaves_no_zombies_and_confuses_nobody() {
        let pilot = Pilot::jobs(
            r#"[{ name: "storm", exec: ["sh", "-c", "i=0; while [ $i -lt 2000 ]; do (true &); i=$((i+1)); done; exit 17"],
                  essential: true },
                { name: "one", exec: ["sh", "-c", "exit 31"], timeout: "10s", when: { interval: "20ms" } },
                { name: "app", exec: "sleep 1000",
                  health: { exec: ["sh", "-c", "echo checked >> @DIR@/journal"], interval: "20ms", timeout: "20s", ttl: "1s" } },
                { name: "ill", exec: ["sh", "-c", "echo ill >> @DIR@/journal"], when: { source: "app", each: "unhealthy" } }]"#,
        );
        let Some(mut pilot) = pilot.start_as_pid1() else {
            return;
        };
        let mut most = 0;
        while pilot.try_exit().is_none() {
            most = most.max(pilot.zombies());
        }
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(17));
        assert!(most < 200, "{most} zombies at once");
        let mut one = ends(&pilot, "one");
        assert!(one.remove("exit status 31") > Some(5), "{one:?}");
        one.remove("signal: SIGTERM");
        assert!(one.is_empty(), "{one:?}");
        let checks = pilot.journal().lines();
        assert!(
            checks.len() > 5 && checks.iter().all(|line| line == "checked"),
            "{checks:?}"
        );
    }
}
