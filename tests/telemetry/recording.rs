//! The application's own metrics.

use super::{APP, Served};
use crate::support::{PATIENCE, Scrape, try_get};

const METRICS: &str = r#"metrics: [
    { namespace: "a", subsystem: "b", name: "count", help: "counted", type: "counter" },
    { namespace: "a", name: "level", help: "measured", type: "gauge" },
    { name: "size", help: "sizes", type: "histogram", buckets: [1, 2.5] },
    { name: "time", help: "times", type: "summary", quantiles: [0.5] },
]"#;

#[test]
fn all_types_are_recorded_and_read_in_both_formats() {
    let served = Served::start(METRICS, APP);
    for value in ["1.5", "\"2.5\"", "\" 9 \""] {
        let values = format!(
            r#"{{ "a_b_count": {value}, "a_level": {value}, "size": {value}, "time": {value} }}"#
        );
        assert_eq!(served.record(&values), (200, "\n".to_owned()));
    }
    let text = served.get("/metrics");
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(text.header("content-type"), Some(kind));
    let scrape = Scrape::text(&text.body);
    for (series, value) in [
        ("a_b_count", 13.0),
        ("a_level", 9.0),
        ("size_bucket{le=\"1\"}", 0.0),
        ("size_bucket{le=\"2.5\"}", 2.0),
        ("size_bucket{le=\"+Inf\"}", 3.0),
        ("size_sum", 13.0),
        ("time{quantile=\"0.5\"}", 2.5),
        ("time_count", 3.0),
    ] {
        assert!(scrape.has(series, value), "{series} {value}\n{}", text.body);
    }
    assert_eq!(scrape.types["a_b_count"], "counter");
    let accept = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5";
    let open = try_get(served.port, "/metrics", accept).expect("it listens");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(kind));
    let scrape = Scrape::open(&open.body);
    assert!(scrape.has("a_b_count", 13.0) && scrape.has("size_bucket{le=\"1.0\"}", 0.0));
}

/// D19: the exposed name works, and so does the original's.
#[test]
fn d19_the_client_records_under_both_spellings() {
    let served = Served::start(METRICS, APP);
    for name in ["a_level", "a__level"] {
        let words = ["-putmetric", &format!("{name}=7")];
        let answer = served.pilot.ask(&words);
        assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
        assert!(served.scrape().has("a_level", 7.0));
        served.record("{ \"a_level\": 0 }");
    }
}

/// K05, D18.
#[test]
fn k05_d18_wrong_values_are_refused_and_change_nothing() {
    let served = Served::start(METRICS, APP);
    served.record("{ \"a_b_count\": 3 }");
    let before = served.scrape();
    let huge = format!("{{ \"{}\": 1 }}", "x".repeat(200_000));
    let many: Vec<String> = (0..2_000).map(|n| format!("\"m{n}\": 1")).collect();
    let many = format!("{{ {} }}", many.join(","));
    for (values, reason) in [
        ("{ \"a_b_count\": -1 }", "no value below zero"),
        ("{ \"a_b_count\": \"NaN\" }", "not a finite number"),
        ("{ \"a_level\": \"inf\" }", "not a finite number"),
        ("{ \"a_level\": 1e999 }", "not JSON"),
        ("{ \"a_level\": \"much\" }", "not a finite number"),
        ("{ \"a_level\": null }", "not a finite number"),
        ("{ \"nobody\": 1 }", "no metric of this name"),
        (
            "{ \"a_level\": 5, \"nobody\": 1 }",
            "no metric of this name",
        ),
        (huge.as_str(), "no metric of this name"),
        (many.as_str(), "no metric of this name"),
    ] {
        let (status, body) = served.record(values);
        assert_eq!(status, 422, "{values:.80}: {body:.200}");
        assert!(body.contains(reason) && body.len() < 400, "{body}");
    }
    let answer = served.pilot.ask(&["-putmetric", "nobody=1"]);
    assert_eq!(answer.code, Some(1));
    assert!(
        answer.stderr.contains("no metric of this name"),
        "{answer:?}"
    );
    let after = served.scrape();
    assert!(after.has("a_b_count", 3.0) && after.has("a_level", 0.0));
    // Only what the server itself counts is new: requests that were refused.
    let new = after.series.keys();
    let new = new.filter(|series| !before.series.contains_key(*series));
    let new: Vec<&String> = new.collect();
    let refused = "containerpilot_control_http_requests{code=\"422\",path=\"/v3/metric\"}";
    assert_eq!(new, [refused]);
    // Two of them are refused by the loop, the rest before.
    assert!(after.value("containerpilot_metrics_refused_total") >= 2.0);
}

/// As in the original, which took them and recorded nothing.
#[test]
fn without_telemetry_values_are_dropped() {
    let pilot = crate::support::Pilot::jobs(r#"[ { name: "app", exec: "sleep 1000" } ]"#).start();
    pilot.wait_until(PATIENCE, "the socket", || {
        pilot.ask(&["-putmetric", "any=1"]).code == Some(0)
    });
}

/// D49: metrics follow the configuration; what stays the same goes on.
#[test]
fn d49_a_reload_changes_metrics() {
    let served = Served::start(METRICS, APP);
    served.record("{ \"a_b_count\": 3, \"a_level\": 3, \"size\": 3 }");
    let metrics = r#"metrics: [
        { namespace: "a", subsystem: "b", name: "count", help: "another help", type: "counter" },
        { namespace: "a", name: "level", help: "counted now", type: "counter" },
        { name: "fresh", help: "new", type: "gauge" },
    ]"#;
    let text = super::config(served.port, metrics, APP);
    served.pilot.write("containerpilot.json5", &text);
    assert_eq!(served.pilot.ask(&["-reload"]).code, Some(0));
    served.wait_series("fresh", 0.0);
    let scrape = served.scrape();
    assert!(scrape.has("a_b_count", 3.0) && scrape.has("a_level", 0.0));
    assert!(!scrape.types.contains_key("size"));
    assert_eq!(served.record("{ \"size\": 1 }").0, 422);
}
