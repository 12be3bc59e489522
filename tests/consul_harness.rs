//! The harness for catalogues, so that a failing test against one is about what it tests.

use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Consul, NODE};

/// A limit for what must not happen: the test passes as soon as the wait has failed.
const SHORT: Duration = Duration::from_millis(50);

fn lives_pauses_dies_and_comes_back_empty(mut consul: Consul) {
    let node = consul.get(&format!("/v1/health/node/{NODE}"));
    assert_eq!(node.json()[0]["CheckID"], "serfHealth");
    assert_eq!(consul.passing("app"), 0);
    let registration = consul.put("/v1/agent/service/register", r#"{ "Name": "app" }"#);
    assert_eq!((registration.status, registration.body.as_str()), (200, ""));
    consul.wait_passing("app", 1);
    let app = consul.get("/v1/catalog/service/app");
    assert_eq!(app.header("content-type"), Some("application/json"));
    assert!(app.index() > 1, "{app:?}");

    consul.pause();
    let asked = consul.ask("/v1/status/leader");
    assert_eq!(asked.answer_within(SHORT), None);
    consul.resume();
    assert_eq!(asked.answer().status, 200);

    let address = consul.address();
    consul.kill();
    assert!(TcpStream::connect(&address).is_err());
    consul.restart_empty();
    assert_eq!(consul.address(), address);
    assert_eq!(consul.passing("app"), 0);
    // Also while it stands still.
    consul.pause();
    consul.restart_empty();
    assert_eq!(consul.delete("/v1/kv/none").body.trim(), "true");
}

#[test]
fn an_embedded_one_can_be_driven() {
    lives_pauses_dies_and_comes_back_empty(Consul::embedded());
}

#[test]
fn a_real_one_can_be_driven() {
    if let Some(consul) = Consul::real() {
        lives_pauses_dies_and_comes_back_empty(consul);
    }
}

#[test]
fn a_real_one_takes_settings() {
    let config = r#"acl { enabled = true, default_policy = "deny", tokens { master = "root" } }"#;
    let Some(consul) = Consul::real_with(config) else {
        return;
    };
    let token = [("X-Consul-Token", "root")];
    let put = |headers: &[(&str, &str)]| consul.request("PUT", "/v1/kv/a", headers, "1");
    assert_eq!(put(&[]).status, 403);
    assert_eq!(put(&token).status, 200);
}
