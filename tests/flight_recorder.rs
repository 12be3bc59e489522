//! The flight recorder: what the log and a file have of the last events when the container ends badly.

use std::fs;

use crate::support::{PATIENCE, Pilot, Signal, request};

const FAILING: &str = r#"{
    control: { socket: "@DIR@/control.socket" },
    stopTimeout: 1,
    logging: { flightRecorder: "@DIR@/record" },
    jobs: [
        { name: "first", exec: "true" },
        { name: "app", exec: { shell: "exit 3" }, restarts: 2, backoff: { initial: "1ms" }, essential: "onFailure",
          when: { source: "first", once: "exitSuccess" } },
        { name: "server", exec: "sleep 1000" },
    ],
}"#;

#[test]
fn a_bad_end_is_told_with_what_led_to_it() {
    let pilot = Pilot::config(FAILING);
    let record = pilot.dir().join("record");
    let mut running = pilot.start();
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(3));
    let said = running.stdout();
    let file = fs::read_to_string(record).expect("the record");
    assert!(
        file.starts_with("the container ends with status 3\n"),
        "{file}"
    );
    for text in [&said, &file] {
        let mut rest = text.as_str();
        for part in [
            "the container ends with status 3",
            " event exitSuccess of first",
            " app started, pid ",
            " app ended: exit status 3",
            " event exitFailed of app",
            " app: waits ",
            " app: complete: exit status 3",
            " asking server to end",
            " event stopped of server",
        ] {
            let at = rest.find(part);
            let at = at.unwrap_or_else(|| panic!("no `{part}` in its place in {text}"));
            rest = &rest[at..];
        }
    }
}

#[test]
fn a_good_end_is_not_told() {
    for text in [
        FAILING.replace("exit 3", "exec sleep 1000"),
        FAILING
            .replace("exit 3", "exit 0")
            .replace("sleep 1000", "true"),
    ] {
        let pilot = Pilot::config(&text);
        let record = pilot.dir().join("record");
        let mut running = pilot.start();
        if text.contains("exec sleep") {
            running.wait_for_line("first exited: exit status 0", PATIENCE);
            running.signal(Signal::SIGTERM);
        }
        assert_eq!(running.wait_exit(PATIENCE).code(), Some(0));
        assert!(
            !running.stdout().contains("the container ends"),
            "{}",
            running.stdout()
        );
        assert!(!record.exists());
    }
}

#[test]
fn a_command_alone_ends_without_a_record() {
    let mut running = Pilot::command(&["run", "--socket", "@DIR@/s", "--", "false"]).start();
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(1));
    let said = format!("{}{}", running.stdout(), running.stderr());
    assert!(!said.contains("the container ends"), "{said}");
}

#[test]
fn p14_a_fault_is_told_with_what_led_to_it() {
    let text = FAILING.replace("exit 3", "exec sleep 1000");
    let pilot = Pilot::config(&text).env("PILOTHOUSE_PLANTED_FAULT", "request");
    let record = pilot.dir().join("record");
    let socket = pilot.dir().join("control.socket");
    let mut running = pilot.start();
    running.wait_for_line("first exited: exit status 0", PATIENCE);
    // The fault is in the answer to this, so there may be none.
    let _ = request(&socket, "POST", "/v3/maintenance/enable", "", PATIENCE);
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(70));
    let file = fs::read_to_string(record).expect("the record");
    assert!(
        file.starts_with("the container ends by a fault of our own\n"),
        "{file}"
    );
    assert!(file.contains(" event stopped of server"), "{file}");
}

#[test]
fn a_file_that_cannot_be_written_is_a_line_in_the_log() {
    let mut running = Pilot::config(&FAILING.replace("@DIR@/record", "@DIR@/no/record")).start();
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(3));
    let said = running.stdout();
    assert!(
        said.contains("cannot write the flight recorder to `"),
        "{said}"
    );
}
