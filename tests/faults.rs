//! Faults of our own, planted by a variable that only debug builds know.

use crate::support::raw::request;
use crate::support::{PATIENCE, Pilot, Running};

/// Two jobs and their hooks; each writes down what happens to it.
fn with_fault(place: &str) -> Pilot {
    Pilot::jobs(
        r#"[{ name: "app", exec: ["sh", "-c", "trap 'echo app >> @DIR@/journal; exit 0' TERM; echo up; while :; do sleep 0.01; done"] },
            { name: "side", exec: ["sh", "-c", "trap '' TERM; echo up; exec sleep 1000"] },
            { name: "before", exec: ["sh", "-c", "echo before >> @DIR@/journal"], when: { source: "app", once: "stopping" } },
            { name: "after", exec: ["sh", "-c", "echo after >> @DIR@/journal"], when: { source: "app", once: "stopped" } }]"#,
    )
    .env("PILOTHOUSE_PLANTED_FAULT", place)
}

/// Status, stack, and that what happened is in this order.
fn ends_in_order(mut pilot: Running, order: &[&str]) {
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(70));
    let said = pilot.stdout();
    assert!(
        said.contains("a fault of our own") && said.contains("planted fault"),
        "{said}"
    );
    // The stack names who did it.
    assert!(said.contains("supervisor::fault::planted"), "{said}");
    pilot.journal().expect_order(order);
}

// The fault at the start happens again when the loop is tried once more: the rules are not asked a third time.

#[test]
fn p14_a_fault_of_the_stop_itself_ends_everything() {
    ends_in_order(with_fault("start").start(), &[]);
}

#[test]
fn p14_also_as_pid_1() {
    if let Some(pilot) = with_fault("start").start_as_pid1() {
        ends_in_order(pilot, &[]);
    }
}

#[test]
fn p14_a_fault_in_the_middle_stops_in_order_and_is_told() {
    let pilot = with_fault("request").start();
    pilot.wait_for_lines(" up", 2, PATIENCE);
    let socket = pilot.dir().join("control.socket");
    let answer = request(&socket, "POST", "/v3/maintenance/enable", "", PATIENCE);
    // The fault is in the answer to this, so there may be none.
    assert!(!answer.is_ok_and(|answer| answer.status == 200));
    ends_in_order(pilot, &["before", "app", "after"]);
}
