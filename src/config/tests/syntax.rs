use super::super::json5::{MAX_DEPTH, parse};
use super::super::tree::Kind;
use super::*;

fn value(text: &str) -> Kind {
    match parse(text) {
        Ok(parsed) => parsed.root.kind,
        Err(fault) => panic!("{text}: {}", fault.message),
    }
}

fn fault(text: &str) -> (usize, String) {
    match parse(text) {
        Ok(parsed) => panic!("{text} is read as {:?}", parsed.root),
        Err(fault) => (fault.range.start, fault.message),
    }
}

#[test]
fn numbers_of_json5_are_read() {
    let table = [
        ("1", 1.0),
        ("-1.5e3", -1500.0),
        ("+7", 7.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("0x1F", 31.0),
        ("-0x10", -16.0),
        ("0XfF", 255.0),
        ("Infinity", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("+Infinity", f64::INFINITY),
        ("1e400", f64::INFINITY),
    ];
    for (text, expected) in table {
        let Kind::Number(number) = value(text) else {
            panic!("{text}")
        };
        assert!(number.total_cmp(&expected).is_eq(), "{text}: {number}");
    }
    let Kind::Number(number) = value("NaN") else {
        panic!()
    };
    assert!(number.is_nan());
}

#[test]
fn strings_of_json5_are_read() {
    let table = [
        (r#""a\tb\n""#, "a\tb\n"),
        (r"'say \'x\' and \x41\u0042\v\0'", "say 'x' and AB\u{b}\0"),
        (r#"'a "quoted" word'"#, "a \"quoted\" word"),
        (r#""\ud83d\ude00""#, "😀"),
        ("'one \\\ntwo'", "one two"),
        ("'one \\\r\ntwo'", "one two"),
        (r#""\a\/""#, "a/"),
    ];
    for (text, expected) in table {
        let Kind::String(string) = value(text) else {
            panic!("{text}")
        };
        assert_eq!(string, expected, "{text}");
    }
}

#[test]
fn comments_may_hold_anything() {
    // D21: the original cut a block comment at the first `/` after any `*`.
    let text =
        "/* a * b / c */ { // 'open\n  a: 1, /* \" */ 'b': [1, 2,], $c_1: null, ä: 2, }\n// end";
    let Kind::Object(entries) = value(text) else {
        panic!()
    };
    let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "$c_1", "ä"]);
}

#[test]
fn what_is_not_json5_is_refused_where_it_stands() {
    let table = [
        ("{ a: 1 b: 2 }", 6, "expected a comma after this value"),
        (
            "{ name \"a\" }",
            7,
            "invalid character '\"' after object key",
        ),
        (
            "{ a: }",
            5,
            "invalid character '}' looking for beginning of value",
        ),
        (
            "[1,,2]",
            3,
            "invalid character ',' looking for beginning of value",
        ),
        (
            "{,}",
            1,
            "invalid character ',' looking for beginning of object key",
        ),
        (
            "[,]",
            1,
            "invalid character ',' looking for beginning of value",
        ),
        ("{ a-b: 1 }", 2, "invalid character '-' in key literal"),
        ("{ 1: 1 }", 2, "invalid character '1' in key literal"),
        ("{} {}", 3, "invalid character '{' after top-level value"),
        (
            "{ a: foo }",
            5,
            "invalid character 'f' looking for beginning of value",
        ),
        ("{ a: 007 }", 6, "expected a comma after this value"),
        (
            "{ a: 'b\nc' }",
            5,
            "the string is not closed at the end of its line",
        ),
        (
            "{ a: 'b\tc' }",
            7,
            "invalid character '\\t' in string literal",
        ),
        ("{ a: 'b", 5, "unterminated string literal"),
        ("{ a: '\\u12' }", 6, "expected four hex digits"),
        ("{ a: 1 /* ", 7, "the comment is not closed"),
        ("[ 1, 2", 0, "the array is not closed"),
        ("{ a: 1", 0, "the object is not closed"),
        ("", 0, "the text has no value"),
        ("  // nothing\n", 12, "the text has no value"),
        (
            "{ a: it's\n }",
            5,
            "invalid character 'i' looking for beginning of value",
        ),
    ];
    for (text, at, message) in table {
        let (start, said) = fault(text);
        assert!(said.contains(message), "{text}: {said}");
        assert_eq!(start, at, "{text}: {said}");
    }
}

#[test]
fn of_two_equal_keys_the_last_counts() {
    let config = warned(
        "{ stopTimeout: 3, stopTimeout: 4 }",
        "the key `stopTimeout` is given twice",
    );
    assert_eq!(config.stop.stop_timeout, secs(4));
}

#[test]
fn a_byte_order_mark_is_no_text() {
    clean("\u{feff}{ jobs: [] }");
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    value(&nested(MAX_DEPTH));
    assert!(fault(&nested(MAX_DEPTH + 1)).1.contains("nested deeper"));
    // Brackets in strings and comments are text.
    value(&format!(
        "[ '{}' /* {} */ ]",
        "[".repeat(1000),
        "{".repeat(1000)
    ));
}

#[test]
fn the_top_level_is_an_object() {
    for text in ["[]", "null", "3", "'jobs'"] {
        refused(text, "a configuration is an object");
    }
}

#[test]
fn what_no_release_read_is_named() {
    let table = [
        (
            "{ jobs: [], services: [] }",
            "no release read both in one file",
        ),
        (
            "{ consul: 'x', pollTime: 3 }",
            "from before ContainerPilot 1, as its key `pollTime` says",
        ),
        (
            "{ consul: 'x', services: [ { exec: 'x' } ] }",
            "a service with `exec` is of a forerunner of ContainerPilot 3",
        ),
    ];
    for (text, expected) in table {
        refused(text, expected);
    }
}

#[test]
fn the_keys_say_the_version() {
    for (text, dialect) in [
        ("{ consul: 'x', services: [] }", Dialect::V2),
        ("{ consul: 'x', telemetry: { sensors: [] } }", Dialect::V2),
        ("{ consul: 'x', jobs: [] }", Dialect::V3),
        ("{ consul: 'x' }", Dialect::V3),
    ] {
        assert_eq!(clean(text).dialect, dialect, "{text}");
    }
}

#[test]
fn a_file_of_version_3_needs_no_migration() {
    let variables = Variables::new();
    let input = |text| Input {
        file: "x",
        text,
        variables: &variables,
        addresses: Addresses::NotLookedUp,
        zones: Zones::NotLookedUp,
        app: None,
    };
    assert_eq!(migrate(&input("{ jobs: [] }")), Ok(None));
    let text = migrate(&input("{ consul: 'x', preStop: '/a' }")).expect("is right");
    let text = text.expect("is of version 2");
    assert!(text.contains("preStop\","), "{text}");
    assert!(text.contains("// no application was named"), "{text}");
}

/// A variable that is not set gives its default or an error, and never an empty name or port.
#[test]
fn r08_a_missing_variable_is_a_default_or_an_error() {
    let named = |text: &str| with_variables(text, &[]);
    let health = "health: { exec: 'true', interval: 1, ttl: 5 }";
    for (keys, expected) in [
        (
            format!("name: '{{{{ .NAME }}}}', port: 80, {health}"),
            "'name' must not be blank",
        ),
        (
            format!("name: 'app', port: '{{{{ .PORT }}}}', {health}"),
            "jobs[0].port: cannot use ``",
        ),
        (
            format!("name: 'app', port: {{{{ .PORT }}}}, {health}"),
            "cannot read JSON5",
        ),
        (
            "name: 'app', exec: '{{ .COMMAND }}'".to_owned(),
            "jobs[0].exec",
        ),
    ] {
        let text = format!("{{ consul: 'x', jobs: [ {{ {keys} }} ] }}");
        let report = named(&text).expect_err(&text).to_string();
        assert!(
            report.contains(expected) && report.contains("app.json5: line 1 of the template"),
            "{text}\n{report}"
        );
    }
    let defaults = "name: '{{ .NAME | default \"app\" }}', port: {{ .PORT | default 8080 }}";
    let loaded = named(&format!(
        "{{ consul: 'x', jobs: [ {{ {defaults}, {health} }} ] }}"
    ));
    let job = loaded.expect("the defaults are good").config.jobs.remove(0);
    assert_eq!(job.name, "app");
    assert_eq!(job.service.map(|service| service.port), Some(8080));
}
