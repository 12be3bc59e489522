use super::super::duration::parse_with_unit;
use super::*;

fn nanos(text: &str) -> Result<i64, String> {
    let parsed = parse_duration(text);
    parsed
        .map(SignedDuration::nanos)
        .map_err(|error| error.to_string())
}

#[test]
fn integers_count_seconds() {
    for (text, seconds) in [("10", 10), ("+3", 3), ("-2", -2), ("0", 0), ("007", 7)] {
        assert_eq!(nanos(text), Ok(seconds * 1_000_000_000), "{text}");
    }
}

#[test]
fn units_are_read_as_go_reads_them() {
    let table = [
        ("5s", 5_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1.s", 1_000_000_000),
        ("-100ms", -100_000_000),
        ("+5m", 300_000_000_000),
        ("-0", 0),
        ("1us", 1_000),
        ("1µs", 1_000),
        ("1μs", 1_000),
        ("7ns", 7),
        ("1h1m1s1ms1us1ns", 3_661_001_001_001),
        ("0.3333333333333333333h", 1_200_000_000_000),
        ("0.100000000000000000000h", 360_000_000_000),
        ("9223372036854775807ns", i64::MAX),
        ("-9223372036854775808ns", i64::MIN),
        ("9007199254740993ns", 9_007_199_254_740_993),
    ];
    for (text, expected) in table {
        assert_eq!(nanos(text), Ok(expected), "{text}");
    }
}

#[test]
fn humantime_reads_what_go_does_not() {
    for (text, seconds) in [
        ("2 days", 172_800),
        ("1m 30s", 90),
        ("1d", 86_400),
        ("1week", 604_800),
    ] {
        assert_eq!(nanos(text), Ok(seconds * 1_000_000_000), "{text}");
    }
}

#[test]
fn what_is_no_duration_says_why() {
    let table = [
        ("1.5", "missing unit in duration"),
        ("xx", "invalid duration"),
        ("", "invalid duration"),
        ("-", "invalid duration"),
        (".s", "invalid duration"),
        ("20yy", "unknown unit `yy` in duration"),
        ("1s5", "missing unit in duration"),
        (
            "9223372036854775808ns",
            "the duration is longer than 292 years",
        ),
        ("99999999999h", "the duration is longer than 292 years"),
        (
            "99999999999999999999",
            "the duration is longer than 292 years",
        ),
        ("9223372036", "9223372036"),
    ];
    for (text, expected) in table {
        match nanos(text) {
            Ok(nanos) => assert_eq!(nanos, expected.parse::<i64>().unwrap() * 1_000_000_000),
            Err(error) => assert_eq!(error, expected, "{text}"),
        }
    }
}

#[test]
fn a_strict_duration_needs_its_unit() {
    assert_eq!(parse_with_unit("10"), Err(DurationError::MissingUnit));
    assert_eq!(
        parse_with_unit("10m").map(SignedDuration::nanos),
        Ok(600_000_000_000)
    );
}

#[test]
fn only_more_than_nothing_is_positive() {
    assert_eq!(parse_duration("0").unwrap().positive(), None);
    assert_eq!(parse_duration("-1s").unwrap().positive(), None);
    assert_eq!(parse_duration("-1s").unwrap().or_zero(), Duration::ZERO);
    assert_eq!(
        parse_duration("1ns").unwrap().positive(),
        Some(Duration::from_nanos(1))
    );
}
