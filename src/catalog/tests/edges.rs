//! Clients that are wrong, slow, hostile or many.

use super::*;
use crate::catalog::limits;

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[tokio::test]
async fn bodies_are_bounded() {
    let fixture = Fixture::start();
    for (path, limit) in [
        ("/v1/kv/a", limits::VALUE),
        ("/v1/agent/service/register", limits::BODY),
    ] {
        for (length, expected) in [(limit + 1, "413"), (limits::DISCARDED + 1, "413")] {
            let body = "x".repeat(length.min(limits::DISCARDED));
            let request = format!("PUT {path}\nContent-Length: {length}\n\n{body}");
            let answer = fixture.ask(&request).await;
            assert_eq!(status(&answer), expected, "{path} {length}: {answer}");
            assert!(
                answer.contains(&format!("max size: {limit} bytes")),
                "{answer}"
            );
        }
        // One of unknown length is counted as it comes.
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let chunks = chunk.repeat(limit / 0x10000 + 1);
        let request = format!("PUT {path}\nTransfer-Encoding: chunked\n\n{chunks}0\r\n\r\n");
        let answer = fixture.ask(&request).await;
        assert_eq!(status(&answer), "413", "{path}: {answer}");
    }
    fixture.put("/v1/kv/a", &"x".repeat(limits::VALUE)).await;
}

#[tokio::test]
async fn heads_are_bounded() {
    let fixture = Fixture::start();
    let endless = format!(
        "GET /v1/status/leader\nX-A: {}",
        "x".repeat(limits::HEAD * 2)
    );
    assert_eq!(status(&fixture.ask(&endless).await), "431");
    let many = "X-A: 1\n".repeat(limits::HEADERS + 1);
    let many = format!("GET /v1/status/leader\n{many}");
    assert_eq!(status(&fixture.ask(many.trim_end()).await), "431");
    let path = format!("GET /v1/kv/{}", "x".repeat(2_000));
    assert_eq!(status(&fixture.ask(&path).await), "400");
    let mut client = fixture.connect().await;
    client.write("no HTTP at all\r\n\r\n").await;
    let answer = client.rest().await;
    assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
}

