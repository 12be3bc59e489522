//! The server with a loop that is missing, silent or slow. [`soon`] only turns a hang into a failure.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::limits::{ASKS, Limits};
use super::{Ask, JobEntry, Server, Status};

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .expect("it hangs")
}

/// A server at a port that was free a moment ago.
async fn server(limits: Limits) -> (Server, mpsc::Receiver<Ask>) {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = probe.local_addr().unwrap();
    drop(probe);
    Server::start_within(address, limits)
}

async fn connect(address: SocketAddr) -> TcpStream {
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            return stream;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = connect(address).await;
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn short(answer: Duration) -> Limits {
    Limits {
        answer,
        ..Limits::DEFAULT
    }
}

#[tokio::test]
async fn a_loop_that_does_not_turn_is_not_healthy() {
    let (server, asks) = server(short(Duration::from_millis(20))).await;
    let answer = soon(get(server.address(), "/healthz")).await;
    assert!(answer.starts_with("HTTP/1.0 503"), "{answer}");
    assert!(
        answer.ends_with("the supervisor's loop does not turn\n"),
        "{answer}"
    );
    drop(asks);
    let answer = soon(get(server.address(), "/metrics")).await;
    assert!(answer.starts_with("HTTP/1.0 503"), "{answer}");
    assert_eq!(server.scrapes().counts(), (0, 1));
}

/// A queue that is full is told at once, not after a wait.
#[tokio::test]
async fn more_questions_than_the_queue_takes_are_refused() {
    let (server, mut asks) = server(short(Duration::from_hours(1))).await;
    let address = server.address();
    let waiting: Vec<_> = (0..ASKS)
        .map(|_| tokio::spawn(get(address, "/healthz")))
        .collect();
    soon(async {
        while asks.len() < ASKS {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let answer = soon(get(address, "/healthz")).await;
    assert!(answer.starts_with("HTTP/1.0 503"), "{answer}");
    while let Ok(ask) = asks.try_recv() {
        let Ask::Health { reply } = ask else {
            panic!("{ask:?}");
        };
        reply.send(()).unwrap();
    }
    for answer in waiting {
        let answer = soon(answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    }
}

#[tokio::test]
async fn a_dropped_server_closes_everything() {
    let (server, _asks) = server(Limits::DEFAULT).await;
    let address = server.address();
    let mut silent = connect(address).await;
    drop(server);
    let mut byte = [0];
    let read = soon(silent.read(&mut byte)).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    soon(async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_client_is_given_up() {
    let limits = Limits {
        head: Duration::from_millis(20),
        ..Limits::DEFAULT
    };
    let (server, _asks) = server(limits).await;
    let mut silent = connect(server.address()).await;
    let mut answer = Vec::new();
    // Closed, with or without a word.
    let _ = soon(silent.read_to_end(&mut answer)).await;
}

#[test]
fn an_empty_list_is_null() {
    let mut status = Status {
        version: "1".to_owned(),
        jobs: Vec::new(),
        services: Vec::new(),
        watches: Vec::new(),
    };
    let empty = r#"{"Version":"1","Jobs":null,"Services":null,"Watches":null}"#;
    assert_eq!(status.to_string(), empty);
    status.jobs.push(JobEntry {
        name: "a".to_owned(),
        status: "unknown",
    });
    let one = r#"{"Version":"1","Jobs":[{"Name":"a","Status":"unknown"}],"Services":null,"Watches":null}"#;
    assert_eq!(status.to_string(), one);
}
