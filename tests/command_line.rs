//! The command line, from end to end: what each flag and subcommand does, prints and answers.

use std::io::Write as _;
use std::os::unix::fs::symlink;

use crate::support::{PATIENCE, Pilot, Running, Signal, ask};

/// Stops the program, which must succeed.
fn stop(pilot: &mut Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// The exit status and both outputs of a command that ends by itself.
fn outcome(pilot: Pilot) -> (Option<i32>, String, String) {
    let mut running = pilot.start();
    let code = running.wait_exit(PATIENCE).code();
    (code, running.stdout(), running.stderr())
}

#[test]
fn template_writes_byte_for_byte() {
    let text = "{ name: \"{{ .WHO | default \"nobody\" }}\"{{/* no JSON */}} \u{e9}";
    let rendered = "{ name: \"you\" \u{e9}";
    let pilot = |arguments: &[&str]| {
        Pilot::command(arguments)
            .file("in.json5", text)
            .env("WHO", "you")
    };

    let (code, stdout, _) = outcome(pilot(&["-config", "@DIR@/in.json5", "-template"]));
    assert_eq!((code, stdout.as_str()), (Some(0), rendered));
    let (code, stdout, _) = outcome(pilot(&["-template", "-out=-", "-config=@DIR@/in.json5"]));
    assert_eq!((code, stdout.as_str()), (Some(0), rendered));

    let mut running = pilot(&[
        "--template",
        "--out",
        "@DIR@/out",
        "--config",
        "@DIR@/in.json5",
    ])
    .file(
        "out",
        "something longer than the result, which must not stay behind",
    )
    .start();
    assert_eq!(running.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(
        std::fs::read_to_string(running.dir().join("out"))
            .ok()
            .as_deref(),
        Some(rendered)
    );
    assert_eq!(running.stdout(), "");

    let bad = pilot(&["-config", "@DIR@/in.json5", "-template"])
        .file("in.json5", "one\n{{ .A | nosuch }}");
    let (code, stdout, stderr) = outcome(bad);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.contains("nosuch") && stderr.contains('2'),
        "{stderr}"
    );
}

#[test]
fn wrong_usage_ends_with_2_and_shows_how() {
    let wrong: [(&[&str], &str); 8] = [
        (&["-nope"], "flag provided but not defined: -nope"),
        (&["-config"], "flag needs an argument: -config"),
        (
            &["-reload=perhaps"],
            "invalid boolean value \"perhaps\" for -reload",
        ),
        (
            &["-putenv", "X"],
            "invalid value \"X\" for flag -putenv: flag value 'X' was not in the format 'key=val'",
        ),
        (&["check"], "`check` takes its flags and then one file"),
        (&["run"], "`run` needs a command"),
        (&["chekc", "file"], "did you mean `check`?"),
        (&["healthy", "a", "b"], "at most one job"),
    ];
    for (arguments, message) in wrong {
        let (code, stdout, stderr) = outcome(Pilot::command(arguments));
        assert_eq!(
            (code, stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}: {stderr}"
        );
        assert!(
            stderr.contains(message) && stderr.contains("Usage:"),
            "{arguments:?}: {stderr}"
        );
    }
    if let Some(mut running) = Pilot::command(&["-nope"]).start_as_pid1() {
        assert_eq!(running.wait_exit(PATIENCE).code(), Some(2));
    }
}

#[test]
fn help_and_version_succeed() {
    for arguments in [["-help"], ["--help"], ["-h"], ["help"]] {
        let (code, stdout, _) = outcome(Pilot::command(&arguments));
        assert!(code == Some(0) && stdout.starts_with("Usage:"), "{stdout}");
    }
    for arguments in [["-version"], ["version"]] {
        let (code, stdout, _) = outcome(Pilot::command(&arguments));
        assert!(
            code == Some(0) && stdout.starts_with("Version: "),
            "{stdout}"
        );
    }
}

#[test]
fn under_its_old_name_there_are_no_subcommands() {
    for words in ["check file.json5", "run -- false", "version"] {
        let pilot = Pilot::stand_in(&format!("exec @DIR@/containerpilot -config config.json5 {words}"))
            .file("config.json5", r#"{ control: { socket: "@DIR@/control.socket" }, jobs: [{ name: "app", exec: "echo app ran" }] }"#);
        symlink(
            env!("CARGO_BIN_EXE_pilothouse"),
            pilot.dir().join("containerpilot"),
        )
        .expect("a directory of ours takes links");
        let (code, stdout, _) = outcome(pilot);
        assert_eq!(code, Some(0), "{words}: {stdout}");
        assert!(
            stdout.contains("app ran") && stdout.contains("words after the flags are ignored"),
            "{words}: {stdout}"
        );
    }
    let pilot = Pilot::stand_in("exec @DIR@/containerpilot check").env("CONTAINERPILOT", "{ control: { socket: '@DIR@/control.socket' }, jobs: [{ name: 'app', exec: 'echo app ran' }] }");
    symlink(
        env!("CARGO_BIN_EXE_pilothouse"),
        pilot.dir().join("containerpilot"),
    )
    .expect("a directory of ours takes links");
    let (code, stdout, _) = outcome(pilot);
    assert!(code == Some(0) && stdout.contains("app ran"), "{stdout}");
}

#[test]
fn run_passes_streams_and_status_through() {
    let mut pilot = Pilot::command(&[
        "run",
        "--",
        "sh",
        "-c",
        "read line; echo \"<$line>\"; echo oops >&2; exit 7",
    ])
    .piped_stdin()
    .start();
    pilot.take_stdin().write_all(b"in\n").expect("it reads");
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(7));
    assert_eq!(pilot.stdout(), "<in>\n");
    assert!(pilot.stderr().contains("oops\n"), "{}", pilot.stderr());
}

#[test]
fn run_as_pid1_passes_signals_on_and_stops_at_term() {
    let script = "for name in HUP USR1 USR2 WINCH; do trap \"echo got $name\" $name; done
        trap 'echo got TERM; exit 9' TERM; echo up; while :; do sleep 0.01; done";
    let Some(mut pilot) = Pilot::command(&["run", "--", "sh", "-c", script]).start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("up", PATIENCE);
    for (signal, name) in [
        (Signal::SIGHUP, "got HUP"),
        (Signal::SIGUSR1, "got USR1"),
        (Signal::SIGUSR2, "got USR2"),
        (Signal::SIGWINCH, "got WINCH"),
    ] {
        pilot.signal(signal);
        pilot.wait_for_line(name, PATIENCE);
    }
    stop(&mut pilot);
    assert_eq!(pilot.wait_for_lines("got TERM", 1, PATIENCE).len(), 1);
}

#[test]
fn run_restarts_and_kills_as_its_flags_say() {
    let (code, stdout, _) = outcome(Pilot::command(&[
        "run",
        "--restarts",
        "2",
        "--",
        "sh",
        "-c",
        "echo run; echo x >> runs; exit $(wc -l < runs)",
    ]));
    assert_eq!(code, Some(3), "{stdout}");
    let runs = stdout.lines().filter(|line| *line == "run").count();
    assert_eq!(runs, 3, "{stdout}");

    let mut pilot = Pilot::command(&[
        "run",
        "--stop-timeout",
        "100ms",
        "--",
        "sh",
        "-c",
        "trap '' TERM; echo up; while :; do sleep 0.05; done",
    ])
    .start();
    pilot.wait_for_line("up", PATIENCE);
    stop(&mut pilot);

    let (code, ..) = outcome(Pilot::command(&["run", "--", "/no/such/file"]));
    assert_eq!(code, Some(127));
}

#[test]
fn healthy_answers_by_its_status() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "app", exec: { shell: "echo app up; exec sleep 60" }, health: { exec: "test -e good", interval: "50ms", ttl: 60 } },
            { name: "plain", exec: "sleep 60" },
            { name: "over", exec: "true" },
        ]"#,
    )
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.wait_for_line("over exited", PATIENCE);
    let healthy = |arguments: &[&str]| {
        let answer = pilot.ask(&[&["healthy"], arguments].concat());
        (answer.code, answer.stdout, answer.stderr)
    };
    let no = |reason: &str| (Some(1), String::new(), format!("{reason}\n"));
    let yes = (Some(0), String::new(), String::new());
    pilot.wait_until(PATIENCE, "a failed check", || {
        healthy(&["app"]) == no("app is unhealthy")
    });
    assert_eq!(healthy(&[]), no("app is unhealthy"));
    assert_eq!(healthy(&["plain"]), yes);
    assert_eq!(healthy(&["over"]), no("over does not run"));
    let (code, _, stderr) = healthy(&["nobody"]);
    assert!(
        code == Some(1) && stderr.contains("no job is called `nobody`"),
        "{stderr}"
    );
    std::fs::write(pilot.dir().join("good"), "").expect("a directory of ours takes files");
    pilot.wait_until(PATIENCE, "a passed check", || healthy(&["app"]) == yes);
    assert_eq!(healthy(&["--socket", "@DIR@/control.socket"]), yes);
    stop(&mut pilot);
    assert_eq!(
        pilot.ask(&["healthy"]).code,
        Some(1),
        "nobody is there to say so"
    );
}

