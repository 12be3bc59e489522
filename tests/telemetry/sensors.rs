//! Jobs whose output is the value of a metric, and the sensors of version 2 that become such jobs.

use super::{Served, config};
use crate::support::{PATIENCE, Pilot, Scrape, free_port, try_get};

const METRICS: &str = r#"metrics: [
    { name: "load", help: "h", type: "gauge" },
    { name: "runs", help: "h", type: "counter" },
]"#;

#[test]
fn the_output_of_a_job_is_a_value() {
    let served = Served::start(
        METRICS,
        r#"jobs: [
            { name: "load", metric: "load", exec: { shell: "echo to stderr >&2; echo ' 2.5 '" }, when: { interval: "50ms" } },
            { name: "runs", metric: "runs", exec: ["echo", "1"], when: { interval: "50ms" } },
        ]"#,
    );
    served.wait_series("load", 2.5);
    served.pilot.wait_until(PATIENCE, "some runs", || {
        served.scrape().value("runs") >= 3.0
    });
    assert!(served.pilot.stderr().contains("to stderr\n"));
    // A value is no line of the log.
    assert!(
        !served
            .pilot
            .stdout()
            .lines()
            .any(|line| line.trim_end().ends_with("2.5"))
    );
}

/// What is no value is told of and changes nothing; a sensor that floods its pipe is ended by its time limit.
#[test]
fn a_wrong_value_is_told_of() {
    let served = Served::start(
        METRICS,
        r#"jobs: [
            { name: "app", exec: "sleep 1000" },
            { name: "words", metric: "load", exec: "echo many" },
            { name: "silent", metric: "load", exec: "true" },
            { name: "negative", metric: "runs", exec: ["echo", "-1"] },
            { name: "infinite", metric: "load", exec: ["echo", "inf"] },
            { name: "fails", metric: "load", exec: { shell: "echo 7; exit 1" } },
            { name: "flood", metric: "load", exec: { shell: "yes 1" }, timeout: "300ms" },
            { name: "missing", metric: "load", exec: "/no/such/sensor" },
        ]"#,
    );
    for line in [
        r#"no value of words was recorded: its output is not a number: "many""#,
        r#"no value of silent was recorded: its output is not a number: """#,
        "no value of negative was recorded: cannot record \"runs\": a counter takes no value below zero",
        "no value of infinite was recorded: cannot record \"load\": its value is not a finite number",
        "fails exited with error: exit status 1",
        "flood timeout after 300ms",
        "unable to start missing",
    ] {
        served.pilot.wait_for_line(line, PATIENCE);
    }
    let scrape = served.scrape();
    assert!(scrape.has("load", 0.0) && scrape.has("runs", 0.0));
    served.wait_series("containerpilot_job_last_exit_status{job=\"flood\"}", 137.0);
}

/// Spec of version 2, section 3.10: the first value after one period.
#[test]
fn a_sensor_of_version_2_records() {
    let port = free_port();
    let text = format!(
        r#"{{ "consul": "127.0.0.1:1", "telemetry": {{ "port": {port}, "interfaces": ["lo"], "sensors": [
            {{ "namespace": "v2", "name": "level", "help": "h", "type": "gauge", "poll": 1, "check": ["sh", "-c", "echo 42"] }} ] }} }}"#
    );
    let pilot = Pilot::command(&["-config", "@DIR@/containerpilot.json", "sleep", "1000"])
        .file("containerpilot.json", &text)
        .start();
    pilot.wait_for_line("telemetry: serving at", PATIENCE);
    let scrape = || {
        let answer = try_get(port, "/metrics", "*/*").expect("it listens");
        Scrape::text(&answer.body)
    };
    assert!(scrape().has("v2_level", 0.0));
    pilot.wait_until(PATIENCE, "a value", || scrape().has("v2_level", 42.0));
    assert!(scrape().has(
        "containerpilot_job_last_exit_status{job=\"sensor-v2_level\"}",
        0.0
    ));
}

#[test]
fn a_reload_changes_sensors() {
    let job = |value: &str| {
        format!(
            r#"jobs: [ {{ name: "s", metric: "load", exec: ["echo", "{value}"], when: {{ interval: "50ms" }} }} ]"#
        )
    };
    let served = Served::start(METRICS, &job("1"));
    served.wait_series("load", 1.0);
    let text = config(served.port, METRICS, &job("2"));
    served.pilot.write("containerpilot.json5", &text);
    assert_eq!(served.pilot.ask(&["-reload"]).code, Some(0));
    served.wait_series("load", 2.0);
}
