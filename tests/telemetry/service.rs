//! Our own service in the catalogue.

use super::{APP, Served, config};
use crate::support::{Consul, PATIENCE, wait_until};

/// D51, S08: a container that ends by itself takes its service out.
#[test]
fn a_container_that_ends_leaves_the_catalogue() {
    let consul = Consul::embedded();
    let more = format!(
        r#"consul: "{}", jobs: [ {{ name: "a", exec: {{ shell: "until test -e @DIR@/go; do sleep 0.05; done" }} }} ]"#,
        consul.address()
    );
    let mut served = Served::start("", &more);
    consul.wait_passing("containerpilot", 1);
    served.pilot.write("go", "");
    assert_eq!(served.pilot.wait_exit(PATIENCE).code(), Some(0));
    let left = consul.get("/v1/catalog/service/containerpilot").json();
    assert_eq!(left, serde_json::json!([]));
}

/// Spec 4.9: every five seconds.
#[test]
fn the_heartbeat_goes_on() {
    let consul = Consul::embedded();
    let served = Served::start("", &format!(r#"consul: "{}", {APP}"#, consul.address()));
    consul.wait_passing("containerpilot", 1);
    let updates = || {
        let series = "containerpilot_consul_requests_total{call=\"update\",result=\"ok\"}";
        served.scrape().series.get(series).copied().unwrap_or(0.0)
    };
    // A registration brings one (spec 6.4).
    served
        .pilot
        .wait_until(PATIENCE, "a heartbeat", || updates() >= 2.0);
}

/// R02, R07: a reload brings other tags, and the service is there again.
#[test]
fn a_reload_changes_the_registration() {
    let consul = Consul::embedded();
    let more = format!(r#"consul: "{}", {APP}"#, consul.address());
    let served = Served::start("tags: [\"old\"]", &more);
    let first_tag = |tag: &str| {
        wait_until(PATIENCE, tag, || {
            let found = consul
                .get("/v1/health/service/containerpilot?passing")
                .json();
            found[0]["Service"]["Tags"][0] == tag
        });
    };
    first_tag("old");
    let text = config(served.port, "tags: [\"new\"]", &more);
    served.pilot.write("containerpilot.json5", &text);
    assert_eq!(served.pilot.ask(&["-reload"]).code, Some(0));
    first_tag("new");
}

/// A job of the same name is another service.
#[test]
fn a_job_of_our_name_keeps_its_own() {
    let consul = Consul::embedded();
    let more = format!(
        r#"consul: "{}", jobs: [ {{ name: "containerpilot", exec: "sleep 1000", port: 80, interfaces: "static:127.0.0.1",
            health: {{ exec: "true", interval: 1, ttl: 5 }} }} ]"#,
        consul.address()
    );
    let _served = Served::start("", &more);
    consul.wait_passing("containerpilot", 2);
}

#[test]
fn jobs_know_the_address() {
    let served = Served::start(
        "",
        r#"jobs: [ { name: "a", exec: { shell: "echo it is $CONTAINERPILOT_CONTAINERPILOT_IP; sleep 1000" } } ]"#,
    );
    served.pilot.wait_for_line("it is 127.0.0.1", PATIENCE);
}
