//! Jobs that the wall clock starts, in the built program. A test cannot set the clock (P20); what is here happens within
//! seconds, and clocks that are set are tested beside the rules.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{PATIENCE, Pilot, Running, Signal};

fn count(pilot: &Running, line: &str) -> usize {
    let lines = pilot.journal().lines();
    lines.into_iter().filter(|found| found == line).count()
}

fn stop(pilot: &mut Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn a_job_starts_at_each_second_that_its_schedule_names() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "tick", when: { cron: "* * * * * *" }, exec: { shell: "date +%s >> journal" } },
            { name: "never", when: { cron: "0 0 29 2 *", timezone: "UTC" }, exec: { shell: "echo 29 February >> journal" } }]"#,
    )
    .start();
    let lines = pilot.journal().wait_for(4, PATIENCE);
    let seconds: Vec<u64> = lines.iter().filter_map(|line| line.parse().ok()).collect();
    assert!(seconds.len() >= 3, "{lines:?}");
    // A run may be late, and none comes twice.
    let passed = seconds[seconds.len() - 1] - seconds[0];
    assert!(seconds.len() as u64 <= passed + 2, "{lines:?}");
    stop(&mut pilot);
}

#[test]
fn overlap_kill_ends_the_run_before_as_a_stop_does() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "tick", when: { cron: "* * * * * *", overlap: "kill" },
              exec: { shell: "trap 'echo term >> journal; exit 0' TERM; echo run >> journal; while :; do sleep 0.01; done" } }]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "the third run", || count(&pilot, "run") >= 3);
    assert!(count(&pilot, "term") >= 2, "each was asked to end");
    stop(&mut pilot);
    assert_eq!(count(&pilot, "run"), count(&pilot, "term"));
}

#[test]
fn overlap_skip_lets_the_run_go_on_and_says_so() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "tick", when: { cron: "* * * * * *" }, exec: { shell: "echo run >> journal; exec sleep 1000" } }]"#,
    )
    .start();
    pilot.wait_for_lines("tick still runs at its next tick: skipped", 2, PATIENCE);
    assert_eq!(count(&pilot, "run"), 1);
    stop(&mut pilot);
}

#[test]
fn ticks_go_on_after_a_reload() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "tick", when: { cron: "*/1 * * * * *" }, exec: { shell: "echo run >> journal" } }]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "a run", || count(&pilot, "run") >= 1);
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    pilot.wait_for_line("reloaded: 1 jobs", PATIENCE);
    let before = count(&pilot, "run");
    pilot.wait_until(PATIENCE, "two more runs", || {
        count(&pilot, "run") >= before + 2
    });
    stop(&mut pilot);
}

#[test]
fn a_time_that_comes_during_a_reload_is_not_lost() {
    let seconds = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs()
    };
    let time = seconds() + 4;
    let jobs = format!(
        r#"[{{ name: "tick", when: {{ cron: "{} * * * * *" }}, exec: {{ shell: "echo run >> journal" }} }},
            {{ name: "app", stopTimeout: "60s",
               exec: {{ shell: "trap 'until [ -e release ]; do sleep 0.01; done; exit 0' TERM; echo up >> journal; while :; do sleep 0.01; done" }} }}]"#,
        time % 60
    );
    let mut pilot = Pilot::jobs(&jobs).start();
    pilot.journal().wait_for_line("up", PATIENCE);
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    pilot.wait_until(PATIENCE, "the time is over", || seconds() > time);
    std::fs::write(pilot.dir().join("release"), "").expect("a directory of ours takes files");
    pilot.wait_for_line("reloaded: 2 jobs", PATIENCE);
    // It would come again in a minute.
    pilot.journal().wait_for_line("run", PATIENCE);
    assert_eq!(count(&pilot, "run"), 1);
    stop(&mut pilot);
}

#[test]
fn a_zone_that_the_image_lacks_is_refused_at_the_start_and_utc_is_not() {
    let job = |zone: &str| {
        format!(
            r#"[{{ name: "tick", when: {{ cron: "* * * * * *", timezone: "{zone}" }}, exec: {{ shell: "echo run >> journal" }} }}]"#
        )
    };
    let mut wrong = Pilot::jobs(&job("Mars/Crater")).start();
    assert_eq!(wrong.wait_exit(PATIENCE).code(), Some(1));
    let said = wrong.stderr();
    assert!(said.contains("jobs[0].when.timezone"), "{said}");
    assert!(said.contains("`UTC`, which needs no file"), "{said}");
    let mut right = Pilot::jobs(&job("UTC")).start();
    right.wait_until(PATIENCE, "a run", || count(&right, "run") >= 1);
    stop(&mut right);
}

#[test]
fn a_local_zone_that_the_image_lacks_is_a_warning() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "tick", when: { cron: "* * * * * *" }, exec: { shell: "echo run >> journal" } }]"#,
    )
    .env("TZ", "Mars/Crater")
    .start();
    pilot.wait_for_line("the schedule is in UTC", PATIENCE);
    pilot.wait_until(PATIENCE, "a run", || count(&pilot, "run") >= 1);
    stop(&mut pilot);
}
