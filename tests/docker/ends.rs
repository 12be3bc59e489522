//! How a container ends: statuses as `docker wait` sees them, stops, restart policies, another init in front.

use super::Engine;

/// A container that runs one essential job of this shell script.
fn essential(script: &str) -> String {
    format!(
        r#"{{ jobs: [{{ name: "app", exec: ["sh", "-c", "{script}"], essential: true }}, {{ name: "other", exec: "sleep 1000" }}] }}"#
    )
}

/// Says that it is there, and what it gets; TERM ends it, with a status of its own.
const TALKER: &str = "trap 'echo got TERM; exit 9' TERM; echo ready; while :; do sleep 0.1; done";

#[test]
fn p02_the_status_is_that_of_the_essential_job() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let cases = [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 2", 2),
        ("exit 70", 70),
        ("exit 125", 125),
        ("exit 126", 126),
        ("exit 127", 127),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("kill -SEGV $$", 139),
        ("kill -ABRT $$", 134),
    ];
    let started = cases.map(|(script, _)| engine.run_config("small", &[], &essential(script)));
    for ((script, status), container) in cases.iter().zip(&started) {
        assert_eq!(container.wait(), *status, "{script}: {}", container.logs());
    }
}

#[test]
fn p02_what_cannot_be_executed_is_126_or_127() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let absent = engine.run("small", &[], &["run", "--", "/bin/absent"]);
    let directory = engine.run("small", &[], &["run", "--", "/etc"]);
    assert_eq!(absent.wait(), 127);
    assert_eq!(directory.wait(), 126);
}

#[test]
fn s15_docker_stop_ends_the_jobs_and_is_status_0() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let text = essential(TALKER);
    let stopped = engine.run_config("small", &[], &text);
    let interrupted = engine.run_config("small", &["--stop-signal=INT"], &text);
    let deaf = engine.run_config(
        "small",
        &[],
        r#"{ jobs: [{ name: "app", exec: ["sh", "-c", "trap '' TERM; echo ready; sleep 1000"], stopTimeout: "500ms" }] }"#,
    );
    for container in [&stopped, &interrupted, &deaf] {
        container.wait_for("ready", 1);
    }
    assert_eq!(stopped.stop(10), 0, "{}", stopped.logs());
    assert_eq!(interrupted.stop(10), 0, "{}", interrupted.logs());
    for container in [&stopped, &interrupted] {
        assert!(
            container.logs().contains("got TERM"),
            "{}",
            container.logs()
        );
    }
    // The job had to be killed, in time: the engine did not have to do it.
    assert_eq!(deaf.stop(10), 0, "{}", deaf.logs());
    assert!(deaf.logs().contains("killing it"), "{}", deaf.logs());
}

#[test]
fn a_stop_signal_that_is_none_waits_for_the_kill_of_the_engine() {
    let Some(engine) = Engine::start() else {
        return;
    };
    // QUIT is for core dumps, and the kernel keeps it from a PID 1 without a handler; HUP reloads.
    for name in ["QUIT", "HUP"] {
        let container = engine.run_config(
            "small",
            &[&format!("--stop-signal={name}")],
            &essential(TALKER),
        );
        container.wait_for("ready", 1);
        assert_eq!(container.stop(1), 137, "{name}: {}", container.logs());
        assert!(
            !container.logs().contains("got TERM"),
            "{}",
            container.logs()
        );
    }
}

#[test]
fn p07_another_init_passes_everything_on() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let failed = engine.run_config("small", &["--init"], &essential("exit 7"));
    assert_eq!(failed.wait(), 7, "{}", failed.logs());

    // An orphan of a job comes to the program, whoever is PID 1, and is collected at its end.
    let script = "(sleep 0.3 & echo orphaned) & echo ready; exec sleep 1000";
    let own = engine.run_config("small", &["--init"], &essential(script));
    own.wait_for("ready", 1);
    let shared = format!("--pid=container:{}", own.id());
    let guest = engine.run_config("small", &[&shared], &essential(script));
    for container in [&own, &guest] {
        container.wait_for("orphaned", 1);
        container.wait_until("no orphan is left, not as a zombie either", || {
            // Two lines for `sleep 1000` each, and none for the one that has ended.
            let all = container.exec(&["ps", "-o", "stat,comm,args"]);
            let sleeping = |line: &&str| line.contains("sleep") && !line.contains("1000");
            match all.lines().find(sleeping) {
                Some(line) => Err(line.to_owned()),
                None => Ok(()),
            }
        });
        assert!(!container.logs().contains("ERROR"), "{}", container.logs());
    }
    // The guest is not the first process there, and is stopped as ever.
    assert!(
        guest
            .exec(&["ps", "-o", "args"])
            .matches("/bin/pilothouse")
            .count()
            >= 2
    );
    assert_eq!(guest.stop(10), 0, "{}", guest.logs());
    assert_eq!(own.stop(10), 0, "{}", own.logs());
}

#[test]
fn restart_policies_see_failures_and_stops_apart() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let failing = engine.run_config(
        "small",
        &["--restart=on-failure:2"],
        &essential("echo up; exit 3"),
    );
    let done = engine.run_config("small", &["--restart=on-failure:2"], &essential("exit 0"));
    let stopped = engine.run_config("small", &["--restart=always"], &essential(TALKER));
    stopped.wait_for("ready", 1);
    // The program dies, and all jobs with it; the engine starts it anew.
    engine.docker(&["exec", stopped.id(), "kill", "-TERM", "1"]);
    stopped.wait_for("ready", 2);
    assert_eq!(stopped.inspect("{{.RestartCount}}"), "1");
    assert_eq!(stopped.stop(10), 0, "{}", stopped.logs());
    assert_eq!(stopped.inspect("{{.State.Status}}"), "exited");

    failing.wait_for("up", 3);
    assert_eq!(failing.wait(), 3);
    assert_eq!(failing.inspect("{{.RestartCount}}"), "2");
    assert_eq!(done.wait(), 0);
    assert_eq!(done.inspect("{{.RestartCount}}"), "0");
}
