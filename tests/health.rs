//! Checks without a program, the start period, restarts by a check, and readiness, with real sockets and processes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::support::{PATIENCE, Pilot, Running, Signal, StandIn, compiled};

fn count(pilot: &Running, line: &str) -> usize {
    let lines = pilot.journal().lines();
    lines.into_iter().filter(|found| found == line).count()
}

fn stop(pilot: &mut Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

fn is_healthy(pilot: &Running, job: &str) -> bool {
    pilot.ask(&["healthy", job]).code == Some(0)
}

/// A server of HTTP that says this to everybody; it ends with the test.
fn serve(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn checks_need_no_program() {
    let good = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let bad = serve("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
    let mut pilot = Pilot::jobs(&format!(
        r#"[
            {{ name: "web", exec: "sleep 60", health: {{ http: {{ port: {good}, body: "ok" }}, interval: "50ms" }} }},
            {{ name: "sick", exec: "sleep 60", health: {{ http: "http://127.0.0.1:{bad}/", interval: "50ms" }} }},
            {{ name: "mixed", exec: "sleep 60", health: [
                {{ tcp: {good}, interval: "50ms" }},
                {{ exec: "true", interval: "50ms", timeout: "5s" }},
                {{ file: "@DIR@/flag", interval: "50ms" }} ] }},
        ]"#
    ))
    .start();
    pilot.wait_until(PATIENCE, "a healthy job", || is_healthy(&pilot, "web"));
    pilot.wait_until(PATIENCE, "verdicts", || {
        let answers = ["sick", "mixed"].map(|job| pilot.ask(&["healthy", job]).stderr);
        answers == ["sick is unhealthy\n", "mixed is unhealthy\n"]
    });
    std::fs::write(pilot.dir().join("flag"), "").expect("a directory of ours");
    pilot.wait_until(PATIENCE, "all checks", || is_healthy(&pilot, "mixed"));
    stop(&mut pilot);
}

/// J01 for probes: a server that never answers holds nobody up, and neither a stop.
#[test]
fn j01_a_server_that_never_answers_is_unhealthy() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let mut pilot = Pilot::jobs(&format!(
        r#"[
            {{ name: "app", exec: "sleep 60", health: {{ http: {{ port: {port} }}, interval: "50ms", timeout: "100ms" }} }},
            {{ name: "hook", when: {{ source: "app", each: "unhealthy" }}, exec: {{ shell: "echo bad >> journal" }} }},
        ]"#
    ))
    .start();
    pilot.wait_until(PATIENCE, "results", || count(&pilot, "bad") >= 2);
    pilot.wait_for_line("check.app timeout after 100ms", PATIENCE);
    stop(&mut pilot);
}

/// J04; the lengths of the scenario are in virtual time beside the rules.
#[test]
fn j04_nothing_is_logged_of_a_slow_start() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "app", exec: "sleep 60", health: { exec: { shell: "echo run >> journal; echo noise; [ -e up ]" },
              interval: "50ms", ttl: 60, timeout: "5s", startPeriod: "1h" } },
            { name: "lost", exec: "sleep 60", health: { exec: "/no/such/file", interval: "50ms", ttl: 60, startPeriod: "1h" } },
            { name: "hook", when: { source: "app", each: "unhealthy" }, exec: { shell: "echo unhealthy >> journal" } },
        ]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "checks", || count(&pilot, "run") >= 5);
    let said = pilot.stdout() + &pilot.stderr();
    assert!(
        !said.contains("noise") && !said.contains("/no/such"),
        "{said}"
    );
    assert_eq!(count(&pilot, "unhealthy"), 0);
    let up = pilot.dir().join("up");
    std::fs::write(&up, "").expect("a directory of ours");
    pilot.wait_until(PATIENCE, "a pass", || is_healthy(&pilot, "app"));
    std::fs::remove_file(&up).expect("it is there");
    pilot.wait_until(PATIENCE, "a failure", || count(&pilot, "unhealthy") > 0);
    pilot.wait_for_line("noise", PATIENCE);
    stop(&mut pilot);
}

