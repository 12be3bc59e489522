use proptest::prelude::*;

use super::{Fields, parse_duration, query_pairs, unescape};
use crate::catalog::tables::Status;
use crate::catalog::wire;

#[test]
fn durations_are_gos() {
    for (text, nanoseconds) in [
        ("10s", 10_000_000_000),
        ("1m30s", 90_000_000_000),
        ("1.5h", 5_400_000_000_000),
        ("300ms", 300_000_000),
        ("-1s", -1_000_000_000),
        ("+2s", 2_000_000_000),
        ("0", 0),
        (".5s", 500_000_000),
        ("1us", 1_000),
        ("1µs", 1_000),
        ("7ns", 7),
        ("2540400h", 9_145_440_000_000_000_000),
    ] {
        assert_eq!(parse_duration(text), Some(nanoseconds), "{text}");
    }
    for text in [
        "",
        "10",
        "s",
        "-",
        "10 s",
        "1x",
        ".s",
        "1..5s",
        "abc",
        "2562048h",
        "99999999999999999999s",
    ] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}

#[test]
fn escapes_are_undone() {
    assert_eq!(unescape("a%2Fb%20c").as_deref(), Some("a/b c"));
    for broken in ["%", "%2", "%zz", "%ff", "a%"] {
        assert_eq!(unescape(broken), None, "{broken}");
    }
    let pairs = query_pairs("a=1&b&c=x+y%3D&&%zz=1");
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(pairs, [("a", "1"), ("b", ""), ("c", "x y=")]);
}

#[test]
fn base64_has_padding() {
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(wire::base64::encode(bytes.as_bytes()), text);
    }
    assert_eq!(wire::base64::encode(&[0xff, 0xfe, 0xfd]), "//79");
}

fn said<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |it| format!("{it:?}"))
}

#[test]
fn bodies_that_cannot_be_read_are_refused_in_consuls_words() {
    for (body, text) in [
        ("", "Request decode failed: EOF"),
        ("  ", "Request decode failed: EOF"),
        ("{", "Request decode failed: unexpected EOF"),
        (r#"{"Name":"#, "Request decode failed: unexpected EOF"),
        ("null", "Missing service name"),
        (r#"{"Name":null}"#, "Missing service name"),
        (
            r#"{"Name":"x","Bogus":1}"#,
            "Request decode failed: json: unknown field \"Bogus\"",
        ),
        (
            r#"{"Name":"x","Port":"80"}"#,
            "Request decode failed: json: cannot unmarshal string into Go struct field .Port of type int",
        ),
        (
            r#"{"Name":"x","Check":{"TTL":"abc"}}"#,
            "Request decode failed: time: invalid duration \"abc\"",
        ),
        (
            r#"{"Name":"x","Check":{"Status":"passing"}}"#,
            "Invalid check: TTL must be > 0 for TTL checks",
        ),
        (
            r#"{"Name":"x","Check":{"TTL":"-1s"}}"#,
            "Invalid check: TTL must be > 0 for TTL checks",
        ),
        (
            r#"{"Name":"x","Check":{"HTTP":"http://a","Interval":"1s"}}"#,
            "Invalid check: `HTTP` is not supported by the embedded catalogue, which has TTL checks only",
        ),
        (
            r#"{"Name":"x","Weights":{"Passing":0}}"#,
            "Invalid Weights: Passing must be greater than 0",
        ),
        (
            r#"{"Name":"x","Address":"0.0.0.0"}"#,
            "Invalid service address",
        ),
    ] {
        let result = Fields::parse(body.as_bytes())
            .map_err(Into::into)
            .and_then(|fields| wire::service(fields, false));
        assert_eq!(said(result), text, "{body}");
    }
}

#[test]
fn names_of_members_are_read_in_any_case_and_with_underscores() {
    let body = br#"{"name":"x","TAGS":["t"],"enable_tag_override":true,
        "check":{"ttl":"10s","deregister_critical_service_after":"90s","status":"warning"}}"#;
    let spec = wire::service(Fields::parse(body).unwrap(), false).unwrap();
    assert!(spec.service.enable_tag_override);
    assert_eq!(spec.service.tags, ["t"]);
    assert_eq!(spec.checks[0].status, Status::Warning);
    let after = spec.checks[0].deregister_after;
    assert_eq!(after, Some(std::time::Duration::from_secs(90)));
}

#[test]
fn a_small_lock_delay_is_in_seconds() {
    for (text, seconds) in [
        ("{}", 15),
        (r#"{"LockDelay":3}"#, 3),
        (r#"{"LockDelay":5000000000}"#, 5),
        (r#"{"LockDelay":"20s"}"#, 20),
        (r#"{"LockDelay":0}"#, 0),
        (r#"{"LockDelay":"-5s"}"#, 0),
    ] {
        let spec = wire::session(Fields::parse(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(spec.lock_delay.as_secs(), seconds, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_a_fault(text in "\\PC{0,40}", number in "[0-9.]{0,40}(ns|us|ms|s|m|h|µs)?[0-9]{0,3}") {
        let _ = (parse_duration(&text), parse_duration(&number));
        let _ = (unescape(&text), query_pairs(&text));
    }

    /// Bodies that look like what is expected, with something wrong somewhere.
    #[test]
    fn no_body_is_a_fault(
        name in "(Name|ID|Tags|Check|Checks|Meta|Weights|TTL|Status|Node|Service|LockDelay|Behavior|Port|TaggedAddresses)",
        value in "(null|true|-1|1e99|\"\"|\"10s\"|\"é\"|\\[\\]|\\[1\\]|\\{\\}|\\{\"TTL\":\"9999999h\"\\}|\\[\\{\"TTL\":1\\}\\]|99999999999999999999)",
    ) {
        let body = format!("{{\"Name\":\"x\",\"Node\":\"n\",\"Address\":\"a\",\"{name}\":{value}}}");
        let fields = || Fields::parse(body.as_bytes());
        let _ = fields().map(|it| wire::service(it, false).is_ok());
        let _ = fields().map(|it| wire::check(it).is_ok());
        let _ = fields().map(|it| wire::session(it).is_ok());
        let _ = fields().map(|it| wire::registration(it).is_ok());
        let _ = fields().map(|it| wire::deregistration(it).is_ok());
        let _ = fields().map(|it| wire::heartbeat(it).is_ok());
    }

    #[test]
    fn base64_has_the_right_length(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let text = wire::base64::encode(&bytes);
        prop_assert_eq!(text.len(), bytes.len().div_ceil(3) * 4);
    }
}
