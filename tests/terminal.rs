//! Under `docker run -it`, under `-i`, and under neither: who reads, who is interrupted, who is stopped.

use std::fs;
use std::io::Write as _;

use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::support::{PATIENCE, Pilot, Running, Signal, Terminal, wait_quiet};

/// Says what it reads for as long as it lives, and says so when it is interrupted.
const READER: &str = "trap 'echo interrupted' INT; echo ready; while :; do read line && echo \\\"got $line\\\"; done";

/// A job that reads from the terminal, beside one that does not. The log is in a file: the terminal is the job's.
fn with_reader(keys: &str) -> Pilot {
    with_script(READER, keys)
}

fn with_script(script: &str, keys: &str) -> Pilot {
    Pilot::config(&format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, logging: {{ output: "@DIR@/log" }}, jobs: [
            {{ name: "app", exec: ["sh", "-c", "{script}"], {keys} }},
            {{ name: "other", exec: "sleep 1000" }},
        ]}}"#
    ))
}

fn log(pilot: &Running) -> String {
    fs::read_to_string(pilot.dir().join("log")).unwrap_or_default()
}

/// Waits until the job of [`READER`] is in one of these states.
fn wait_state(pilot: &Running, states: &str) -> Pid {
    let app = || pilot.find("trap 'echo").pop();
    pilot.wait_until(PATIENCE, &format!("the job is in {states}"), || {
        app().is_some_and(|app| states.contains(app.state))
    });
    app().expect("seen a moment ago").pid
}

/// Nobody has to be killed for it.
fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0), "{}", log(&pilot));
    assert!(!log(&pilot).contains("killing it"), "{}", log(&pilot));
}

#[test]
fn p13_on_a_terminal_the_job_reads_is_interrupted_and_suspended() {
    let (mut terminal, pilot) = Terminal::of(with_reader("tty: true"));
    let Some(pilot) = pilot.start_as_pid1() else {
        return;
    };
    terminal.wait_for("ready");
    terminal.type_in("hello\n");
    terminal.wait_for("got hello");
    terminal.type_in("\x03");
    terminal.wait_for("interrupted");
    terminal.type_in("\x1a");
    let app = wait_state(&pilot, "T");
    wait_quiet(pilot.pid());
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    kill(app, Signal::SIGCONT).expect("it is there");
    wait_state(&pilot, "SR");
    terminal.type_in("again\n");
    terminal.wait_for("got again");
    // None of the keys was for the program.
    assert!(!log(&pilot).contains("received"), "{}", log(&pilot));
    assert_eq!(pilot.find("sleep 1000").len(), 1);
    stop(pilot);
}

#[test]
fn p13_a_suspended_job_can_be_stopped_for_good() {
    let (mut terminal, pilot) = Terminal::of(with_reader("tty: true"));
    let pilot = pilot.start();
    terminal.wait_for("ready");
    terminal.type_in("\x1a");
    wait_state(&pilot, "T");
    stop(pilot);
}

#[test]
fn p13_a_terminal_that_hangs_up_is_no_signal_to_the_program() {
    let script = "echo ready; while read line; do :; done; exit 9";
    let (mut terminal, pilot) = Terminal::of(with_script(script, "tty: true"));
    let Some(pilot) = pilot.start_as_pid1() else {
        return;
    };
    terminal.wait_for("ready");
    drop(terminal);
    // The job reads the end of its input.
    pilot.wait_until(PATIENCE, "the end of the job", || {
        log(&pilot).contains("app exited with error: exit status 9")
    });
    wait_quiet(pilot.pid());
    // A hang-up is no wish to reload (decision 6).
    assert!(!log(&pilot).contains("reload"), "{}", log(&pilot));
    assert_eq!(pilot.find("sleep 1000").len(), 1);
    stop(pilot);
}

#[test]
fn p13_on_a_terminal_that_no_job_owns_an_interrupt_is_a_stop() {
    let (mut terminal, pilot) = Terminal::of(with_reader("logging: { raw: true }"));
    let Some(mut pilot) = pilot.start_as_pid1() else {
        return;
    };
    // The job prints from the background.
    terminal.wait_for("ready");
    terminal.type_in("\x03");
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0), "{}", log(&pilot));
    assert!(log(&pilot).contains("SIGINT received: stopping"));
    assert!(!terminal.screen().contains("interrupted"));
}

#[test]
fn p13_a_command_without_a_configuration_owns_the_terminal() {
    let command = Pilot::command(&["run", "--", "sh", "-c", &READER.replace('\\', "")]);
    let (mut terminal, pilot) = Terminal::of(command);
    let Some(pilot) = pilot.start_as_pid1() else {
        return;
    };
    terminal.wait_for("ready");
    terminal.type_in("hello\n");
    terminal.wait_for("got hello");
    terminal.type_in("\x03");
    terminal.wait_for("interrupted");
    stop(pilot);
}

/// The journal of a program whose job reads one line, with what `type_in` does to its input.
fn one_line_read(keys: &str, typed: &str) -> Vec<String> {
    let pilot = Pilot::jobs(&format!(
        r#"[{{ name: "app", exec: ["sh", "-c", "read line; echo \"$? $line\" >> @DIR@/journal"], {keys} }}]"#
    ));
    let Some(mut pilot) = pilot.piped_stdin().start_as_pid1() else {
        return vec![format!("0 {typed}")];
    };
    let mut input = pilot.take_stdin();
    writeln!(input, "{typed}").expect("the program does not close its input");
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot.journal().lines()
}

#[test]
fn p13_a_piped_input_arrives() {
    assert_eq!(
        one_line_read(r#"stdin: "inherit""#, "from a pipe"),
        ["0 from a pipe"]
    );
    // There is no terminal to own, which is no reason not to run.
    assert_eq!(one_line_read("tty: true", "from a pipe"), ["0 from a pipe"]);
}

#[test]
fn p13_without_an_input_the_job_reads_its_end() {
    for keys in ["tty: true", r#"stdin: "inherit""#, r#"stdin: "null""#] {
        let mut pilot = Pilot::jobs(&format!(
            r#"[{{ name: "app", exec: ["sh", "-c", "read line; echo $? >> @DIR@/journal"], {keys} }}]"#
        ))
        .start();
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
        assert_eq!(pilot.journal().lines(), ["1"], "{keys}");
    }
}
