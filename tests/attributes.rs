//! What the processes of a job are: signals, environment, user, limits.

use std::fs;

use crate::support::{PATIENCE, Pilot, Running, Signal, is_root};

/// Stops the program and expects a good end.
fn stop(mut pilot: Running) -> Running {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot
}

#[test]
fn s13_each_job_gets_its_own_stop_signal_and_no_other() {
    // A shell hears of real-time signals by their number: 37 is RTMIN+3.
    let job = |signal: &str, number: &str| {
        format!(
            r#"{{ name: "{number}", stopSignal: "{signal}", stopTimeout: 20, exec: ["sh", "-c",
                 "for s in 1 2 3 10 12 15 35 36 37 38; do trap \"echo {number} got $s; test $s = {number} && exit 0\" $s; done; echo {number} up; while :; do sleep 0.01; done"] }}"#
        )
    };
    let jobs = [
        ("QUIT", "3"),
        ("SIGINT", "2"),
        ("USR1", "10"),
        ("RTMIN+3", "37"),
    ];
    let jobs = jobs.map(|(signal, number)| job(signal, number)).join(",");
    let pilot = Pilot::jobs(&format!("[{jobs}]")).start();
    for number in ["2", "3", "10", "37"] {
        pilot.wait_for_line(&format!("{number} up"), PATIENCE);
    }
    let said = stop(pilot).stdout();
    for number in ["2", "3", "10", "37"] {
        let own = format!("{number} got {number}");
        assert_eq!(said.matches(&own).count(), 1, "{said}");
    }
    assert_eq!(said.matches(" got ").count(), 4, "{said}");
}

#[test]
fn s13_who_ignores_its_stop_signal_is_killed_after_the_grace() {
    let pilot = Pilot::jobs(
        r#"[{ name: "app", stopSignal: "QUIT", stopTimeout: "200ms",
              exec: ["sh", "-c", "trap '' QUIT; echo up; while :; do sleep 0.01; done"] }]"#,
    )
    .start();
    pilot.wait_for_line("up", PATIENCE);
    let said = stop(pilot).stdout();
    assert!(said.contains("did not stop within 200ms"), "{said}");
}

#[test]
fn the_environment_is_that_of_the_job_its_check_and_its_hooks() {
    let show = |who: &str| format!("echo {who}:$FILE:$BOTH:$OURS:${{GONE-unset}}");
    let pilot = Pilot::jobs(&format!(
        r#"[{{ name: "app", exec: ["sh", "-c", "{}; exec sleep 1000"],
              envFile: "@DIR@/app.env", env: {{ BOTH: "env", GONE: null }},
              health: {{ exec: ["sh", "-c", "{}"], interval: "50ms", ttl: 5, logging: {{ raw: true }} }},
              postStop: ["sh", "-c", "{}"] }},
            {{ name: "other", exec: ["sh", "-c", "{}"] }}]"#,
        show("app"),
        show("check"),
        show("hook"),
        show("other"),
    ))
    .file("app.env", "# comment\nFILE=file\nBOTH=file\nOURS\n")
    .env("GONE", "there")
    .env("OURS", "ours")
    .start();
    pilot.wait_for_line("app:file:env:ours:unset", PATIENCE);
    pilot.wait_for_line("check:file:env:ours:unset", PATIENCE);
    pilot.wait_for_line("other:::ours:there", PATIENCE);
    let said = stop(pilot).stdout();
    assert!(said.contains("hook:file:env:ours:unset"), "{said}");
}

#[test]
fn an_environment_file_is_read_at_each_start() {
    let pilot = Pilot::jobs(
        r#"[{ name: "app", restarts: "unlimited", envFile: "@DIR@/app.env", exec: ["sh", "-c", "echo value $VALUE"] }]"#,
    )
    .start();
    pilot.wait_for_line("envFile: cannot read", PATIENCE);
    pilot.wait_for_line("next start in", PATIENCE);
    fs::write(pilot.dir().join("app.env"), "VALUE=s3cond\n").expect("our directory");
    pilot.wait_for_line("value s3cond", PATIENCE);
    stop(pilot);
}

