//! A job that owns the terminal (P13).

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::unistd::{Pid, dup2_stdin, getpgrp, setsid, tcgetpgrp};

use super::*;

/// Becomes the leader of a session whose terminal is stdin; returns the other side of it.
fn take_terminal() -> PtyMaster {
    setsid().unwrap();
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname_r(&master).unwrap();
    // The first terminal that a session leader opens becomes the session's.
    let terminal: File = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .unwrap();
    dup2_stdin(&terminal).unwrap();
    master
}

fn in_front() -> Pid {
    tcgetpgrp(std::io::stdin().as_fd()).unwrap()
}

fn terminal_job() -> SpawnRequest<'static> {
    SpawnRequest {
        output: Output::Pipe,
        stdin: Stdin::Inherit,
        tty: true,
        ..plain()
    }
}

alone!(
    p13_the_job_reads_the_terminal_and_is_interrupted_alone,
    Subreaper,
    |world| {
        let mut master = take_terminal();
        let script = "read line; echo \"got $line\"; read line; exit 3";
        let (run, spawned) = world
            .try_start(&["/bin/sh", "-c", script], &terminal_job())
            .unwrap();
        let pipe = spawned.output.unwrap();
        assert_eq!(in_front().as_raw(), spawned.pid);
        master.write_all(b"hello\n").unwrap();
        assert_eq!(world.read_line(&pipe), "got hello");
        // ^C goes to the group in front.
        master.write_all(b"\x03").unwrap();
        assert_eq!(world.exit_of(run), (Exit::Signal(Signal::INT), false));
        let mut received = Vec::new();
        world.signals.drain(&mut received);
        assert!(
            received.iter().all(|one| one.signal == Signal::CHLD),
            "{received:?}"
        );
        // Then it is ours again, and ^C is for us.
        assert_eq!(in_front(), getpgrp());
        master.write_all(b"\x03").unwrap();
        world.until("the interrupt", |world| {
            world.signals.drain(&mut received);
            received
                .iter()
                .any(|one| one.signal == Signal::INT && one.by_kernel)
        });
    }
);

alone!(
    p13_without_a_terminal_the_job_runs_as_any_other,
    Subreaper,
    |world| {
        let (run, _) = world
            .try_start(&["/bin/sh", "-c", "exit 4"], &terminal_job())
            .unwrap();
        assert_eq!(world.exit_of(run), (Exit::Code(4), false));
    }
);

alone!(
    a_terminal_that_hangs_up_is_told_from_a_kill,
    Subreaper,
    |world| {
        let master = take_terminal();
        drop(master);
        let mut received = Vec::new();
        world.until("the hang-up", |world| {
            world.signals.drain(&mut received);
            received.iter().any(|one| one.signal == Signal::HUP)
        });
        let hup = received
            .iter()
            .find(|one| one.signal == Signal::HUP)
            .unwrap();
        assert!(hup.by_kernel);
    }
);
