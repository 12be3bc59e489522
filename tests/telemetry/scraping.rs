//! What the program says of itself.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{APP, Served, config};
use crate::support::{PATIENCE, Pilot, Scrape, Signal, free_port, skip, try_get, wait_until};

#[test]
fn jobs_and_checks_are_counted() {
    let served = Served::start(
        "",
        r#"jobs: [
            { name: "app", exec: "sleep 1000", health: { exec: "test -e @DIR@/ok", interval: "100ms", ttl: 5, timeout: "5s" } },
            { name: "fails", exec: { shell: "exit 3" }, restarts: 1, backoff: { initial: "1ms" } },
            { name: "killed", exec: { shell: "kill -9 $$" } },
            { name: "slow", exec: "sleep 1000", timeout: "100ms" },
            { name: "missing", exec: "/no/such/thing" },
            { name: "hook", exec: "true", when: { source: "fails", once: "exitFailed" } },
        ]"#,
    );
    served.wait_series(
        "containerpilot_job_state{job=\"slow\",state=\"complete\"}",
        1.0,
    );
    served.wait_series("containerpilot_job_last_exit_status{job=\"hook\"}", 0.0);
    served.wait_series("containerpilot_job_starts_total{job=\"fails\"}", 2.0);
    served.wait_series(
        "containerpilot_job_state{job=\"fails\",state=\"complete\"}",
        1.0,
    );
    served.wait_series(
        "containerpilot_job_status{job=\"app\",status=\"unhealthy\"}",
        1.0,
    );
    served.pilot.write("ok", "");
    served.wait_series(
        "containerpilot_job_status{job=\"app\",status=\"healthy\"}",
        1.0,
    );
    let scrape = served.scrape();
    for (series, value) in [
        (
            "containerpilot_job_state{job=\"app\",state=\"running\"}",
            1.0,
        ),
        (
            "containerpilot_job_state{job=\"app\",state=\"waiting\"}",
            0.0,
        ),
        ("containerpilot_job_restarts_total{job=\"app\"}", 0.0),
        ("containerpilot_job_restarts_total{job=\"fails\"}", 1.0),
        ("containerpilot_job_last_exit_status{job=\"fails\"}", 3.0),
        ("containerpilot_job_last_exit_status{job=\"killed\"}", 137.0),
        (
            "containerpilot_job_last_exit_status{job=\"missing\"}",
            127.0,
        ),
        ("containerpilot_job_timeouts_total{job=\"slow\"}", 1.0),
        (
            "containerpilot_events{code=\"Startup\",source=\"global\"}",
            1.0,
        ),
        (
            "containerpilot_events{code=\"ExitFailed\",source=\"fails\"}",
            2.0,
        ),
        (
            "containerpilot_events{code=\"ExitSuccess\",source=\"hook\"}",
            1.0,
        ),
        ("containerpilot_maintenance", 0.0),
    ] {
        assert!(
            scrape.has(series, value),
            "{series} {value}: {:#?}",
            scrape.series
        );
    }
    let results = |result: &str| {
        scrape.value(&format!(
            "containerpilot_check_results_total{{job=\"app\",result=\"{result}\"}}"
        ))
    };
    assert!(results("passed") >= 1.0 && results("failed") >= 1.0);
    let checks = scrape.value("containerpilot_check_duration_seconds_count{job=\"app\"}");
    assert!(checks >= results("passed") + results("failed"));
    assert!(scrape.value("containerpilot_job_uptime_seconds{job=\"app\"}") > 0.0);
    assert!(scrape.value("containerpilot_job_last_run_seconds{job=\"slow\"}") > 0.05);
    assert!(
        !scrape
            .series
            .contains_key("containerpilot_job_uptime_seconds{job=\"slow\"}")
    );
    for series in [
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
        "containerpilot_loop_turn_seconds_count",
        "containerpilot_log_lines_total",
        "containerpilot_reaped_total{kind=\"run\"}",
        "containerpilot_spawned_total",
        "containerpilot_queue_limit{queue=\"control\"}",
    ] {
        assert!(scrape.value(series) > 0.0, "{series}");
    }
}

