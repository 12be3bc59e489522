//! Probes.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;

use crate::checks::{Failure, Prober};
use crate::jobs::{HttpProbe, Probe, Target};

fn here(port: u16) -> Target {
    Target::Port {
        host: "localhost".to_owned(),
        port,
    }
}

fn get(target: Target) -> HttpProbe {
    HttpProbe {
        target,
        method: "GET".to_owned(),
        path: "/health?x=1".to_owned(),
        headers: Vec::new(),
        status: vec![(200, 399)],
        body: None,
    }
}

async fn look(probe: Probe) -> Result<(), Failure> {
    Prober::new(false).look(&probe).await
}

#[track_caller]
fn failed(result: Result<(), Failure>, part: &str) {
    let Err(Failure::Failed(text)) = result else {
        panic!("wanted a failure with `{part}`, got {result:?}");
    };
    assert!(text.contains(part), "wanted `{part}`, got `{text}`");
}

/// A server that reads something, answers with these bytes and closes. Tells what it read.
async fn answering(answer: Vec<u8>) -> (u16, oneshot::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        buffer.truncate(length);
        let _ = sender.send(buffer);
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        // What is still on its way must not become a reset.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    (port, heard)
}

async fn http(answer: &str, change: impl FnOnce(&mut HttpProbe)) -> Result<(), Failure> {
    let (port, _heard) = answering(answer.as_bytes().to_vec()).await;
    let mut probe = get(here(port));
    change(&mut probe);
    look(Probe::Http(probe)).await
}

#[tokio::test]
async fn http_asks_what_it_was_told_to() {
    let (port, heard) = answering(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await;
    let mut probe = get(here(port));
    probe.headers = vec![("X-Token".to_owned(), "a b".to_owned())];
    assert_eq!(look(Probe::Http(probe)).await, Ok(()));
    let asked = String::from_utf8(heard.await.unwrap())
        .unwrap()
        .to_lowercase();
    assert!(asked.starts_with("get /health?x=1 http/1.1\r\n"), "{asked}");
    for line in [
        format!("host: localhost:{port}\r\n"),
        format!("user-agent: pilothouse/{}\r\n", env!("CARGO_PKG_VERSION")),
        "x-token: a b\r\n".to_owned(),
        "connection: close\r\n".to_owned(),
    ] {
        assert!(asked.contains(&line), "{line} in {asked}");
    }
}

#[tokio::test]
async fn http_judges_status_and_body() {
    let same = |_: &mut HttpProbe| {};
    assert_eq!(
        http("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", same).await,
        Ok(())
    );
    // A redirect is an answer and is not followed: nobody listens there.
    let redirect =
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(http(redirect, same).await, Ok(()));
    failed(
        http(redirect, |probe| probe.status = vec![(200, 299)]).await,
        "status 302",
    );
    failed(
        http("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", same).await,
        "status 503",
    );
    let body = |text: &str| {
        let text = text.to_owned();
        move |probe: &mut HttpProbe| probe.body = Some(text)
    };
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"s\r\n5\r\n\":1} \r\n0\r\n\r\n";
    assert_eq!(http(chunked, body("\"s\":1")).await, Ok(()));
    failed(http(chunked, body("\"s\":2")).await, "does not contain");
    let far = format!("HTTP/1.1 200 OK\r\n\r\n{}needle", "x".repeat(70_000));
    failed(http(&far, body("needle")).await, "does not contain");
}

#[tokio::test]
async fn http_is_failed_by_what_is_no_answer() {
    for answer in ["", "garbage\r\n\r\n", "HTTP/1.1 200", "SSH-2.0-OpenSSH\r\n"] {
        let result = http(answer, |_| {}).await;
        assert!(
            matches!(result, Err(Failure::Failed(_))),
            "{answer}: {result:?}"
        );
    }
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(1 << 20));
    let result = http(&endless, |_| {}).await;
    assert!(matches!(result, Err(Failure::Failed(_))), "{result:?}");
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok";
    let result = http(cut, |probe| probe.body = Some("okay".to_owned())).await;
    assert!(matches!(result, Err(Failure::Failed(_))), "{result:?}");
}

#[tokio::test]
async fn nobody_there_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    failed(look(Probe::Tcp(here(port))).await, "refused");
    failed(look(Probe::Http(get(here(port)))).await, "refused");
    let name = Target::Port {
        host: "db.example".to_owned(),
        port,
    };
    failed(look(Probe::Tcp(name)).await, "asks no name server");
    failed(
        look(Probe::Tcp(Target::Socket("/no/such".to_owned()))).await,
        "/no/such",
    );
}

#[tokio::test]
async fn sockets_in_the_file_system_are_connected_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(look(Probe::Tcp(Target::Socket(path.clone()))).await, Ok(()));
    drop(listener);
    failed(look(Probe::Tcp(Target::Socket(path))).await, "refused");
}

#[tokio::test]
async fn a_probe_that_is_given_up_closes_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let slow = look(Probe::Http(get(here(port))));
    let given_up = tokio::time::timeout(Duration::from_millis(50), slow).await;
    assert!(given_up.is_err());
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    assert!(heard.starts_with(b"GET "));
}

#[tokio::test]
async fn files_are_there_and_new() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("beat").display().to_string();
    let file = |max_age| Probe::File {
        path: path.clone(),
        max_age,
    };
    failed(look(file(None)).await, "No such file");
    let beat = std::fs::File::create(&path).unwrap();
    assert_eq!(look(file(Some(Duration::from_mins(1)))).await, Ok(()));
    let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    beat.set_times(old).unwrap();
    assert_eq!(look(file(None)).await, Ok(()));
    failed(
        look(file(Some(Duration::from_mins(1)))).await,
        "was written",
    );
}

fn frame(kind: u8, flags: u8, stream: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![
        0,
        0,
        u8::try_from(body.len()).unwrap(),
        kind,
        flags,
        0,
        0,
        0,
        stream,
    ];
    frame.extend_from_slice(body);
    frame
}

async fn grpc(frames: &[Vec<u8>]) -> (Result<(), Failure>, Vec<u8>) {
    let (port, heard) = answering(frames.concat()).await;
    let target = here(port);
    let service = "app".to_owned();
    let result = look(Probe::Grpc { target, service }).await;
    (result, heard.await.unwrap())
}

#[tokio::test]
async fn grpc_wants_serving() {
    let says = |status: u8| {
        vec![
            frame(4, 0, 0, &[]),
            frame(6, 0, 0, &[7; 8]),
            frame(1, 4, 1, &[0x88]),
            frame(0, 8, 1, &[1, 0, 0, 0, 0, 2, 8, status, 0]),
            frame(1, 5, 1, &[0x88]),
        ]
    };
    let (result, asked) = grpc(&says(1)).await;
    assert_eq!(result, Ok(()));
    assert!(asked.starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"));
    assert!(asked.ends_with(b"\0\0\x0a\0\x01\0\0\0\x01\0\0\0\0\x05\x0a\x03app"));
    failed(grpc(&says(2)).await.0, "NOT_SERVING");
    // Left out it is 0, which is UNKNOWN.
    failed(grpc(&[frame(0, 1, 1, &[0; 5])]).await.0, "UNKNOWN");
    failed(grpc(&[frame(1, 5, 1, &[0x88])]).await.0, "no status");
    failed(grpc(&[frame(3, 0, 1, &[0; 4])]).await.0, "no status");
    failed(grpc(&[]).await.0, "closed");
    failed(
        grpc(&[b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()])
            .await
            .0,
        "not HTTP/2",
    );
}
