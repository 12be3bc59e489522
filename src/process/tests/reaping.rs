//! Statuses, orphans, and what is left after an exit.

use super::*;

alone!(
    p01_statuses_of_children_that_end_together,
    Subreaper,
    |world| {
        for round in 0..300 {
            let (first, second) = (round % 256, (round + 1) % 256);
            let (one, _) = world.start(&format!("exit {first}"));
            let (two, _) = world.start(&format!("exit {second}"));
            assert_eq!(world.exit_of(one), (Exit::Code(first), false));
            assert_eq!(world.exit_of(two), (Exit::Code(second), false));
            world.events.clear();
        }
        assert_eq!(world.processes.counters().orphans, 0);
        assert_eq!(world.processes.live().count(), 0);
    }
);

alone!(
    p02_every_code_and_every_signal_is_told_apart,
    Subreaper,
    |world| {
        for code in [0, 1, 2, 42, 125, 126, 127, 128, 137, 143, 254, 255] {
            let (run, _) = world.start(&format!("exit {code}"));
            assert_eq!(world.exit_of(run), (Exit::Code(code), false));
        }
        for number in (1..=31).chain(34..=64) {
            // Those whose default is not the end.
            if matches!(number, 17..=23 | 28) {
                continue;
            }
            let (run, _) = world.start(&format!("kill -{number} $$; sleep 1000"));
            let signal = Signal::from_number(number).unwrap();
            assert_eq!(world.exit_of(run), (Exit::Signal(signal), false));
        }
    }
);

alone!(
    p03_a_child_that_ends_before_the_start_returns,
    Subreaper,
    |world| {
        for round in 0..2000 {
            let code = round % 2;
            let program = if code == 0 { "true" } else { "false" };
            let (run, _) = world.try_start(&[program], &plain()).unwrap();
            // Collected only after it has ended for sure.
            world.until("exit", |world| world.exit(run).is_some());
            assert_eq!(
                world.exit(run),
                Some((Exit::Code(code), false)),
                "round {round}"
            );
            world.events.clear();
        }
    }
);

alone!(p05_an_orphan_is_nobodys_exit, Subreaper, |world| {
    let (run, pipe) = world.start_piped("(setsid sh -c 'exit 42' &); echo done; exec sleep 1000");
    assert_eq!(world.read_line(&pipe), "done");
    world.until("orphan", |world| world.orphan_exits() == [Exit::Code(42)]);
    assert_eq!(world.exit(run), None);
    assert_eq!(world.processes.counters().orphans, 1);
    world.processes.kill(run.id);
    assert_eq!(world.exit_of(run), (Exit::Signal(Signal::KILL), false));
});

alone!(
    p04_a_storm_of_orphans_disturbs_no_status,
    Namespace,
    |world| {
        let (storm, _) =
            world.start("i=0; while [ $i -lt 1000 ]; do (true &); i=$((i+1)); done; exit 7");
        for code in 0..100 {
            let (run, _) = world.start(&format!("exit {code}"));
            assert_eq!(world.exit_of(run).0, Exit::Code(code));
        }
        assert_eq!(world.exit_of(storm).0, Exit::Code(7));
        world.until("all orphans", |world| {
            world.processes.counters().orphans == 1000
        });
    }
);

alone!(a_budget_bounds_one_slice, Subreaper, |world| {
    let runs: Vec<Run> = (0..10)
        .map(|code| world.start(&format!("exit {code}")).0)
        .collect();
    let pids: Vec<i32> = world.processes.live().map(|(_, pid)| pid).collect();
    let mut events = Vec::new();
    world_is_dead(&pids);
    assert!(world.processes.reap(4, &mut events));
    assert_eq!(events.len(), 4);
    while world.processes.reap(4, &mut events) {}
    assert_eq!(events.len(), runs.len());
});

/// Waits until all of them have ended, and collects none.
fn world_is_dead(pids: &[i32]) {
    let begin = Instant::now();
    while !pids.iter().all(|pid| sys::has_ended(*pid)) {
        assert!(begin.elapsed() < TOO_LONG);
        std::thread::yield_now();
    }
}

