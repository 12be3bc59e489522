//! Attacks: by a configuration, by a job, by a client. None may stop supervision, forge a line of the log or cost more than its bound.

use crate::support::raw::request;
use crate::support::{PATIENCE, Pilot, Process, Running, Signal};

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

#[test]
fn a_name_forges_no_line_and_no_terminal_command() {
    // A line break with a line of another's behind it; commands of a terminal in two encodings; text turned around.
    let name = "x\\n2026-01-01T00:00:00Z ERROR forged\\r\\u001b[2J\\u009b2J\\u202e";
    for format in ["default", "text", "json"] {
        let jobs = format!(
            "[{{ name: '{name}', exec: ['sh', '-c', 'echo out; exit 1'], timeout: '10s',
                health: {{ exec: ['sh', '-c', 'echo checked'], interval: '20ms', ttl: 1 }} }},
              {{ name: 'b {name}', exec: ['/no/{name}'], when: {{ source: '{name}', once: 'exitFailed' }} }},
              {{ name: 'end', exec: ['sleep', '60'], health: {{ exec: ['sh', '-c', 'echo checked'], interval: '20ms', ttl: 1 }} }}]"
        );
        let config = format!(
            "{{ control: {{ socket: '@DIR@/control.socket' }}, stopTimeout: 1, logging: {{ level: 'DEBUG', format: '{format}' }}, jobs: {jobs} }}"
        );
        let pilot = Pilot::config(&config).start();
        pilot.wait_for_line("out", PATIENCE);
        pilot.wait_for_line("unable to start", PATIENCE);
        pilot.wait_for_line("checked", PATIENCE);
        let missing = pilot.request(
            "GET",
            "/api/v1/health?job=%0a2026-01-01T00:00:00Z%20forged%1b",
            "",
        );
        assert_eq!(missing.status, 404);
        let text = pilot.stdout();
        stop(pilot);
        for line in text.lines() {
            assert!(
                !line.starts_with("2026-01-01") && !line.starts_with("forged"),
                "{format}: {line}"
            );
        }
        // JSON needs no escapes beyond ASCII's, and whoever shows it decodes it first.
        let harmless = |letter: char| match letter {
            '\n' => true,
            '\u{80}'..='\u{9f}' | '\u{202e}' => format == "json",
            _ => !letter.is_control(),
        };
        let bad = text.lines().find(|line| !line.chars().all(harmless));
        assert_eq!(bad, None, "{format}");
    }
}

#[test]
fn a_report_commands_no_terminal() {
    for text in [
        "{ '\\u001b[2J\\u009b': 1, jobs: [{ name: 'a\\u001b', 'ex\\u001bec': 'x', restarts: '\\u001b\\u009b' }] }",
        "{ jobs: [{ name: '\u{1b}[2J', \u{1b}[2J exec: 'b' }] }",
        "{ jobs: [{ name: '{{ \u{1b}[2J }}' }] }",
        "{ jobs: [{ name: '{{ .X | \u{9b}2J }}' }] }",
        "{ jobs: [{ name: '{{ nosuch\u{202e} }}' }] }",
        "{ jobs: [{ name: 'a', port: '\\u001b[2J', health: { interval: '\\u001b', ttl: 1 } }] } \u{1b}",
    ] {
        let mut pilot = Pilot::command(&["check", "@DIR@/file"])
            .file("file", text)
            .start();
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(1), "{text:?}");
        let said = pilot.stderr();
        let harmless = |letter: char| letter == '\n' || !letter.is_control();
        assert!(
            said.contains("error: ") && said.chars().all(harmless),
            "{said:?}"
        );
    }
}

