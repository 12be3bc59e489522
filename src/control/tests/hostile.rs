//! K04: clients that are many, slow, large or malformed.

use super::super::limits;
use super::*;

const PING: &str = "GET /v3/ping HTTP/1.1\r\nHost: control\r\n\r\n";

#[tokio::test]
async fn k04_a_thousand_idle_clients_lock_nobody_out() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(fixture.connect().await);
    }
    assert_eq!(split(&fixture.talk(PING).await).0, 200);
    let answer = fixture.send("POST", "/v3/environ", r#"{"A":"1"}"#).await;
    assert_eq!(split(&answer).0, 200);
    // The first ones had to go, and nothing more than the limit is held.
    for stream in &mut idle[..1000 - PATIENT.connections] {
        closed(stream).await;
    }
    // One that is still held is served once it speaks.
    let last = idle.last_mut().unwrap();
    last.write_all(PING.as_bytes()).await.unwrap();
    assert_eq!(split(&rest(last).await).0, 200);
}

#[tokio::test]
async fn k04_clients_stuck_in_a_body_make_room_as_well() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    let mut stuck = Vec::new();
    for _ in 0..PATIENT.connections {
        let mut stream = fixture.connect().await;
        let head = "POST /v3/environ HTTP/1.1\r\nHost: c\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        stuck.push(stream);
    }
    assert_eq!(split(&fixture.talk(PING).await).0, 200);
    closed(&mut stuck[0]).await;
}

#[tokio::test]
async fn k04_a_request_that_has_arrived_is_not_pushed_out_by_a_crowd_behind_it() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    let limits = Limits {
        connections: 1,
        ..PATIENT
    };
    let (fixture, _supervisor) = Fixture::answered(limits);
    // Without an await in between, so that the server finds all of them in its backlog at once.
    let mut client = UnixStream::connect(&fixture.path).unwrap();
    client.write_all(PING.as_bytes()).unwrap();
    let connect = |_| UnixStream::connect(&fixture.path).unwrap();
    let _crowd: Vec<UnixStream> = (0..50).map(connect).collect();
    let read = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        client.read_to_string(&mut text).map(|_| text)
    });
    let text = soon(read).await.unwrap().unwrap();
    assert_eq!(split(&text).0, 200);
}

#[tokio::test]
async fn requests_under_way_are_never_pushed_out() {
    let limits = Limits {
        connections: 2,
        ..PATIENT
    };
    let (commands, mut inbox) = mpsc::channel(4);
    let fixture = Fixture::new(commands, limits);
    let request = "POST /v3/reload HTTP/1.1\r\nHost: c\r\n\r\n";
    let mut asked = Vec::new();
    let mut taken = Vec::new();
    for _ in 0..2 {
        let mut stream = fixture.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        asked.push(stream);
        taken.push(soon(inbox.recv()).await.unwrap());
    }
    // A third waits in the backlog until one of them is done.
    let mut third = fixture.connect().await;
    third.write_all(PING.as_bytes()).await.unwrap();
    for _ in 0..100 {
        // Each turn lets the server do all that it can do now.
        tokio::task::yield_now().await;
    }
    let early = third.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    answer(taken.remove(0));
    assert_eq!(split(&rest(&mut asked[0]).await).0, 200);
    assert_eq!(split(&rest(&mut third).await).0, 200);
    answer(taken.remove(0));
    assert_eq!(split(&rest(&mut asked[1]).await).0, 200);
}

#[tokio::test]
async fn k04_an_idle_client_is_closed_in_time() {
    let limits = Limits {
        head: Duration::from_millis(1),
        ..PATIENT
    };
    let (fixture, _supervisor) = Fixture::answered(limits);
    let mut silent = fixture.connect().await;
    let mut halfway = fixture.connect().await;
    halfway.write_all(b"GET /v3/ping HT").await.unwrap();
    closed(&mut silent).await;
    closed(&mut halfway).await;
}

#[tokio::test]
async fn k04_a_slow_body_is_refused_in_time() {
    let limits = Limits {
        body: Duration::from_millis(1),
        ..PATIENT
    };
    let (fixture, mut supervisor) = Fixture::answered(limits);
    let mut slow = fixture.connect().await;
    let head = "POST /v3/environ HTTP/1.1\r\nHost: c\r\nContent-Length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(split(&rest(&mut slow).await).0, 408);
    assert_eq!(supervisor.seen(), None);
}

