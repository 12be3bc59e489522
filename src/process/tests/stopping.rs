//! Signals to runs, and proof that nothing is left.

use std::fs;

use nix::sys::resource::{Resource, setrlimit};

use super::*;
use crate::process::sys;

/// Both ways out of the process tree, deaf to TERM.
fn two_that_escape(world: &mut World) {
    let script = "setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' &
        (setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' &)
        wait";
    let (run, pipe) = world.start_piped(script);
    let escaped = [world.read_pid(&pipe), world.read_pid(&pipe)];
    world.processes.terminate(run.id, Signal::TERM);
    assert_eq!(world.exit_of(run), (Exit::Signal(Signal::TERM), true));
    assert!(escaped.into_iter().all(is_alive));
    world.processes.kill(run.id);
    world.wait_gone(run);
    assert!(!escaped.into_iter().any(is_alive));
}

alone!(
    s09_setsid_and_double_fork_that_ignore_term_are_found,
    Subreaper,
    two_that_escape
);

alone!(
    s09_also_where_the_kernel_lists_no_children,
    Subreaper,
    |world| {
        world.processes.procfs.as_mut().unwrap().lists_children = false;
        two_that_escape(world);
    }
);

alone!(a_stop_reaches_what_left_the_group, Subreaper, |world| {
    // The shell may see the end of its child before it is asked itself.
    let script = "trap ':' TERM
        setsid sh -c 'trap \"exit 11\" TERM; echo $$; sleep 1000 & wait; exit 11' &
        (setsid sh -c 'trap \"exit 12\" TERM; echo $$; sleep 1000 & wait; exit 12' &)
        wait; wait; exit 13";
    let (run, pipe) = world.start_piped(script);
    world.read_pid(&pipe);
    world.read_pid(&pipe);
    world.processes.terminate(run.id, Signal::TERM);
    // Both children of the escaped shells got TERM as well, so nothing is left.
    world.until("orphan", |world| {
        world.orphan_exits().contains(&Exit::Code(12))
    });
    assert_eq!(world.exit_of(run).0, Exit::Code(13));
});

alone!(a_kill_goes_on_until_nothing_is_left, Subreaper, |world| {
    let (run, pipe) = world.start_piped("setsid sh -c 'echo $$; exec sleep 1000' & wait");
    let missed = world.read_pid(&pipe);
    // What a kill cannot see, because it is forked at that moment, stands here for what it is not shown.
    let procfs = world.processes.procfs.take();
    world.processes.kill(run.id);
    world.processes.procfs = procfs;
    assert!(is_alive(missed));
    assert_eq!(world.exit_of(run), (Exit::Signal(Signal::KILL), true));
    world.wait_gone(run);
    assert!(!is_alive(missed));
});

alone!(
    a_cleared_environment_and_a_new_session_do_not_hide_what_was_seen,
    Subreaper,
    |world| {
        // Below the first process at the stop, an orphan without mark, group or session of the run after it.
        let script =
            "env -i setsid /bin/sh -c 'trap \"\" TERM; echo $$; exec /bin/sleep 1000' & wait";
        let (run, pipe) = world.start_piped(script);
        let escaped = world.read_pid(&pipe);
        world.processes.terminate(run.id, Signal::TERM);
        assert_eq!(world.exit_of(run), (Exit::Signal(Signal::TERM), true));
        assert!(is_alive(escaped));
        world.processes.kill(run.id);
        world.wait_gone(run);
        assert!(!is_alive(escaped));
    }
);

alone!(
    what_is_left_is_asked_to_end_once_and_what_came_later_too,
    Subreaper,
    |world| {
        let script = "exec 2>/dev/null
            trap '(trap \"echo late\" TERM; echo up; while :; do sleep 0.01; done) & exit 0' TERM
            (trap 'echo told' TERM; echo up; while :; do sleep 0.01; done) &
            wait";
        let (run, pipe) = world.start_piped(script);
        assert_eq!(world.read_line(&pipe), "up");
        world.processes.terminate(run.id, Signal::TERM);
        let mut lines = [world.read_line(&pipe), world.read_line(&pipe)];
        lines.sort();
        assert_eq!(lines, ["told", "up"]);
        assert_eq!(world.exit_of(run), (Exit::Code(0), true));
        world.processes.terminate(run.id, Signal::TERM);
        assert_eq!(world.read_line(&pipe), "late");
        world.processes.kill(run.id);
        world.wait_gone(run);
        let mut rest = String::new();
        let read = std::fs::File::from(pipe).read_to_string(&mut rest);
        assert_eq!(
            (read.ok(), rest.as_str()),
            (Some(0), ""),
            "the first was asked twice"
        );
    }
);

alone!(
    a_group_member_without_a_mark_is_still_the_runs,
    Subreaper,
    |world| {
        let (run, pipe) =
            world.start_piped("(env -i /bin/sh -c 'echo $$; exec /bin/sleep 1000' &); exit 4");
        let member = world.read_pid(&pipe);
        assert_eq!(world.exit_of(run), (Exit::Code(4), true));
        world.processes.kill(run.id);
        world.wait_gone(run);
        assert!(!is_alive(member));
    }
);

alone!(
    what_evades_everything_is_swept_at_the_end,
    Subreaper,
    |world| {
        let (run, pipe) = world.start_piped(
            "(env -i setsid /bin/sh -c 'echo $$; exec /bin/sleep 1000' &); echo; exec sleep 1000",
        );
        let mut escaped = world.read_line(&pipe);
        if escaped.is_empty() {
            escaped = world.read_line(&pipe);
        }
        let escaped: i32 = escaped.parse().unwrap();
        world.processes.kill(run.id);
        assert_eq!(world.exit_of(run).0, Exit::Signal(Signal::KILL));
        world.until("a decision", |world| world.processes.next_sweep().is_none());
        assert!(is_alive(escaped) && !world.processes.is_alone());
        world.processes.sweep_unowned(Signal::TERM);
        world.until("nobody", |world| world.processes.is_alone());
    }
);

alone!(pid_1_sweeps_its_namespace, Namespace, |world| {
    let (_, pipe) =
        world.start_piped("(env -i setsid /bin/sh -c 'echo $$; exec /bin/sleep 1000' &); exit 0");
    world.read_pid(&pipe);
    world.processes.sweep_unowned(Signal::KILL);
    world.until("nobody", |world| world.processes.is_alone());
});

alone!(
    s13_the_signal_of_a_stop_is_exactly_the_one_asked_for,
    Subreaper,
    |world| {
        for name in ["QUIT", "INT", "USR1", "RTMIN+3"] {
            let signal: Signal = name.parse().unwrap();
            let number = signal.number();
            let (run, pipe) = world.start_piped(&format!(
                "trap 'exit 9' {number}; echo; while :; do sleep 0.01; done"
            ));
            world.read_line(&pipe);
            world.processes.terminate(run.id, signal);
            assert_eq!(world.exit_of(run).0, Exit::Code(9), "{name}");
        }
    }
);

alone!(
    p09_a_forwarded_signal_reaches_the_group_alone,
    Subreaper,
    |world| {
        let script = "trap 'exit 5' 40
        setsid sh -c 'trap \"exit 1\" 40; echo; while :; do sleep 0.01; done' &
        while :; do sleep 0.01; done";
        let (run, pipe) = world.start_piped(script);
        world.read_line(&pipe);
        world
            .processes
            .forward(run.id, Signal::from_number(40).unwrap());
        assert_eq!(world.exit_of(run), (Exit::Code(5), true));
        // With its first process collected, the number of the group is nobody's.
        world.processes.forward(run.id, Signal::KILL);
        assert_eq!(world.gone(run), 0);
        world.processes.kill(run.id);
        world.wait_gone(run);
    }
);

alone!(
    a_stopped_process_is_woken_to_act_on_its_stop_signal,
    Subreaper,
    |world| {
        let (run, pipe) =
            world.start_piped("trap 'exit 8' TERM; echo; kill -STOP $$; sleep 1000 & wait");
        world.read_line(&pipe);
        let pid = world.processes.pid(run.id).unwrap();
        world.until("the stop", |_| {
            let stat = procfs::Procfs::stat(pid).unwrap();
            stat.is_some_and(|stat| stat.is_stopped())
        });
        world.processes.terminate(run.id, Signal::TERM);
        assert_eq!(world.exit_of(run).0, Exit::Code(8));
    }
);

alone!(
    d28_a_run_that_is_over_is_signalled_no_more,
    Namespace,
    |world| {
        let (old, pid) = world.start("exit 0");
        assert_eq!(world.exit_of(old), (Exit::Code(0), false));
        recycle(pid);
        let (young, pipe) = world.start_piped(answering!());
        assert_eq!(world.read_pid(&pipe), pid, "the number is taken again");
        world.processes.terminate(old.id, Signal::TERM);
        world.processes.kill(old.id);
        world.processes.forward(old.id, Signal::KILL);
        world.assert_untouched(pid, &pipe);
        assert_eq!(world.exit(young), None);
    }
);

alone!(
    d28_a_recycled_descendant_is_another_process,
    Namespace,
    |world| {
        // A descendant is seen, ends, and is collected by its own parent.
        let (run, pipe) = world.start_piped(
            "(exit 0); (exit 0); setsid sleep 1000 & echo $!; wait $!; echo; exec sleep 1000",
        );
        let seen = world.read_pid(&pipe);
        let (stranger, order) = world.start_piped(concat!(
            "trap ':' USR1; echo; sleep 1000 & wait; (env -i setsid /bin/sh -c '",
            answering!(),
            "' &); wait"
        ));
        world.read_line(&order);
        world.until("the session", |_| {
            let stat = procfs::Procfs::stat(seen).unwrap().unwrap();
            stat.session == seen
        });
        let start = procfs::Procfs::stat(seen).unwrap().unwrap().start;
        world.processes.terminate(run.id, Signal::URG);
        sys::send(seen, Signal::KILL).unwrap();
        world.read_line(&pipe);
        // Its number comes back, two ticks later, as a stranger of another run that shows no mark.
        world.until("a later tick", |world| {
            let (probe, pid) = world.start("exec sleep 1000");
            let later = procfs::Procfs::stat(pid).unwrap().unwrap().start > start + 1;
            world.processes.kill(probe.id);
            world.exit_of(probe);
            later
        });
        recycle(seen - 1);
        let leader = world.processes.pid(stranger.id).unwrap();
        sys::send(leader, Signal::USR1).unwrap();
        assert_eq!(world.read_pid(&order), seen, "the number is taken again");
        world.processes.kill(run.id);
        world.exit_of(run);
        // It is not the one that was seen.
        world.assert_untouched(seen, &order);
    }
);

alone!(
    d28_what_was_seen_is_looked_at_again_before_a_signal,
    Subreaper,
    |world| {
        let (run, pipe) = world.start_piped(answering!());
        let pid = world.read_pid(&pipe);
        let stat = procfs::Procfs::stat(pid).unwrap().unwrap();
        let other = procfs::Stat {
            start: stat.start - 1,
            ..stat
        };
        world.processes.send_checked(&other, Signal::KILL);
        world.assert_untouched(pid, &pipe);
        world.processes.send_checked(&stat, Signal::KILL);
        assert_eq!(world.exit_of(run).0, Exit::Signal(Signal::KILL));
    }
);

/// Makes the next process of the namespace get this pid.
fn recycle(pid: i32) {
    fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
}

/// The nice value of a process or thread: field 19 of its `stat`, the 17th after the name.
fn nice_of(whose: &str) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{whose}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    rest.split(' ').nth(16).unwrap().parse().unwrap()
}

