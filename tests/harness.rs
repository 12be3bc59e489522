//! The harness is tested on shell scripts, so that a failing test of the program is about the program.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::support::{PATIENCE, Pilot, Process, Running, Signal, wait_until};

/// A limit for what must not happen: the test passes as soon as the wait has failed.
const SHORT: Duration = Duration::from_millis(50);

/// The text of the panic of `action`.
fn panic_text(action: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(action)).expect_err("this must fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

/// The processes with exactly this command: the script that starts one contains its words too.
fn named(pilot: &Running, command: &str) -> Vec<Process> {
    let mut found = pilot.find(command);
    found.retain(|process| process.command == command);
    found
}

#[test]
fn lines_status_and_directory_reach_the_test() {
    let mut pilot = Pilot::stand_in("cat greeting; echo \"$WHERE\" >&2; exit 7")
        .file("greeting", "one\ntwo @DIR@\n")
        .env("WHERE", "in @DIR@")
        .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(7));
    let dir = pilot.dir().display().to_string();
    assert_eq!(pilot.stdout(), format!("one\ntwo {dir}\n"));
    assert_eq!(pilot.stderr(), format!("in {dir}\n"));
    assert_eq!(pilot.wait_for_line("two", PATIENCE), format!("two {dir}"));
}

#[test]
fn a_signal_reaches_the_program() {
    let script = "trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.01; done";
    let mut pilot = Pilot::stand_in(script).start();
    pilot.wait_for_line("ready", PATIENCE);
    pilot.signal(Signal::SIGUSR1);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(3));
    assert_eq!(pilot.wait_for_lines("got", 1, PATIENCE).len(), 1);
}