#[test]
fn variables_that_are_set_reach_later_runs() {
    let mut pilot = Pilot::jobs(
        r#"[{ name: "show", when: { source: "SIGUSR2" }, exec: { shell: "echo [${ONE-unset}] [${TWO-unset}]" } }]"#,
    )
    .env("ONE", "base")
    .start();
    pilot.wait_until(PATIENCE, "the socket", || {
        pilot.ask(&["-ping"]).code == Some(0)
    });
    let shows = |text: &str| {
        pilot.signal(Signal::SIGUSR2);
        pilot.wait_for_line(text, PATIENCE);
    };
    shows("[base] [unset]");
    let answer = pilot.ask(&[
        "-putenv", "ONE=a=b", "-putenv", "TWO=", "-putenv", "ONE=c=d",
    ]);
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (Some(0), ""),
        "{answer:?}"
    );
    shows("[c=d] []");
    assert_eq!(
        pilot
            .request("POST", "/v3/environ", r#"{ "ONE": null, "TWO": "2" }"#)
            .status,
        200
    );
    shows("[unset] [2]");
    // All or nothing.
    assert_eq!(
        pilot
            .request("POST", "/v3/env", r#"{ "ONE": "3", "TWO": 4 }"#)
            .status,
        422
    );
    shows("[unset] [2]");
    stop(&mut pilot);
}

#[test]
fn maintenance_starts_jobs_and_ends() {
    let mut pilot = Pilot::jobs(
        r#"[
            { name: "app", exec: "sleep 60" },
            { name: "enter", when: { source: "global", each: "enterMaintenance" }, exec: { shell: "echo $CONTAINERPILOT_EVENT >> journal" } },
            { name: "leave", when: { source: "global", each: "exitMaintenance" }, exec: { shell: "echo $CONTAINERPILOT_EVENT >> journal" } },
        ]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "the socket", || {
        pilot.ask(&["-ping"]).code == Some(0)
    });
    for round in 0..2 {
        assert_eq!(pilot.ask(&["-maintenance", "enable"]).code, Some(0));
        pilot.journal().wait_for(2 * round + 1, PATIENCE);
        // The original took every other word for `disable`.
        assert_eq!(pilot.ask(&["-maintenance", "whatever"]).code, Some(0));
        pilot.journal().wait_for(2 * round + 2, PATIENCE);
    }
    let once = ["enterMaintenance", "exitMaintenance"];
    assert_eq!(pilot.journal().lines(), [once, once].concat());
    stop(&mut pilot);
}

