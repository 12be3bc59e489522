//! Those that register and watch.

use super::{runs, stop};
use crate::support::{Consul, PATIENCE, Pilot, Signal, compiled, free_port, try_get, wait_until};
use crate::telemetry::Served;

/// Declares a test against a real Consul, and its twin against the embedded one.
macro_rules! with_a_catalogue {
    ($real:ident, $embedded:ident, $body:expr) => {
        #[test]
        fn $real() {
            if let Some(consul) = Consul::real() {
                $body(&consul);
            }
        }

        #[test]
        fn $embedded() {
            $body(&Consul::embedded());
        }
    };
}

/// Different on purpose: the socket stays open over a reload, so it is served once.
fn config_reload(consul: &Consul) {
    let telemetry_port = free_port();
    let Some(mut pilot) = Pilot::config(&format!(
        r#"{{
            consul: "{}", control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1,
            logging: {{ level: "DEBUG", format: "text" }},
            telemetry: {{ port: {telemetry_port}, interfaces: "static:127.0.0.1" }},
            jobs: [
                {{ name: "preStart", exec: ["echo", "pre"] }},
                {{ name: "app", when: {{ source: "preStart", once: "exitSuccess" }}, exec: ["sleep", "61"], restarts: "unlimited",
                  port: 8000, interfaces: "static:127.0.0.1", health: {{ exec: "true", interval: 1, ttl: 5 }} }},
            ],
            watches: [ {{ name: "upstreamA", interval: 1 }}, {{ name: "upstreamB", interval: 1 }} ],
        }}"#,
        consul.address()
    ))
    .start_as_pid1() else {
        return;
    };
    consul.wait_passing("app", 1);
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    let reloaded = r#"msg="control: reloaded app via control plane""#;
    assert_eq!(pilot.wait_for_lines(reloaded, 1, PATIENCE).len(), 1);
    let serving = pilot.wait_for_lines("control: serving at ", 1, PATIENCE);
    assert_eq!(serving.len(), 1);
    for _ in 0..200 {
        // Whatever it says.
        let _ = pilot.request("POST", "/v3/reload", "");
    }
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    pilot.wait_until(PATIENCE, "the app", || runs(&pilot, "sleep 61"));
    consul.wait_passing("app", 1);
    assert!(try_get(telemetry_port, "/status", "*/*").is_some());
    stop(&mut pilot);
}

with_a_catalogue!(
    test_config_reload,
    test_config_reload_with_the_embedded_catalogue,
    config_reload
);

/// A supervisor with one service, which is a small web server, and a job that writes down where the other one is.
fn web_server(consul: &Consul, (name, port): (&str, u16), other: &str) -> Pilot {
    let pilot = Pilot::config(&format!(
        r#"{{
            consul: "{}", control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1,
            jobs: [
                {{ name: "preStart", exec: "touch @DIR@/routes" }},
                {{ name: "{name}", exec: ["@DIR@/server", "{port}", "@DIR@/routes"], restarts: "unlimited",
                  when: {{ source: "preStart", once: "exitSuccess" }}, port: {port}, interfaces: "static:127.0.0.1",
                  health: {{ http: "http://127.0.0.1:{port}/", interval: 1, ttl: 5 }} }},
                {{ name: "onchange", when: {{ source: "watch.{other}", each: "changed" }},
                  exec: {{ shell: "echo $CONTAINERPILOT_WATCH_INSTANCES > @DIR@/routes; kill -HUP $CONTAINERPILOT_{}_PID" }} }},
            ],
            watches: [ {{ name: "{other}", interval: 1 }} ],
        }}"#,
        consul.address(),
        name.to_uppercase()
    ));
    compiled(pilot.dir(), "server", include_str!("../stubs/front.c"));
    pilot
}

