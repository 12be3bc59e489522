//! Faults that were found once, each by the way a user would meet it.

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::support::{PATIENCE, Pilot};

/// The new jobs can be over before anything wakes the loop again: a command that is not there starts no process.
#[test]
fn a_reload_to_jobs_that_are_over_at_once_ends_the_program() {
    let pilot = Pilot::config(
        "{ control: { socket: '@DIR@/control.socket' }, stopTimeout: 1,
           jobs: [ { name: 'app', exec: ['sh', '-c', 'echo up; exec sleep 60'] } ] }",
    );
    let config = pilot.dir().join("containerpilot.json5");
    let mut running = pilot.start();
    running.wait_for_line("up", PATIENCE);
    std::fs::write(
        config,
        "{ jobs: [ { name: 'x', exec: 'no-such-command' } ] }",
    )
    .expect("writes");
    running.signal(Signal::SIGHUP);
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(127));
}

/// A fault is written down by the log, never by a write that could block or fail (P14, L04, L05).
#[test]
fn p14_a_fault_stops_the_children_though_stderr_is_full_or_gone() {
    // A reader that is gone, and a pipe that is full and never read.
    let full =
        "mkfifo p; exec 3<>p; dd if=/dev/zero bs=65536 count=1 >&3 2>/dev/null; exec @PILOT@ 2>&3";
    let gone = "mkfifo p; exec 3<>p; exec 4>p; exec 3<&-; exec @PILOT@ 2>&4 4>&-";
    for script in [full, gone] {
        let config = "{ control: { socket: '@DIR@/control.socket' }, stopTimeout: 1,
            jobs: [ { name: 'app', exec: ['sh', '-c', 'echo up; exec sleep 60'] } ] }";
        let mut running = Pilot::behind(script, config)
            .env("PILOTHOUSE_PLANTED_FAULT", "request")
            .start();
        running.wait_for_line("up", PATIENCE);
        let status = running.request("POST", "/v3/maintenance/enable", "");
        assert_ne!(status.status, 200);
        let exit = running.wait_exit(PATIENCE);
        assert_eq!(
            exit.code(),
            Some(70),
            "{script}: signal {:?}",
            exit.signal()
        );
        running.wait_for_line("a fault of our own", PATIENCE);
        running.wait_for_line("app exited", PATIENCE);
    }
}

/// Reading a configuration never waits for ever: nobody writes to this pipe.
#[test]
fn a_configuration_in_a_pipe_that_nobody_writes_to_is_refused() {
    let pilot = Pilot::config("{}");
    let config = pilot.dir().join("containerpilot.json5");
    std::fs::remove_file(&config).expect("was there");
    mkfifo(&config, Mode::S_IRWXU).expect("makes a pipe");
    let mut running = pilot.start();
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(1));
}

/// A signal for the whole process group, twice, as `timeout` sends it: the hook that the first one starts is not yet out of
/// our group when the second one comes (D12).
#[test]
fn d12_a_group_s_second_term_does_not_meet_the_hook_that_the_first_one_started() {
    for _ in 0..20 {
        let config = "{ control: { socket: '@DIR@/control.socket' }, stopTimeout: 1, jobs: [
            { name: 'app', exec: ['sh', '-c', 'echo up; exec sleep 60'] },
            { name: 'hook', exec: ['sh', '-c', 'echo hook >> @DIR@/journal'], when: { source: 'app', once: 'stopping' } } ] }";
        let mut running = Pilot::behind("exec setsid @PILOT@", config).start();
        running.wait_for_line("up", PATIENCE);
        let group = Pid::from_raw(-running.pid().as_raw());
        while running.try_exit().is_none() && running.journal().lines().is_empty() {
            // ESRCH: it has ended meanwhile.
            let _ = kill(group, Signal::SIGTERM);
        }
        assert_eq!(running.wait_exit(PATIENCE).code(), Some(0));
        assert_eq!(running.journal().lines(), ["hook"]);
    }
}