#[test]
fn requests_say_what_is_wrong() {
    let mut pilot = Pilot::jobs(r#"[{ name: "app", exec: "sleep 60" }]"#).start();
    pilot.wait_until(PATIENCE, "the socket", || {
        pilot.ask(&["-ping"]).code == Some(0)
    });
    let answer = pilot.ask(&["-ping"]);
    assert_eq!(
        (answer.stdout.as_str(), answer.stderr.as_str()),
        ("ok\n", "")
    );
    assert_eq!(pilot.ask(&["-putmetric", "a=1"]).code, Some(0));
    let answer = pilot.ask(&["-putmetric", "a=many"]);
    assert!(
        answer.code == Some(1) && answer.stderr.starts_with("-putmetric: failed"),
        "{answer:?}"
    );
    // The file is broken by now: clients find the socket all the same, and hear what is wrong with it (D46).
    pilot.write(
        "containerpilot.json5",
        "{ control: { socket: \"@DIR@/control.socket\" },\n  jobs: [{ name: \"app\", exce: \"true\" }] }",
    );
    assert_eq!(pilot.ask(&["-ping"]).code, Some(0));
    let answer = pilot.ask(&["-reload"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    for part in [
        "-reload: failed to run subcommand: ",
        "containerpilot.json5:2:",
        "did you mean `exec`",
        "^^^^",
    ] {
        assert!(
            answer.stderr.contains(part),
            "no `{part}` in {}",
            answer.stderr
        );
    }
    stop(&mut pilot);
    for (flag, prefix) in [
        ("-ping", "-ping: failed: "),
        ("-reload", "-reload: failed to run subcommand: "),
        (
            "-maintenance=enable",
            "-maintenance: failed to run subcommand: ",
        ),
        ("-putenv=A=b", "-putenv: failed to run subcommand: "),
        ("-putmetric=a=1", "-putmetric: failed to run subcommand: "),
    ] {
        let answer = pilot.ask(&[flag]);
        assert_eq!(answer.code, Some(1), "{answer:?}");
        assert!(answer.stderr.starts_with(prefix), "{answer:?}");
    }
    let answer = ask(&["-config", "/no/such/file", "-ping"], &[]);
    assert!(
        answer.code == Some(1)
            && answer
                .stderr
                .contains("`-socket PATH` needs no configuration"),
        "{answer:?}"
    );
}

#[test]
fn the_configuration_may_be_a_path_a_url_or_the_text() {
    let text = r#"{ control: { socket: "@DIR@/control.socket" }, jobs: [{ name: "app", exec: "echo app ran" }] }"#;
    for place in ["@DIR@/config.json5", "file://@DIR@/config.json5", text] {
        for by_flag in [true, false] {
            let pilot = if by_flag {
                Pilot::command(&["-config", place]).env("CONTAINERPILOT", "/no/such/file")
            } else {
                Pilot::command(&[]).env("CONTAINERPILOT", place)
            };
            let (code, stdout, stderr) = outcome(pilot.file("config.json5", text));
            assert!(
                code == Some(0) && stdout.contains("app ran"),
                "{place}: {stdout}{stderr}"
            );
        }
    }
}
