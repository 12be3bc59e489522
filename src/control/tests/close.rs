//! D7, S17: nobody delays the end.

use super::*;

const RELOAD: &str = "POST /v3/reload HTTP/1.1\r\nHost: c\r\n\r\n";

#[tokio::test]
async fn s17_idle_clients_are_dropped_at_once() {
    // With an hour for requests under way: an idle client that counted as one would hang the test.
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    let mut silent = fixture.connect().await;
    let mut halfway = fixture.connect().await;
    halfway
        .write_all(b"POST /v3/environ HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
        .await
        .unwrap();
    let answer = fixture.send("GET", "/v3/ping", "").await;
    assert_eq!(split(&answer).0, 200);
    soon(fixture.handle.close()).await;
    closed(&mut silent).await;
    closed(&mut halfway).await;
    assert!(!fixture.path.exists());
}

#[tokio::test]
async fn s17_a_request_under_way_is_answered() {
    let (commands, mut inbox) = mpsc::channel(4);
    let fixture = Fixture::new(commands, PATIENT);
    let mut stream = fixture.connect().await;
    stream.write_all(RELOAD.as_bytes()).await.unwrap();
    let command = soon(inbox.recv()).await.unwrap();
    let path = fixture.path.clone();
    let finish = async {
        // The socket is gone first; the answer still arrives.
        while path.exists() {
            tokio::task::yield_now().await;
        }
        UnixStream::connect(&path).await.unwrap_err();
        answer(command);
        rest(&mut stream).await
    };
    let ((), text) = soon(async { tokio::join!(fixture.handle.close(), finish) }).await;
    assert_eq!(split(&text), (200, "\n"));
}

#[tokio::test]
async fn s17_a_request_that_is_never_answered_delays_nothing() {
    let short = Limits {
        close: Duration::from_millis(1),
        ..PATIENT
    };
    let (commands, mut inbox) = mpsc::channel(4);
    let fixture = Fixture::new(commands, short);
    let mut stream = fixture.connect().await;
    stream.write_all(RELOAD.as_bytes()).await.unwrap();
    let _kept = soon(inbox.recv()).await.unwrap();
    soon(fixture.handle.close()).await;
    closed(&mut stream).await;
    assert!(!fixture.path.exists());
}

#[tokio::test]
async fn a_receiver_that_is_gone_first_makes_the_close_immediate() {
    let (commands, inbox) = mpsc::channel(4);
    let fixture = Fixture::new(commands, PATIENT);
    let mut stream = fixture.connect().await;
    stream.write_all(RELOAD.as_bytes()).await.unwrap();
    while inbox.is_empty() {
        tokio::task::yield_now().await;
    }
    drop(inbox);
    soon(fixture.handle.close()).await;
    assert_eq!(split(&rest(&mut stream).await).0, 503);
}

#[tokio::test]
async fn a_closed_server_makes_room_for_the_next() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    let path = fixture.path.clone();
    soon(fixture.handle.close()).await;
    let (commands, _inbox) = mpsc::channel(1);
    let next = Server::bind(&settings(&path)).unwrap();
    let handle = next.serve(commands).unwrap();
    assert!(path.exists());
    soon(handle.close()).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn r07_a_server_that_closes_late_leaves_its_successor_alone() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    std::fs::remove_file(&fixture.path).unwrap();
    let successor = Server::bind(&settings(&fixture.path)).unwrap();
    soon(fixture.handle.close()).await;
    std::os::unix::net::UnixStream::connect(&fixture.path).unwrap();
    drop(successor);
}

#[tokio::test]
async fn a_dropped_handle_closes_the_server() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    drop(fixture.handle);
    soon(async {
        while fixture.path.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[test]
fn the_end_of_the_runtime_removes_the_socket() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let fixture = runtime.block_on(async { Fixture::answered(PATIENT).0 });
    assert!(fixture.path.exists());
    drop(runtime);
    assert!(!fixture.path.exists());
}
