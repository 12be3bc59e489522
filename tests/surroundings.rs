//! What the program finds around it: another init, no `/proc`, a root that is read-only, limits of its own.

use std::fs;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit};

use crate::support::{PATIENCE, Pilot, Running, Signal, is_root};

#[test]
fn p07_below_another_init_orphans_come_to_the_program() {
    let pilot = Pilot::jobs(
        r#"[{ name: "app", exec: ["sh", "-c",
              "for i in 1 2 3 4 5 6 7 8; do (true &); done; (sleep 1001 &); echo made; exec sleep 1000"] }]"#,
    );
    // A shell is the init here.
    let Some(mut init) = pilot
        .preceded_by(&["sh", "-c", "\"$@\"; exit $?", "sh"])
        .start_as_pid1()
    else {
        return;
    };
    init.wait_for_line("made", PATIENCE);
    let programs = || {
        let mut found = init.find("containerpilot.json5");
        found.retain(|process| process.parent == init.pid());
        found
    };
    let program = programs().pop().expect("the program runs").pid;
    init.wait_until(PATIENCE, "the orphan is the program's", || {
        init.find("sleep 1001")
            .iter()
            .any(|orphan| orphan.parent == program)
    });
    init.wait_until(PATIENCE, "the others are collected", || {
        init.processes().len() == 4
    });
    nix::sys::signal::kill(program, Signal::SIGTERM).expect("the program runs");
    assert_eq!(init.wait_exit(PATIENCE).code(), Some(0));
    let said = init.stdout();
    assert_eq!(said.matches("not PID 1").count(), 1, "{said}");
    assert!(!said.contains("ERROR") && !said.contains("WARN"), "{said}");
}

/// Jobs that start, are checked, fail, start again and leave their group.
fn some_of_everything() -> Pilot {
    Pilot::jobs(
        r#"[{ name: "app", exec: ["sh", "-c", "setsid sleep 1001 & exec sleep 1000"],
              health: { exec: "true", interval: "10ms", timeout: "10s", ttl: 1 } },
            { name: "next", exec: ["sh", "-c", "echo healthy"], when: { source: "app", once: "healthy" } },
            { name: "brief", exec: ["sh", "-c", "exit 3"], restarts: 1 }]"#,
    )
}

/// Sees all of that happen, and the end of all of it; how often the log speaks of `/proc`.
fn works(mut pilot: Running) -> usize {
    pilot.wait_for_line("healthy", PATIENCE);
    pilot.wait_for_lines("brief exited with error: exit status 3", 2, PATIENCE);
    pilot.wait_until(PATIENCE, "who left", || {
        !pilot.find("sleep 1001").is_empty()
    });
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot.stdout().matches("/proc").count()
}

#[test]
fn p08_without_procfs_everything_runs_with_one_warning() {
    let pilot = some_of_everything().after("mount -t tmpfs none /proc");
    if let Some(pilot) = pilot.start_as_pid1() {
        assert_eq!(works(pilot), 1);
    }
}

#[test]
fn p08_without_procfs_below_another_init() {
    if !is_root("a mount namespace for a program that is not PID 1") {
        return;
    }
    let pilot = Pilot::jobs(
        r#"[{ name: "app", exec: ["sh", "-c", "sleep 1001 & exec sleep 1000"] },
            { name: "brief", exec: ["sh", "-c", "sleep 1002 & sleep 1003 & exit 3"] }]"#,
    );
    let pilot = pilot
        .after("mount -t tmpfs none /proc")
        .preceded_by(&["unshare", "--mount"]);
    let mut pilot = pilot.start();
    pilot.wait_for_line("brief exited with error: exit status 3", PATIENCE);
    // The rest of its group is found by the group's number.
    pilot.wait_until(PATIENCE, "what the end of a job left", || {
        pilot.find("sleep 1002").is_empty() && pilot.find("sleep 1003").is_empty()
    });
    pilot.wait_until(PATIENCE, "the group", || {
        !pilot.find("sleep 1001").is_empty()
    });
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.stdout().matches("there is no /proc").count(), 1);
}

