use super::*;

fn one(format: Format, name: &str, kind: Type, help: &str, label: &str, value: f64) -> String {
    let mut exposition = Exposition::new(format);
    exposition
        .family(name, kind, help)
        .sample(&[("a", label)], value);
    exposition.finish()
}

#[test]
fn text_is_what_prometheus_reads() {
    assert_eq!(
        one(
            Format::Text,
            "m",
            Type::Counter,
            "a\\b\n\"c\"",
            "x\"y\\z\n",
            42.0
        ),
        "# HELP m a\\\\b\\n\"c\"\n# TYPE m counter\nm{a=\"x\\\"y\\\\z\\n\"} 42\n"
    );
}

#[test]
fn open_metrics_escapes_quotes_and_says_where_it_ends() {
    assert_eq!(
        one(
            Format::OpenMetrics,
            "m",
            Type::Gauge,
            "a\\b\n\"c\"",
            "x",
            -0.5
        ),
        "# HELP m a\\\\b\\n\\\"c\\\"\n# TYPE m gauge\nm{a=\"x\"} -0.5\n# EOF\n"
    );
}

/// The name of a series is the same in both formats, whatever `OpenMetrics` wants of counters.
#[test]
fn a_counter_keeps_its_name() {
    let counter = |format, name| one(format, name, Type::Counter, "h", "x", 1.0);
    assert_eq!(
        counter(Format::OpenMetrics, "m_total"),
        "# HELP m h\n# TYPE m counter\nm_total{a=\"x\"} 1\n# EOF\n"
    );
    assert_eq!(
        counter(Format::OpenMetrics, "m"),
        "# HELP m h\n# TYPE m unknown\nm{a=\"x\"} 1\n# EOF\n"
    );
    assert_eq!(
        counter(Format::Text, "m_total"),
        "# HELP m_total h\n# TYPE m_total counter\nm_total{a=\"x\"} 1\n"
    );
}

#[test]
fn numbers_are_read_everywhere() {
    for (value, expected) in [
        (0.0, "0"),
        (42.0, "42"),
        (0.25, "0.25"),
        (-3.0, "-3"),
        (1e300, "1e300"),
        (1e-30, "1e-30"),
        (1e15, "1e15"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ] {
        let text = one(Format::Text, "m", Type::Gauge, "h", "x", value);
        assert!(text.ends_with(&format!(" {expected}\n")), "{text}");
    }
}

#[test]
fn the_format_is_the_one_that_the_client_prefers() {
    // What Prometheus 2 and 3 send.
    let new = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
               text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    let old =
        "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for (accept, format) in [
        ("", Format::Text),
        ("*/*", Format::Text),
        ("text/html", Format::Text),
        (new, Format::OpenMetrics),
        (old, Format::OpenMetrics),
        ("application/openmetrics-text; version=2.0.0", Format::Text),
        ("application/openmetrics-text;q=0", Format::Text),
        ("application/openmetrics-text;q=x", Format::Text),
        (
            "text/plain, application/openmetrics-text;q=0.9",
            Format::Text,
        ),
        ("APPLICATION/OpenMetrics-Text", Format::OpenMetrics),
    ] {
        assert_eq!(Format::accepted(accept), format, "{accept}");
    }
}

#[test]
fn what_the_application_has_is_not_written_twice() {
    let mut exposition = Exposition::new(Format::Text);
    exposition.leave_out(["a".to_owned()].into_iter());
    exposition.family("a", Type::Gauge, "h").sample(&[], 1.0);
    exposition.family("b", Type::Gauge, "h").sample(&[], 1.0);
    assert_eq!(exposition.finish(), "# HELP b h\n# TYPE b gauge\nb 1\n");
}
