//! Live control: what operators see and do while everything runs.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// The built program with these jobs, once it can be asked.
fn started(jobs: &str) -> Running {
    let pilot = Pilot::jobs(jobs).start();
    pilot.wait_for_line("control: serving at", PATIENCE);
    pilot
}

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

/// Runs a subcommand, which has to succeed; what it printed.
fn done(pilot: &Running, arguments: &[&str]) -> String {
    let answer = pilot.ask(arguments);
    assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
    answer.stdout
}

fn json(pilot: &Running, target: &str) -> Value {
    let answer = pilot.request("GET", target, "");
    assert_eq!(answer.status, 200, "{target}: {answer:?}");
    serde_json::from_str(&answer.body).expect("JSON")
}

fn state(pilot: &Running, job: &str) -> String {
    let job = json(pilot, &format!("/api/v1/jobs/{job}"));
    job["state"].as_str().expect("a state").to_owned()
}

fn await_state(pilot: &Running, job: &str, wanted: &str) {
    pilot.wait_until(PATIENCE, &format!("{job} {wanted}"), || {
        state(pilot, job) == wanted
    });
}

/// Does something to a job: the status, and the result or the code of the error.
fn operate(pilot: &Running, job: &str, order: &str) -> (u16, String) {
    let body = if order == "signal" {
        r#"{ "signal": "WINCH" }"#
    } else {
        ""
    };
    let answer = pilot.request("POST", &format!("/api/v1/jobs/{job}/{order}"), body);
    let value: Value = serde_json::from_str(&answer.body).expect("JSON");
    let word = value.pointer("/result").or(value.pointer("/error/code"));
    let word = word.and_then(Value::as_str).expect("a word");
    (answer.status, word.to_owned())
}

fn ok(word: &str) -> (u16, String) {
    (200, word.to_owned())
}

#[test]
fn k06_every_order_has_an_answer_in_every_state() {
    let pilot = started(
        r"[
        { name: 'app', exec: 'sleep 61', stopTimeout: '20s' },
        { name: 'slow', exec: ['sh', '-c', 'trap : TERM; while ! test -e @DIR@/go; do sleep 0.05; done'], stopTimeout: '1h' },
        { name: 'crash', exec: 'false', restarts: 'unlimited', backoff: { initial: '1h', max: '1h' } },
        { name: 'over', exec: 'true' },
        { name: 'waits', exec: 'sleep 62', when: { source: 'app', once: 'exitSuccess' } },
    ]",
    );
    await_state(&pilot, "app", "running");
    await_state(&pilot, "slow", "running");
    await_state(&pilot, "crash", "backoff");
    await_state(&pilot, "over", "complete");
    assert_eq!(state(&pilot, "waits"), "waiting");

    // Running: a start is nothing, a signal arrives.
    assert_eq!(operate(&pilot, "app", "start"), ok("already"));
    assert_eq!(operate(&pilot, "app", "signal"), ok("begun"));
    // Gone, and waiting: there is nothing to signal or to stop.
    let conflict = (409, "not_running".to_owned());
    assert_eq!(operate(&pilot, "over", "signal"), conflict);
    assert_eq!(operate(&pilot, "waits", "signal"), conflict);
    assert_eq!(operate(&pilot, "over", "stop"), ok("already"));
    // Unknown.
    for order in ["start", "stop", "restart", "signal", "check/disable"] {
        let unknown = (404, "not_found".to_owned());
        assert_eq!(operate(&pilot, "nobody", order), unknown, "{order}");
    }
    let no_check = (409, "no_check".to_owned());
    assert_eq!(operate(&pilot, "app", "check/disable"), no_check);
    // Stopping: a second stop is nothing, a start follows, and a stop takes that back.
    assert_eq!(operate(&pilot, "slow", "stop"), ok("begun"));
    assert_eq!(operate(&pilot, "slow", "stop"), ok("already"));
    assert_eq!(operate(&pilot, "slow", "start"), ok("later"));
    assert_eq!(operate(&pilot, "slow", "start"), ok("already"));
    assert_eq!(operate(&pilot, "slow", "restart"), ok("already"));
    assert_eq!(operate(&pilot, "slow", "stop"), ok("begun"));
    assert_eq!(state(&pilot, "slow"), "stopping");
    // In back-off: a start does not wait.
    let runs = |job: &str| json(&pilot, &format!("/api/v1/jobs/{job}"))["runs"].as_u64();
    let before = runs("crash");
    assert_eq!(operate(&pilot, "crash", "start"), ok("begun"));
    await_state(&pilot, "crash", "backoff");
    assert!(runs("crash") > before, "{before:?}");
    assert_eq!(operate(&pilot, "crash", "stop"), ok("begun"));
    await_state(&pilot, "crash", "stopped");
    // Complete: it begins anew.
    assert_eq!(operate(&pilot, "over", "start"), ok("begun"));
    await_state(&pilot, "over", "complete");
    assert_eq!(runs("over"), Some(2));
    // A restart has one instance at most.
    assert_eq!(operate(&pilot, "app", "restart"), ok("begun"));
    pilot.wait_until(PATIENCE, "the second run", || runs("app") == Some(2));
    await_state(&pilot, "app", "running");
    pilot.write("go", "");
    assert_eq!(pilot.find("sleep 61").len(), 1);
    stop(pilot);
}

