//! Our own service in the catalogue.

use super::{APP, Served, config};
use crate::support::{Consul, PATIENCE, Signal, wait_until};

/// The original's `test_telemetry`, with its names and assertions.
fn test_telemetry_with(consul: &Consul) {
    let telemetry = r#"tags: ["t1"], metrics: [
        { namespace: "containerpilot", subsystem: "app", name: "some_counter", help: "h", type: "counter" } ]"#;
    let program = env!("CARGO_BIN_EXE_pilothouse");
    let more = format!(
        r#"consul: "{}", jobs: [
            {{ name: "app", exec: "sleep 1000", port: 8000, interfaces: "static:127.0.0.1",
               health: {{ exec: "true", interval: 1, ttl: 5 }} }},
            {{ name: "sensor", when: {{ interval: "1s" }}, restarts: "unlimited",
               exec: ["{program}", "-config", "@DIR@/containerpilot.json5", "-putmetric", "containerpilot_app_some_counter=42"] }},
        ], watches: [ {{ name: "missing", interval: 1 }} ]"#,
        consul.address()
    );
    let mut served = Served::start(telemetry, &more);
    let body = || served.get("/metrics").body;
    served.pilot.wait_until(PATIENCE, "the counter", || {
        body()
            .lines()
            .any(|line| line == "containerpilot_app_some_counter 42")
    });
    let text = body();
    for name in [
        "containerpilot_events",
        "containerpilot_control_http_requests",
        "containerpilot_watch_instances",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
    served.pilot.wait_until(PATIENCE, "healthy services", || {
        let status = served.get("/status").json();
        let word = |index: usize| status["Services"][index]["Status"].clone();
        word(0) == "healthy" && word(1) == "healthy"
    });
    consul.wait_passing("containerpilot", 1);
    let found = consul.get("/v1/catalog/service/containerpilot").json();
    let tags = serde_json::json!(["t1", env!("CARGO_PKG_VERSION")]);
    assert_eq!(found[0]["ServiceTags"], tags, "{found}");
    assert_eq!(found[0]["ServicePort"], served.port);
    assert_eq!(found[0]["ServiceAddress"], "127.0.0.1");
    // Not in maintenance.
    served.pilot.request("POST", "/v3/maintenance/enable", "");
    wait_until(PATIENCE, "nobody", || {
        let found = consul.get("/v1/catalog/service/containerpilot").json();
        found == serde_json::json!([])
    });
    served.pilot.request("POST", "/v3/maintenance/disable", "");
    consul.wait_passing("containerpilot", 1);
    served.pilot.signal(Signal::SIGTERM);
    assert_eq!(served.pilot.wait_exit(PATIENCE).code(), Some(0));
    let left = consul.get("/v1/catalog/service/containerpilot").json();
    assert_eq!(left, serde_json::json!([]));
}

#[test]
fn test_telemetry() {
    if let Some(consul) = Consul::real() {
        test_telemetry_with(&consul);
    }
}

#[test]
fn test_telemetry_with_the_embedded_catalogue() {
    test_telemetry_with(&Consul::embedded());
}

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
