//! What the engine and the kernel do to a container: limits of processes and memory, the freezer.

use std::time::{Duration, Instant};

use super::{Container, Engine, PATIENCE};
use crate::support::{request, wait_until};

/// How often a line is in the log so far.
fn count(container: &Container, pattern: &str) -> usize {
    container
        .logs()
        .lines()
        .filter(|line| line.contains(pattern))
        .count()
}

#[test]
fn x02_at_the_limit_of_processes_what_runs_is_looked_after() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let run = engine.dir().join("run-of-x02");
    std::fs::create_dir(&run).expect("a directory of ours takes others");
    let volume = format!("--volume={}:/run", run.display());
    // `hog` takes every process that is left, and gives them back when it is told to.
    let container = engine.run_config(
        "small",
        &["--pids-limit=24", &volume],
        r#"{ control: { socket: "/run/control.socket", required: true }, jobs: [
            { name: "app", exec: "sleep 1000", health: { exec: "true", interval: "200ms", ttl: 10 } },
            { name: "tick", exec: "echo tack", when: { interval: "200ms" } },
            { name: "hog", exec: ["sh", "-c", "trap 'exit 0' WINCH; (while :; do sleep 1000 & done); echo full; while :; do wait; done"],
              when: { source: "app", once: "healthy" }, forward: ["WINCH"] },
        ] }"#,
    );
    container.wait_for(" full", 1);
    container.wait_for("the limit of processes is reached", 1);
    // The socket answers, and a check that could not start says nothing of the job.
    let health = request(
        &run.join("control.socket"),
        "GET",
        "/api/v1/health?job=app",
        "",
        PATIENCE,
    );
    assert_eq!(health.expect("the socket answers").status, 200);

    container.signal("WINCH");
    let before = count(&container, " tack");
    container.wait_for(" tack", before + 3);
    assert!(
        !container.logs().contains("app exited"),
        "{}",
        container.logs()
    );
    assert_eq!(container.stop(10), 0, "{}", container.logs());
}

/// A container with a job that wants more memory than there is, with these keys, and one other job.
fn with_a_hog<'e>(engine: &'e Engine, keys: &str, other: &str) -> Container<'e> {
    let hog = format!(
        r#"{{ name: "hog", exec: "dd if=/dev/zero of=/dev/null bs=256M count=1", {keys} }}"#
    );
    let limits = ["--memory=48m", "--memory-swap=48m"];
    engine.run_config("small", &limits, &format!("{{ jobs: [{hog}, {other}] }}"))
}

#[test]
fn x03_a_job_that_the_kernel_kills_for_memory_is_restarted() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = with_a_hog(
        &engine,
        "restarts: 1",
        r#"{ name: "app", exec: "sleep 1000", health: { exec: "true", interval: "200ms", ttl: 10 } }"#,
    );
    container.wait_for("hog exited with error: signal: SIGKILL (out of memory)", 2);
    // By the kernel, as the container's control group has it, of version 1 or 2.
    let script = "cd /sys/fs/cgroup; cat memory/memory.oom_control memory.events 2> /dev/null";
    let counts = container.try_exec(&["sh", "-c", script]);
    let counts = String::from_utf8_lossy(&counts.stdout).into_owned();
    assert!(counts.lines().any(|line| line == "oom_kill 2"), "{counts}");
    assert_eq!(container.inspect("{{.State.Running}}"), "true");
    container.exec(&["pidof", "sleep"]);
    assert!(
        !container.logs().contains("app exited"),
        "{}",
        container.logs()
    );
    assert_eq!(container.stop(10), 0, "{}", container.logs());
}

#[test]
fn x03_an_essential_job_that_the_kernel_kills_for_memory_is_status_137() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let app = r#"{ name: "app", exec: "sleep 1000" }"#;
    let container = with_a_hog(&engine, "essential: true", app);
    assert_eq!(container.wait(), 137, "{}", container.logs());
}

#[test]
fn x08_a_paused_container_goes_on_without_a_storm() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = engine.run_config(
        "small",
        &[],
        r#"{ jobs: [
            { name: "app", exec: "sleep 1000", timeout: "5s", health: { exec: "sleep 1.5", interval: "2s", timeout: "3s", ttl: 60 } },
            { name: "tick", exec: "echo tack", when: { interval: "250ms" } },
        ] }"#,
    );
    container.wait_for(" tack", 3);
    engine.docker(&["pause", container.id()]);
    let before = count(&container, " tack");
    // The length of the pause is the fault, not a wait for anything.
    std::thread::sleep(Duration::from_secs(4));
    let thawed = Instant::now();
    engine.docker(&["unpause", container.id()]);
    wait_until(PATIENCE, "ticks after the pause", || {
        count(&container, " tack") >= before + 4
    });
    let ran = count(&container, " tack") - before;
    // One run for all that was missed, then one an interval, and one whose line was not in the log yet.
    let due = thawed.elapsed().as_millis() / 250 + 2;
    assert!(ran as u128 <= due, "{ran} runs, {due} were due");
    container.wait_for("the program did not run for", 1);
    assert!(
        !container.logs().contains("timeout after"),
        "{}",
        container.logs()
    );
    assert_eq!(container.stop(10), 0, "{}", container.logs());
}