#[test]
fn what_an_operator_stopped_stays_so_and_ends_nothing() {
    let pilot = started(
        r"[
        { name: 'app', essential: true, exec: 'sleep 61',
          preStop: ['sh', '-c', 'echo preStop >> @DIR@/journal'],
          postStop: ['sh', '-c', 'echo postStop >> @DIR@/journal'],
          preStart: ['sh', '-c', 'echo preStart >> @DIR@/journal'] },
        { name: 'after', exec: 'true', when: { source: 'app', once: 'exitFailed' } },
    ]",
    );
    await_state(&pilot, "app", "running");
    assert_eq!(done(&pilot, &["stop", "app"]), "app: stopping\n");
    await_state(&pilot, "app", "stopped");
    pilot.journal().wait_for(3, PATIENCE);
    // The definition is what it was: a reload does not start it.
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    pilot.wait_for_line("reloaded: ", PATIENCE);
    assert_eq!(state(&pilot, "app"), "stopped");
    assert!(pilot.find("sleep 61").is_empty());
    // Healthy, as far as anybody can tell: nobody wants the container replaced.
    assert_eq!(pilot.ask(&["healthy"]).code, Some(0));
    assert_eq!(done(&pilot, &["start", "app"]), "app: starting\n");
    await_state(&pilot, "app", "running");
    assert_eq!(done(&pilot, &["restart", "app"]), "app: restarting\n");
    let lines = pilot.journal().wait_for(7, PATIENCE);
    await_state(&pilot, "app", "running");
    let (once, twice) = (["preStart", "preStop", "postStop"], ["preStart"]);
    assert_eq!(lines, [&once[..], &once[..], &twice[..]].concat());
    // Another definition begins anew, stopped or not.
    done(&pilot, &["stop", "app"]);
    await_state(&pilot, "app", "stopped");
    pilot.alter("app");
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    await_state(&pilot, "app", "running");
    stop(pilot);
}

#[test]
fn checks_and_maintenance_of_one_job() {
    let pilot = started(
        r"[
        { name: 'app', exec: 'sleep 61', port: 80, interfaces: ['static:10.0.0.1'],
          health: { exec: ['test', '-e', '@DIR@/well'], interval: '50ms', ttl: '5s' } },
    ]",
    );
    let health = |wanted: &str| {
        pilot.wait_until(PATIENCE, wanted, || {
            json(&pilot, "/api/v1/jobs/app")["health"] == wanted
        });
    };
    health("unhealthy");
    assert_eq!(pilot.ask(&["healthy"]).code, Some(1));
    let off = done(&pilot, &["checks", "disable", "app"]);
    assert_eq!(off, "app: its checks are off\n");
    assert_eq!(operate(&pilot, "app", "check/disable"), ok("already"));
    health("unknown");
    assert_eq!(pilot.ask(&["healthy"]).code, Some(0));
    assert_eq!(pilot.ask(&["healthy", "app"]).code, Some(0));
    assert!(done(&pilot, &["status"]).contains("off"));
    done(&pilot, &["checks", "enable", "app"]);
    health("unhealthy");
    done(&pilot, &["maintenance", "enable", "app"]);
    health("unknown");
    assert_eq!(json(&pilot, "/api/v1/jobs/app")["maintenance"], true);
    assert_eq!(json(&pilot, "/api/v1/status")["maintenance"], false);
    assert_eq!(pilot.ask(&["healthy"]).code, Some(0));
    pilot.write("well", "");
    done(&pilot, &["maintenance", "disable", "app"]);
    health("healthy");
    stop(pilot);
}