/// D50: what happens does not make labels.
#[test]
fn d50_the_number_of_series_does_not_grow() {
    let served = Served::start(
        "",
        r#"jobs: [ { name: "app", exec: "sleep 1000" }, { name: "each", exec: { shell: "exit 1" }, when: { interval: "20ms" } } ]"#,
    );
    let events = "containerpilot_events{code=\"ExitFailed\",source=\"each\"}";
    let past = |count: f64| {
        served.pilot.wait_until(PATIENCE, "some failures", || {
            let scrape = served.scrape();
            scrape
                .series
                .get(events)
                .is_some_and(|found| *found > count)
        });
        served.scrape()
    };
    let before = past(3.0);
    for path in ["/no", "/v3/ping", "/v3/x", "/api/v1/%00"] {
        served.pilot.request("GET", path, "");
    }
    let after = past(before.value(events) + 5.0);
    let new = after.series.len() - before.series.len();
    assert!(new <= 1, "{new} new series");
}

#[test]
fn status_has_the_original_s_shape() {
    let served = Served::start(
        "",
        r#"consul: "127.0.0.1:1", jobs: [
            { name: "pre", exec: "true" },
            { name: "app", exec: "sleep 1000", port: 80, interfaces: "static:10.0.0.2",
              health: { exec: "true", interval: "50ms", ttl: 5 } },
        ], watches: [ { name: "backend", interval: 5 } ]"#,
    );
    let expected = |word: &str| {
        serde_json::json!({
            "Version": env!("CARGO_PKG_VERSION"),
            "Jobs": [ { "Name": "pre", "Status": "unknown" } ],
            "Services": [
                { "Name": "app", "Address": "10.0.0.2", "Port": 80, "Status": word },
                { "Name": "containerpilot", "Address": "127.0.0.1", "Port": served.port, "Status": "healthy" },
            ],
            "Watches": ["backend"],
        })
    };
    served.pilot.wait_until(PATIENCE, "a healthy app", || {
        served.get("/status").json() == expected("healthy")
    });
    assert_eq!(
        served.get("/status").header("content-type"),
        Some("application/json")
    );
    assert_eq!(
        served
            .pilot
            .request("POST", "/v3/maintenance/enable", "")
            .status,
        200
    );
    assert_eq!(served.get("/status").json(), expected("maintenance"));
    let bare = Served::start("", "");
    let status = bare.get("/status").json();
    assert!(
        status["Jobs"].is_null() && status["Watches"].is_null(),
        "{status}"
    );
}

/// Decision 26.
#[test]
fn probes_follow_health_maintenance_and_stop() {
    let served = Served::start(
        "",
        r#"jobs: [ { name: "app", exec: { shell: "trap 'sleep 5' TERM; sleep 1000" },
             health: { exec: "test -e @DIR@/ok", interval: "50ms", ttl: 5 } } ]"#,
    );
    assert_eq!(served.get("/healthz").body, "ok\n");
    served.wait_status("/readyz", 503);
    assert_eq!(served.get("/readyz").body, "app is not healthy\n");
    served.pilot.write("ok", "");
    served.wait_status("/readyz", 200);
    served.pilot.request("POST", "/v3/maintenance/enable", "");
    assert_eq!(served.get("/readyz").body, "in maintenance\n");
    served.pilot.request("POST", "/v3/maintenance/disable", "");
    served.wait_status("/readyz", 200);
    assert_eq!(served.get("/healthz").status, 200);
    served.pilot.signal(Signal::SIGTERM);
    served.pilot.wait_until(PATIENCE, "the stop", || {
        let answer = try_get(served.port, "/readyz", "");
        answer.is_none_or(|answer| answer.status == 503 && answer.body == "stopping\n")
    });
}

