//! `telemetry`, its metrics, and the jobs that feed them.

use super::*;
use crate::metrics::MetricKind;

#[test]
fn telemetry_is_off_until_it_is_named() {
    let telemetry = clean("{ telemetry: {} }").telemetry.unwrap();
    assert_eq!(
        (telemetry.port, telemetry.address),
        (9090, Some(ip("10.0.0.2")))
    );
    // D37: one text alone will do.
    let telemetry = clean("{ telemetry: { port: '9100', interfaces: 'lo', tags: 'a' } }")
        .telemetry
        .unwrap();
    assert_eq!(
        (telemetry.port, telemetry.address, telemetry.tags.len()),
        (9100, Some(ip("127.0.0.1")), 1)
    );
    refused(
        "{ telemetry: { port: 0 } }",
        "a port is a number from 1 to 65535",
    );
    refused(
        "{ telemetry: { interfaces: 'static:name' } }",
        "not an IP address",
    );
    refused("{ telemetry: true }", "expected an object");
    warned("{ telemetry: { addr: 'x' } }", "the key has no effect");
}

#[test]
fn metrics_have_a_type_a_name_and_a_help() {
    let metrics = |list: &str| format!("{{ telemetry: {{ metrics: [ {list} ] }} }}");
    let config = clean(&metrics(
        "{ namespace: 'ns', subsystem: '', name: 'm', help: 'h', type: 'counter' }",
    ));
    let metric = config.telemetry.unwrap().metrics.remove(0);
    assert_eq!(
        (metric.full_name().as_str(), metric.kind),
        ("ns_m", MetricKind::Counter)
    );
    let table = [
        (
            "{ name: 'm', help: 'h', type: 'Counter' }",
            "invalid metric type: `Counter`",
        ),
        ("{ name: 'm', help: 'h' }", "`type` is missing"),
        ("{ name: 'm', type: 'gauge' }", "empty help string"),
        (
            "{ name: 'a.b', help: 'h', type: 'gauge' }",
            "`a.b` is not a valid metric name",
        ),
        (
            "{ help: 'h', type: 'gauge' }",
            "`` is not a valid metric name",
        ),
        (
            "{ name: '1m', help: 'h', type: 'gauge' }",
            "is not a valid metric name",
        ),
        (
            "{ name: 'm', help: 'h', type: 'gauge', unit: 's' }",
            "unknown key `unit`",
        ),
        (
            "{ name: 'm', help: 'h', type: 'gauge' }, { name: 'm', help: 'i', type: 'gauge' }",
            "with another type or help",
        ),
    ];
    for (list, expected) in table {
        refused(&metrics(list), expected);
    }
    let own = "{ namespace: 'containerpilot', name: 'events', help: 'h', type: 'gauge' }";
    warned(&metrics(own), "hides the program's own series");
    let same = "{ name: 'm', help: 'h', type: 'gauge' }, { name: 'm', help: 'h', type: 'gauge' }";
    let config = warned(&metrics(same), "this one is left out");
    assert_eq!(config.telemetry.unwrap().metrics.len(), 1);
}

#[test]
fn buckets_and_quantiles_are_ascending_numbers() {
    let metric = |rest: &str| {
        format!("{{ telemetry: {{ metrics: [ {{ name: 'm', help: 'h', {rest} }} ] }} }}")
    };
    let kind = |rest: &str| {
        let telemetry = clean(&metric(rest)).telemetry.unwrap();
        telemetry.metrics.into_iter().next().unwrap().kind
    };
    let buckets = MetricKind::BUCKETS.to_vec();
    assert_eq!(kind("type: 'histogram'"), MetricKind::Histogram { buckets });
    let quantiles = MetricKind::QUANTILES.to_vec();
    assert_eq!(kind("type: 'summary'"), MetricKind::Summary { quantiles });
    let buckets = vec![-1.0, 0.5, 10.0];
    assert_eq!(
        kind("type: 'histogram', buckets: [-1, '0.5', 10, Infinity]"),
        MetricKind::Histogram { buckets }
    );
    let quantiles = vec![0.25];
    assert_eq!(
        kind("type: 'summary', quantiles: [0.25]"),
        MetricKind::Summary { quantiles }
    );
    for (rest, expected) in [
        ("type: 'histogram', buckets: [2, 1]", "not greater than"),
        ("type: 'histogram', buckets: [1, 1]", "not greater than"),
        ("type: 'histogram', buckets: []", "at least one bound"),
        (
            "type: 'histogram', buckets: [-Infinity]",
            "at least one bound",
        ),
        ("type: 'histogram', buckets: [NaN]", "expected a number"),
        ("type: 'histogram', buckets: ['x']", "expected a number"),
        ("type: 'histogram', buckets: 5", "expected an array"),
        ("type: 'gauge', buckets: [1]", "`buckets` has no use"),
        (
            "type: 'histogram', quantiles: [0.5]",
            "`quantiles` has no use",
        ),
        ("type: 'summary', quantiles: [0]", "above 0 and below 1"),
        ("type: 'summary', quantiles: [1]", "above 0 and below 1"),
    ] {
        refused(&metric(rest), expected);
    }
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let many = format!("type: 'histogram', buckets: [{}]", many.join(","));
    refused(&metric(&many), "more than 100 numbers");
}

#[test]
fn a_sensor_names_a_metric() {
    let file = |job: &str| {
        format!(
            "{{ jobs: [ {{ name: 'a', {job} }} ],
                telemetry: {{ metrics: [ {{ name: 'm', help: 'h', type: 'gauge' }} ] }} }}"
        )
    };
    for name in ["m", "__m"] {
        let config = clean(&file(&format!("exec: 'x', metric: '{name}'")));
        assert_eq!(config.jobs[0].metric.as_deref(), Some(name));
    }
    for (job, expected) in [
        (
            "exec: 'x', metric: 'n'",
            "`telemetry.metrics` has no metric `n`",
        ),
        ("exec: 'x', metric: []", "expected a string"),
        ("metric: 'm'", "a job without `exec` writes nothing"),
        ("exec: 'x', tty: true, metric: 'm'", "goes past us"),
        (
            "exec: 'x', logging: { raw: true }, metric: 'm'",
            "goes past us",
        ),
    ] {
        refused(&file(job), expected);
    }
    refused(
        "{ jobs: [ { name: 'a', exec: 'x', metric: 'm' } ] }",
        "`telemetry.metrics` has no metric `m`",
    );
}
