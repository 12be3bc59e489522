//! The edge: real sockets on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::limits::EdgeLimits;
use super::tables::Limits;
use super::{Handle, Settings, bind};

/// The limit of every wait: long for a machine under load.
const PATIENCE: Duration = Duration::from_secs(10);

fn listening() -> super::Catalog {
    let settings = Settings {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..Settings::default()
    };
    bind(settings).expect("loopback takes a listener")
}

fn served() -> Handle {
    listening().serve().expect("the runtime watches sockets")
}

async fn connect(handle: &Handle) -> TcpStream {
    let stream = TcpStream::connect(handle.local_addr()).await;
    stream.expect("it listens")
}

/// Sends these bytes and reads to the end of the connection.
async fn say(handle: &Handle, bytes: &str) -> String {
    let mut stream = connect(handle).await;
    // A server that has heard enough may close while this is written.
    let _ = stream.write_all(bytes.as_bytes()).await;
    read(&mut stream).await
}

async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let reading = stream.read_to_end(&mut text);
    let _ = tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("an answer");
    String::from_utf8_lossy(&text).into_owned()
}

async fn request(handle: &Handle, line: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    say(
        handle,
        &format!("{head}Content-Length: {length}\r\n\r\n{body}"),
    )
    .await
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

#[tokio::test]
async fn paths_and_methods_are_judged_as_by_consul() {
    let handle = served();
    for (line, expected) in [
        ("GET /v1/status/leader", "200"),
        ("GET /v1/nothing", "404"),
        ("GET /", "404"),
        ("POST /v1/agent/service/register", "405"),
        ("GET /v1/health/service/app?dc=elsewhere", "500"),
        ("GET /v1/health/service/app?ns=team", "400"),
        ("PUT /v1/agent/service/register", "400"),
        ("GET /v1/kv/none", "404"),
    ] {
        let answer = request(&handle, line, "").await;
        assert_eq!(status(&answer), expected, "{line}: {answer}");
    }
    let wrong = request(&handle, "POST /v1/agent/service/register", "").await;
    assert!(
        wrong.to_ascii_lowercase().contains("allow: options,put"),
        "{wrong}"
    );
    handle.close().await;
}

#[tokio::test]
async fn nobody_is_led_here_by_a_name_of_his_own() {
    let handle = served();
    for (host, expected) in [
        ("localhost", "200"),
        ("localhost:8500", "200"),
        ("127.0.0.1:1", "200"),
        ("[::1]:8500", "200"),
        ("evil.example", "403"),
        ("localhost.evil.example", "403"),
    ] {
        let text =
            format!("GET /v1/status/leader HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&say(&handle, &text).await), expected, "{host}");
    }
    handle.close().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_others_are_served() {
    let handle = served();
    let body = "x".repeat(512 * 1024 + 1);
    let answer = request(&handle, "PUT /v1/kv/large", &body).await;
    assert_eq!(status(&answer), "413", "{answer}");
    let answer = request(&handle, "PUT /v1/kv/most", &body[1..]).await;
    assert_eq!(status(&answer), "200", "{answer}");
    let head = format!(
        "GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    assert_eq!(status(&say(&handle, &head).await), "431");
    let garbage = say(&handle, "\u{0}\u{1}garbage\r\n\r\n").await;
    assert!(matches!(status(&garbage), "400" | "none"), "{garbage}");
    // A body that was promised and does not come holds up nobody.
    let mut slow = connect(&handle).await;
    let promise = "PUT /v1/kv/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n";
    slow.write_all(promise.as_bytes()).await.expect("it reads");
    let answer = request(&handle, "GET /v1/status/leader", "").await;
    assert_eq!(status(&answer), "200");
    handle.close().await;
}

#[tokio::test]
async fn idle_clients_make_room_for_new_ones() {
    let limits = EdgeLimits {
        connections: 8,
        ..EdgeLimits::DEFAULT
    };
    let handle = listening()
        .serve_within(limits, Limits::DEFAULT)
        .expect("the runtime watches sockets");
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(connect(&handle).await);
    }
    let answer = request(&handle, "GET /v1/status/leader", "").await;
    assert_eq!(status(&answer), "200");
    handle.close().await;
}

/// The index that an answer says.
fn index(answer: &str) -> u64 {
    let lower = answer.to_ascii_lowercase();
    let found = lower
        .lines()
        .find_map(|line| line.strip_prefix("x-consul-index: ")?.trim().parse().ok());
    found.unwrap_or_else(|| panic!("no index in {answer}"))
}

#[tokio::test]
async fn a_question_is_held_until_its_own_change() {
    let handle = served();
    let first = request(&handle, "GET /v1/health/service/app", "").await;
    let question = format!(
        "GET /v1/health/service/app?index={}&wait=1m HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        index(&first)
    );
    let mut standing = connect(&handle).await;
    standing
        .write_all(question.as_bytes())
        .await
        .expect("it reads");
    // Others come and go, and keys too.
    for other in ["a", "b", "c"] {
        let body = format!("{{\"Name\": \"{other}\"}}");
        request(&handle, "PUT /v1/agent/service/register", &body).await;
        request(&handle, &format!("PUT /v1/kv/{other}"), "x").await;
    }
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(50), standing.peek(&mut byte)).await;
    assert!(early.is_err(), "woken by another's change");
    request(
        &handle,
        "PUT /v1/agent/service/register",
        r#"{"Name": "app"}"#,
    )
    .await;
    let answer = read(&mut standing).await;
    assert!(answer.contains(r#""Service":"app""#), "{answer}");
    assert!(index(&answer) > index(&first));
    handle.close().await;
}

#[tokio::test]
async fn a_client_that_goes_takes_its_question_with_it() {
    let catalog = listening();
    let (handle, shared) = catalog.serve_and_show();
    let question = "GET /v1/health/service/app?index=1&wait=5m HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = connect(&handle).await;
        stream
            .write_all(question.as_bytes())
            .await
            .expect("it reads");
        streams.push(stream);
    }
    let waiting = async |count: usize| {
        while shared.waiting() != count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let patience = |wait| tokio::time::timeout(PATIENCE, wait);
    patience(waiting(5)).await.expect("all stand");
    drop(streams);
    patience(waiting(0)).await.expect("none is left");
    handle.close().await;
}

#[tokio::test]
async fn the_end_waits_for_no_standing_question() {
    let handle = served();
    let mut standing = Vec::new();
    for _ in 0..20 {
        let mut stream = connect(&handle).await;
        let question =
            "GET /v1/health/service/app?index=1&wait=5m HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream
            .write_all(question.as_bytes())
            .await
            .expect("it reads");
        standing.push(stream);
    }
    request(&handle, "GET /v1/status/leader", "").await;
    tokio::time::timeout(PATIENCE, handle.close())
        .await
        .expect("a prompt end");
}