/// Who is through, or has nothing to do now, is not asked for; who has still to start is.
#[test]
fn readiness_asks_those_that_have_work() {
    let check = |file: &str| {
        format!(r#"health: {{ exec: "test -e @DIR@/{file}", interval: "50ms", ttl: 5 }}"#)
    };
    let served = Served::start(
        "",
        &format!(
            r#"jobs: [
                {{ name: "done", exec: "true", {} }},
                {{ name: "hook", exec: "true", when: {{ source: "SIGUSR2" }} }},
                {{ name: "later", exec: "sleep 1000", when: {{ source: "first", once: "exitSuccess" }}, {} }},
                {{ name: "first", exec: {{ shell: "until test -e @DIR@/go; do sleep 0.02; done" }} }},
            ]"#,
            check("never"),
            check("go"),
        ),
    );
    served.wait_series(
        "containerpilot_job_state{job=\"done\",state=\"complete\"}",
        1.0,
    );
    assert_eq!(served.get("/readyz").body, "later is not healthy\n");
    served.pilot.write("go", "");
    served.wait_status("/readyz", 200);
}

#[test]
fn other_paths_and_methods_are_refused() {
    let served = Served::start("", APP);
    let ask = |method: &str, path: &str| crate::support::web(served.port, method, path);
    assert_eq!(ask("GET", "/").status, 404);
    assert_eq!(ask("GET", "/metrics/").status, 404);
    let answer = ask("POST", "/status");
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some("GET, HEAD"))
    );
    let head = ask("HEAD", "/metrics");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    served.wait_series(
        "http_requests_total{code=\"200\",handler=\"prometheus\",method=\"get\"}",
        1.0,
    );
}

/// R01's metric.
#[test]
fn r01_reloads_are_counted() {
    let served = Served::start("", APP);
    let reload = |telemetry: &str, code: i32| {
        let text = config(served.port, telemetry, APP);
        served.pilot.write("containerpilot.json5", &text);
        assert_eq!(served.pilot.ask(&["-reload"]).code, Some(code));
    };
    let counts = |good: f64, bad: f64, failed: f64| {
        served.wait_series("containerpilot_reloads_total{result=\"ok\"}", good);
        served.wait_series("containerpilot_reloads_total{result=\"failed\"}", bad);
        served.wait_series("containerpilot_last_reload_failed", failed);
    };
    counts(0.0, 0.0, 0.0);
    reload("", 0);
    counts(1.0, 0.0, 0.0);
    // The client checks nothing; the running program refuses.
    served.pilot.write("containerpilot.json5", "{ jobs: [");
    let answer = served.pilot.request("POST", "/v3/reload", "");
    assert_eq!(answer.status, 422);
    counts(1.0, 1.0, 1.0);
    reload("", 0);
    counts(2.0, 1.0, 0.0);
    // Counts of jobs go on under their names.
    served.wait_series("containerpilot_job_starts_total{job=\"app\"}", 1.0);
    served.pilot.alter("app");
    assert_eq!(served.pilot.ask(&["-reload"]).code, Some(0));
    served.wait_series("containerpilot_job_starts_total{job=\"app\"}", 2.0);
}

/// Prometheus' own check of the text. It only complains of names, which are the original's.
#[test]
fn promtool_reads_the_text() {
    let served = Served::start(
        r#"metrics: [ { name: "size", help: "sizes", type: "histogram" }, { name: "time", help: "times", type: "summary" } ]"#,
        APP,
    );
    served.record("{ \"size\": 3, \"time\": 3 }");
    let body = served.get("/metrics").body;
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        return skip(
            "the check by promtool",
            "Debian's package prometheus has it",
        );
    };
    let mut input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, body.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    let originals = [
        "containerpilot_events ",
        "containerpilot_control_http_requests ",
    ];
    let others: Vec<&str> = said
        .lines()
        .filter(|line| !originals.iter().any(|name| line.starts_with(name)))
        .collect();
    // 3: read, and something to be said of names.
    assert_eq!((output.status.code(), others), (Some(3), vec![]), "{said}");
}

