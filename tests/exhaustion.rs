//! When the machine has nothing left to give: descriptors, processes, disk.

use std::fs;
use std::os::unix::net::UnixStream;

use crate::support::{PATIENCE, Pilot, Running, Signal, is_root, limit, no_more_files, wait_quiet};

/// `app` goes on, `brief` ends when it is asked to by a line of input, `more` starts at each SIGUSR2.
fn three_jobs() -> Pilot {
    Pilot::jobs(
        r#"[{ name: "app", exec: ["sh", "-c", "echo app up; exec sleep 1000"],
              health: { exec: "true", interval: "20ms", timeout: "20s", ttl: 60 } },
            { name: "brief", exec: ["sh", "-c", "echo brief up; read line; exit 3"], stdin: "inherit" },
            { name: "more", exec: ["sh", "-c", "echo more up"], when: { source: "SIGUSR2" } },
            { name: "ill", exec: ["sh", "-c", "echo ill >> @DIR@/journal"], when: { source: "app", each: "unhealthy" } }]"#,
    )
    .piped_stdin()
}

fn healthy(pilot: &Running) -> bool {
    pilot.request("GET", "/api/v1/health?job=app", "").status == 200
}

/// Limits until `more` cannot be started: a check under way at the look frees what it has. Returns how often it could.
fn leave_nothing(pilot: &Running, resource: &str, tight: impl Fn(&Running) -> u64) -> usize {
    let count = |text: &str| pilot.stdout().matches(text).count();
    for started in 0..10 {
        limit(pilot.pid(), resource, tight(pilot));
        pilot.signal(Signal::SIGUSR2);
        let mut refused = false;
        pilot.wait_until(PATIENCE, "a start or its refusal", || {
            refused = count("cannot start more for want of resources") > 0;
            refused || count("more exited") > started
        });
        if refused {
            return started;
        }
    }
    panic!("there is always something left");
}

/// With `resource` limited to `tight` nothing can be started: what runs is looked after, what was asked for is tried until
/// it can be had, and nobody is called ill for want of a check.
fn lives_through(mut pilot: Running, resource: &str, tight: impl Fn(&Running) -> u64, cause: &str) {
    pilot.wait_for_line("app up", PATIENCE);
    pilot.wait_for_line("brief up", PATIENCE);
    pilot.wait_until(PATIENCE, "the first check", || healthy(&pilot));
    let started = leave_nothing(&pilot, resource, &tight);
    // Tried, and tried again after a pause; each time with the cause.
    pilot.wait_for_lines(
        "cannot start more for want of resources: tried again in",
        2,
        PATIENCE,
    );
    pilot.wait_for_lines(
        &format!("unable to start more: cannot start `sh`: {cause}"),
        2,
        PATIENCE,
    );
    // That no check could be made says nothing about the job: neither ill nor well.
    pilot.wait_for_line("unable to start check.app", PATIENCE);
    // What runs is supervised: its end is collected and told.
    drop(pilot.take_stdin());
    pilot.wait_for_line("brief exited with error: exit status 3", PATIENCE);
    pilot.wait_until(PATIENCE, "it is collected", || pilot.zombies() == 0);
    limit(pilot.pid(), resource, 256);
    pilot.wait_for_lines("more up", started + 1, PATIENCE);
    pilot.wait_until(PATIENCE, "a check that passes", || healthy(&pilot));
    assert_eq!(pilot.journal().lines(), Vec::<String>::new());
    // The stop needs nothing that it does not have.
    limit(pilot.pid(), resource, tight(&pilot));
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

fn tight_files(pilot: &Running) -> u64 {
    no_more_files(pilot.pid())
}

const NO_FILE: &str = "this program has no descriptor left";

#[test]
fn x01_without_descriptors_what_runs_is_looked_after() {
    lives_through(three_jobs().start(), "nofile", tight_files, NO_FILE);
}

#[test]
fn x01_also_as_pid_1() {
    if let Some(pilot) = three_jobs().start_as_pid1() {
        lives_through(pilot, "nofile", tight_files, NO_FILE);
    }
}

#[test]
fn x01_what_left_its_group_is_found_without_descriptors() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "app", exec: ["sh", "-c", "setsid sh -c 'trap \"\" TERM; echo left; exec sleep 1001' & exec sleep 1000"] }]"#,
    )
    .start();
    pilot.wait_for_line("left", PATIENCE);
    wait_quiet(pilot.pid());
    limit(pilot.pid(), "nofile", tight_files(&pilot));
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let said = pilot.stdout();
    assert!(!said.contains("the kernel"), "{said}");
}

