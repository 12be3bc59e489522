use super::*;

/// Method, path, body, status, body of the answer, and what the supervisor was asked.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    u16,
    &'static str,
    Option<&'static str>,
);

const OK: &str = "\n";
const WRONG_METHOD: &str = "Method Not Allowed\n";
const NOT_FOUND: &str = "404 page not found\n";

#[tokio::test]
async fn the_originals_endpoints_answer_as_the_original_did() {
    let rows: &[Row] = &[
        ("GET", "/v3/ping", "", 200, OK, None),
        ("POST", "/v3/ping", "anything", 200, OK, None),
        ("PUT", "/v3/ping", "", 200, OK, None),
        ("GET", "/v3/ping?x=1", "", 200, OK, None),
        ("POST", "/v3/reload", "", 200, OK, Some("Reload")),
        ("POST", "/v3/reload", "{not json", 200, OK, Some("Reload")),
        ("GET", "/v3/reload", "", 405, WRONG_METHOD, None),
        (
            "POST",
            "/v3/maintenance/enable",
            "",
            200,
            OK,
            Some("Maintenance(true)"),
        ),
        (
            "POST",
            "/v3/maintenance/disable",
            "",
            200,
            OK,
            Some("Maintenance(false)"),
        ),
        ("GET", "/v3/maintenance/enable", "", 405, WRONG_METHOD, None),
        (
            "DELETE",
            "/v3/maintenance/disable",
            "",
            405,
            WRONG_METHOD,
            None,
        ),
        (
            "POST",
            "/v3/environ",
            r#"{"A":"1"}"#,
            200,
            OK,
            Some(r#"Environ([("A", Some("1"))])"#),
        ),
        (
            "POST",
            "/v3/env",
            r#"{"A":"1"}"#,
            200,
            OK,
            Some(r#"Environ([("A", Some("1"))])"#),
        ),
        (
            "POST",
            "/v3/environ",
            r#"{"A":""}"#,
            200,
            OK,
            Some(r#"Environ([("A", Some(""))])"#),
        ),
        (
            "POST",
            "/v3/environ",
            r#"{"A":null}"#,
            200,
            OK,
            Some(r#"Environ([("A", None)])"#),
        ),
        (
            "POST",
            "/v3/environ",
            r#"{"A":"null"}"#,
            200,
            OK,
            Some(r#"Environ([("A", Some("null"))])"#),
        ),
        (
            "POST",
            "/v3/environ",
            r#"{"A":"1","A":"2"}"#,
            200,
            OK,
            Some(r#"Environ([("A", Some("2"))])"#),
        ),
        ("POST", "/v3/environ", "null", 200, OK, None),
        ("POST", "/v3/environ", " {} ", 200, OK, None),
        ("PUT", "/v3/environ", "{}", 405, WRONG_METHOD, None),
        ("GET", "/v3/env", "", 405, WRONG_METHOD, None),
        (
            "POST",
            "/v3/metric",
            r#"{"m":1.0}"#,
            200,
            OK,
            Some(r#"Metric([("m", 1.0)])"#),
        ),
        (
            "POST",
            "/v3/metric",
            r#"{"m":" 1.5 "}"#,
            200,
            OK,
            Some(r#"Metric([("m", 1.5)])"#),
        ),
        (
            "POST",
            "/v3/metric",
            r#"{"b":"-2","a":1e3}"#,
            200,
            OK,
            Some(r#"Metric([("a", 1000.0), ("b", -2.0)])"#),
        ),
        ("POST", "/v3/metric", "null", 200, OK, None),
        ("GET", "/v3/metric", "", 405, WRONG_METHOD, None),
        ("GET", "/", "", 404, NOT_FOUND, None),
        ("GET", "/v3", "", 404, NOT_FOUND, None),
        ("GET", "/v3/ping/", "", 404, NOT_FOUND, None),
        ("POST", "/v3/reload/", "", 404, NOT_FOUND, None),
        ("POST", "/v3/maintenance", "", 404, NOT_FOUND, None),
        ("POST", "/v3/maintenance/other", "", 404, NOT_FOUND, None),
        ("POST", "/V3/reload", "", 404, NOT_FOUND, None),
        ("POST", "//v3/reload", "", 404, NOT_FOUND, None),
        ("POST", "/v3/%72eload", "", 404, NOT_FOUND, None),
    ];
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    for (method, path, body, status, text, asked) in rows {
        let answer = fixture.send(method, path, body).await;
        let what = format!("{method} {path} {body}: {answer}");
        assert_eq!(split(&answer), (*status, *text), "{what}");
        assert_eq!(supervisor.seen().as_deref(), *asked, "{what}");
        let head = answer.to_ascii_lowercase();
        assert!(
            head.contains("content-type: text/plain; charset=utf-8\r\n"),
            "{what}"
        );
        assert!(head.contains("connection: close\r\n"), "{what}");
        assert_eq!(head.contains("allow: post\r\n"), *status == 405, "{what}");
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_as_a_whole_with_a_reason() {
    let rows = [
        ("/v3/environ", "", "the body is not JSON"),
        ("/v3/environ", "{", "the body is not JSON"),
        ("/v3/environ", "{'A':'1'}", "the body is not JSON"),
        ("/v3/environ", r#"{"A":"1"} x"#, "the body is not JSON"),
        ("/v3/environ", "[]", "the body is not a JSON object"),
        ("/v3/environ", "\"A\"", "the body is not a JSON object"),
        (
            "/v3/environ",
            r#"{"A":"1","B":2}"#,
            r#"cannot set "B": its value is not a string"#,
        ),
        ("/v3/environ", r#"{"A":true}"#, r#"cannot set "A""#),
        ("/v3/environ", r#"{"A":["1"]}"#, r#"cannot set "A""#),
        ("/v3/environ", r#"{"":"1"}"#, r#"cannot set """#),
        ("/v3/environ", r#"{"A=B":"1"}"#, r#"cannot set "A=B""#),
        ("/v3/environ", r#"{"A\u0000":"1"}"#, r#"cannot set "A\0""#),
        (
            "/v3/environ",
            r#"{"A\n":"1", "=\n":"1"}"#,
            r#"cannot set "=\n""#,
        ),
        (
            "/v3/environ",
            r#"{"A":"1\u0000"}"#,
            r#"cannot set "A": its value contains NUL"#,
        ),
        ("/v3/metric", "", "the body is not JSON"),
        ("/v3/metric", "[1]", "the body is not a JSON object"),
        ("/v3/metric", r#"{"m":1e999}"#, "the body is not JSON"),
        ("/v3/metric", r#"{"a":1,"m":"x"}"#, r#"cannot record "m""#),
        ("/v3/metric", r#"{"m":""}"#, r#"cannot record "m""#),
        ("/v3/metric", r#"{"m":"NaN"}"#, r#"cannot record "m""#),
        ("/v3/metric", r#"{"m":"-inf"}"#, r#"cannot record "m""#),
        ("/v3/metric", r#"{"m":"1e999"}"#, r#"cannot record "m""#),
        ("/v3/metric", r#"{"m":null}"#, r#"cannot record "m""#),
        ("/v3/metric", r#"{"m":true}"#, r#"cannot record "m""#),
        ("/v3/metric", r#"{"m":{}}"#, r#"cannot record "m""#),
    ];
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    for (path, body, reason) in rows {
        let answer = fixture.send("POST", path, body).await;
        let (status, text) = split(&answer);
        assert_eq!(status, 422, "{body}: {answer}");
        let start = format!("Unprocessable Entity: {reason}");
        assert!(text.starts_with(&start), "{body}: {text}");
        assert_eq!(text.matches('\n').count(), 1, "{body}: {text:?}");
        assert!(text.ends_with('\n'), "{body}: {text:?}");
        assert_eq!(supervisor.seen(), None, "{body}");
    }
}

#[tokio::test]
async fn depth_is_bounded() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let body = "[".repeat(100_000);
    for path in ["/v3/environ", "/v3/metric"] {
        let answer = fixture.send("POST", path, &body).await;
        assert_eq!(split(&answer).0, 422);
    }
    assert_eq!(supervisor.seen(), None);
}

#[tokio::test]
async fn a_refusal_of_the_supervisor_reaches_the_client() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    for (path, body) in [
        ("/v3/environ", r#"{"BAD":"1"}"#),
        ("/v3/metric", r#"{"bad_metric":1}"#),
    ] {
        let answer = fixture.send("POST", path, body).await;
        assert_eq!(split(&answer), (422, "Unprocessable Entity: it is bad\n"));
    }
}

#[tokio::test]
async fn d09_a_reload_of_a_bad_file_answers_with_the_report() {
    let (commands, mut inbox) = mpsc::channel(1);
    let fixture = Fixture::new(commands, PATIENT);
    let supervise = async {
        let Some(Command::Reload { reply }) = inbox.recv().await else {
            panic!("no reload");
        };
        reply
            .send(Err("error: a\n --> f:1:2\n".to_owned()))
            .unwrap();
    };
    let (answer, ()) =
        soon(async { tokio::join!(fixture.send("POST", "/v3/reload", ""), supervise) }).await;
    let expected = "Unprocessable Entity: error: a\n --> f:1:2\n";
    assert_eq!(split(&answer), (422, expected));
}

#[tokio::test]
async fn health_says_what_the_supervisor_says() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    for (path, status, body) in [
        (
            "/api/v1/reload/plan",
            200,
            "{\"jobs\":[],\"watches\":[],\"settings\":[\"consul\"]}\n",
        ),
        ("/api/v1/health", 200, "{\"healthy\":true}\n"),
        ("/api/v1/health?job=app", 200, "{\"healthy\":true}\n"),
        (
            "/api/v1/health?other=1&job=%61pp",
            200,
            "{\"healthy\":true}\n",
        ),
        (
            "/api/v1/health?job=sick+app",
            503,
            "{\"healthy\":false,\"reason\":\"its check failed\"}\n",
        ),
        (
            "/api/v1/health?job=none",
            404,
            "{\"error\":{\"code\":\"not_found\",\"message\":\"no job is called `none`\"}}\n",
        ),
        (
            "/api/v1/other",
            404,
            "{\"error\":{\"code\":\"not_found\",\"message\":\"no such path\"}}\n",
        ),
    ] {
        let answer = fixture.send("GET", path, "").await;
        assert_eq!(split(&answer), (status, body), "{path}");
        assert!(
            answer
                .to_ascii_lowercase()
                .contains("content-type: application/json\r\n")
        );
    }
    let answer = fixture.send("POST", "/api/v1/health", "").await;
    assert_eq!(split(&answer).0, 405);
    assert!(answer.to_ascii_lowercase().contains("allow: get, head\r\n"));
    let answer = fixture.send("HEAD", "/api/v1/health", "").await;
    assert_eq!(split(&answer), (200, ""));
}

#[tokio::test]
async fn the_version_needs_no_supervisor() {
    let (commands, _full) = mpsc::channel(1);
    let fixture = Fixture::new(commands, PATIENT);
    let answer = fixture.send("GET", "/api/v1/version", "").await;
    let (status, body) = split(&answer);
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    assert!(body["gitHash"].is_string());
}

#[tokio::test]
async fn x09_a_full_queue_is_answered_at_once() {
    let (commands, mut inbox) = mpsc::channel(1);
    let fixture = Fixture::new(commands, PATIENT);
    let mut waiting = fixture.connect().await;
    let request = "POST /v3/reload HTTP/1.1\r\nHost: c\r\n\r\n";
    waiting.write_all(request.as_bytes()).await.unwrap();
    // Nobody receives: the first request sits in the queue, which has room for one.
    while inbox.is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = fixture.send("POST", "/v3/maintenance/enable", "").await;
    let expected = "Service Unavailable: too many requests are waiting\n";
    assert_eq!(split(&refused), (503, expected));
    assert_eq!(split(&fixture.send("GET", "/v3/ping", "").await).0, 200);
    answer(inbox.recv().await.unwrap());
    assert_eq!(split(&rest(&mut waiting).await), (200, "\n"));
}

#[tokio::test]
async fn a_supervisor_that_is_gone_or_silent_is_said_so() {
    let (commands, inbox) = mpsc::channel(4);
    let short = Limits {
        answer: Duration::from_millis(1),
        ..PATIENT
    };
    let fixture = Fixture::new(commands, short);
    let answer = fixture.send("POST", "/v3/reload", "").await;
    let expected = "Gateway Timeout: the supervisor did not answer in time\n";
    assert_eq!(split(&answer), (504, expected));
    drop(inbox);
    let answer = fixture.send("POST", "/v3/reload", "").await;
    let expected = "Service Unavailable: the supervisor is stopping\n";
    assert_eq!(split(&answer), (503, expected));
    let answer = fixture.send("GET", "/api/v1/health", "").await;
    assert_eq!(split(&answer).0, 503);
    assert!(
        answer.contains("\"code\":\"service_unavailable\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_dropped_reply_is_answered() {
    let (commands, mut inbox) = mpsc::channel(4);
    let fixture = Fixture::new(commands, PATIENT);
    let drop_it = async { drop(inbox.recv().await) };
    let (answer, ()) =
        soon(async { tokio::join!(fixture.send("POST", "/v3/reload", ""), drop_it) }).await;
    assert_eq!(split(&answer).0, 503);
}

#[test]
fn l12_a_command_shows_no_values() {
    let (reply, _) = tokio::sync::oneshot::channel();
    let command = Command::Environ {
        changes: vec![("PASSWORD".to_owned(), Some("hunter2".to_owned()))],
        reply,
    };
    let text = format!("{command:?}");
    assert!(
        text.contains("PASSWORD") && !text.contains("hunter2"),
        "{text}"
    );
}
