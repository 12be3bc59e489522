//! Clients that misbehave, and jobs that are clients (K04, K07, S17).

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::raw::{connect, talk};
use crate::support::{PATIENCE, Pilot, Running, Signal};

/// A job that a check watches and one that ticks; both tell the journal.
const LIVELY: &str = r"[
    { name: 'tick', exec: ['sh', '-c', 'echo tick >> @DIR@/journal'], when: { interval: '50ms' } },
    { name: 'app', exec: 'sleep 60', health: { exec: ['sh', '-c', 'echo check >> @DIR@/journal'],
        interval: '50ms', ttl: 1 } },
]";

fn lively() -> Running {
    let pilot = Pilot::jobs(LIVELY).start();
    pilot.journal().wait_for(4, PATIENCE);
    pilot
}

fn socket(pilot: &Running) -> PathBuf {
    pilot.dir().join("control.socket")
}

/// Another client is served, checks and jobs go on, and a stop takes no longer than the jobs do.
fn expect_undisturbed(mut pilot: Running) {
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    let before = pilot.journal().lines().len();
    pilot.journal().wait_for(before + 6, PATIENCE);
    pilot.signal(Signal::SIGTERM);
    // Every limit for clients is 5 s or more, but for a close: 100 ms.
    assert!(pilot.wait_exit(Duration::from_secs(4)).success());
}

/// The limit of open files of this test must allow for the clients it plays.
fn allow_open_files(count: u64) {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    assert!(
        hard >= count,
        "this test needs {count} open files, {hard} are allowed"
    );
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(count), hard).expect("less than the hard limit");
}

#[test]
fn k04_a_thousand_idle_clients_disturb_nobody() {
    allow_open_files(2048);
    let pilot = lively();
    let clients: Vec<UnixStream> = (0..1000)
        .map(|_| connect(&socket(&pilot)).expect("a client"))
        .collect();
    let program = crate::support::Process::read(pilot.pid()).expect("it runs");
    pilot.wait_until(PATIENCE, "only so many are held", || {
        program.open_files() < 80
    });
    expect_undisturbed(pilot);
    drop(clients);
}

#[test]
fn k04_slow_bodies_disturb_nobody() {
    let pilot = lively();
    let slow = || {
        let mut stream = connect(&socket(&pilot)).expect("a client");
        let head = b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";
        stream.write_all(head).expect("it reads");
        stream
    };
    let mut clients: Vec<UnixStream> = (0..100).map(|_| slow()).collect();
    for client in &mut clients {
        // Those that were pushed out cannot be written to.
        let _ = client.write_all(b" ");
    }
    expect_undisturbed(pilot);
}