#[test]
fn lines_of_nul_bytes_are_lines() {
    const LENGTH: usize = 2_000_000;
    for format in ["default", "json"] {
        let config = format!(
            "{{ control: {{ socket: '@DIR@/control.socket' }}, logging: {{ format: '{format}' }},
               jobs: [{{ name: 'app', exec: ['sh', '-c', 'head -c {LENGTH} /dev/zero; echo; echo after'] }}] }}"
        );
        let mut pilot = Pilot::config(&config).start();
        assert!(pilot.wait_exit(PATIENCE).success());
        let text = pilot.stdout();
        let nul = if format == "json" { "\\u0000" } else { "\0" };
        assert_eq!(text.matches(nul).count(), LENGTH);
        assert_eq!(
            text.lines().filter(|line| line.contains("after")).count(),
            1
        );
    }
}

#[test]
fn ten_thousand_variables_reach_a_job() {
    let mut pilot = Pilot::jobs(
        "[{ name: 'app', exec: ['sh', '-c', 'env | grep -c ^MANY_ >> @DIR@/journal'], restarts: 2 }]",
    );
    for number in 0..10_000 {
        pilot = pilot.env(&format!("MANY_{number}"), "some value or other");
    }
    let mut pilot = pilot.start();
    assert!(pilot.wait_exit(PATIENCE).success());
    assert_eq!(pilot.journal().lines(), ["10000", "10000", "10000"]);
}

#[test]
fn no_variable_keeps_every_job_from_starting() {
    let jobs = "[{ name: 'app', when: { source: 'SIGUSR2' }, exec: ['sh', '-c', 'echo ${#BIG} >> @DIR@/journal'] },
                 { name: 'main', exec: 'sleep 60' }]";
    let pilot = Pilot::jobs(jobs).start();
    pilot.wait_until(PATIENCE, "the job", || !pilot.find("sleep 60").is_empty());
    let set = |length: usize| {
        let body = format!("{{\"BIG\": \"{}\"}}", "x".repeat(length));
        pilot.request("POST", "/v3/environ", &body).status
    };
    // The kernel takes no variable of 128 KiB (execve(2)).
    assert_eq!(set(200_000), 422);
    assert_eq!(set(131_072), 422);
    assert_eq!(set(131_000), 200);
    assert_eq!(set(131_000), 200);
    pilot.signal(Signal::SIGUSR2);
    assert_eq!(pilot.journal().wait_for(1, PATIENCE), ["131000"]);
    stop(pilot);
}

#[test]
fn a_path_that_leads_nowhere_is_mended_by_the_same_way() {
    let jobs = "[{ name: 'app', when: { source: 'SIGUSR2' }, exec: ['sh', '-c', 'echo ran >> @DIR@/journal'] },
                 { name: 'main', exec: 'sleep 60' }]";
    let pilot = Pilot::jobs(jobs).start();
    pilot.wait_until(PATIENCE, "the job", || !pilot.find("sleep 60").is_empty());
    for path in ["\"\"", "\"/nowhere:\"", "\"\\u2028\""] {
        let body = format!("{{\"PATH\": {path}}}");
        assert_eq!(pilot.request("POST", "/v3/environ", &body).status, 200);
        pilot.signal(Signal::SIGUSR2);
    }
    pilot.wait_for_line("unable to start app", PATIENCE);
    let path = std::env::var("PATH").expect("tests have one");
    let body = serde_json::json!({ "PATH": path }).to_string();
    assert_eq!(pilot.request("POST", "/v3/environ", &body).status, 200);
    pilot.signal(Signal::SIGUSR2);
    pilot.journal().wait_for(1, PATIENCE);
    stop(pilot);
}

#[test]
fn a_signal_that_a_reload_forwards_does_not_end_the_program() {
    let config = |forward: &str| {
        format!(
            "{{ control: {{ socket: '@DIR@/control.socket' }}, stopTimeout: 1, jobs: [{{ name: 'app', forward: [{forward}],
               exec: ['sh', '-c', 'trap \"echo heard\" QUIT; echo ready; while :; do sleep 0.01; done'] }}] }}"
        )
    };
    let pilot = Pilot::config(&config("'WINCH'")).start();
    pilot.wait_for_line("ready", PATIENCE);
    let text = config("'WINCH', 'QUIT'").replace("@DIR@", &pilot.dir().display().to_string());
    std::fs::write(pilot.dir().join("containerpilot.json5"), text).expect("a file of ours");
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    pilot.wait_for_line("reloaded", PATIENCE);
    pilot.signal(Signal::SIGQUIT);
    pilot.wait_for_line("heard", PATIENCE);
    stop(pilot);
}