alone!(
    s10_an_exit_is_an_exit_while_a_grandchild_holds_the_pipe,
    Subreaper,
    |world| {
        let (run, pipe) = world.start_piped(concat!("sh -c '", answering!(), "' & exit 3"));
        let child = world.read_pid(&pipe);
        assert_eq!(world.exit_of(run), (Exit::Code(3), true));
        assert_eq!(world.processes.leftovers(run.id), [child]);
        // Nothing happens to it before somebody says so.
        world.assert_untouched(child, &pipe);
        assert_eq!(world.gone(run), 0);
        assert!(world.processes.next_sweep().is_some());
        world.processes.terminate(run.id, Signal::TERM);
        world.wait_gone(run);
        assert!(world.processes.next_sweep().is_none());
        assert_eq!(world.read_all(pipe), "");
    }
);

alone!(what_is_left_can_end_by_itself, Subreaper, |world| {
    let (run, pipe) = world.start_piped("(read line </proc/self/fd/0; sleep 0.05) & exit 0");
    assert_eq!(world.exit_of(run), (Exit::Code(0), true));
    world.wait_gone(run);
    assert_eq!(world.read_all(pipe), "");
});

alone!(leftovers_are_told_apart_by_run, Subreaper, |world| {
    // Two runs of the same kind leave a daemon each, in a session of its own.
    let script = "(setsid sh -c 'echo $$; exec sleep 1000' &); exit 0";
    let (one, first) = world.start_piped(script);
    let one_left = world.read_pid(&first);
    let (two, second) = world.start_piped(script);
    let two_left = world.read_pid(&second);
    assert!(world.exit_of(one).1 && world.exit_of(two).1);
    world.processes.kill(one.id);
    world.wait_gone(one);
    assert!(!is_alive(one_left) && is_alive(two_left));
    assert_eq!(world.gone(two), 0);
    world.processes.kill(two.id);
    world.wait_gone(two);
});

alone!(
    an_orphan_of_a_live_run_is_not_left_of_another,
    Subreaper,
    |world| {
        let (daemon, pipe) =
            world.start_piped("(setsid sh -c 'echo $$; exec sleep 1000' &); exec sleep 1000");
        world.read_pid(&pipe);
        let (other, _) = world.start("exit 0");
        assert_eq!(world.exit_of(other), (Exit::Code(0), false));
        world.processes.kill(daemon.id);
        world.exit_of(daemon);
    }
);

alone!(p12_a_daemon_that_may_stay_stays, Subreaper, |world| {
    let script = "(setsid sh -c 'echo $$; exec sleep 1000' &); exit 0";
    let request = SpawnRequest {
        output: Output::Pipe,
        ..keeping()
    };
    let (run, spawned) = world
        .try_start(&["/bin/sh", "-c", script], &request)
        .unwrap();
    let daemon = world.read_pid(&spawned.output.unwrap());
    assert_eq!(world.exit_of(run), (Exit::Code(0), true));
    // While a process may have been missed in the middle of its fork there is one more look.
    world.until("end of the looks", |world| {
        world.processes.next_sweep().is_none()
    });
    // A stop of the run, or of a later one, is none of the daemon's.
    world.processes.terminate(RunId(99), Signal::TERM);
    let (later, _) = world
        .try_start(&["/bin/sleep", "1000"], &keeping())
        .unwrap();
    world.processes.kill(later.id);
    world.exit_of(later);
    assert!(is_alive(daemon));
    assert_eq!(world.gone(run), 0);
    world.processes.terminate(run.id, Signal::TERM);
    world.until("end of the daemon", |world| world.gone(run) == 1);
    assert!(!is_alive(daemon));
});

alone!(
    p08_without_procfs_the_rest_of_the_group_goes_with_its_leader,
    Subreaper,
    |world| {
        world.blind();
        let (run, pipe) = world.start_piped("sleep 1000 & echo $!; exit 3");
        let child = world.read_pid(&pipe);
        assert_eq!(world.exit_of(run), (Exit::Code(3), false));
        assert_eq!(world.read_all(pipe), "", "the pipe ends with the group");
        world.until("end of the child", |_| !is_alive(child));
        let (run, _) = world.start("exec sleep 1000");
        world.processes.terminate(run.id, Signal::TERM);
        assert_eq!(world.exit_of(run), (Exit::Signal(Signal::TERM), false));
    }
);

alone!(
    p07_a_subreaper_buries_what_double_forks,
    Subreaper,
    |world| {
        assert!(!world.role.pid1 && world.role.procfs);
        let (run, _) = world.start("((true &) &); exit 0");
        world.exit_of(run);
        world.until("nobody", |world| world.processes.is_alone());
    }
);

alone!(pid_1_knows_what_it_is, Namespace, |world| {
    assert!(world.role.pid1 && world.role.procfs);
});
