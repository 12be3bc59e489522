//! What a child starts with, and why one may not start.

use std::fs::{self, Permissions};
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt;

use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::pipe2;

use super::*;
use crate::events::StartFailure;

alone!(the_environment_is_exact, Subreaper, |world| {
    // An outer mark is replaced, a value with `=` stays whole, an entry without `=` is passed on as well.
    let given = c_strings(&[
        "PATH=/bin:/usr/bin",
        "A=b=c",
        "CONTAINERPILOT_RUN=0.0.1",
        "EMPTY=",
    ]);
    let env: Vec<&CStr> = given.iter().map(CString::as_c_str).collect();
    let request = SpawnRequest {
        env: &env,
        output: Output::Pipe,
        ..plain()
    };
    let (run, spawned) = world.try_start(&["env"], &request).unwrap();
    let text = world.read_all(spawned.output.unwrap());
    let (mark, rest) = text.split_once('\n').unwrap();
    let id = run.id;
    assert!(
        mark.starts_with("CONTAINERPILOT_RUN=") && mark.ends_with(&format!(".{id}")),
        "{mark}"
    );
    assert_eq!(rest, "PATH=/bin:/usr/bin\nA=b=c\nEMPTY=\n");
    world.exit_of(run);
});

alone!(
    both_streams_share_one_pipe_and_stdin_is_empty,
    Subreaper,
    |world| {
        assert_eq!(
            world.output_of("echo one; echo two >&2; cat; echo three"),
            "one\ntwo\nthree"
        );
    }
);

alone!(
    a_child_leads_its_own_group_and_no_descriptor_leaks,
    Subreaper,
    |world| {
        // The standard library leaks none, apart from what this test was given itself.
        let list = ["-c", "exec ls /proc/self/fd"];
        let expected = Command::new("/bin/sh").args(list).output().unwrap();
        let expected = String::from_utf8(expected.stdout).unwrap();
        assert_eq!(world.output_of(list[1]), expected.trim_end());
        let (run, pid) = world.start("exec sleep 1000");
        assert_eq!(procfs::Procfs::stat(pid).unwrap().unwrap().pgrp, pid);
        world.processes.kill(run.id);
    }
);

alone!(
    p11_children_start_with_defaults_whatever_was_inherited,
    Subreaper,
    |world| {
        for number in [1, 13, 15, 34, 40] {
            sys::ignore(Signal::from_number(number).unwrap());
        }
        SigSet::all()
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .unwrap();
        let script = "grep -E '^Sig(Blk|Ign)' /proc/self/status";
        let clean = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000";
        assert_eq!(world.output_of(script), clean, "the fast way");
        let request = SpawnRequest {
            output: Output::Pipe,
            tty: true,
            ..plain()
        };
        let (run, spawned) = world
            .try_start(&["/bin/sh", "-c", script], &request)
            .unwrap();
        assert_eq!(
            world.read_all(spawned.output.unwrap()).trim_end(),
            clean,
            "the slow way"
        );
        world.exit_of(run);
    }
);

alone!(
    p11_the_role_undoes_what_the_parent_did_to_us,
    Subreaper,
    |_| {
        for number in [13, 22, 34, 50] {
            sys::ignore(Signal::from_number(number).unwrap());
        }
        SigSet::all().thread_set_mask().unwrap();
        adopt_role().unwrap();
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        assert!(status.contains("SigBlk:\t0000000000000000"), "{status}");
        // PIPE, TTOU and XFSZ alone are ignored: what they tell is an error of the write.
        assert!(status.contains("SigIgn:\t0000000001201000"), "{status}");
    }
);

alone!(p15_each_failure_has_its_own_words, Subreaper, |world| {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8], mode: u32| {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut foreign = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x08\0".to_vec();
    foreign.resize(128, 0);
    let here = dir.path().to_str().unwrap();
    let missing = format!("{here}/missing");
    let inside = format!("{}/x", file("plain", b"text", 0o644));
    file("nobit", b"#!/bin/sh\n", 0o644);
    let env = c_strings(&[&format!("PATH={here}:/bin")]);
    let env: Vec<&CStr> = env.iter().map(CString::as_c_str).collect();
    let cases = [
        (missing, StartFailure::NotFound, "no such file or directory"),
        (
            "missing".to_owned(),
            StartFailure::NotFound,
            "not found in $PATH",
        ),
        (inside, StartFailure::NotFound, "is not a directory"),
        (
            file("script", b"#!/no/such/shell -e\n", 0o755),
            StartFailure::NotFound,
            "its interpreter `/no/such/shell` does not exist",
        ),
        (
            file("dos", b"#!/bin/sh\r\n", 0o755),
            StartFailure::NotFound,
            "its interpreter `/bin/sh\\r` does not exist",
        ),
        (
            file("bare", b"#!/bin/sh\n", 0o644),
            StartFailure::NotExecutable,
            "no execute bit",
        ),
        (
            "nobit".to_owned(),
            StartFailure::NotExecutable,
            "may not be executed",
        ),
        (
            here.to_owned(),
            StartFailure::NotExecutable,
            "it is a directory",
        ),
        (
            file("text", b"echo\n", 0o755),
            StartFailure::NotExecutable,
            "no `#!` line",
        ),
        (
            file("mips", &foreign, 0o755),
            StartFailure::NotExecutable,
            "architecture (mips)",
        ),
        (
            file("empty", b"", 0o755),
            StartFailure::NotExecutable,
            "exec format error",
        ),
        ("a\0b".to_owned(), StartFailure::NotExecutable, "NUL"),
        (
            String::new(),
            StartFailure::NotFound,
            "the command is empty",
        ),
    ];
    for (command, failure, words) in cases {
        for tty in [false, true] {
            let request = SpawnRequest {
                env: &env,
                tty,
                ..plain()
            };
            let error = world.try_start(&[&command], &request).unwrap_err();
            assert_eq!(error.failure, failure, "{error}");
            assert!(error.message.contains(words), "{error} lacks {words}");
        }
    }
    assert!(world.processes.is_alone(), "a failed start leaves nothing");
    assert_eq!(world.processes.counters().spawned, 0);
});

