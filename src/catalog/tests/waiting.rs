//! Blocking queries: who is woken, and what is left of those who went.

use std::time::Instant;

use super::*;
use crate::catalog::chance::Chance;
use crate::catalog::shared::Look;
use crate::catalog::tables::{NodeSpec, Tables, Topic};

/// A query for a key that waits for the next change. It is standing when this returns.
async fn standing(fixture: &Fixture, path: &str, count: usize) -> Client {
    let mut client = fixture.connect().await;
    let index = index_of(&fixture.ask(&format!("GET {path}")).await);
    let sign = if path.contains('?') { '&' } else { '?' };
    let request = format!("GET {path}{sign}index={index}&wait=60s HTTP/1.1\r\n\r\n");
    client.write(&request).await;
    fixture.wait_waiting(count).await;
    client
}

fn index_of(answer: &str) -> u64 {
    let index = answer
        .lines()
        .find_map(|line| line.strip_prefix("X-Consul-Index: "));
    index.expect("an index").parse().unwrap()
}

async fn is_silent(client: &mut Client) -> bool {
    timeout(SHORT, client.stream.readable()).await.is_err()
}

#[tokio::test]
async fn a_change_wakes_who_waits_for_it_and_nobody_else() {
    let fixture = Fixture::start();
    fixture.put("/v1/kv/a/one", "1").await;
    fixture
        .put("/v1/agent/service/register", r#"{ "Name": "app" }"#)
        .await;
    let mut key = standing(&fixture, "/v1/kv/a/one", 1).await;
    let mut below = standing(&fixture, "/v1/kv/a/?recurse", 2).await;
    let mut service = standing(&fixture, "/v1/health/service/app", 3).await;
    fixture.put("/v1/kv/b", "1").await;
    fixture
        .put("/v1/agent/service/register", r#"{ "Name": "other" }"#)
        .await;
    for client in [&mut key, &mut below, &mut service] {
        assert!(is_silent(client).await);
    }
    assert_eq!(fixture.shared.waiting(), 3);
    fixture.put("/v1/kv/a/two", "1").await;
    assert!(below.answer().await.contains("a/two"));
    assert!(is_silent(&mut key).await);
    fixture.put("/v1/kv/a/one", "2").await;
    assert!(key.answer().await.contains("\"Value\":\"Mg==\""));
    assert!(is_silent(&mut service).await);
    fixture.put("/v1/agent/service/deregister/app", "").await;
    assert!(service.answer().await.ends_with("[]"));
    fixture.wait_waiting(0).await;
}

#[tokio::test]
async fn one_change_wakes_all_who_wait_for_it() {
    let fixture = Fixture::start();
    let mut clients = Vec::new();
    for count in 1..=50 {
        clients.push(standing(&fixture, "/v1/kv/a", count).await);
    }
    fixture.put("/v1/kv/a", "1").await;
    for client in &mut clients {
        assert!(client.answer().await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(fixture.shared.waiting(), 0);
}

#[tokio::test]
async fn a_client_that_goes_leaves_nothing_behind() {
    let fixture = Fixture::start();
    for _ in 0..20 {
        let client = standing(&fixture, "/v1/kv/a", 1).await;
        drop(client);
        fixture.wait_waiting(0).await;
    }
    // Also one that only says that nothing more will come.
    let mut half = standing(&fixture, "/v1/kv/a", 1).await;
    half.stream.shutdown().await.unwrap();
    fixture.wait_waiting(0).await;
}

#[tokio::test]
async fn a_wait_ends_by_itself() {
    let fixture = Fixture::start();
    fixture.put("/v1/kv/a", "1").await;
    let index = index_of(&fixture.ask("GET /v1/kv/a").await);
    let started = Instant::now();
    let answer = fixture
        .ask(&format!("GET /v1/kv/a?index={index}&wait=50ms"))
        .await;
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(index_of(&answer), index);
    assert_eq!(fixture.shared.waiting(), 0);
}

#[tokio::test]
async fn a_query_that_waits_is_no_idle_client() {
    let fixture = Fixture::within(EdgeLimits {
        connections: 3,
        head: Duration::from_millis(100),
        ..EdgeLimits::DEFAULT
    });
    let mut waits = standing(&fixture, "/v1/kv/a", 1).await;
    // Neither a crowd that stays nor the time for a head drives it out.
    let mut crowd = Vec::new();
    for _ in 0..10 {
        let mut client = fixture.connect().await;
        client.write("GET /v1/status/leader HTTP/1.1\r\n\r\n").await;
        assert!(client.answer().await.contains("200 OK"));
        crowd.push(client);
    }
    for client in &mut crowd {
        assert_eq!(client.rest().await, "");
    }
    fixture.put("/v1/kv/a", "1").await;
    assert!(waits.answer().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn closing_does_not_wait_for_standing_queries() {
    let fixture = Fixture::start();
    let mut clients = Vec::new();
    for count in 1..=20 {
        clients.push(standing(&fixture, "/v1/kv/a", count).await);
    }
    let address = fixture.address();
    let shared = Arc::clone(&fixture.shared);
    let started = Instant::now();
    fixture.handle.close().await;
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(shared.waiting(), 0);
    for client in &mut clients {
        assert_eq!(client.rest().await, "");
    }
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn dropping_the_handle_ends_it_too() {
    let fixture = Fixture::start();
    let mut client = fixture.connect().await;
    drop(fixture.handle);
    assert_eq!(client.rest().await, "");
}

#[test]
fn a_waiter_that_leaves_gives_its_place_back() {
    let own = NodeSpec {
        name: "n1".to_owned(),
        ..NodeSpec::default()
    };
    let tables = Tables::new(own, Limits::DEFAULT);
    let shared = Arc::new(Shared::new(tables, Chance::default()));
    let topic = Topic::Key("a".to_owned());
    let look = || shared.look(&topic, Some(u64::MAX), |_, _| ());
    let (Look::Wait(first), Look::Wait(second)) = (look(), look()) else {
        panic!("nothing is that new");
    };
    assert_eq!(shared.waiting(), 2);
    drop(first);
    assert_eq!(shared.waiting(), 1);
    drop(second);
    assert_eq!(shared.waiting(), 0);
}