#[test]
fn a_failed_wait_says_all_that_is_known() {
    let pilot = Pilot::stand_in("echo hello; echo oops >&2; sleep 60").start();
    pilot.wait_for_line("oops", PATIENCE);
    pilot.wait_for_line("hello", PATIENCE);
    let text = panic_text(|| drop(pilot.wait_for_line("never", SHORT)));
    for part in [
        "never",
        "--- command",
        "sleep 60",
        "hello",
        "oops",
        "--- processes",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn the_end_of_the_program_ends_a_wait_for_a_line() {
    let mut pilot = Pilot::stand_in("exit 0").start();
    pilot.wait_exit(PATIENCE);
    // With a limit this long, only the end of the output can end the wait in time.
    panic_text(|| drop(pilot.wait_for_line("never", Duration::from_hours(1))));
}

#[test]
fn a_process_left_behind_fails_the_test_and_is_killed() {
    let script = "setsid sh -c 'echo pid $$; exec sleep 61' & read go; exit 0";
    let mut pilot = Pilot::stand_in(script).piped_stdin().start();
    pilot.wait_for_line("pid", PATIENCE);
    pilot.wait_until(PATIENCE, "the escaped one", || {
        !named(&pilot, "sleep 61").is_empty()
    });
    drop(pilot.take_stdin());
    assert!(pilot.wait_exit(PATIENCE).success());
    let escaped = named(&pilot, "sleep 61").swap_remove(0).pid;
    let text = panic_text(move || drop(pilot));
    assert!(text.contains("left processes behind"), "{text}");
    assert!(Process::read(escaped).is_none_or(|process| process.is_zombie()));
}

#[test]
fn a_configuration_is_written_with_its_directory() {
    let pilot = Pilot::config("{ // in @DIR@\n}");
    let text = std::fs::read_to_string(pilot.dir().join("containerpilot.json5"));
    let dir = pilot.dir().display();
    assert_eq!(text.ok(), Some(format!("{{ // in {dir}\n}}")));
    let pilot = Pilot::jobs("[]");
    let text = std::fs::read_to_string(pilot.dir().join("containerpilot.json5")).unwrap();
    let dir = pilot.dir().display();
    assert!(
        text.contains(&format!("\"{dir}/control.socket\"")),
        "{text}"
    );
    assert!(text.contains("jobs: []"), "{text}");
}

#[test]
fn as_pid1_it_sees_only_itself_and_its_own() {
    let script = "echo pid $$; (sleep 62 & exec true) ; echo done; exec sleep 63";
    let Some(pilot) = Pilot::stand_in(script).start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("pid 1", PATIENCE);
    pilot.wait_for_line("done", PATIENCE);
    pilot.wait_until(PATIENCE, "the program and its orphan", || {
        !named(&pilot, "sleep 62").is_empty() && !named(&pilot, "sleep 63").is_empty()
    });
    assert_eq!(pilot.processes().len(), 2, "{:?}", pilot.processes());
    let program = Process::read(pilot.pid()).expect("it runs");
    assert_eq!(standard_signals(&program, "SigIgn"), 0);
    assert_eq!(standard_signals(&program, "SigBlk"), 0);
    assert!(program.open_files() >= 3);
    assert_eq!(program.state, 'S');
    let orphan = &named(&pilot, "sleep 62")[0];
    assert_eq!((orphan.parent, orphan.group), (program.pid, program.group));
    assert_eq!(orphan.session, program.session);
}

/// Signals 1 to 31 of a mask. The C library of the harness ignores 32 on its own when it starts a process.
fn standard_signals(process: &Process, field: &str) -> u64 {
    let mask = process.status_field(field).expect("a mask");
    u64::from_str_radix(&mask, 16).expect("hexadecimal") & 0x7fff_ffff
}

#[test]
fn as_pid1_the_status_is_the_programs() {
    let Some(mut pilot) = Pilot::stand_in("exit 42").start_as_pid1() else {
        return;
    };
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(42));
}

#[test]
fn zombies_are_counted() {
    // A shell that replaces itself leaves its children to a program that never waits.
    let pilot = Pilot::stand_in("true & true & exec sleep 64").start();
    pilot.wait_until(PATIENCE, "two zombies", || pilot.zombies() == 2);
    assert_eq!(pilot.processes().len(), 3);
}

#[test]
fn the_journal_knows_the_order() {
    let mut pilot = Pilot::stand_in("for i in a b c; do echo $i >> journal; done").start();
    let journal = pilot.journal();
    assert_eq!(journal.wait_for(3, PATIENCE), ["a", "b", "c"]);
    journal.expect_order(&["a", "c"]);
    assert!(panic_text(|| journal.expect_order(&["c", "a"])).contains("`a`"));
    assert!(panic_text(|| drop(journal.wait_for(4, SHORT))).contains("4 journal lines"));
    pilot.wait_exit(PATIENCE);
}

#[test]
fn streams_can_be_kept_from_the_harness() {
    let mut pilot = Pilot::stand_in("read line; echo \"<$line>\"")
        .piped_stdin()
        .unread_stdout()
        .start();
    pilot.take_stdin().write_all(b"in\n").expect("it reads");
    let mut text = String::new();
    let read = pilot.take_stdout().read_to_string(&mut text);
    assert_eq!((read.ok(), text.as_str()), (Some(5), "<in>\n"));
}

#[test]
fn a_request_is_plain_http() {
    let pilot = Pilot::stand_in("exec sleep 65").start();
    let listener = UnixListener::bind(pilot.dir().join("control.socket")).expect("a free path");
    let server = std::thread::spawn(move || answer_once(&listener));
    let response = pilot.request("POST", "/v3/ping", "body");
    assert_eq!((response.status, response.body.as_str()), (200, "ok"));
    assert!(response.head.ends_with("Server: test"));
    let request = server.join().expect("the server ends");
    assert!(
        request.starts_with("POST /v3/ping HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with("Content-Length: 4\r\n\r\nbody"),
        "{request}"
    );
}

/// Takes one request up to its body and answers it.
fn answer_once(listener: &UnixListener) -> String {
    let (mut stream, _) = listener.accept().expect("a client");
    let mut request = Vec::new();
    while !request.ends_with(b"body") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the whole request");
        request.push(byte[0]);
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nServer: test\r\n\r\nok")
        .expect("the client reads");
    String::from_utf8_lossy(&request).into_owned()
}

#[test]
fn the_built_program_starts() {
    let mut running: Running = Pilot::command(&["-version"]).start();
    running.wait_exit(PATIENCE);
    running.may_leave_processes();
    wait_until(PATIENCE, "nothing of it is left", || {
        running.processes().is_empty()
    });
}