/// A client that follows something.
struct Follower {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Follower {
    fn start(pilot: &Running, arguments: &[&str]) -> Follower {
        let config = pilot.dir().join("containerpilot.json5");
        let mut child = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
            .args(arguments)
            .env_clear()
            .env("CONTAINERPILOT", config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let out = child.stdout.take().expect("a pipe");
        let (told, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Follower { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    fn wait_for(&self, part: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for its own end.
    fn ends(mut self) -> Option<i32> {
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().expect("it was started").code()
    }
}

#[test]
fn events_and_lines_are_followed_until_the_end() {
    let pilot = started(
        r"[
        { name: 'app', exec: ['sh', '-c', 'echo one; echo two; exec sleep 61'] },
        { name: 'deploy', when: { source: 'event.deploy' }, exec: ['sh', '-c', 'echo deployed'] },
    ]",
    );
    pilot.wait_until(PATIENCE, "both lines", || {
        done(&pilot, &["logs", "app"]) == "one\ntwo\n"
    });
    let events = Follower::start(&pilot, &["events", "-f"]);
    events.wait_for(" startup global");
    let lines = Follower::start(&pilot, &["logs", "-f", "deploy"]);
    pilot.wait_until(PATIENCE, "the follower", || {
        // Each of them is answered before it is followed, and the loop takes one request after the other.
        pilot.settle();
        done(&pilot, &["publish", "deploy"]) == "event.deploy: heard by 1 job\n"
    });
    events.wait_for(" custom event.deploy");
    assert_eq!(lines.next(), "deployed");
    done(&pilot, &["publish", "deploy"]);
    assert_eq!(lines.next(), "deployed");
    assert_eq!(
        done(&pilot, &["publish", "other"]),
        "event.other: heard by 0 jobs\n"
    );
    let refused = pilot.ask(&["publish", "a b"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let json = Follower::start(&pilot, &["events", "-f", "--json"]);
    let first: Value = serde_json::from_str(&json.next()).expect("JSON");
    assert_eq!(first["event"], "startup");
    let mut pilot = pilot;
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    for follower in [events, lines, json] {
        assert_eq!(follower.ends(), Some(0), "a stop is a clean end");
    }
}

#[test]
fn a_stop_does_not_wait_for_a_follower_that_reads_nothing() {
    let pilot = started(
        "[{ name: 'app', exec: ['sh', '-c', 'while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done'] }]",
    );
    pilot.wait_until(PATIENCE, "output", || {
        !done(&pilot, &["logs", "app"]).is_empty()
    });
    let mut deaf = UnixStream::connect(pilot.dir().join("control.socket")).expect("it listens");
    deaf.write_all(b"GET /api/v1/jobs/app/logs?follow HTTP/1.1\r\nHost: c\r\n\r\n")
        .expect("it is taken");
    let mut head = [0; 15];
    deaf.read_exact(&mut head).expect("it is answered");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    // More has come by now than may wait for it; others are served as ever.
    pilot.settle();
    let mut pilot = pilot;
    let asked = Instant::now();
    pilot.signal(Signal::SIGTERM);
    pilot.wait_exit(PATIENCE);
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn followers_are_bounded_and_others_are_served() {
    let pilot = started("[{ name: 'app', exec: 'sleep 61' }]");
    let connect = || {
        let mut stream =
            UnixStream::connect(pilot.dir().join("control.socket")).expect("it listens");
        stream
            .write_all(b"GET /api/v1/events?follow HTTP/1.1\r\nHost: c\r\n\r\n")
            .expect("it is taken");
        let mut head = [0; 12];
        stream.read_exact(&mut head).expect("it is answered");
        (stream, String::from_utf8_lossy(&head[9..]).into_owned())
    };
    let mut followers = Vec::new();
    for _ in 0..8 {
        let (stream, status) = connect();
        assert_eq!(status, "200");
        followers.push(stream);
    }
    assert_eq!(connect().1, "503");
    pilot.settle();
    // One that is gone makes room as soon as there is something to tell it.
    followers.pop();
    pilot.wait_until(PATIENCE, "room", || {
        pilot.request("POST", "/api/v1/events", r#"{ "event": "x" }"#);
        connect().1 == "200"
    });
    stop(pilot);
}

#[test]
fn why_says_what_is_waited_for_and_what_was_decided() {
    let pilot = started(
        r"[
        { name: 'web', exec: 'sleep 61', when: { source: 'db', once: 'healthy' } },
        { name: 'db', exec: 'sleep 62', when: { source: 'setup', once: 'exitSuccess' },
          health: { exec: 'true', interval: '100ms', ttl: '5s' } },
        { name: 'setup', exec: ['sh', '-c', 'test -e @DIR@/there'], restarts: 'unlimited' },
    ]",
    );
    await_state(&pilot, "setup", "backoff");
    let text = done(&pilot, &["why", "web"]);
    for part in [
        "web is waiting\n  waits for healthy of db: not yet\n",
        "\n  db is waiting, unknown\n    waits for exitSuccess of setup: not yet\n",
        "\n    setup is restarted in ",
        "ended too soon: next start in ",
        "event exitFailed",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let value: Value =
        serde_json::from_str(&done(&pilot, &["why", "--json", "web"])).expect("JSON");
    assert_eq!(value["conditions"][0]["met"], false);
    // An operator does not wait.
    done(&pilot, &["start", "web"]);
    await_state(&pilot, "web", "running");
    assert!(done(&pilot, &["why", "web"]).contains("an operator starts it"));
    let unknown = pilot.ask(&["why", "nobody"]);
    assert_eq!(unknown.code, Some(1));
    assert_eq!(
        unknown.stderr,
        "why: refused with status 404: no job is called `nobody`\n"
    );
    stop(pilot);
}

#[test]
fn k07_a_job_may_restart_and_stop_itself() {
    let pilot = started(
        r#"[
        { name: 'app', exec: ['sh', '-c',
            'trap "" TERM; echo run >> @DIR@/journal; test -e @DIR@/once && exec sleep 61; touch @DIR@/once; \
             @PROGRAM@ restart app -socket @DIR@/control.socket >> @DIR@/journal; sleep 60'],
          stopTimeout: '200ms' },
        { name: 'stopper', when: { source: 'event.stop' }, exec: ['sh', '-c',
            '@PROGRAM@ stop stopper -socket @DIR@/control.socket >> @DIR@/journal; sleep 60'] },
    ]"#
        .replace("@PROGRAM@", env!("CARGO_BIN_EXE_pilothouse"))
        .replace("\\\n", " ")
        .as_str(),
    );
    // The client is one of those that are stopped: whether it still writes down its answer is left to chance.
    pilot.wait_until(PATIENCE, "the second run", || {
        let lines = pilot.journal().lines();
        lines.iter().filter(|line| *line == "run").count() == 2
    });
    await_state(&pilot, "app", "running");
    assert_eq!(pilot.find("sleep 61").len(), 1);
    done(&pilot, &["publish", "stop"]);
    await_state(&pilot, "stopper", "stopped");
    stop(pilot);
}

#[test]
fn lists_show_jobs_watches_and_services() {
    let pilot = started("[{ name: 'a b/c', exec: 'sleep 61' }, { name: 'd', exec: 'true' }]");
    await_state(&pilot, "a%20b%2Fc", "running");
    let jobs = json(&pilot, "/api/v1/jobs");
    assert_eq!(jobs["jobs"][0]["name"], "a b/c");
    assert!(jobs["jobs"][0]["pid"].as_i64().is_some_and(|pid| pid > 1));
    assert_eq!(
        json(&pilot, "/api/v1/watches")["watches"],
        Value::Array(Vec::new())
    );
    assert_eq!(
        json(&pilot, "/api/v1/services")["services"],
        Value::Array(Vec::new())
    );
    for missing in ["jobs/x", "watches/x", "services/x", "jobs/x/logs"] {
        let answer = pilot.request("GET", &format!("/api/v1/{missing}"), "");
        assert_eq!(answer.status, 404, "{missing}");
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["error"]["code"], "not_found");
    }
    let table = done(&pilot, &["status"]);
    assert!(
        table.contains("JOB ") && table.contains("a b/c "),
        "{table}"
    );
    assert!(table.lines().all(|line| line.len() <= 80), "{table}");
    let status: Value = serde_json::from_str(&done(&pilot, &["status", "--json"])).expect("JSON");
    assert_eq!(status["state"], "running");
    assert_eq!(done(&pilot, &["signal", "WINCH", "a b/c"]), "a b/c: sent\n");
    assert_eq!(done(&pilot, &["ping"]), "ok\n");
    stop(pilot);
}

/// A client of another user: its status, and what it said.
fn as_nobody(pilot: &Running, arguments: &[&str]) -> (Option<i32>, String) {
    let socket = pilot.dir().join("control.socket");
    let done = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
        .args(arguments)
        .arg("-socket")
        .arg(socket)
        .env_clear()
        .uid(65_534)
        .gid(65_534)
        .output()
        .expect("it starts");
    let said = [done.stdout, done.stderr].concat();
    (
        done.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn k03_a_user_may_read_and_not_change() {
    if !nix::unistd::geteuid().is_root() {
        return crate::support::skip("a client of another user", "only root can start one");
    }
    let pilot = Pilot::config(
        r"{ control: { socket: '@DIR@/control.socket', mode: '0666', writers: ['root'] }, stopTimeout: 1,
            jobs: [{ name: 'app', exec: 'sleep 61' }] }",
    )
    .start();
    pilot.wait_for_line("control: serving at", PATIENCE);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(pilot.dir(), open).expect("a directory of ours");
    await_state(&pilot, "app", "running");
    for reads in [
        &["status"][..],
        &["ping"],
        &["why", "app"],
        &["healthy"],
        &["logs", "app"],
    ] {
        let (code, said) = as_nobody(&pilot, reads);
        assert_eq!(code, Some(0), "{reads:?}: {said}");
    }
    for changes in [
        &["stop", "app"][..],
        &["signal", "KILL", "app"],
        &["maintenance", "enable"],
        &["reload"],
        &["publish", "x"],
        &["env", "A=1"],
        &["metric", "a=1"],
        &["checks", "disable", "app"],
    ] {
        let (code, said) = as_nobody(&pilot, changes);
        assert_eq!(code, Some(1), "{changes:?}: {said}");
        assert!(said.contains("status 403"), "{changes:?}: {said}");
    }
    assert_eq!(state(&pilot, "app"), "running");
    assert_eq!(done(&pilot, &["stop", "app"]), "app: stopping\n");
    // A reload follows other lists.
    let path = pilot.dir().join("containerpilot.json5");
    let text = std::fs::read_to_string(&path).expect("its file");
    pilot.write(
        "containerpilot.json5",
        &text.replace("writers: ['root']", "readers: []"),
    );
    done(&pilot, &["reload"]);
    pilot.wait_until(PATIENCE, "the new lists", || {
        let (_, said) = as_nobody(&pilot, &["status"]);
        said.contains("status 403")
    });
    stop(pilot);
}

mod heavy {
    use super::*;

    /// The machine of the tests has other things to do, so that the worst is only shown.
    const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });

    #[test]
    fn status_answers_at_once_while_a_thousand_jobs_crash() {
        let mut jobs = String::from("[");
        for number in 0..1_000 {
            let _ = write!(
                jobs,
                "{{ name: 'crash{number}', exec: 'false', restarts: 'unlimited' }},"
            );
        }
        let pilot = started(&(jobs + "]"));
        let all_ran = |status: &Value| {
            let jobs = status["jobs"].as_array().expect("jobs");
            assert_eq!(jobs.len(), 1_000);
            jobs.iter().all(|job| job["runs"].as_u64() > Some(0))
        };
        // What starts all at once is not what crashes again and again.
        pilot.wait_until(PATIENCE, "all have run", || {
            all_ran(&json(&pilot, "/api/v1/status"))
        });
        let mut took = Vec::new();
        while took.len() < 100 {
            let asked = Instant::now();
            let answer = pilot.request("GET", "/api/v1/status", "");
            took.push(asked.elapsed());
            let status: Value = serde_json::from_str(&answer.body).expect("JSON");
            assert!(all_ran(&status));
        }
        took.sort();
        let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
        println!("{} answers: median {median:?}, worst {worst:?}", took.len());
        assert!(median < LIMIT, "median {median:?}, worst {worst:?}");
        stop(pilot);
    }
}
