//! What `docker logs` shows.

use super::Engine;

#[test]
fn docker_logs_has_every_line_in_order_up_to_the_last_word() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = engine.run_config(
        "small",
        &[],
        r#"{ jobs: [{ name: "app", exec: ["sh", "-c", "seq 1 20000; printf last-word"], essential: true }] }"#,
    );
    assert_eq!(container.wait(), 0);
    let logs = container.logs();
    let words = logs
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let numbers: Vec<&str> = words.filter(|word| word.parse::<u32>().is_ok()).collect();
    let wanted: Vec<String> = (1..=20000).map(|number| number.to_string()).collect();
    assert_eq!(numbers.len(), wanted.len());
    assert!(numbers.iter().eq(wanted.iter()), "lines are out of order");
    assert!(logs.contains(" last-word"));
}

#[test]
fn docker_logs_keeps_the_streams_of_a_raw_job_apart() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = engine.run_config(
        "small",
        &[],
        r#"{ jobs: [{ name: "app", exec: ["sh", "-c", "echo to stdout; echo to stderr >&2"], logging: { raw: true } }] }"#,
    );
    assert_eq!(container.wait(), 0);
    let output = engine.try_docker(&["logs", container.id()]);
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(stdout.lines().any(|line| line == "to stdout"), "{stdout}");
    assert!(stderr.lines().any(|line| line == "to stderr"), "{stderr}");
}