/// A real Prometheus, which prefers `OpenMetrics`, takes a scrape.
#[test]
fn a_prometheus_scrapes() {
    let served = Served::start(
        r#"metrics: [ { name: "size", help: "sizes", type: "histogram" }, { name: "odd", help: "o", type: "counter" } ]"#,
        APP,
    );
    served.record("{ \"size\": 3, \"odd\": 4 }");
    let dir = tempfile::tempdir().expect("a directory");
    let text = format!(
        "scrape_configs:\n  - job_name: it\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['127.0.0.1:{}']\n",
        served.port
    );
    let file = dir.path().join("prometheus.yml");
    std::fs::write(&file, text).expect("a directory of ours takes files");
    let port = free_port();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            dir.path().join("data").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return skip(
            "the scrape by Prometheus",
            "Debian's package prometheus has it",
        );
    };
    let value = |query: &str| {
        let answer = try_get(port, &format!("/api/v1/query?query={query}"), "*/*")?;
        let answer: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
        let value = answer["data"]["result"][0]["value"][1].as_str()?;
        Some(value.to_owned())
    };
    let begin = Instant::now();
    let found = loop {
        let found = ["up", "odd", "size_count", "containerpilot_build_info"].map(value);
        let is_there = found.iter().all(Option::is_some);
        if is_there || begin.elapsed() > 3 * PATIENCE {
            break found;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let found = found.map(Option::unwrap_or_default);
    assert_eq!(found, ["1", "4", "1", "1"]);
}

/// D51: who only answers questions keeps nobody alive.
#[test]
fn d51_a_finished_container_ends() {
    let port = free_port();
    let text = config(port, "", r#"jobs: [ { name: "a", exec: "true" } ]"#);
    let mut pilot = Pilot::config(&text).start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    // Nothing is left of it.
    wait_until(PATIENCE, "a free port", || {
        TcpListener::bind(("127.0.0.1", port)).is_ok()
    });
}

/// Several watches with one name are one series.
#[test]
fn watches_of_one_name_are_one_series() {
    let consul = crate::support::Consul::embedded();
    let more = format!(
        r#"consul: "{}", {APP}, watches: [ {{ name: "web", interval: 1 }}, {{ name: "web", interval: 1, tag: "a" }} ]"#,
        consul.address()
    );
    let served = Served::start("", &more);
    let service = r#"{ "Name": "web", "Port": 1, "Tags": ["a"] }"#;
    consul.put("/v1/agent/service/register", service);
    // The reader refuses a series that is there twice.
    served.wait_series("containerpilot_watch_instances{service=\"web\"}", 1.0);
    served.pilot.wait_until(PATIENCE, "both changes", || {
        let changed = "containerpilot_events{code=\"StatusChanged\",source=\"watch.web\"}";
        served
            .scrape()
            .series
            .get(changed)
            .is_some_and(|count| *count >= 2.0)
    });
}

/// The watch's series, without and with a catalogue that answers.
#[test]
fn watches_and_calls_are_measured() {
    let consul = crate::support::Consul::embedded();
    let more = format!(
        r#"consul: "{}", {APP}, watches: [ {{ name: "backend", interval: 1 }} ]"#,
        consul.address()
    );
    let served = Served::start("", &more);
    served.wait_series("containerpilot_watch_instances{service=\"backend\"}", 0.0);
    let service = r#"{ "Name": "backend", "Port": 1 }"#;
    consul.put("/v1/agent/service/register", service);
    served.wait_series("containerpilot_watch_instances{service=\"backend\"}", 1.0);
    let scrape = served.scrape();
    assert!(scrape.value("containerpilot_watch_age_seconds{service=\"backend\"}") < 60.0);
    let watch = "containerpilot_consul_requests_total{call=\"watch\",result=\"ok\"}";
    assert!(scrape.value(watch) >= 2.0);
    let register = "containerpilot_consul_requests_total{call=\"register\",result=\"ok\"}";
    assert!(scrape.value(register) >= 1.0);
    let time = "containerpilot_consul_request_duration_seconds_count{call=\"register\"}";
    assert!(scrape.value(time) >= 1.0);
    let changed = "containerpilot_events{code=\"StatusChanged\",source=\"watch.backend\"}";
    assert!(scrape.value(changed) >= 1.0);
    let open =
        try_get(served.port, "/metrics", "application/openmetrics-text").expect("it listens");
    Scrape::open(&open.body);
}
