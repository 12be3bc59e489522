//! Every endpoint of the control socket, through the built program.

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// A job that writes variables down each time SIGUSR2 comes.
const SHOWS: &str = r#"[
    { name: 'show', when: { source: 'SIGUSR2' },
      exec: ['sh', '-c', 'echo "${A-unset}/${B-unset}/${C-unset}" >> @DIR@/journal'] },
    { name: 'app', exec: 'sleep 60' },
]"#;

fn started() -> Running {
    let pilot = Pilot::jobs(SHOWS).env("B", "base").start();
    pilot.wait_until(PATIENCE, "the job", || !pilot.find("sleep 60").is_empty());
    pilot
}

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

/// What the job finds in its environment, `A/B/C`.
fn shown(pilot: &Running) -> String {
    let before = pilot.journal().lines().len();
    pilot.signal(Signal::SIGUSR2);
    pilot
        .journal()
        .wait_for(before + 1, PATIENCE)
        .pop()
        .expect("a line")
}

/// Runs the program as a client with these arguments: its status, and what it printed on both streams.
fn client(pilot: &Running, arguments: &[&str]) -> (Option<i32>, String, String) {
    let config = pilot.dir().join("containerpilot.json5");
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_pilothouse"))
        .args(arguments)
        .arg("-config")
        .arg(config)
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[test]
fn every_endpoint_answers_as_the_original_did() {
    let pilot = started();
    let text = "text/plain; charset=utf-8";
    for (method, target, body, status, expected) in [
        ("GET", "/v3/ping", "", 200, "\n"),
        ("POST", "/v3/ping", "anything", 200, "\n"),
        ("DELETE", "/v3/ping", "", 200, "\n"),
        ("POST", "/v3/environ", "{}", 200, "\n"),
        ("POST", "/v3/environ", "null", 200, "\n"),
        ("POST", "/v3/environ", "{\"A\": \"1\"}", 200, "\n"),
        ("POST", "/v3/env", "{\"A\": \"2\"}", 200, "\n"),
        (
            "POST",
            "/v3/metric",
            "{\"m\": 1, \"n\": \"2.5\"}",
            200,
            "\n",
        ),
        ("POST", "/v3/metric", "null", 200, "\n"),
        ("POST", "/v3/maintenance/enable", "ignored", 200, "\n"),
        ("POST", "/v3/maintenance/enable", "", 200, "\n"),
        ("POST", "/v3/maintenance/disable", "", 200, "\n"),
        ("POST", "/v3/maintenance/disable", "", 200, "\n"),
        ("POST", "/v3/reload", "ignored", 200, "\n"),
        ("GET", "/v3/environ", "", 405, "Method Not Allowed\n"),
        ("GET", "/v3/env", "", 405, "Method Not Allowed\n"),
        ("PUT", "/v3/metric", "{}", 405, "Method Not Allowed\n"),
        ("GET", "/v3/reload", "", 405, "Method Not Allowed\n"),
        (
            "GET",
            "/v3/maintenance/enable",
            "",
            405,
            "Method Not Allowed\n",
        ),
        (
            "GET",
            "/v3/maintenance/disable",
            "",
            405,
            "Method Not Allowed\n",
        ),
        ("GET", "/v3/ping/", "", 404, "404 page not found\n"),
        ("POST", "/v3/maintenance/", "", 404, "404 page not found\n"),
        (
            "POST",
            "/v3/maintenance/toggle",
            "",
            404,
            "404 page not found\n",
        ),
        ("GET", "/", "", 404, "404 page not found\n"),
        ("GET", "/v4/ping", "", 404, "404 page not found\n"),
        ("GET", "/V3/PING", "", 404, "404 page not found\n"),
        ("POST", "/v3/environ", "", 422, "Unprocessable Entity"),
        ("POST", "/v3/environ", "[]", 422, "Unprocessable Entity"),
        (
            "POST",
            "/v3/environ",
            "{A: '1'}",
            422,
            "Unprocessable Entity",
        ),
        (
            "POST",
            "/v3/environ",
            "{\"A\": 1}",
            422,
            "Unprocessable Entity",
        ),
        (
            "POST",
            "/v3/environ",
            "{\"A=B\": \"1\"}",
            422,
            "Unprocessable Entity",
        ),
        (
            "POST",
            "/v3/environ",
            "{\"\": \"1\"}",
            422,
            "Unprocessable Entity",
        ),
        (
            "POST",
            "/v3/environ",
            "{\"A\": \"\\u0000\"}",
            422,
            "Unprocessable Entity",
        ),
        ("POST", "/v3/metric", "5", 422, "Unprocessable Entity"),
        (
            "POST",
            "/v3/metric",
            "{\"m\": \"many\"}",
            422,
            "Unprocessable Entity",
        ),
        (
            "POST",
            "/v3/metric",
            "{\"m\": \"NaN\"}",
            422,
            "Unprocessable Entity",
        ),
    ] {
        let answer = pilot.request(method, target, body);
        let what = format!("{method} {target} {body}: {answer:?}");
        assert_eq!(answer.status, status, "{what}");
        assert!(
            answer.body.starts_with(expected) && answer.body.ends_with('\n'),
            "{what}"
        );
        assert!(
            answer
                .head
                .to_ascii_lowercase()
                .contains(&format!("content-type: {text}")),
            "{what}"
        );
        assert_eq!(answer.body.lines().count(), 1, "{what}");
    }
    stop(pilot);
}

#[test]
fn our_own_endpoints_answer_in_json() {
    let pilot = started();
    for (method, target, status, pointer) in [
        ("GET", "/api/v1/version", 200, "/version"),
        ("GET", "/api/v1/health", 200, "/healthy"),
        ("GET", "/api/v1/health?job=app", 200, "/healthy"),
        ("GET", "/api/v1/health?job=nobody", 404, "/error/message"),
        ("POST", "/api/v1/health", 405, "/error/code"),
        ("GET", "/api/v1/nothing", 404, "/error/code"),
        ("GET", "/api/", 404, "/error/code"),
    ] {
        let answer = pilot.request(method, target, "");
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        assert!(body.pointer(pointer).is_some(), "{target}: {body}");
        assert!(
            answer
                .head
                .to_ascii_lowercase()
                .contains("content-type: application/json")
        );
    }
    stop(pilot);
}

#[test]
fn d45_variables_reach_later_runs_and_null_unsets() {
    let pilot = started();
    assert_eq!(shown(&pilot), "unset/base/unset");
    let set = |body| {
        assert_eq!(
            pilot.request("POST", "/v3/environ", body).status,
            200,
            "{body}"
        );
    };
    set(r#"{"A": "1 = one", "B": "", "C": "c"}"#);
    assert_eq!(shown(&pilot), "1 = one//c");
    set(r#"{"A": null, "B": null}"#);
    assert_eq!(shown(&pilot), "unset/unset/c");
    // Of a body with one fault nothing is applied.
    let refused = pilot.request("POST", "/v3/environ", r#"{"A": "x", "B=": "y"}"#);
    assert_eq!(refused.status, 422);
    assert_eq!(shown(&pilot), "unset/unset/c");
    // The overlay outlives a reload (decision 19), and the supervisor's own environment never changes.
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    pilot.wait_for_line("reloaded: 2 jobs", PATIENCE);
    assert_eq!(shown(&pilot), "unset/unset/c");
    let program = crate::support::Process::read(pilot.pid()).expect("it runs");
    assert!(program.environment().contains(&"B=base".to_owned()));
    stop(pilot);
}

#[test]
fn d46_the_client_s_flags_do_the_same_and_tell_failures() {
    let pilot = started();
    let ok = |out: &str| (Some(0), out.to_owned(), String::new());
    assert_eq!(client(&pilot, &["-ping"]), ok("ok\n"));
    assert_eq!(
        client(
            &pilot,
            &["-putenv", "A=a=b", "--putenv=B=", "-putenv", "C=1"]
        ),
        ok("")
    );
    assert_eq!(shown(&pilot), "a=b//1");
    assert_eq!(client(&pilot, &["-putmetric", "m=1"]), ok(""));
    assert_eq!(client(&pilot, &["-maintenance", "enable"]), ok(""));
    pilot.wait_for_line("entering maintenance", PATIENCE);
    assert_eq!(client(&pilot, &["-maintenance", "off"]), ok(""));
    pilot.wait_for_line("leaving maintenance", PATIENCE);
    assert_eq!(client(&pilot, &["-reload"]), ok(""));
    pilot.wait_for_line("reloaded: 2 jobs", PATIENCE);
    let (status, out, error) = client(&pilot, &["-putmetric", "m=many"]);
    assert_eq!((status, out.as_str()), (Some(1), ""));
    assert!(
        error.starts_with("-putmetric: failed to run subcommand: "),
        "{error}"
    );
    let config = pilot.dir().join("containerpilot.json5");
    let text = std::fs::read_to_string(&config).expect("its file");
    std::fs::write(&config, text.replace("sleep 60'", "sleep 60', execc: 1")).expect("its file");
    let (status, _, error) = client(&pilot, &["-reload"]);
    assert_eq!(status, Some(1));
    assert!(
        error.starts_with("-reload: failed to run subcommand: ") && error.contains("execc"),
        "{error}"
    );
    // A file that is wrong now keeps no client from the supervisor that runs.
    assert_eq!(client(&pilot, &["-ping"]), ok("ok\n"));
    stop(pilot);
}