#[test]
fn k04_a_hundred_megabytes_are_refused_without_being_kept() {
    let pilot = lively();
    let mut stream = connect(&socket(&pilot)).expect("a client");
    let length = 100 << 20;
    let head = format!("POST /v3/environ HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it reads");
    let chunk = vec![b' '; 1 << 20];
    let sent = (0..100)
        .take_while(|_| stream.write_all(&chunk).is_ok())
        .count();
    assert!(sent < 100, "it read everything");
    // The same without a length: nobody can know it beforehand.
    let mut chunked = connect(&socket(&pilot)).expect("a client");
    chunked
        .write_all(b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        .expect("it reads");
    let mut sent = 0;
    while sent < 100
        && chunked
            .write_all(b"100000\r\n")
            .and_then(|()| chunked.write_all(&chunk))
            .and_then(|()| chunked.write_all(b"\r\n"))
            .is_ok()
    {
        sent += 1;
    }
    assert!(sent < 100, "it read everything");
    let program = crate::support::Process::read(pilot.pid()).expect("it runs");
    let peak = program.status_field("VmHWM").expect("a peak");
    let kilobytes: u32 = peak
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number");
    assert!(kilobytes < 30_000, "{peak}");
    expect_undisturbed(pilot);
}

#[test]
fn k04_what_is_no_http_disturbs_nobody() {
    let pilot = lively();
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    let many_headers = format!("GET /v3/ping HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(10_000));
    let long_header = format!(
        "GET /v3/ping HTTP/1.1\r\nA: {}\r\n\r\n",
        "b".repeat(100_000)
    );
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for (bytes, status) in [
        (b"".as_slice(), ""),
        (b"\r\n\r\n\r\n", ""),
        (b"GET", ""),
        (b"hello\n", "400"),
        (b"GET /v3/ping HTTP/9.9\r\n\r\n", "400"),
        (b"GET /v3/ping HTTP/1.1\nHost: x\n\n", "200"),
        (b"\0\0\0\0\r\n\r\n", "400"),
        (b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ", "400"),
        (b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
        (b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"),
        (b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        (b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "400"),
        (b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{", "400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
        (long_path.as_bytes(), "4"),
        (many_headers.as_bytes(), "431"),
        (long_header.as_bytes(), "431"),
        (&binary, "400"),
    ] {
        let answer = talk(&socket(&pilot), bytes).expect("an answer or a clean end");
        let words = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]);
        let said = answer.split(' ').nth(1).unwrap_or_default();
        assert!(said.starts_with(status), "{words}: {answer}");
        assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200, "after {words}");
    }
    expect_undisturbed(pilot);
}

/// How long a stop may take beyond what it takes without clients. The rule is 100 ms; the rest is for a busy machine.
const DELAY: Duration = Duration::from_secs(3);

#[test]
fn s17_clients_that_hold_on_delay_no_stop() {
    let pilot = lively();
    let idle: Vec<UnixStream> = (0..40)
        .map(|_| connect(&socket(&pilot)).expect("a client"))
        .collect();
    let mut half = connect(&socket(&pilot)).expect("a client");
    half.write_all(b"POST /v3/environ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        .expect("it reads");
    let mut pilot = pilot;
    let asked = Instant::now();
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    // Without the rule this takes the 5 s that a head or a body may take.
    assert!(asked.elapsed() < DELAY, "{:?}", asked.elapsed());
    let mut rest = Vec::new();
    // What matters is that the connection is over.
    let _ = half.read_to_end(&mut rest);
    drop(idle);
}

#[test]
fn s17_a_client_without_an_answer_delays_no_stop() {
    // The hook holds the stop up; a client that asks meanwhile is answered, and the socket is there to the end.
    let mut pilot = Pilot::jobs(
        r"[{ name: 'app', exec: ['sleep', '60'], stopTimeout: '10s' },
            { name: 'hook', exec: ['sh', '-c', 'touch @DIR@/stopping; until [ -e @DIR@/go ]; do sleep 0.01; done'],
              when: { source: 'app', once: 'stopping' } }]",
    )
    .start();
    pilot.wait_until(PATIENCE, "the job", || !pilot.find("sleep 60").is_empty());
    pilot.signal(Signal::SIGTERM);
    pilot.wait_until(PATIENCE, "the hook", || {
        pilot.dir().join("stopping").exists()
    });
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 422);
    assert_eq!(pilot.request("GET", "/api/v1/health", "").status, 503);
    std::fs::write(pilot.dir().join("go"), "").expect("a directory of ours");
    assert!(pilot.wait_exit(PATIENCE).success());
    assert!(!socket(&pilot).exists());
}

#[test]
fn k07_a_job_reloads_its_own_supervisor_while_it_is_restarted() {
    // Each life of the job changes its own definition and asks for a reload, which ends that life; the fifth one stays.
    let script = r#"#!/bin/sh
lives=$(wc -l < @DIR@/journal 2>/dev/null || echo 0)
echo life >> @DIR@/journal
[ "$lives" -ge 4 ] && { echo settled; exec sleep 60; }
sed -i "s/LIVES: '.*'/LIVES: '$lives more'/" @DIR@/containerpilot.json5
@PILOT@ -reload -config @DIR@/containerpilot.json5
echo "answer $?" >> @DIR@/answers
exec sleep 60
"#;
    let script = script.replace("@PILOT@", env!("CARGO_BIN_EXE_pilothouse"));
    let jobs = "[{ name: 'app', exec: '@DIR@/app', env: { LIVES: '' },\n restarts: 'unlimited' }, { name: 'other', exec: 'sleep 61' }]";
    let Some(mut pilot) = Pilot::jobs(jobs).file("app", &script).start_as_pid1() else {
        return;
    };
    pilot.wait_for_line("settled", PATIENCE);
    pilot.wait_until(PATIENCE, "one of each", || {
        pilot.find("sleep 61").len() == 1
    });
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    let answers = std::fs::read_to_string(pilot.dir().join("answers")).unwrap_or_default();
    // The client may be ended before it can tell; what it tells is that all went well.
    assert!(answers.lines().all(|line| line == "answer 0"), "{answers}");
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

#[test]
fn k07_the_answer_does_not_wait_for_the_job() {
    // The job ends when it is told to, but only after whoever asked for the reload has had the answer.
    let script = "#!/bin/sh
trap 'until [ -e @DIR@/answered ]; do sleep 0.01; done; echo answered first; exit 0' TERM
echo ready
while :; do sleep 0.01; done
";
    let config = "{ control: { socket: '@DIR@/control.socket' }, stopTimeout: '20s', jobs: [{ name: 'app', exec: '@DIR@/app' }] }";
    let mut pilot = Pilot::config(config).file("app", script).start();
    pilot.wait_for_line("ready", PATIENCE);
    pilot.alter("app");
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    std::fs::write(pilot.dir().join("answered"), "").expect("a directory of ours");
    pilot.wait_for_line("answered first", PATIENCE);
    pilot.wait_for_lines("ready", 2, PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

#[test]
fn k07_a_job_that_asks_in_its_last_moment_gets_an_answer() {
    // It asks when it is told to end: the supervisor waits for the job, the job for the supervisor.
    let script = r#"#!/bin/sh
trap '@PILOT@ -reload -config @DIR@/containerpilot.json5; echo "reload $?" >> @DIR@/journal;
      @PILOT@ -ping -config @DIR@/containerpilot.json5; echo "ping $?" >> @DIR@/journal;
      @PILOT@ -maintenance enable -config @DIR@/containerpilot.json5; echo "maintenance $?" >> @DIR@/journal; exit 0' TERM
echo ready
while :; do sleep 0.01; done
"#;
    let script = script.replace("@PILOT@", env!("CARGO_BIN_EXE_pilothouse"));
    let config = "{ control: { socket: '@DIR@/control.socket' }, stopTimeout: '20s', jobs: [{ name: 'app', exec: '@DIR@/app' }] }";
    let mut pilot = Pilot::config(config).file("app", &script).start();
    pilot.wait_for_line("ready", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    assert_eq!(
        pilot.journal().lines(),
        ["reload 1", "ping 0", "maintenance 0"]
    );
}
