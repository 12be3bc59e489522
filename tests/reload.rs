//! Reloads: what is refused, what takes over, and what a stop makes of one.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// A job that says so when it is up.
const APP: &str = r#"[{ name: "app", exec: { shell: "echo app up; exec sleep 61" } }]"#;

/// Stops the program, which must succeed.
fn stop(pilot: &mut Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// Files that no reload may accept, each with what the report has to name.
const BAD: [(&str, &str); 9] = [
    ("{ jobs: [ }", "containerpilot.json5:1:11"),
    (
        "{\n  jobs: [{ name: 'app', exce: 'true' }]\n}",
        "containerpilot.json5:2:",
    ),
    (
        "{ jobs: [{ name: 'app', exce: 'true' }] }",
        "did you mean `exec`",
    ),
    (
        "{\n\n  jobs: {{ .JOBS | nosuch }} }",
        "containerpilot.json5:3:",
    ),
    ("{ jobs: {{ if }} }", "containerpilot.json5:1:"),
    ("{ jobs: 'app' }", "jobs"),
    ("", "containerpilot.json5"),
    (
        "{ jobs: [{ name: 'app', exec: 'true', when: { once: 'nosuch', source: 'app' } }] }",
        "nosuch",
    ),
    (
        "{ consul: 'localhost:8500', services: [] }",
        "another version of ContainerPilot",
    ),
];

#[test]
fn r01_a_bad_file_changes_nothing_whoever_asks() {
    let mut pilot = Pilot::jobs(APP).start();
    pilot.wait_for_line("app up", PATIENCE);
    let app = pilot.only("sleep 61").pid;
    for (number, (text, named)) in BAD.into_iter().enumerate() {
        pilot.write("containerpilot.json5", text);

        let answer = pilot.request("POST", "/v3/reload", "");
        assert_eq!(answer.status, 422, "{text:?}: {answer:?}");
        assert!(answer.body.contains(named), "{text:?}: {}", answer.body);

        let answer = pilot.ask(&["-socket", "@DIR@/control.socket", "-reload"]);
        assert_eq!(answer.code, Some(1), "{text:?}: {answer:?}");
        assert!(
            answer
                .stderr
                .starts_with("-reload: failed to run subcommand: "),
            "{answer:?}"
        );
        assert!(answer.stderr.contains(named), "{text:?}: {answer:?}");

        pilot.signal(Signal::SIGHUP);
        pilot.wait_for_lines(
            "the configuration was not reloaded",
            3 * (number + 1),
            PATIENCE,
        );
    }
    assert_eq!(pilot.only("sleep 61").pid, app);
    assert!(!pilot.stdout().contains("app exited"));
    stop(&mut pilot);
}

#[test]
fn r01_a_file_that_cannot_be_read_changes_nothing() {
    let mut pilot = Pilot::jobs(APP).start();
    pilot.wait_for_line("app up", PATIENCE);
    let app = pilot.only("sleep 61").pid;
    let config = pilot.dir().join("containerpilot.json5");
    let refused = |why: &str| {
        let answer = pilot.request("POST", "/v3/reload", "");
        assert_eq!(answer.status, 422, "{answer:?}");
        assert!(answer.body.contains(why), "{answer:?}");
    };
    std::fs::remove_file(&config).expect("it is there");
    refused("No such file");
    std::fs::create_dir(&config).expect("the name is free");
    refused("Is a directory");
    std::fs::remove_dir(&config).expect("it is empty");
    std::fs::write(&config, b"{ \xff }").expect("the name is free");
    refused("it is not UTF-8");
    std::fs::remove_file(&config).expect("it is there");
    std::os::unix::fs::symlink("/dev/zero", &config).expect("the name is free");
    refused("it is larger than");
    assert_eq!(pilot.only("sleep 61").pid, app);

    // And a good one is still taken.
    std::fs::remove_file(&config).expect("it is there");
    pilot.write_jobs(APP);
    pilot.alter("app");
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pilot.wait_for_lines("app up", 2, PATIENCE);
    stop(&mut pilot);
}

#[test]
fn a_reload_replaces_what_has_changed() {
    let mut pilot = Pilot::jobs(APP).start();
    pilot.wait_for_line("app up", PATIENCE);
    let old = pilot.only("sleep 61").pid;
    pilot.write_jobs(r#"[{ name: "app", exec: { shell: "echo app up; exec sleep 61" }, env: { A: "b" } }, { name: "more", exec: "sleep 62" }]"#);
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pilot.wait_for_line("reloaded: 2 jobs", PATIENCE);
    pilot.wait_for_lines("app up", 2, PATIENCE);
    assert_ne!(pilot.only("sleep 61").pid, old);
    pilot.only("sleep 62");
    stop(&mut pilot);
}

#[test]
fn d2_the_old_copy_is_gone_before_the_new_one_starts() {
    // It ignores TERM, and so does what it has started in a session of its own.
    let mut pilot = Pilot::jobs(r#"[{ name: "app", stopTimeout: "200ms", exec: "sh app" }]"#)
        .file(
            "app",
            // By its command: the number alone may be somebody else's by then.
            "for pid in $(cat pids 2>/dev/null); do
                tr '\\0' ' ' < /proc/$pid/cmdline 2>/dev/null | grep -qx 'sh app \\|sleep 62 ' && echo overlap $pid >> journal
            done
            trap '' TERM HUP
            setsid sleep 62 &
            echo $$ $! > pids; echo up >> journal; while :; do sleep 0.05; done",
        )
        .start();
    for run in 1..=3 {
        pilot.journal().wait_for(run, PATIENCE);
        pilot.alter("app");
        pilot.signal(Signal::SIGHUP);
        pilot.wait_for_lines("reloaded: 1 jobs", run, PATIENCE);
    }
    pilot.journal().wait_for(4, PATIENCE);
    stop(&mut pilot);
    assert_eq!(pilot.journal().lines(), ["up", "up", "up", "up"]);
}

#[test]
fn a_reload_renders_with_the_variables_that_were_set() {
    let jobs = r#"[{ name: "app", exec: { shell: "echo template {{ .COLOUR | default "none" }} child $COLOUR; exec sleep 61" } }]"#;
    let mut pilot = Pilot::jobs(jobs).start();
    pilot.wait_for_line("template none child", PATIENCE);
    assert_eq!(pilot.ask(&["-putenv", "COLOUR=green"]).code, Some(0));
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pilot.wait_for_line("template green child green", PATIENCE);
    // The overlay outlives a second reload, and null unsets.
    let answer = pilot.request("POST", "/v3/environ", r#"{ "COLOUR": null }"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pilot.wait_for_lines("template none child", 2, PATIENCE);
    stop(&mut pilot);
}

#[test]
fn maintenance_survives_a_reload() {
    let jobs = r#"[
        { name: "app", exec: { shell: "echo app up; exec sleep 61" }, health: { exec: { shell: "echo check >> journal" }, interval: "50ms", ttl: 60 } },
        { name: "leave", when: { source: "global", each: "exitMaintenance" }, exec: { shell: "echo leave >> journal" } },
    ]"#;
    let mut pilot = Pilot::jobs(jobs).start();
    pilot.wait_for_line("app up", PATIENCE);
    assert_eq!(pilot.ask(&["-maintenance", "enable"]).code, Some(0));
    pilot.settle();
    pilot.alter("app");
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pilot.wait_for_lines("app up", 2, PATIENCE);
    let checks = pilot.journal().lines().len();
    assert_eq!(pilot.ask(&["-maintenance", "disable"]).code, Some(0));
    pilot.wait_until(PATIENCE, "the checks again", || {
        pilot.journal().lines().len() >= checks + 3
    });
    let lines = pilot.journal().lines();
    // Maintenance ended once, and no check ran before that in the new configuration.
    assert_eq!(
        lines.iter().filter(|line| *line == "leave").count(),
        1,
        "{lines:?}"
    );
    stop(&mut pilot);
}

#[test]
fn the_control_socket_stays_open_over_a_reload() {
    // The old job holds up the reload, so that there is an in-between.
    let mut pilot = Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 60, jobs: [
            { name: "app", exec: { shell: "trap 'echo term' TERM; echo app up; until [ -e release ]; do sleep 0.01; done; rm release" } },
        ] }"#,
    )
    .start();
    pilot.wait_for_line("app up", PATIENCE);
    let inode = || {
        std::fs::metadata(pilot.dir().join("control.socket"))
            .map(|meta| meta.ino())
            .ok()
    };
    let before = inode();
    let connect = || UnixStream::connect(pilot.dir().join("control.socket")).expect("it listens");
    // Two clients that have not asked yet when the reload begins.
    let (during, after) = (connect(), connect());
    pilot.alter("app");
    let answered = |mut client: UnixStream| {
        let ping = b"GET /v3/ping HTTP/1.1\r\nHost: control\r\n\r\n";
        client.write_all(ping).expect("it reads");
        let mut answer = [0; 15];
        client.read_exact(&mut answer).expect("it answers");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    };
    assert_eq!(
        pilot.ask(&["-reload"]).code,
        Some(0),
        "it is answered before the old job has ended"
    );
    pilot.wait_for_line("term", PATIENCE);
    answered(during);
    assert_eq!(pilot.ask(&["-ping"]).code, Some(0));
    release(&pilot);
    pilot.wait_for_line("reloaded: 1 jobs", PATIENCE);
    answered(after);
    assert_eq!(inode(), before);
    pilot.wait_until(PATIENCE, "the old job to remove the file", || {
        !pilot.dir().join("release").exists()
    });
    release(&pilot);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn r07_a_moved_control_socket_answers_at_its_new_place_only() {
    let mut pilot = Pilot::jobs(APP).start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.write(
        "containerpilot.json5",
        r#"{ control: { socket: "@DIR@/moved.socket" }, stopTimeout: 1, jobs: [{ name: "app", exec: "sleep 61" }] }"#,
    );
    assert_eq!(
        pilot
            .ask(&["-socket", "@DIR@/control.socket", "-reload"])
            .code,
        Some(0)
    );
    pilot.wait_for_line("reloaded: 1 jobs", PATIENCE);
    // The configuration names the new one.
    assert_eq!(pilot.ask(&["-ping"]).code, Some(0));
    assert!(!pilot.dir().join("control.socket").exists());
    let answer = pilot.ask(&["-socket", "@DIR@/control.socket", "-ping"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    stop(&mut pilot);
    assert!(!pilot.dir().join("moved.socket").exists());
}

#[test]
fn r07_the_log_follows_a_reload() {
    let mut pilot = Pilot::jobs(APP).start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.write(
        "containerpilot.json5",
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 1, logging: { format: "json", output: "@DIR@/new.log" },
             jobs: [{ name: "app", exec: { shell: "echo app up; exec sleep 61" } }] }"#,
    );
    pilot.alter("app");
    pilot.signal(Signal::SIGHUP);
    pilot.wait_until(PATIENCE, "the new log", || {
        let text = std::fs::read_to_string(pilot.dir().join("new.log")).unwrap_or_default();
        text.lines().any(|line| {
            let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
            record["job"] == "app" && record["msg"] == "app up"
        })
    });
    stop(&mut pilot);
}

#[test]
fn a_reload_of_a_command_without_a_file_is_refused() {
    let mut pilot = Pilot::command(&[
        "run",
        "--socket",
        "@DIR@/control.socket",
        "--",
        "sh",
        "-c",
        "trap 'echo hup' HUP; echo up; while :; do sleep 0.01; done",
    ])
    .start();
    pilot.wait_for_line("up", PATIENCE);
    pilot.signal(Signal::SIGHUP);
    pilot.wait_for_line("hup", PATIENCE);
    let answer = pilot.ask(&["-socket", "@DIR@/control.socket", "-reload"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(
        answer.stderr.contains("no configuration to reload"),
        "{answer:?}"
    );
    stop(&mut pilot);
}

/// A job that stays for as long as the test wants, and notes each TERM.
const HELD: &str = r#"[{ name: "app", stopTimeout: 60,
    exec: { shell: "trap 'echo term >> journal' TERM; echo app up; until [ -e release ]; do sleep 0.01; done" } }]"#;

fn release(pilot: &Running) {
    std::fs::write(pilot.dir().join("release"), "").expect("a directory of ours takes files");
}

#[test]
fn r06_a_reload_during_the_stop_is_refused() {
    let mut pilot = Pilot::jobs(HELD).start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    pilot.journal().wait_for(1, PATIENCE);
    let answer = pilot.ask(&["-reload"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stderr.contains("stopping"), "{answer:?}");
    pilot.signal(Signal::SIGHUP);
    pilot.settle();
    release(&pilot);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines(), ["term"]);
    assert!(!pilot.stdout().contains("reloaded"));
}

#[test]
fn r06_a_stop_during_a_reload_wins() {
    let mut pilot = Pilot::jobs(HELD).start();
    pilot.wait_for_line("app up", PATIENCE);
    pilot.alter("app");
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pilot.journal().wait_for(1, PATIENCE);
    pilot.signal(Signal::SIGTERM);
    pilot.wait_for_line("SIGTERM received", PATIENCE);
    release(&pilot);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(pilot.journal().lines(), ["term"]);
    assert!(!pilot.stdout().contains("reloaded"));
}

#[test]
fn r06_a_stop_while_the_file_is_read_wins() {
    // The file is a pipe whose writer says nothing, so that the load lasts.
    let mut pilot = Pilot::jobs(APP).start();
    pilot.wait_for_line("app up", PATIENCE);
    let config = pilot.dir().join("containerpilot.json5");
    std::fs::remove_file(&config).expect("it is there");
    nix::unistd::mkfifo(&config, nix::sys::stat::Mode::S_IRWXU).expect("the name is free");
    // For reading as well, or this open would wait for a reader.
    let mut pipe = std::fs::File::options();
    let writer = pipe.read(true).write(true).open(&config);
    let writer = writer.expect("a pipe of ours");
    pilot.signal(Signal::SIGHUP);
    pilot.wait_for_line("reloading", PATIENCE);
    pilot.settle();
    pilot.signal(Signal::SIGTERM);
    // Shorter than the 5 s that the load would wait for its writer.
    assert_eq!(pilot.wait_exit(Duration::from_secs(4)).code(), Some(0));
    // Neither was it taken, nor refused: nobody waited for it.
    assert!(!pilot.stdout().contains("reloaded"));
    drop(writer);
}

mod heavy {
    use std::thread;
    use std::time::Duration;

    use super::stop;
    use crate::support::{PATIENCE, Pilot, Process, Running, Signal, request};

    /// From each of the two sources, so 200 a second together.
    const PAUSE: Duration = Duration::from_millis(10);
    /// Of each source: 3 s of storm.
    const RELOADS: usize = 300;

    fn jobs(version: usize) -> String {
        format!(
            r#"[{{ name: "a", exec: ["sleep", "1000.{version}"] }}, {{ name: "b", exec: ["sleep", "2000.{version}"] }}]"#
        )
    }

    fn open_files(pilot: &Running) -> usize {
        Process::read(pilot.pid()).expect("it runs").open_files()
    }

    #[test]
    fn r05_a_storm_of_reloads_ends_with_the_last_file() {
        let Some(mut pilot) = Pilot::jobs(&jobs(0)).start_as_pid1() else {
            return;
        };
        pilot.only("sleep 1000.0");
        assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
        pilot.wait_for_line("reloaded", PATIENCE);
        pilot.only("sleep 2000.0");
        let before = open_files(&pilot);
        let socket = pilot.dir().join("control.socket");
        let mut most = 0;
        thread::scope(|scope| {
            let clients = scope.spawn(|| {
                for _ in 0..RELOADS {
                    // Any answer will do, but there has to be one.
                    let answer = request(&socket, "POST", "/v3/reload", "", PATIENCE);
                    let status = answer.expect("an answer").status;
                    assert!(matches!(status, 200 | 503), "{status}");
                    thread::sleep(PAUSE);
                }
            });
            for version in 1..=RELOADS {
                pilot.write_jobs(&jobs(version));
                pilot.signal(Signal::SIGHUP);
                most = most.max(open_files(&pilot));
                thread::sleep(PAUSE);
            }
            clients.join().expect("every request was answered");
        });
        // The last file was written before the last signal; a client that asks now cannot be overtaken.
        pilot.write_jobs(&jobs(RELOADS));
        assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
        let last = [
            format!("sleep 1000.{RELOADS}"),
            format!("sleep 2000.{RELOADS}"),
        ];
        pilot.wait_until(
            PATIENCE,
            "the jobs of the last file, each once, and no others",
            || {
                let mut found: Vec<String> =
                    pilot.find("sleep").into_iter().map(|p| p.command).collect();
                found.sort();
                found == last
            },
        );
        assert!(most <= before + 40, "{before} descriptors, then {most}");
        pilot.wait_until(PATIENCE, "the descriptors of the beginning", || {
            open_files(&pilot) <= before + 2
        });
        assert_eq!(pilot.zombies(), 0);
        stop(&mut pilot);
    }
}