#[test]
fn a_nul_in_a_command_is_an_error_of_that_job() {
    let mut pilot = Pilot::jobs(
        r"[{ name: 'argument', exec: ['echo', 'a\0b'] }, { name: 'program', exec: ['ec\0ho'] },
           { name: 'shell', exec: { shell: 'echo \0' } }, { name: 'well', exec: ['echo', 'works'] }]",
    )
    .start();
    // The first failure counts (decision 9).
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(126));
    assert_eq!(pilot.wait_for_lines("NUL byte", 3, PATIENCE).len(), 3);
    pilot.wait_for_line("works", PATIENCE);
}

#[test]
fn odd_places_for_the_log_stop_nothing() {
    for place in [
        "@DIR@",
        "/dev/full",
        "@DIR@/fifo",
        "@DIR@/a\\0b",
        "/proc/self/mem",
    ] {
        let config = format!(
            "{{ control: {{ socket: '@DIR@/control.socket' }}, stopTimeout: 1, logging: {{ output: '{place}' }},
               jobs: [{{ name: 'app', exec: ['sh', '-c', 'echo out; touch @DIR@/ran; exec sleep 60'] }}] }}"
        );
        let pilot = Pilot::config(&config);
        nix::unistd::mkfifo(&pilot.dir().join("fifo"), nix::sys::stat::Mode::S_IRWXU)
            .expect("a directory of ours");
        let pilot = pilot.start();
        pilot.wait_until(PATIENCE, "the job", || pilot.dir().join("ran").exists());
        pilot.wait_for_line(" out", PATIENCE);
        let complaints = pilot.wait_for_lines("cannot write the log file", 1, PATIENCE);
        assert_eq!(complaints.len(), 1, "{place}: {complaints:?}");
        assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
        stop(pilot);
    }
}

mod heavy {
    use std::fmt::Write as _;

    use super::{PATIENCE, Pilot, Process, Signal, request};

