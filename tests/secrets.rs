//! L12: no output, answer or report shows a secret.

use std::process::Command;

use crate::support::{PATIENCE, Pilot, Signal};

/// In each of the places where a secret can be: the environment, the file, the socket.
const SECRETS: [&str; 4] = [
    "env-s3cr3t-1",
    "file-s3cr3t-2",
    "socket-s3cr3t-3",
    "key-s3cr3t-4",
];

#[track_caller]
fn assert_hides(what: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what} shows {secret}: {text}");
    }
}

const CONFIG: &str = r#"{
    control: { socket: "@DIR@/control.socket" },
    logging: { level: "DEBUG", format: "FORMAT" },
    stopTimeout: 1,
    consul: { address: "localhost:8500", token: "file-s3cr3t-2" },
    jobs: [
        { name: "app", port: 80, interfaces: "static:192.0.2.1", restarts: 1,
          exec: ["sh", "-c", "echo $DB_PASSWORD $ADDED >> @DIR@/journal; exec sleep 60", "--password={{ .DB_PASSWORD }}"],
          health: { exec: ["sh", "-c", "exit 1", "--token={{ .DB_PASSWORD }}"], interval: "20ms", ttl: 1 } },
        { name: "missing", exec: ["/does/not/exist", "--password={{ .DB_PASSWORD }}"] },
        { name: "late", exec: ["sh", "-c", "exec sleep 60", "{{ .DB_PASSWORD }}"], timeout: "50ms" },
        { name: "signalled", exec: ["sh", "-c", "echo $DB_PASSWORD $ADDED >> @DIR@/journal", "{{ .API_KEY }}"],
          when: { source: "SIGUSR2" } },
        { name: "odd", exec: "sh -c  {{ .DB_PASSWORD }}", ttl: 5 },
    ],
}"#;

fn pilot(format: &str) -> Pilot {
    Pilot::config(&CONFIG.replace("FORMAT", format))
        .env("DB_PASSWORD", SECRETS[0])
        .env("API_KEY", SECRETS[3])
        .env("CONSUL_HTTP_TOKEN", SECRETS[0])
}

#[test]
fn l12_no_line_and_no_answer_shows_a_secret() {
    for format in ["default", "text", "json"] {
        let mut pilot = pilot(format).start();
        pilot.journal().wait_for(1, PATIENCE);
        pilot.wait_for_line("loaded config", PATIENCE);
        pilot.wait_for_line("late timeout", PATIENCE);
        pilot.wait_for_line("unable to start missing", PATIENCE);
        let environ = format!("{{\"ADDED\": \"{}\"}}", SECRETS[2]);
        let wrong = format!("{{\"ADDED\": [\"{}\"]}}", SECRETS[2]);
        let torn = format!("{{\"ADDED\": \"{}", SECRETS[2]);
        let nul = format!("{{\"ADDED\": \"{}\\u0000\"}}", SECRETS[2]);
        for (method, target, body) in [
            ("POST", "/v3/environ", environ.as_str()),
            ("POST", "/v3/environ", &wrong),
            ("POST", "/v3/environ", &torn),
            ("POST", "/v3/environ", &nul),
            ("POST", "/v3/metric", &wrong),
            ("POST", "/v3/metric", &environ),
            ("POST", "/v3/maintenance/enable", ""),
            ("POST", "/v3/maintenance/disable", ""),
            ("GET", "/api/v1/version", ""),
            ("GET", "/api/v1/health", ""),
            ("GET", "/api/v1/health?job=app", ""),
            ("GET", "/v3/ping", ""),
        ] {
            let answer = pilot.request(method, target, body);
            assert_hides(target, &format!("{}{}", answer.head, answer.body));
        }
        pilot.signal(Signal::SIGUSR2);
        let seen = pilot.journal().wait_for(2, PATIENCE);
        // The secrets were there to be shown.
        assert_eq!(seen[1], format!("{} {}", SECRETS[0], SECRETS[2]));
        let broken = CONFIG
            .replace("@DIR@", &pilot.dir().display().to_string())
            .replace("FORMAT", format)
            .replace(
                "restarts: 1",
                "restarts: 'file-s3cr3t-2 {{ .DB_PASSWORD }}'",
            )
            .replace("signalled", "{{ .API_KEY }}\", nonsense: \"x");
        std::fs::write(pilot.dir().join("containerpilot.json5"), broken).expect("a file of ours");
        let answer = pilot.request("POST", "/v3/reload", "");
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert_hides("the refused reload", &answer.body);
        pilot.wait_for_line("was not reloaded", PATIENCE);
        pilot.signal(Signal::SIGTERM);
        assert!(pilot.wait_exit(PATIENCE).success());
        assert_hides("stdout", &pilot.stdout());
        assert_hides("stderr", &pilot.stderr());
    }
}

#[test]
fn l12_check_shows_no_secret() {
    let faults = [
        ("restarts: 1", "restarts: '{{ .DB_PASSWORD }}'"),
        ("restarts: 1", "restarts: 1 file-s3cr3t-2"),
        ("token: \"file-s3cr3t-2\"", "token: \"file-s3cr3t-2"),
        ("token: \"file-s3cr3t-2\"", "tokken: \"file-s3cr3t-2\""),
        (
            "token: \"file-s3cr3t-2\"",
            "token: { value: \"file-s3cr3t-2\" }",
        ),
        ("port: 80", "port: \"{{ .API_KEY }}\""),
        ("\"missing\"", "\"{{ .API_KEY }}\", {{ .API_KEY }}: 1"),
        ("\"missing\"", "\"{{ .API_KEY | nosuch }}\""),
        ("FORMAT", "{{ .CONSUL_HTTP_TOKEN }}"),
    ];
    for (from, to) in faults {
        let text = CONFIG.replace(from, to).replace("FORMAT", "json");
        let mut pilot = Pilot::command(&["check", "--strict", "@DIR@/file"])
            .file("file", &text)
            .env("DB_PASSWORD", SECRETS[0])
            .env("API_KEY", SECRETS[3])
            .env("CONSUL_HTTP_TOKEN", SECRETS[0])
            .start();
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(1), "{to}");
        assert!(pilot.stderr().contains("error"), "{to}: {}", pilot.stderr());
        assert_hides(to, &pilot.stderr());
        assert_hides(to, &pilot.stdout());
    }
}

#[test]
fn l12_the_client_shows_no_secret() {
    let pair = format!("ADDED={}", SECRETS[2]);
    for arguments in [
        ["-socket", "@DIR@/nobody", "-putenv", &pair],
        ["-putenv", &pair, "-config", "@DIR@/nothing"],
    ] {
        let mut pilot = Pilot::command(&arguments).start();
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(1));
        assert_hides("the client", &pilot.stderr());
        assert_hides("the client", &pilot.stdout());
    }
}

#[test]
fn l12_a_fault_of_ours_shows_no_secret() {
    let mut pilot = pilot("default")
        .env("PILOTHOUSE_PLANTED_FAULT", "request")
        .start();
    pilot.journal().wait_for(1, PATIENCE);
    let socket = pilot.dir().join("control.socket");
    let sent = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
        .args(["-putenv", &format!("ADDED={}", SECRETS[2]), "-socket"])
        .arg(&socket)
        .output()
        .expect("it starts");
    assert!(!sent.status.success());
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(70));
    assert_hides("the client", &String::from_utf8_lossy(&sent.stderr));
    assert_hides("stdout", &pilot.stdout());
    assert_hides("stderr", &pilot.stderr());
}