#[tokio::test]
async fn k04_a_hundred_megabytes_are_refused_unread() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let mut huge = fixture.connect().await;
    let head = "POST /v3/environ HTTP/1.1\r\nHost: c\r\nContent-Length: 104857600\r\n\r\n{";
    huge.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(split(&rest(&mut huge).await).0, 413);
    assert_eq!(supervisor.seen(), None);
}

#[tokio::test]
async fn k04_a_body_without_a_length_has_the_same_limit() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let mut stream = fixture.connect().await;
    let head = "POST /v3/environ HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let (mut reader, mut writer) = stream.split();
    // Writes until the server has had enough.
    let write = async { while writer.write_all(chunk.as_bytes()).await.is_ok() {} };
    let read = async {
        let mut text = Vec::new();
        let _ = reader.read_to_end(&mut text).await;
        String::from_utf8(text).unwrap()
    };
    let ((), answer) = soon(async { tokio::join!(write, read) }).await;
    assert_eq!(split(&answer).0, 413);
    assert_eq!(supervisor.seen(), None);
}

#[tokio::test]
async fn the_largest_body_is_taken_and_one_byte_more_is_not() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let frame = r#"{"A":""}"#.len();
    for (size, status) in [(limits::BODY, 200), (limits::BODY + 1, 413)] {
        let body = format!(r#"{{"A":"{}"}}"#, "x".repeat(size - frame));
        assert_eq!(body.len(), size);
        let answer = fixture.send("POST", "/v3/environ", &body).await;
        assert_eq!(split(&answer).0, status, "{size}");
        assert_eq!(supervisor.seen().is_some(), status == 200, "{size}");
    }
    // The whole of a body that is somewhat too large is taken in, so that a client which only then reads gets its answer.
    let body = "x".repeat(limits::DISCARDED);
    assert_eq!(
        split(&fixture.send("POST", "/v3/metric", &body).await).0,
        413
    );
}

#[tokio::test]
async fn k04_malformed_requests_disturb_nobody() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let many_headers = format!("GET /v3/ping HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(1000));
    let large_header = format!(
        "GET /v3/ping HTTP/1.1\r\nA: {}\r\n\r\n",
        "b".repeat(1 << 20)
    );
    for bytes in [
        b"\r\n\r\n".as_slice(),
        b"hello\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0\0\0\0\0",
        b"GET /v3/ping HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v3/environ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v3/environ HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /v3/environ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v3/environ HTTP/1.1\r\nContent-Length: 100\r\n\r\n{\"A\":\"1\"}",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        many_headers.as_bytes(),
    ] {
        let answer = fixture.talk(bytes).await;
        assert!(!answer.contains(" 200 "), "{bytes:?}: {answer}");
    }
    let mut stream = fixture.connect().await;
    // The server may hang up before all of it is written.
    let _ = stream.write_all(large_header.as_bytes()).await;
    assert!(!rest(&mut stream).await.contains(" 200 "));
    assert_eq!(supervisor.seen(), None);
    assert_eq!(split(&fixture.talk(PING).await).0, 200);
}

#[tokio::test]
async fn one_connection_serves_one_request() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let twice = "POST /v3/reload HTTP/1.1\r\nHost: c\r\n\r\n".repeat(2);
    let answer = fixture.talk(twice).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert_eq!(supervisor.seen().as_deref(), Some("Reload"));
    assert_eq!(supervisor.seen(), None);
}

#[tokio::test]
async fn k07_a_client_that_goes_away_while_it_is_answered_harms_nobody() {
    let (commands, mut inbox) = mpsc::channel(4);
    let fixture = Fixture::new(commands, PATIENT);
    let mut stream = fixture.connect().await;
    let request = "POST /v3/reload HTTP/1.1\r\nHost: c\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let command = soon(inbox.recv()).await.unwrap();
    drop(stream);
    answer(command);
    assert_eq!(split(&fixture.talk(PING).await).0, 200);
}

#[tokio::test]
async fn r05_two_thousand_reloads_leave_nothing_behind() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let open = || std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
    for _ in 0..2000 {
        let answer = fixture.send("POST", "/v3/reload", "").await;
        assert_eq!(split(&answer), (200, "\n"));
    }
    let mut reloads = 0;
    while supervisor.seen().is_some() {
        reloads += 1;
    }
    assert_eq!(reloads, 2000);
    // Other tests of this process open files too, though never this many.
    assert!(open().is_none_or(|open| open < 1900), "{:?}", open());
}
