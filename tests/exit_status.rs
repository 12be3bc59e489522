//! The status that the container ends with (decision 9).

use crate::support::{PATIENCE, Pilot, Signal};

/// The status of a configuration that ends by itself.
fn status_of(jobs: &str) -> Option<i32> {
    let mut pilot = Pilot::config(&format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 60, jobs: {jobs} }}"#
    ))
    .start();
    pilot.wait_exit(PATIENCE).code()
}

#[test]
fn s14_the_status_143_of_a_requested_stop_is_success() {
    let jobs = r#"[{ name: "app", exec: { shell: "trap 'exit 143' TERM; echo app up; while :; do sleep 0.01; done" } }]"#;
    let Some(mut pilot) = Pilot::jobs(jobs).start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("app up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn a_requested_stop_is_success_whatever_failed_before() {
    let jobs = r#"[
        { name: "main", exec: "sleep 61" },
        { name: "task", exec: { shell: "exit 5" } },
        { name: "next", when: { source: "task", once: "stopped" }, exec: { shell: "echo next ran" } },
    ]"#;
    let mut pilot = Pilot::jobs(jobs).start();
    pilot.wait_for_line("next ran", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn s14_the_status_143_of_nobody_s_stop_is_a_failure() {
    assert_eq!(
        status_of(r#"[{ name: "app", exec: { shell: "exit 143" } }]"#),
        Some(143)
    );
    assert_eq!(
        status_of(r#"[{ name: "app", exec: { shell: "kill -TERM $$" } }]"#),
        Some(143)
    );
}

/// An essential job that dies with 3 when it is told to, or at TERM; and another with a hook of its end.
const ESSENTIAL: &str = r#"[
    { name: "main", essential: true,
      exec: { shell: "trap 'echo main >> journal; exit 3' TERM; echo main up; until [ -e die ]; do sleep 0.01; done; echo died >> journal; exit 3" } },
    { name: "other", exec: { shell: "trap 'echo other >> journal; exit 0' TERM; echo other up; while :; do sleep 0.01; done" } },
    { name: "pre", when: { source: "other", once: "stopping" }, exec: { shell: "echo pre >> journal" } },
    { name: "post", when: { source: "other", once: "stopped" }, exec: { shell: "echo post >> journal" } },
]"#;

#[test]
fn s15_an_essential_job_that_dies_during_the_stop_changes_no_status() {
    let Some(mut pilot) = Pilot::jobs(ESSENTIAL).start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("main up", PATIENCE);
    pilot.wait_for_line("other up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot.journal().expect_order(&["pre", "other", "post"]);
    assert!(pilot.journal().lines().contains(&"main".to_owned()));
}

#[test]
fn s15_an_essential_job_that_dies_ends_the_container_with_its_status() {
    let Some(mut pilot) = Pilot::jobs(ESSENTIAL).start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("main up", PATIENCE);
    pilot.wait_for_line("other up", PATIENCE);
    std::fs::write(pilot.dir().join("die"), "").expect("a directory of ours takes files");
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(3));
    assert_eq!(pilot.journal().lines(), ["died", "pre", "other", "post"]);
}

#[test]
fn s15_a_signal_that_ends_an_essential_job_is_in_the_status() {
    let jobs = r#"[
        { name: "main", essential: true, exec: { shell: "kill -KILL $$" } },
        { name: "other", exec: "sleep 60" },
    ]"#;
    assert_eq!(status_of(jobs), Some(137));
}

#[test]
fn s15_the_success_of_an_essential_job_ends_the_container_too() {
    let jobs = r#"[
        { name: "main", essential: true, exec: "true" },
        { name: "other", restarts: "unlimited", exec: { shell: "sleep 60; exit 9" } },
    ]"#;
    assert_eq!(status_of(jobs), Some(0));
}

#[test]
fn s15_only_the_final_exit_of_an_essential_job_counts() {
    let jobs = r#"[
        { name: "main", essential: true, restarts: 1, exec: { shell: "echo run >> runs; exit $(wc -l < runs)" } },
        { name: "other", exec: "sleep 60" },
    ]"#;
    assert_eq!(status_of(jobs), Some(2));
}

#[test]
fn s16_one_shot_jobs_end_the_container_with_success() {
    let jobs = r#"[
        { name: "a", exec: "true" },
        { name: "b", when: { source: "a", once: "exitSuccess" }, exec: "true" },
        { name: "c", when: { source: "b", once: "exitSuccess" }, exec: { shell: "sleep 0.1" } },
    ]"#;
    assert_eq!(status_of(jobs), Some(0));
}

#[test]
fn s16_the_first_final_failure_in_time_is_the_status() {
    // `late` stands first in the file and fails last; `recovers` fails before everybody, but not for good.
    let jobs = r#"[
        { name: "late", exec: { shell: "until [ -e early.failed ]; do sleep 0.01; done; exit 4" } },
        { name: "recovers", restarts: 1, exec: { shell: "echo x >> runs; [ $(wc -l < runs) = 2 ] || exit 7" } },
        { name: "early", when: { source: "recovers", once: "exitSuccess" }, exec: { shell: "exit 5" } },
        { name: "note", when: { source: "early", once: "exitFailed" }, exec: { shell: "touch early.failed" } },
    ]"#;
    assert_eq!(status_of(jobs), Some(5));
}

#[test]
fn s16_a_command_that_cannot_be_started_is_a_failure() {
    assert_eq!(
        status_of(r#"[{ name: "app", exec: "/no/such/file" }]"#),
        Some(127)
    );
    assert_eq!(
        status_of(r#"[{ name: "app", exec: "/etc/passwd" }]"#),
        Some(126)
    );
}

#[test]
fn a_bad_configuration_ends_with_1_and_one_that_is_missing_too() {
    for pid1 in [false, true] {
        let pilot = Pilot::config("{ jobs: [ { nmae: 'app' } ] }");
        let missing = Pilot::command(&["-config", "@DIR@/none.json5"]);
        for (pilot, words) in [(pilot, "did you mean `name`"), (missing, "none.json5")] {
            let running = if pid1 {
                pilot.start_as_pid1()
            } else {
                Some(pilot.start())
            };
            let Some(mut running) = running else { return };
            assert_eq!(running.wait_exit(PATIENCE).code(), Some(1));
            assert!(running.stderr().contains(words), "{}", running.stderr());
        }
    }
}

#[test]
fn a_required_control_socket_that_cannot_be_made_ends_the_start_with_1() {
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/no/such/place/socket", required: true },
             jobs: [{ name: "app", exec: { shell: "echo ran >> journal" } }] }"#,
    )
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(1));
    assert!(pilot.journal().lines().is_empty());
}
