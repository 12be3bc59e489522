use super::*;

fn record(registry: &mut Registry, name: &str, value: f64, now: Instant) -> Result<(), String> {
    let result = registry.record(&[(name.to_owned(), value)], now);
    result.map_err(|refusal| refusal.to_string())
}

/// A counter `c`, a gauge `g`, a histogram `h` and a summary `s`.
fn one_of_each(now: Instant) -> Registry {
    let specs = [
        metric("c", MetricKind::Counter),
        metric("g", MetricKind::Gauge),
        metric("h", histogram()),
        metric("s", summary()),
    ];
    Registry::new(&specs, now)
}

#[test]
fn each_type_does_what_it_is_for() {
    let now = Instant::now();
    let mut registry = one_of_each(now);
    for value in [1.2, 1.2, 4.5] {
        for name in ["c", "g", "h", "s"] {
            record(&mut registry, name, value, now).unwrap();
        }
    }
    let text = text(&mut registry, Format::Text, now);
    for line in [
        "# HELP c help of c",
        "# TYPE c counter",
        "c 6.9",
        "# TYPE g gauge",
        "g 4.5",
        "# TYPE h histogram",
        "h_bucket{le=\"1\"} 0",
        "h_bucket{le=\"2.5\"} 2",
        "h_bucket{le=\"5\"} 3",
        "h_bucket{le=\"10\"} 3",
        "h_bucket{le=\"+Inf\"} 3",
        "h_sum 6.9",
        "h_count 3",
        "# TYPE s summary",
        "s{quantile=\"0.5\"} 1.2",
        "s{quantile=\"0.99\"} 4.5",
        "s_sum 6.9",
        "s_count 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn open_metrics_writes_bounds_with_a_point_and_no_sum_below_zero() {
    let now = Instant::now();
    let mut registry = Registry::new(&[metric("h", histogram()), metric("s", summary())], now);
    for name in ["h", "s"] {
        record(&mut registry, name, 5.0, now).unwrap();
    }
    let before = text(&mut registry, Format::OpenMetrics, now);
    assert!(before.contains("h_bucket{le=\"5.0\"} 1\n"), "{before}");
    assert!(before.contains("h_sum 5\n") && before.contains("s_sum 5\n"));
    for name in ["h", "s"] {
        record(&mut registry, name, -1.0, now).unwrap();
    }
    let after = text(&mut registry, Format::OpenMetrics, now);
    assert!(
        !after.contains("_sum") && after.contains("h_count 2\n"),
        "{after}"
    );
    assert!(text(&mut registry, Format::Text, now).contains("h_sum 4\n"));
}

/// D19: the manual's own example did not work.
#[test]
fn d19_both_spellings_of_a_name_record() {
    let now = Instant::now();
    let mut only_name = metric("m", MetricKind::Counter);
    let mut odd = metric("__m", MetricKind::Gauge);
    let registry = |specs: &[MetricSpec]| Registry::new(specs, now);
    let mut one = registry(&[only_name.clone()]);
    record(&mut one, "m", 1.0, now).unwrap();
    record(&mut one, "__m", 1.0, now).unwrap();
    assert!(text(&mut one, Format::Text, now).contains("\nm 2\n"));
    only_name.namespace = "ns".to_owned();
    let mut one = registry(&[only_name.clone()]);
    record(&mut one, "ns__m", 1.0, now).unwrap();
    record(&mut one, "ns_m", 1.0, now).unwrap();
    assert!(record(&mut one, "m", 1.0, now).is_err());
    // A name that is exposed is never another metric's old spelling.
    only_name.namespace.clear();
    odd.help = "h".to_owned();
    let mut two = registry(&[only_name, odd]);
    record(&mut two, "__m", 7.0, now).unwrap();
    let text = text(&mut two, Format::Text, now);
    assert!(
        text.contains("\n__m 7\n") && text.contains("\nm 0\n"),
        "{text}"
    );
}

/// D18, K05: refused with a reason, and nothing is changed by it.
#[test]
fn k05_d18_what_would_spoil_a_metric_is_refused() {
    let now = Instant::now();
    let mut registry = one_of_each(now);
    record(&mut registry, "c", 1.0, now).unwrap();
    for name in ["c", "h", "s"] {
        record(&mut registry, name, f64::MAX, now).unwrap();
    }
    let before = text(&mut registry, Format::Text, now);
    for (name, value, reason) in [
        ("c", -1.0, "a counter takes no value below zero"),
        ("c", f64::NAN, "not a finite number"),
        ("g", f64::INFINITY, "not a finite number"),
        ("c", f64::MAX, "too large"),
        ("h", f64::MAX, "too large"),
        ("s", f64::MAX, "too large"),
        ("x", 1.0, "no metric of this name"),
        ("", 1.0, "no metric of this name"),
    ] {
        let refusal = record(&mut registry, name, value, now).unwrap_err();
        assert!(refusal.contains(reason), "{refusal}");
    }
    let long = record(&mut registry, &"x\n".repeat(1000), 1.0, now).unwrap_err();
    assert!(long.len() < 250 && !long.contains('\n'), "{long}");
    // All or none.
    let both = [("g".to_owned(), 5.0), ("x".to_owned(), 5.0)];
    assert!(registry.record(&both, now).is_err());
    assert_eq!(text(&mut registry, Format::Text, now), before);
    // Each fits, both do not: what is recorded stays a number.
    let mut registry = Registry::new(&[metric("m", MetricKind::Counter)], now);
    let both = ["m", "__m"].map(|name| (name.to_owned(), f64::MAX));
    registry.record(&both, now).unwrap();
    assert!(!text(&mut registry, Format::Text, now).contains("Inf"));
}

#[test]
fn a_summary_forgets_what_is_older_than_ten_minutes() {
    let start = Instant::now();
    let mut registry = Registry::new(&[metric("s", summary())], start);
    record(&mut registry, "s", 1.0, start).unwrap();
    let median = |registry: &mut Registry, now| {
        let text = text(registry, Format::Text, now);
        let line = text
            .lines()
            .find(|line| line.starts_with("s{quantile=\"0.5\"}"));
        line.unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(median(&mut registry, start + secs(479)), "1");
    record(&mut registry, "s", 9.0, start + secs(500)).unwrap();
    record(&mut registry, "s", 9.0, start + secs(500)).unwrap();
    assert_eq!(median(&mut registry, start + secs(601)), "9");
    assert_eq!(median(&mut registry, start + secs(36_000)), "NaN");
    let text = text(&mut registry, Format::Text, start + secs(36_000));
    assert!(
        text.contains("s_count 3\n") && text.contains("s_sum 19\n"),
        "{text}"
    );
    record(&mut registry, "s", 3.0, start + secs(36_001)).unwrap();
    assert_eq!(median(&mut registry, start + secs(36_002)), "3");
}

/// D49: a changed help was the end of the original, and what was removed stayed.
#[test]
fn d49_another_configuration_takes_over() {
    let now = Instant::now();
    let mut specs = [
        metric("stays", MetricKind::Counter),
        metric("turns", MetricKind::Counter),
        metric("goes", MetricKind::Counter),
    ];
    let mut registry = Registry::new(&specs, now);
    for name in ["stays", "turns", "goes"] {
        record(&mut registry, name, 5.0, now).unwrap();
    }
    specs[0].help = "another".to_owned();
    specs[1].kind = MetricKind::Gauge;
    specs[2] = metric("comes", MetricKind::Counter);
    registry.follow(&specs, now);
    let text = text(&mut registry, Format::Text, now);
    for line in [
        "# HELP stays another",
        "stays 5",
        "# TYPE turns gauge",
        "turns 0",
        "comes 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("goes"), "{text}");
    assert!(record(&mut registry, "goes", 1.0, now).is_err());
}
