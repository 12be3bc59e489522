//! Two supervisors and one Consul, each with a loopback address of its own: what becomes of one is heard by the other.

use std::time::Instant;

use crate::support::{Consul, PATIENCE, Pilot, Running, Signal};

const WEB: &str = "127.0.0.2";
const DB: &str = "127.0.0.3";

/// The port of both: only their addresses tell them apart.
const PORT: u16 = 8001;

/// A TTL that runs out only after the test.
const LONG: &str = "1h";

/// A supervisor that announces `name` at its own address, and writes down what it hears of `other`.
fn supervisor(consul: &Consul, (name, address): (&str, &str), ttl: &str, other: &str) -> Running {
    let catalogue = consul.address();
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{catalogue}",
             jobs: [
               {{ name: "{name}", exec: "sleep 1000", port: {PORT}, interfaces: "static:{address}",
                  health: {{ exec: "true", interval: "100ms", ttl: "{ttl}" }} }},
               {{ name: "hook", exec: {{ shell: "echo heard: $CONTAINERPILOT_WATCH_INSTANCES >> @DIR@/journal" }},
                  when: {{ source: "watch.{other}", each: "changed" }} }},
             ],
             watches: [ {{ name: "{other}", interval: 1 }} ] }}"#
    );
    Pilot::config(&config).start()
}

/// Both, once each has heard of the other.
fn neighbours(consul: &Consul, ttl_of_web: &str) -> (Running, Running) {
    let web = supervisor(consul, ("web", WEB), ttl_of_web, "db");
    let db = supervisor(consul, ("db", DB), LONG, "web");
    for (pilot, other) in [(&web, DB), (&db, WEB)] {
        let heard = format!("heard: {other}:{PORT}");
        pilot.journal().wait_for_line(&heard, PATIENCE);
    }
    (web, db)
}

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// The goal is 50 ms; a figure is for a quiet machine, so it is told and not judged.
#[test]
fn a_supervisor_that_is_stopped_is_gone_at_once_for_its_neighbour() {
    let Some(consul) = Consul::real() else { return };
    let (web, db) = neighbours(&consul, LONG);
    let begin = Instant::now();
    web.signal(Signal::SIGTERM);
    db.journal().wait_for_line("heard:", PATIENCE);
    let passed = begin.elapsed();
    println!("TERM of one to the hook of the other: {passed:?}, of 50 ms");
    let mut web = web;
    assert_eq!(web.wait_exit(PATIENCE).code(), Some(0));
    stop(db);
}

#[test]
fn a_supervisor_that_is_killed_is_gone_for_its_neighbour_when_its_ttl_says_so() {
    let Some(consul) = Consul::real() else { return };
    let (mut web, db) = neighbours(&consul, "2s");
    web.may_leave_processes();
    let begin = Instant::now();
    web.signal(Signal::SIGKILL);
    web.wait_exit(PATIENCE);
    db.journal().wait_for_line("heard:", PATIENCE);
    let passed = begin.elapsed();
    println!("KILL of one to the hook of the other: {passed:?}, with a TTL of 2 s");
    stop(db);
}
