//! No input makes the reader panic, hang or grow.

use proptest::prelude::*;

use super::*;

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a:", "[{a:"] {
        let report = try_load(&open.repeat(100_000)).unwrap_err();
        assert!(report.to_string().contains("nested deeper"), "{report}");
    }
}

#[test]
fn a_large_text_is_refused_before_it_is_read() {
    let report = try_load(&" ".repeat(50 << 20)).unwrap_err();
    assert!(
        report.to_string().contains("at most 1048576 are read"),
        "{report}"
    );
}

#[test]
fn a_large_text_of_faults_is_bounded() {
    let texts = [
        format!("{{ {} }}", "a: 1, ".repeat(100_000)),
        format!("{{ jobs: [ {} ] }}", "{ name: 'a' }, ".repeat(50_000)),
        format!(
            "{{ jobs: [ {} ] }}",
            "{ name: 'a', when: { source: 'b', once: 'stopped' } }, ".repeat(15_000)
        ),
        format!("{{ {} }}", many_keys(80_000)),
        format!("{{ jobs: [ {{ name: '{}' }} ] }}", "x".repeat(1 << 19)),
        format!("{{ jobs: '{}' }}", "x".repeat(1 << 19)),
    ];
    for text in texts {
        let said = match try_load(&text) {
            Ok(loaded) => loaded.warnings.to_string(),
            Err(report) => report.to_string(),
        };
        assert!(said.len() < 100_000, "{}", said.len());
    }
}

fn many_keys(count: usize) -> String {
    let keys: Vec<String> = (0..count).map(|key| format!("k{key}: 1")).collect();
    keys.join(",")
}

/// Words that lead into every reader.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "'",
        "\"",
        "\n",
        " ",
        "jobs",
        "name",
        "exec",
        "when",
        "health",
        "interval",
        "once",
        "each",
        "source",
        "watches",
        "telemetry",
        "metrics",
        "metric",
        "buckets",
        "consul",
        "token",
        "control",
        "logging",
        "stopTimeout",
        "'app'",
        "'5s'",
        "-1",
        "0x",
        "NaN",
        "1e999",
        "null",
        "true",
        "//",
        "/*",
        "*/",
        "\\",
        "\\u",
        "ä",
        "\u{0}",
        "x-",
        "port",
        "interfaces",
        "'eth0[1]'",
        "restarts",
        "forward",
        "{{",
        "}}",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..60)
        .prop_map(|words| words.concat())
}

/// A value of any type for any key.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<f64>().prop_map(|number| number.to_string().replace("inf", "Infinity")),
        any::<i64>().prop_map(|number| number.to_string()),
        "[ -~]{0,12}".prop_map(|text| format!("{text:?}")),
        "[0-9]{1,20}(ns|us|ms|s|m|h|d)?".prop_map(|text| format!("'{text}'")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(("[a-zA-Z]{1,8}", inner), 0..4).prop_map(|pairs| {
                let pairs: Vec<String> = pairs
                    .into_iter()
                    .map(|(key, value)| format!("'{key}': {value}"))
                    .collect();
                format!("{{{}}}", pairs.join(","))
            }),
        ]
    })
}

const KEYS: [&str; 26] = [
    "name",
    "exec",
    "port",
    "initial_status",
    "interfaces",
    "tags",
    "consul",
    "health",
    "timeout",
    "stopTimeout",
    "restarts",
    "when",
    "logging",
    "essential",
    "forward",
    "stdin",
    "tty",
    "orphans",
    "interval",
    "ttl",
    "once",
    "each",
    "source",
    "overlap",
    "type",
    "help",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends_in_a_configuration_or_a_report(text in ".{0,200}") {
        let _ = try_load(&text).map_err(|report| report.to_string());
    }

    #[test]
    fn any_words_end_in_a_configuration_or_a_report(text in soup()) {
        let _ = try_load(&text).map_err(|report| report.to_string());
    }

    #[test]
    fn any_value_of_any_key_is_accepted_or_reported(key in prop::sample::select(KEYS.to_vec()), value in value()) {
        let places = [
            format!("{{ jobs: [ {{ name: 'a', {key}: {value} }} ] }}"),
            format!("{{ jobs: [ {{ name: 'a', exec: 'b', health: {{ interval: 1, ttl: 9, {key}: {value} }} }} ] }}"),
            format!("{{ jobs: [ {{ name: 'a', exec: 'b', when: {{ {key}: {value} }} }} ] }}"),
            format!("{{ watches: [ {{ name: 'ab', interval: 3, {key}: {value} }} ] }}"),
            format!("{{ telemetry: {{ {key}: {value}, metrics: [ {{ {key}: {value} }} ] }} }}"),
            format!("{{ consul: {{ {key}: {value} }}, logging: {{ {key}: {value} }}, control: {{ {key}: {value} }} }}"),
        ];
        for text in places {
            match try_load(&text) {
                Ok(loaded) => prop_assert_eq!(loaded.warnings.errors(), 0),
                Err(report) => prop_assert!(report.errors() > 0, "{}", report),
            }
        }
    }

    #[test]
    fn any_text_is_a_duration_or_none(text in "[-+]?[0-9.]{0,25}[a-zµ ]{0,4}[0-9.]{0,5}[a-z]{0,2}") {
        let _ = parse_duration(&text);
    }

    #[test]
    fn a_duration_that_is_written_is_read(nanos in 1_u64..i64::MAX as u64) {
        let length = Duration::from_nanos(nanos);
        let text = humantime::format_duration(length).to_string();
        prop_assert_eq!(parse_duration(&text).unwrap().positive(), Some(length), "{}", text);
    }
}