fn discovery_consul(consul: &Consul) {
    let (app_port, nginx_port) = (free_port(), free_port());
    let nginx = web_server(consul, ("nginx", nginx_port), "app").start_as_pid1();
    let Some(mut nginx) = nginx else { return };
    consul.wait_passing("nginx", 1);
    let route = || try_get(nginx_port, "/app/", "*/*").map(|answer| answer.status);
    assert_eq!(route(), Some(502), "nobody is there yet");
    let app = web_server(consul, ("app", app_port), "nginx").start_as_pid1();
    let Some(mut app) = app else { return };
    consul.wait_passing("app", 1);
    consul.wait_passing("nginx", 1);
    wait_until(PATIENCE, "the route to the app", || route() == Some(200));
    // And back: each has heard of the other.
    let heard = || std::fs::read_to_string(app.dir().join("routes")).unwrap_or_default();
    let place = format!("127.0.0.1:{nginx_port}\n");
    wait_until(PATIENCE, "the place of nginx", || heard() == place);
    stop(&mut app);
    wait_until(PATIENCE, "the end of the route", || route() == Some(502));
    stop(&mut nginx);
}

with_a_catalogue!(
    test_discovery_consul,
    test_discovery_consul_with_the_embedded_catalogue,
    discovery_consul
);

/// The service of the signal tests.
const SERVICE: &str =
    r#"port: 8000, interfaces: "static:127.0.0.1", health: { exec: "true", interval: 1, ttl: 5 }"#;

fn sighup(consul: &Consul) {
    let Some(mut pilot) = Pilot::config(&format!(
        r#"{{
            consul: "{}", control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, logging: {{ format: "text" }},
            jobs: [
                {{ name: "app", exec: "sleep 61", {SERVICE} }},
                {{ name: "on-sighup", when: {{ source: "SIGHUP" }}, exec: "echo 'on-sighup job fired on SIGHUP'" }},
                {{ name: "on-sigusr2", when: {{ source: "SIGUSR2" }}, exec: "echo 'on-sigusr2 job fired on SIGUSR2'" }},
            ],
        }}"#,
        consul.address()
    ))
    .start_as_pid1() else {
        return;
    };
    let app = || pilot.find("sleep 61").first().map(|process| process.pid);
    pilot.wait_until(PATIENCE, "the app", || runs(&pilot, "sleep 61"));
    consul.wait_passing("app", 1);
    let before = app();
    pilot.signal(Signal::SIGHUP);
    pilot.wait_for_line(r#"msg="'on-sighup job fired on SIGHUP"#, PATIENCE);
    assert_eq!(consul.passing("app"), 1);
    pilot.signal(Signal::SIGUSR2);
    pilot.wait_for_line(r#"msg="'on-sigusr2 job fired on SIGUSR2"#, PATIENCE);
    assert_eq!(consul.passing("app"), 1);
    // Each signal each time; SIGHUP is an event here and reloads nothing.
    pilot.signal(Signal::SIGHUP);
    pilot.wait_for_lines(r#"msg="'on-sighup job fired on SIGHUP"#, 2, PATIENCE);
    assert_eq!(app(), before);
    stop(&mut pilot);
}

with_a_catalogue!(test_sighup, test_sighup_with_the_embedded_catalogue, sighup);

fn sigterm(consul: &Consul) {
    let Some(mut pilot) = Pilot::config(&format!(
        r#"{{
            consul: "{}", control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, logging: {{ format: "text" }},
            jobs: [
                {{ name: "app", exec: "sleep 60", {SERVICE} }},
                {{ name: "preStop", when: {{ source: "app", once: "stopping" }}, exec: "echo 'preStop fired on app stopping" }},
                {{ name: "postStop", when: {{ source: "app", once: "stopped" }}, exec: "echo 'postStop fired on app stopped" }},
            ],
        }}"#,
        consul.address()
    ))
    .start_as_pid1() else {
        return;
    };
    pilot.wait_until(PATIENCE, "the app", || runs(&pilot, "sleep 60"));
    consul.wait_passing("app", 1);
    stop(&mut pilot);
    pilot.wait_for_line(r#"msg="'preStop fired on app stopping"#, PATIENCE);
    pilot.wait_for_line(r#"msg="'postStop fired on app stopped"#, PATIENCE);
    let left = consul.get("/v1/catalog/service/app").json();
    assert_eq!(left, serde_json::json!([]));
}

with_a_catalogue!(
    test_sigterm,
    test_sigterm_with_the_embedded_catalogue,
    sigterm
);

/// Different on purpose: "healthy" is the whole word, and our own service leaves for a maintenance and comes back.
fn telemetry(consul: &Consul) {
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

with_a_catalogue!(
    test_telemetry,
    test_telemetry_with_the_embedded_catalogue,
    telemetry
);