#[test]
fn j09_a_failed_check_restarts_its_job() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "app", restarts: "unlimited", exec: { shell: "echo start >> journal; touch up; exec sleep 60" },
              health: { file: "@DIR@/up", interval: "50ms", onFailure: "restart" } },
        ]"#,
    )
    .start();
    for starts in 2..=3 {
        pilot.wait_until(PATIENCE, "health", || is_healthy(&pilot, "app"));
        std::fs::remove_file(pilot.dir().join("up")).expect("the job made it");
        pilot.wait_until(PATIENCE, "a restart", || count(&pilot, "start") == starts);
    }
    pilot.wait_for_lines("app is unhealthy: restarting it", 2, PATIENCE);
    stop(&mut pilot);
}

#[test]
fn ready_by_a_newline_on_a_descriptor() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "app", ready: { fd: 3 },
              exec: { shell: "until [ -e go ]; do sleep 0.01; done; echo up >&3; exec sleep 60" } },
            { name: "hook", when: { source: "app", once: "healthy" }, exec: { shell: "echo ready >> journal" } },
        ]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "an answer", || {
        let answer = pilot.ask(&["healthy", "app"]);
        answer.stderr == "app has not passed a health check yet\n"
    });
    std::fs::write(pilot.dir().join("go"), "").expect("a directory of ours");
    pilot.wait_until(PATIENCE, "readiness", || count(&pilot, "ready") == 1);
    assert!(is_healthy(&pilot, "app"));
    stop(&mut pilot);
}

#[test]
fn ready_by_notices_of_the_jobs_own_processes() {
    let pilot = Pilot::jobs(
        r#"[
            { name: "app", ready: "notify", watchdog: "200ms",
              exec: { shell: "echo $WATCHDOG_USEC > usec; echo $NOTIFY_SOCKET > address; until [ -e go ]; do sleep 0.01; done; @DIR@/notify 'STATUS=warm' READY=1; wait" } },
            { name: "hook", when: { source: "app", each: "healthy" }, exec: { shell: "echo ready >> journal" } },
            { name: "late", when: { source: "app", each: "unhealthy" }, exec: { shell: "echo late >> journal" } },
            { name: "stranger", exec: { shell: "until [ -s address ]; do sleep 0.01; done; NOTIFY_SOCKET=$(cat address) exec @DIR@/notify STATUS=evil READY=1" } },
        ]"#,
    );
    compiled(pilot.dir(), "notify", include_str!("stubs/notify.c"));
    let mut pilot = pilot.start();
    pilot.wait_until(PATIENCE, "the stranger", || {
        !pilot.find("STATUS=evil").is_empty() && pilot.dir().join("usec").exists()
    });
    std::fs::write(pilot.dir().join("go"), "").expect("a directory of ours");
    pilot.wait_for_line("app says: warm", PATIENCE);
    pilot.wait_until(PATIENCE, "a missed heartbeat", || count(&pilot, "late") > 0);
    assert_eq!(count(&pilot, "ready"), 1, "only the job speaks for itself");
    let said = pilot.stdout() + &pilot.stderr();
    assert!(!said.contains("evil"), "{said}");
    let usec = std::fs::read_to_string(pilot.dir().join("usec")).expect("written");
    assert_eq!(usec.trim(), "200000");
    stop(&mut pilot);
}

/// The catalogue has one check of a service, whatever the number of ours: it fails with the words of the one that did.
#[test]
fn the_catalogue_hears_of_the_check_that_failed() {
    let agent = StandIn::start();
    let mut pilot = Pilot::config(&format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}", jobs: [
            {{ name: "app", port: 80, exec: "sleep 60", health: [
                {{ exec: {{ shell: "echo fine" }}, interval: "50ms", ttl: 60, timeout: "5s" }},
                {{ file: "@DIR@/flag", interval: "50ms", ttl: 60 }} ] }} ] }}"#,
        agent.address()
    ))
    .file("flag", "")
    .start();
    agent.wait_status("app", Some("passing"), PATIENCE);
    std::fs::remove_file(pilot.dir().join("flag")).expect("it is there");
    agent.wait_status("app", Some("critical"), PATIENCE);
    pilot.wait_until(PATIENCE, "the cause", || {
        let output = agent.registered("app").map(|found| found.output);
        output.is_some_and(|output| output.contains("flag: No such file"))
    });
    std::fs::write(pilot.dir().join("flag"), "").expect("a directory of ours");
    agent.wait_status("app", Some("passing"), PATIENCE);
    stop(&mut pilot);
}