#[tokio::test]
async fn slow_clients_are_given_up() {
    let fixture = Fixture::within(BRIEF);
    let mut silent = fixture.connect().await;
    let mut slow_head = fixture.connect().await;
    slow_head
        .write("GET /v1/status/leader HTTP/1.1\r\nX-A:")
        .await;
    let mut slow_body = fixture.connect().await;
    slow_body
        .write(&asked("PUT /v1/kv/a\nContent-Length: 10\n\nhalf"))
        .await;
    let mut idle = fixture.connect().await;
    idle.write("GET /v1/status/leader HTTP/1.1\r\n\r\n").await;
    assert_eq!(status(&idle.answer().await), "200");
    assert_eq!(silent.rest().await, "");
    assert!(!slow_head.rest().await.contains("200 OK"));
    assert_eq!(status(&slow_body.rest().await), "408");
    assert_eq!(idle.rest().await, "");
    // Nothing of it was stored.
    assert_eq!(status(&fixture.ask("GET /v1/kv/a").await), "404");
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let fixture = Fixture::start();
    for request in [
        "PUT /v1/kv/a\nContent-Length: 10\n\nhalf",
        "PUT /v1/kv/a\nTransfer-Encoding: chunked\n\nzz\r\n",
    ] {
        let mut client = fixture.connect().await;
        client.write(&asked(request)).await;
        client.stream.shutdown().await.unwrap();
        let answer = client.rest().await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    assert_eq!(status(&fixture.ask("GET /v1/kv/a").await), "404");
}

#[tokio::test]
async fn only_what_there_is_is_answered() {
    let fixture = Fixture::start();
    for (request, expected, allow) in [
        ("POST /v1/kv/a", "405", "OPTIONS,GET,PUT,DELETE"),
        ("GET /v1/agent/service/register", "405", "OPTIONS,PUT"),
        ("TRACE /v1/status/leader", "405", "OPTIONS,GET"),
        ("OPTIONS /v1/kv/a", "200", "OPTIONS,GET,PUT,DELETE"),
        ("GET /", "404", ""),
        ("GET /v1", "404", ""),
        ("GET /v1/", "404", ""),
        ("GET /v1/bogus", "404", ""),
        ("GET /v1/kv/%zz", "400", ""),
        ("GET /v1/kv/%ff", "400", ""),
        ("OPTIONS *", "404", ""),
    ] {
        let answer = fixture.ask(request).await;
        assert_eq!(status(&answer), expected, "{request}: {answer}");
        let line = format!("Allow: {allow}\r\n");
        assert_eq!(
            answer.contains("Allow: "),
            !allow.is_empty(),
            "{request}: {answer}"
        );
        assert!(
            allow.is_empty() || answer.contains(&line),
            "{request}: {answer}"
        );
        // No page of another origin may read an answer.
        assert!(
            !answer.to_lowercase().contains("access-control"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn on_loopback_a_foreign_name_is_refused() {
    let fixture = Fixture::start();
    let open = Fixture::at("0.0.0.0:0", EdgeLimits::DEFAULT);
    for (host, expected) in [
        ("127.0.0.1:8500", "200"),
        ("localhost", "200"),
        ("[::1]:1", "200"),
        ("evil.example", "403"),
        ("127.0.0.1.evil.example:8500", "403"),
    ] {
        let request = format!("GET /v1/status/leader\nHost: {host}");
        assert_eq!(status(&fixture.ask(&request).await), expected, "{host}");
        // Where everybody may ask there is nothing to guard.
        assert_eq!(status(&open.ask(&request).await), "200", "{host}");
    }
    let in_target = "GET http://evil.example/v1/status/leader\nHost: localhost";
    assert_eq!(status(&fixture.ask(in_target).await), "403");
    let written = "PUT /v1/kv/a\nHost: evil.example\nContent-Length: 1\n\n1";
    assert_eq!(status(&fixture.ask(written).await), "403");
    assert_eq!(status(&fixture.ask("GET /v1/kv/a").await), "404");
}

#[tokio::test]
async fn a_new_client_replaces_the_longest_idle() {
    let fixture = Fixture::within(EdgeLimits {
        connections: 4,
        ..EdgeLimits::DEFAULT
    });
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(fixture.connect().await);
        let newest = idle.last_mut().unwrap();
        newest.write("GET /v1/status/leader HTTP/1.1\r\n\r\n").await;
        assert_eq!(status(&newest.answer().await), "200");
    }
    // The first ones had to go, the last ones stay.
    for client in &mut idle[..16] {
        assert_eq!(client.rest().await, "");
    }
    for client in &mut idle[16..] {
        client.write("GET /v1/status/leader HTTP/1.1\r\n\r\n").await;
        assert_eq!(status(&client.answer().await), "200");
    }
}

#[tokio::test]
async fn many_idle_connections_are_no_burden() {
    let fixture = Fixture::start();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(fixture.connect().await);
    }
    fixture.put("/v1/kv/a", "1").await;
    assert_eq!(status(&fixture.ask("GET /v1/kv/a").await), "200");
    fixture.handle.close().await;
    for client in &mut idle {
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let fixture = Fixture::start();
    let mut client = fixture.connect().await;
    let put = "PUT /v1/kv/a HTTP/1.1\r\nContent-Length: 1\r\n\r\n1";
    client.write(put).await;
    assert!(client.answer().await.ends_with("true"));
    client.write("GET /v1/kv/a?raw HTTP/1.1\r\n\r\n").await;
    assert!(client.answer().await.ends_with("\r\n\r\n1"));
    client.write("GET /v1/kv/none HTTP/1.1\r\n\r\n").await;
    assert_eq!(status(&client.answer().await), "404");
}