alone!(
    a_path_element_that_is_no_use_is_passed_over,
    Subreaper,
    |world| {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sh")).unwrap();
        let path = CString::new(format!("PATH=/nowhere:{}:/bin", dir.path().display())).unwrap();
        let request = SpawnRequest {
            env: &[&path],
            ..plain()
        };
        let (run, _) = world.try_start(&["sh", "-c", "exit 6"], &request).unwrap();
        assert_eq!(world.exit_of(run).0, Exit::Code(6));
    }
);

alone!(
    p19_children_get_the_original_file_limit,
    Subreaper,
    |world| {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 40, hard.min(4000)).unwrap();
        assert_eq!(
            world.processes.raise_file_limit(30).unwrap(),
            40,
            "nothing to do"
        );
        assert_eq!(world.processes.raise_file_limit(500).unwrap(), 500);
        assert_eq!(
            world.processes.raise_file_limit(1 << 40).unwrap(),
            hard.min(4000)
        );
        // More open files than the original limit allows: what a spawn opens for itself must still find a number below it.
        let many: Vec<_> = (0..60)
            .map(|_| fs::File::open("/dev/null").unwrap())
            .collect();
        let script = "ulimit -Sn; ulimit -Hn";
        let limits = format!("40\n{}", hard.min(4000));
        for _ in 0..3 {
            assert_eq!(world.output_of(script), limits, "the fast way");
        }
        let request = SpawnRequest {
            output: Output::Pipe,
            tty: true,
            ..plain()
        };
        let (run, spawned) = world
            .try_start(&["/bin/sh", "-c", script], &request)
            .unwrap();
        assert_eq!(
            world.read_all(spawned.output.unwrap()).trim_end(),
            limits,
            "the slow way"
        );
        world.exit_of(run);
        assert_eq!(
            getrlimit(Resource::RLIMIT_NOFILE).unwrap().0,
            hard.min(4000)
        );
        drop(many);
    }
);

alone!(
    x01_without_descriptors_starts_fail_and_what_runs_is_still_owned,
    Subreaper,
    |world| {
        let (run, pipe) =
            world.start_piped("setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait");
        let escaped = world.read_pid(&pipe);
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 100, hard).unwrap();
        let mut all = Vec::new();
        while let Ok(file) = fs::File::open("/dev/null") {
            all.push(file);
        }
        let request = SpawnRequest {
            output: Output::Pipe,
            ..plain()
        };
        let error = world.try_start(&["/bin/true"], &request).unwrap_err();
        assert_eq!(error.failure, StartFailure::Exhausted, "{error}");
        world.processes.terminate(run.id, Signal::TERM);
        assert_eq!(world.exit_of(run), (Exit::Signal(Signal::TERM), true));
        world.processes.kill(run.id);
        world.wait_gone(run);
        drop(all);
        assert!(!is_alive(escaped));
    }
);

alone!(
    x02_a_refused_fork_says_nothing_about_the_command,
    Namespace,
    |world| {
        // The limit of a PID namespace binds root as well.
        if fs::write("/proc/sys/kernel/pid_max", "301").is_err() {
            eprintln!("left out: this kernel has no limit of pids per namespace");
            return;
        }
        let mut error = None;
        for _ in 0..400 {
            if let Err(refused) = world.try_start(&["/bin/sleep", "1000"], &plain()) {
                error = Some(refused);
                break;
            }
        }
        let error = error.expect("301 pids are not enough for 400 processes");
        assert_eq!(error.failure, StartFailure::Exhausted, "{error}");
    }
);

alone!(
    a_child_finds_what_it_says_it_is_ready_by,
    Subreaper,
    |world| {
        for sheltered in [false, true] {
            let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
            let request = SpawnRequest {
                sheltered,
                ready: Some((write.as_fd(), 9)),
                ..plain()
            };
            let argv = ["/bin/sh", "-c", "echo up >&9"];
            let (run, spawned) = world.try_start(&argv, &request).unwrap();
            drop(write);
            assert_eq!(world.processes.owner(spawned.pid), Some(run));
            assert_eq!(world.read_all(read), "up\n");
            assert_eq!(world.exit_of(run), (Exit::Code(0), false));
        }
    }
);

alone!(a_process_belongs_to_the_run_above_it, Subreaper, |world| {
    let (run, pipe) = world.start_piped("setsid sh -c 'echo $$; exec sleep 1000' & wait");
    let (other, _) = world.start("exec sleep 1000");
    let escaped = world.read_pid(&pipe);
    assert_eq!(world.processes.owner(escaped), Some(run));
    assert_eq!(
        world.processes.owner(std::process::id().cast_signed()),
        None
    );
    assert_eq!(world.processes.owner(1), None);
    for run in [run, other] {
        world.processes.kill(run.id);
        if world.exit_of(run).1 {
            world.wait_gone(run);
        }
    }
});
