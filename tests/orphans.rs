//! What a job leaves behind when its command turns into a daemon (P12).

use crate::support::{PATIENCE, Pilot, Process, Running, Signal};

/// A command that leaves a daemon behind and ends; the daemon writes down that it was asked to end.
const DAEMON: &str = "#!/bin/sh
echo run >> @DIR@/journal
[ -e @DIR@/left ] && exit 3
touch @DIR@/left
setsid sh -c 'trap \"echo asked >> @DIR@/journal; exit\" TERM
    touch @DIR@/up; while :; do sleep 0.01; done' &
# Only then: a shell that is asked to end before its trap is set just ends.
while [ ! -e @DIR@/up ]; do sleep 0.01; done
exit 3
";

fn job(keys: &str) -> Pilot {
    Pilot::jobs(&format!(
        r#"[{{ name: "app", exec: "@DIR@/daemon", restarts: "unlimited", {keys} }}]"#
    ))
    .file("daemon", DAEMON)
}

fn daemon(pilot: &Running) -> Option<Process> {
    pilot
        .find("touch")
        .into_iter()
        .find(|process| process.session == process.pid)
}

fn is_kept_until_the_stop(mut pilot: Running) {
    pilot.wait_for_line("app exited with error: exit status 3", PATIENCE);
    let kept = daemon(&pilot).expect("it outlives its run").pid;
    pilot.wait_for_lines("app exited with error: exit status 3", 4, PATIENCE);
    assert_eq!(daemon(&pilot).expect("restarts leave it alone").pid, kept);
    assert!(pilot.journal().lines().iter().all(|line| line == "run"));
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let asked = pilot.journal().lines();
    assert_eq!(
        asked.iter().filter(|line| *line == "asked").count(),
        1,
        "{asked:?}"
    );
}

#[test]
fn p12_a_kept_daemon_outlives_its_runs_and_ends_at_the_stop() {
    is_kept_until_the_stop(job(r#"orphans: "keep""#).start());
}

#[test]
fn p12_also_as_pid_1() {
    if let Some(pilot) = job(r#"orphans: "keep""#).start_as_pid1() {
        is_kept_until_the_stop(pilot);
    }
}

#[test]
fn p12_a_swept_daemon_is_gone_before_the_next_run() {
    let mut pilot = job(r#"orphans: "sweep""#).start();
    pilot.journal().wait_for(3, PATIENCE);
    assert_eq!(pilot.journal().lines()[..3], ["run", "asked", "run"]);
    assert!(daemon(&pilot).is_none());
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}
