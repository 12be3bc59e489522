//! `pilothouse check`: what it finds, where it looks, how it says it.

use crate::support::{PATIENCE, Pilot};

/// The exit status and both outputs of a command that ends by itself.
fn outcome(pilot: Pilot) -> (Option<i32>, String, String) {
    let mut running = pilot.start();
    let code = running.wait_exit(PATIENCE).code();
    (code, running.stdout(), running.stderr())
}

/// A configuration in which everything leaves a trace that can be touched.
const TOUCHING: &str = r#"{
    consul: "no-such-host.invalid:8500",
    control: { socket: "@DIR@/control.socket" },
    logging: { output: "@DIR@/pilot.log" },
    jobs: [{ name: "app", exec: { shell: "echo ran >> @DIR@/journal" } }],
}"#;

#[test]
fn check_answers_and_touches_nothing() {
    // In a file system that cannot be written, and looked at from outside: there is nothing new afterwards.
    let bad = TOUCHING.replace("exec:", "exce:");
    let odd = TOUCHING.replace(
        "\"app\",",
        "\"app\", when: { source: \"nobody\", once: \"exitSuccess\" },",
    );
    for (text, flags, code, said) in [
        (TOUCHING, "", 0, ""),
        (TOUCHING, "--strict", 0, ""),
        (odd.as_str(), "", 0, "nobody"),
        (
            odd.as_str(),
            "--strict",
            1,
            "--strict refuses a configuration with warnings",
        ),
        (bad.as_str(), "", 1, "did you mean `exec`"),
        (bad.as_str(), "--strict", 1, "did you mean `exec`"),
    ] {
        let script = format!(
            "mount --bind @DIR@ @DIR@ && mount -o remount,bind,ro @DIR@ && cd @DIR@ || exit 99
            touch probe 2>/dev/null && exit 98
            exec {} check {flags} file.json5",
            env!("CARGO_BIN_EXE_pilothouse")
        );
        let pilot = Pilot::stand_in(&script).file("file.json5", text);
        let dir = pilot.dir().to_owned();
        let Some(mut running) = pilot.start_as_pid1() else {
            return;
        };
        assert_eq!(
            running.wait_exit(PATIENCE).code(),
            Some(code),
            "{flags} {text}: {}",
            running.stderr()
        );
        assert!(running.stderr().contains(said), "{}", running.stderr());
        assert_eq!(said.is_empty(), running.stderr().is_empty());
        assert_eq!(running.stdout(), "");
        let names: Vec<_> = std::fs::read_dir(dir)
            .expect("it is there")
            .map(|it| it.expect("a name").file_name())
            .collect();
        assert_eq!(names, ["file.json5"]);
    }
}

#[test]
fn check_reports_all_errors_with_their_places() {
    let pilot = Pilot::command(&["check", "@DIR@/bad.json5"]).file(
        "bad.json5",
        "{\n  jobs: [\n    { nmae: 'app', restarts: 'often' },\n  ],\n  stopTimeuot: 5,\n}\n",
    );
    let (code, stdout, stderr) = outcome(pilot);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    for part in [
        "bad.json5:3:7",
        "bad.json5:3:",
        "bad.json5:5:3",
        "jobs[0].restarts",
        "`name`",
        "`stopTimeout`",
        "^^^^",
    ] {
        assert!(stderr.contains(part), "no `{part}` in {stderr}");
    }
    let (code, _, stderr) = outcome(Pilot::command(&["check", "@DIR@/none.json5"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("none.json5"), "{stderr}");
}

/// What an odd and incomplete image makes of a configuration.
const WANTING: &str = r#"{
  control: { socket: "@DIR@/control.socket" },
  jobs: [
    {
      name: "app",
      exec: ["no-such-program"],
      user: "nobody-of-this-name",
      workdir: "@DIR@/nowhere",
      postStop: "@DIR@/cleanup",
      health: [{ tcp: 80, interval: 1 }, { exec: "@DIR@/script", interval: 1, ttl: 3 }],
    },
    { name: "good", exec: "true", envFile: "@DIR@/none.env", user: "root" },
  ],
}"#;

#[test]
fn check_in_the_image_looks_for_what_jobs_need() {
    let pilot = |flags: &[&str]| {
        let mut words = vec!["check"];
        words.extend(flags);
        words.push("@DIR@/file.json5");
        Pilot::command(&words)
            .file("file.json5", WANTING)
            .file("script", "#!/no/such/interpreter\n")
    };
    // It may run elsewhere.
    assert_eq!(outcome(pilot(&[])), (Some(0), String::new(), String::new()));
    let (code, stdout, stderr) = outcome(pilot(&["--image"]));
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    for part in [
        "jobs[0].exec: cannot start `no-such-program`: executable file not found in $PATH",
        "jobs[0].user: there is no user `nobody-of-this-name`",
        "jobs[0].workdir: there is no directory `",
        "jobs[0].postStop: cannot start `",
        "jobs[0].health[1].exec: cannot start `",
        "its interpreter `/no/such/interpreter` does not exist",
        "jobs[1].envFile: envFile: cannot read `",
        "file.json5:6:13",
    ] {
        assert!(stderr.contains(part), "no `{part}` in {stderr}");
    }
    // The hook has its user and directory of the job, and nothing is said twice.
    assert_eq!(stderr.matches("warning: ").count(), 6, "{stderr}");
    assert_eq!(outcome(pilot(&["--image", "--strict"])).0, Some(1));
}

#[test]
fn check_answers_tools_as_it_answers_people() {
    let odd =
        "{ jobs: [{ name: 'app', exec: 'a',\n  when: { source: 'ghost', once: 'exitSuccess' } }] }";
    let bad = "{ jobs: [{ nmae: 'app', exec: '{{ .X }}' }] }";
    for (text, flags, code) in [
        ("{}", &["--json"][..], 0),
        (odd, &["--json"], 0),
        (odd, &["--json", "--strict"], 1),
        (bad, &["--json"], 1),
        ("{{", &["--json"], 1),
    ] {
        let pilot = |flags: &[&str]| {
            let mut words = vec!["check"];
            words.extend(flags);
            words.push("@DIR@/file.json5");
            Pilot::command(&words).file("file.json5", text)
        };
        let (status, stdout, stderr) = outcome(pilot(flags));
        assert_eq!((status, stderr.as_str()), (Some(code), ""), "{text}");
        let (status, _, said) = outcome(pilot(&flags[1..]));
        assert_eq!(status, Some(code), "{text}");
        let answer: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
        let findings = answer["findings"].as_array().expect("findings");
        assert_eq!(
            answer["errors"].as_u64().unwrap_or(9) > 0,
            text == bad || text == "{{"
        );
        assert_eq!(findings.is_empty(), said.is_empty(), "{stdout}\n{said}");
        for finding in findings {
            let message = finding["message"].as_str().expect("a message");
            assert!(said.contains(message), "{message}\n{said}");
            for key in ["help", "path"] {
                let text = finding[key].as_str().unwrap_or_default();
                assert!(said.contains(text), "{text}\n{said}");
            }
            if finding["rendered_line"].is_null() {
                let (line, column) = (&finding["line"], &finding["column"]);
                let place = format!("file.json5:{line}:{column}\n");
                assert!(said.contains(&place), "{place}\n{said}");
            }
        }
    }
    let (status, stdout, _) = outcome(Pilot::command(&["check", "--json", "@DIR@/none.json5"]));
    assert_eq!(status, Some(1));
    assert!(stdout.contains("\"severity\": \"error\""), "{stdout}");
}
