//! P13: `docker run -it`, `-i` and neither.

use std::io::Write as _;

use super::{Engine, PATIENCE};
use crate::support::{Pilot, Terminal};

/// `docker run` with these options of a command without a configuration, as a program of the harness.
fn client(engine: &Engine, options: &str, script: &str) -> Pilot {
    let command =
        format!("exec docker run --rm --network=none {options} small run -- sh -c '{script}'");
    Pilot::stand_in(&command).env("DOCKER_HOST", &engine.address())
}

#[test]
fn p13_on_a_terminal_keys_and_interrupts_are_for_the_job() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let script = r#"trap "echo interrupted; exit 5" INT; test -t 0 && echo ready; while read line; do echo "got $line"; done"#;
    let (mut terminal, pilot) = Terminal::of(client(&engine, "--interactive --tty", script));
    let mut pilot = pilot.start();
    terminal.wait_for("ready");
    terminal.type_in("hello\n");
    terminal.wait_for("got hello");
    terminal.type_in("\x03");
    terminal.wait_for("interrupted");
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(5));
}

#[test]
fn p13_a_piped_input_arrives_and_ends() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let script = r#"while read line; do echo "got $line"; done; echo end; exit 6"#;
    let mut pilot = client(&engine, "--interactive", script)
        .piped_stdin()
        .start();
    let mut input = pilot.take_stdin();
    writeln!(input, "from a pipe").expect("the client takes what is typed");
    pilot.wait_for_line("got from a pipe", PATIENCE);
    drop(input);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(6));
    pilot.wait_for_line("end", PATIENCE);
}

#[test]
fn p13_without_an_input_the_job_reads_its_end() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let mut pilot = client(&engine, "", "read line; echo read $?; exit 0").start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot.wait_for_line("read 1", PATIENCE);
}