    #[test]
    fn a_configuration_at_the_limits_is_checked() {
        let thousand: String = (0..40_000).fold(String::new(), |mut text, number| {
            let _ = write!(text, "{{name:'a{number}'}},");
            text
        });
        let names = "{name:'a'},".repeat(40_000);
        let chain: String = (0..10_000).fold(String::new(), |mut text, number| {
            let _ = write!(
                text,
                "{{name:'a{number}',exec:'x',when:{{source:'a{}',once:'healthy'}}}},",
                number + 1
            );
            text
        });
        let long = format!("{{name:'{}',exec:'x'}}", "n".repeat(1_000_000));
        for (jobs, status) in [
            (&thousand, 0),
            (&names, 0),
            (&chain, 0),
            (&long, 0),
            (&"[".repeat(1_000_000), 1),
        ] {
            let text = format!("{{jobs:[{jobs}]}}");
            assert!(text.len() < 1 << 20);
            let mut pilot = Pilot::command(&["check", "@DIR@/file"])
                .file("file", &text)
                .start();
            assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(status));
            assert!(pilot.stderr().len() < 100_000);
        }
        let mut pilot = Pilot::command(&["check", "@DIR@/file"])
            .file("file", &" ".repeat((1 << 20) + 1))
            .start();
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(1));
    }

    #[test]
    fn a_fork_bomb_that_ignores_term_is_gone_after_a_stop() {
        // 200 processes: a third of them in sessions of their own, none of which ends by TERM.
        let bomb = r"#!/bin/sh
trap '' TERM
i=0
while [ $i -lt 66 ]; do
    sleep 1001 &
    setsid sleep 1002 &
    (sleep 1003 & exec true) &
    i=$((i+1))
done
echo armed
wait
exec sleep 1004
";
        let jobs = "[{ name: 'bomb', exec: '@DIR@/bomb', restarts: 'unlimited' }, { name: 'tick', exec: ['sh', '-c', 'echo tick >> @DIR@/journal'],
            when: { interval: '50ms' } }]";
        for pid1 in [false, true] {
            let pilot = Pilot::jobs(jobs).file("bomb", bomb);
            let mut pilot = if pid1 {
                let Some(pilot) = pilot.start_as_pid1() else {
                    return;
                };
                pilot
            } else {
                pilot.start()
            };
            pilot.wait_for_line("armed", PATIENCE);
            pilot.wait_until(PATIENCE, "the whole bomb", || {
                let sleeping = |process: &&Process| process.command.starts_with("sleep 100");
                pilot.processes().iter().filter(sleeping).count() >= 198
            });
            let ticks = pilot.journal().lines().len();
            pilot.journal().wait_for(ticks + 3, PATIENCE);
            pilot.signal(Signal::SIGTERM);
            assert!(pilot.wait_exit(PATIENCE).success());
            // The harness fails the test if anything of it is left.
        }
    }

    #[test]
    fn a_thousand_jobs_in_a_megabyte_run() {
        let job = |number: usize| {
            format!(
                "{{ name: 'job-{number}', exec: ['sh', '-c', 'echo up; exec sleep 60', '{}'], tags: [] }},",
                "x".repeat(900)
            )
        };
        let jobs: String = (0..1000).map(job).collect();
        let mut pilot = Pilot::jobs(&format!("[{jobs}]")).start();
        pilot.wait_for_lines(" up", 1000, 2 * PATIENCE);
        assert_eq!(pilot.request("GET", "/api/v1/health", "").status, 200);
        pilot.signal(Signal::SIGTERM);
        assert!(pilot.wait_exit(2 * PATIENCE).success());
    }

    #[test]
    fn clients_that_never_rest_stop_no_reload_and_no_stop() {
        let jobs = "[{ name: 'app', exec: ['sleep', '60'] }, { name: 'tick', exec: ['sh', '-c', 'echo tick >> @DIR@/journal'],
            when: { interval: '20ms' } }]";
        let Some(mut pilot) = Pilot::jobs(jobs).start_as_pid1() else {
            return;
        };
        pilot.journal().wait_for(1, PATIENCE);
        let requests = [
            ("POST", "/v3/reload", String::new()),
            (
                "POST",
                "/v3/environ",
                format!("{{\"A\": \"{}\"}}", "x".repeat(50_000)),
            ),
            ("POST", "/v3/maintenance/enable", String::new()),
            ("POST", "/v3/maintenance/disable", String::new()),
            ("GET", "/api/v1/health", String::new()),
            ("POST", "/v3/metric", "{\"m\": 1}".to_owned()),
        ];
        let program = Process::read(pilot.pid()).expect("it runs");
        let before = program.open_files();
        let socket = pilot.dir().join("control.socket");
        std::thread::scope(|scope| {
            for (method, target, body) in &requests {
                let socket = &socket;
                scope.spawn(move || {
                    for _ in 0..60 {
                        let status = request(socket, method, target, body, PATIENCE)
                            .expect(target)
                            .status;
                        assert!([200, 503].contains(&status), "{target}: {status}");
                    }
                });
            }
        });
        assert_eq!(
            pilot.request("POST", "/v3/maintenance/disable", "").status,
            200
        );
        let ticks = pilot.journal().lines().len();
        pilot.journal().wait_for(ticks + 3, PATIENCE);
        pilot.wait_until(PATIENCE, "one of it", || pilot.find("sleep 60").len() == 1);
        pilot.wait_until(PATIENCE, "no descriptor is left behind", || {
            program.open_files() <= before + 4
        });
        pilot.signal(Signal::SIGTERM);
        assert!(pilot.wait_exit(PATIENCE).success());
    }
}