#[test]
fn p08_with_the_processes_of_others_hidden() {
    if !is_root("hidden processes") {
        return;
    }
    let pilot = some_of_everything().for_everybody();
    let pilot = pilot
        .preceded_by(&[
            "setpriv",
            "--reuid=54308",
            "--regid=54308",
            "--clear-groups",
        ])
        .after("mount -o remount,hidepid=2 /proc");
    if let Some(pilot) = pilot.start_as_pid1() {
        assert_eq!(works(pilot), 0);
    }
}

#[test]
fn p18_a_read_only_root_and_run_files_without_exec() {
    if !is_root("a read-only root") {
        return;
    }
    let pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/run/control.socket", required: true }, stopTimeout: 1, jobs: [
            { name: "app", exec: ["sh", "-c", "touch @DIR@/file / 2> /dev/null || echo read-only; exec sleep 1000"] },
            { name: "hook", exec: ["sh", "-c", "touch @DIR@/run/file && echo written"] },
        ]}"#,
    );
    fs::create_dir(pilot.dir().join("run")).expect("a directory of ours takes others");
    let pilot = pilot.after(
        "mount --bind @DIR@ @DIR@ && mount -o remount,bind,ro @DIR@ && mount -o remount,bind,ro /
         cd @DIR@ && mount -t tmpfs -o noexec tmpfs run",
    );
    let Some(mut pilot) = pilot.start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("read-only", PATIENCE);
    pilot.wait_for_line("written", PATIENCE);
    // The socket is in a file system that only the program's namespace has.
    let socket = format!(
        "/proc/{}/root{}/run/control.socket",
        pilot.pid(),
        pilot.dir().display()
    );
    let answer = pilot.request_at(socket.as_ref(), "GET", "/v3/ping", "");
    assert_eq!(answer.status, 200);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// What jobs see of the limit of open files when the program starts with `soft` and `hard`; also without a pipe, which
/// is another way to start. `jobs` more are there to need files.
fn limits_of_children(soft: u64, hard: u64, jobs: usize) {
    let more: Vec<String> = (0..jobs)
        .map(|n| format!("{{ name: \"j{n}\", exec: \"sleep 1000\" }},"))
        .collect();
    let more = more.concat();
    let script = "echo $(ulimit -Sn) $(ulimit -Hn) >> @DIR@/journal";
    let pilot = Pilot::jobs(&format!(
        r#"[{more} {{ name: "pumped", exec: ["sh", "-c", "{script}"] }},
            {{ name: "raw", exec: ["sh", "-c", "{script}"], logging: {{ raw: true }} }},
            {{ name: "front", exec: ["sh", "-c", "{script}"], tty: true }}]"#
    ));
    let limits = format!("--nofile={soft}:{hard}");
    let mut pilot = pilot.preceded_by(&["prlimit", &limits]).start();
    let seen = pilot.journal().wait_for(3, PATIENCE);
    assert_eq!(seen, vec![format!("{soft} {hard}"); 3]);
    pilot.wait_until(PATIENCE, "all jobs", || {
        pilot.find("sleep 1000").len() == jobs
    });
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let said = pilot.stdout();
    assert!(
        !said.contains("unable to start") && !said.contains("WARN"),
        "{said}"
    );
}

#[test]
fn p19_children_get_the_small_limit_that_the_program_raised() {
    limits_of_children(64, 1024, 60);
}

#[test]
fn p19_the_largest_limit_costs_nothing_and_is_passed_on() {
    let text = fs::read_to_string("/proc/sys/fs/nr_open").expect("the kernel says its limit");
    let allowed: u64 = text.trim().parse().expect("a number");
    // The kernel's own limit is what a test can have; the number is that of the container runtime that had the fault.
    let huge = allowed.min(1_073_741_816);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("every process has limits");
    let tried = Command::new("prlimit")
        .arg(format!("--nofile={huge}:{huge}"))
        .arg("true")
        .output();
    // Only who has CAP_SYS_RESOURCE may go beyond the hard limit.
    let raised = tried.is_ok_and(|tried| tried.status.success());
    let huge = if raised { huge } else { hard };
    limits_of_children(huge, huge, 1);
}