/// What is found of a child of either way to start one, while it runs.
fn of_children<T>(world: &mut World, look: impl Fn(i32) -> T) -> [T; 2] {
    [false, true].map(|sheltered| {
        let request = SpawnRequest {
            sheltered,
            ..plain()
        };
        let argv = ["/bin/sleep", "1000"];
        let (run, spawned) = world.try_start(&argv, &request).unwrap();
        let found = look(spawned.pid);
        world.processes.kill(run.id);
        world.exit_of(run);
        found
    })
}

alone!(
    x06_precedence_is_what_the_kernel_allows_and_no_childs,
    Subreaper,
    |world| {
        let usual = nice_of("thread-self");
        // A user who may go down to -7, where this test may make itself one.
        if setrlimit(Resource::RLIMIT_NICE, 27, 27).is_ok() {
            let _ = nix::unistd::setuid(54_321.into());
        }
        let is_root = nix::unistd::geteuid().is_root();
        match world.processes.take_precedence() {
            Precedence::Taken(nice) => {
                assert_eq!(nice, if is_root { -20 } else { -7 });
                assert_eq!(nice_of("thread-self"), nice);
            }
            Precedence::Refused => {
                assert_eq!(nice_of("thread-self"), 0);
                eprintln!("left out: precedence needs root, or a limit of the nice value");
            }
            // Whoever runs the tests at another value has decided it.
            Precedence::Settled => assert_ne!(nice_of("thread-self"), 0),
        }
        let again = world.processes.take_precedence();
        assert_eq!(again, Precedence::Settled);
        let childs = of_children(world, |pid| nice_of(&pid.to_string()));
        assert_eq!(childs, [usual, usual]);
    }
);

alone!(
    x06_our_slices_are_the_shortest_and_a_childs_are_not,
    Subreaper,
    |world| {
        let slice_of = |thread| sys::scheduling(thread).unwrap().sched_runtime;
        let ours = slice_of(sys::THIS_THREAD);
        if ours == 0 || nice_of("thread-self") != 0 {
            eprintln!("left out: slices need Linux 6.12, and a nice value of 0");
            return;
        }
        assert_eq!(Duration::from_nanos(ours), Duration::from_micros(100));
        let childs = of_children(world, slice_of);
        assert!(childs.iter().all(|slice| *slice > ours), "{childs:?}");
    }
);