#[test]
fn a_status_that_counts_as_success_is_one_to_everybody() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "app", essential: true, successExitCodes: [0, 3], exec: ["sh", "-c", "exit 3"],
              when: { source: "first", once: "exitSuccess" } },
            { name: "first", successExitCodes: [143], exec: ["sh", "-c", "kill -TERM $$"] }]"#,
    )
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let said = pilot.stdout();
    assert!(!said.contains("exited with error"), "{said}");
}

#[test]
fn p19_limits_hold_for_the_job_and_its_check_alone() {
    let pilot = Pilot::jobs(
        r#"[{ name: "app", limits: { nofile: { soft: 64, hard: 128 }, core: 0 }, umask: "027", nice: 5,
              noNewPrivileges: true, workdir: "/usr",
              exec: ["sh", "-c", "echo app:$(ulimit -Sn):$(ulimit -Hn):$(ulimit -c):$(umask):$(nice):$(pwd); exec sleep 1000"],
              health: { exec: ["sh", "-c", "echo check:$(ulimit -Sn):$(umask):$(nice):$(pwd)"], interval: "50ms", ttl: 5,
                        logging: { raw: true } } },
            { name: "other", exec: ["sh", "-c", "echo other:$(ulimit -Sn):$(umask)"] }]"#,
    )
    .after("umask 022; ulimit -Sn 100")
    .start();
    pilot.wait_for_line("app:64:128:0:0027:5:/usr", PATIENCE);
    pilot.wait_for_line("check:64:0027:5:/usr", PATIENCE);
    pilot.wait_for_line("other:100:0022", PATIENCE);
    stop(pilot);
}

#[test]
fn p17_a_job_runs_as_its_user() {
    if !is_root("a switch of users") {
        return;
    }
    let pilot = Pilot::jobs(
        r#"[{ name: "number", user: 54321, group: 54322, exec: ["sh", "-c", "echo number:$(id -u):$(id -g):$(id -G):$HOME; exec sleep 1000"], },
            { name: "daemon", user: "daemon", env: { LOGNAME: "own" },
              exec: ["sh", "-c", "echo daemon:$(id -un):$USER:$LOGNAME > /dev/stdout"] },
            { name: "missing", user: "no-such-user", exec: "true" }]"#,
    )
    .env("HOME", "/before")
    .start();
    pilot.wait_for_line("number:54321:54322:54322:/before", PATIENCE);
    pilot.wait_for_line("daemon:daemon:daemon:own", PATIENCE);
    pilot.wait_for_line("there is no user `no-such-user` in `/etc/passwd`", PATIENCE);
    stop(pilot);
}

#[test]
fn p17_without_any_right_the_program_runs_and_names_what_it_may_not() {
    if !is_root("a user that nobody knows") {
        return;
    }
    let pilot = Pilot::jobs(
        r#"[{ name: "app", user: 54308, exec: ["sh", "-c", "echo app as $(id -u); exec sleep 1000"], umask: "077", nice: 3,
              limits: { nofile: 50 }, noNewPrivileges: true },
            { name: "switch", user: "daemon", restarts: 2, exec: "true" },
            { name: "nice", nice: -5, exec: "true" },
            { name: "hook", when: { source: "nice", once: "exitFailed" }, exec: ["sh", "-c", "echo heard"] }]"#,
    )
    .for_everybody()
    .preceded_by(&[
        "setpriv",
        "--reuid=54308",
        "--regid=54308",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
    ])
    .start();
    pilot.wait_for_line("app as 54308", PATIENCE);
    pilot.wait_for_lines(
        "cannot become user 1 with group 1: the kernel refuses it: it needs CAP_SETGID",
        3,
        PATIENCE,
    );
    pilot.wait_for_line("cannot set `nice` to -5: the kernel refuses it", PATIENCE);
    pilot.wait_for_line("heard", PATIENCE);
    pilot.wait_until(PATIENCE, "the job runs", || {
        !pilot.find("sleep 1000").is_empty()
    });
    pilot.wait_for_line("next start in", PATIENCE);
    stop(pilot);
}