#[test]
fn x01_a_client_that_cannot_be_accepted_costs_nothing() {
    let mut pilot = Pilot::jobs(r#"[{ name: "app", exec: "sleep 1000" }]"#).start();
    pilot.wait_for_line("serving", PATIENCE);
    wait_quiet(pilot.pid());
    limit(pilot.pid(), "nofile", tight_files(&pilot));
    let client = UnixStream::connect(pilot.dir().join("control.socket"));
    wait_quiet(pilot.pid());
    limit(pilot.pid(), "nofile", 256);
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    drop(client.expect("the queue of the socket takes clients"));
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn x01_a_limit_too_low_for_all_jobs_is_told_and_shared() {
    // Each job needs a descriptor for as long as it lives: as some end, the others have their turn.
    let jobs: Vec<String> = (0..30).map(|n| format!("{{ name: \"j{n}\", exec: [\"sh\", \"-c\", \"sleep 0.2; echo done {n}. >> @DIR@/journal\"] }},")).collect();
    let jobs = jobs.concat();
    let mut pilot = Pilot::jobs(&format!("[{jobs}]"))
        .preceded_by(&["prlimit", "--nofile=32:32"])
        .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines().len(), 30);
    let said = pilot.stdout();
    assert!(said.contains("the hard limit is 32"), "{said}");
    assert!(
        said.contains("this program has no descriptor left"),
        "{said}"
    );
}

#[test]
fn x02_without_processes_what_runs_is_looked_after() {
    if !is_root("a limit of processes for a user of its own") {
        return;
    }
    // A user of whom nobody else has processes; two at once, since tests run side by side, do no harm.
    let pilot = three_jobs().for_everybody();
    let pilot = pilot
        .preceded_by(&[
            "setpriv",
            "--reuid=54302",
            "--regid=54302",
            "--clear-groups",
        ])
        .start();
    lives_through(pilot, "nproc", |_| 1, "the limit of processes is reached");
}

/// A program whose log file takes no more: it says so once, and supervises.
fn goes_on_without_its_log(mut pilot: Running) {
    let complaint = "cannot write the log file: No space left on device";
    pilot.wait_for_line(complaint, PATIENCE);
    pilot.journal().wait_for(10, PATIENCE);
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.stderr().matches(complaint).count(), 1);
    // What the file does not take is not lost.
    assert!(pilot.stderr().contains("SIGTERM received: stopping"));
}

/// A job that writes much, and one that starts often and ends ill.
fn talkative(log: &str) -> Pilot {
    Pilot::config(&format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, logging: {{ output: "{log}" }}, jobs: [
            {{ name: "talks", exec: ["sh", "-c", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done"] }},
            {{ name: "often", exec: ["sh", "-c", "echo ran >> @DIR@/journal; exit 3"],
               timeout: "10s", when: {{ interval: "10ms" }} }},
        ]}}"#
    ))
}

#[test]
fn x05_a_full_disk_stops_nobody() {
    goes_on_without_its_log(talkative("/dev/full").start());
}

#[test]
fn x05_a_disk_that_becomes_full_stops_nobody() {
    if !is_root("a file system of its own") {
        return;
    }
    let pilot = talkative("@DIR@/disk/log");
    fs::create_dir(pilot.dir().join("disk")).expect("a directory of ours takes others");
    let pilot = pilot
        .after("mount -t tmpfs -o size=64k tmpfs @DIR@/disk")
        .preceded_by(&["unshare", "--mount"]);
    goes_on_without_its_log(pilot.start());
}
