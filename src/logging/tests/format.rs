//! How lines look, byte for byte.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;

use super::{clock, moment};
use crate::config::LogLevel;
use crate::logging::buffer::Buffer;
use crate::logging::clock::Clock;
use crate::logging::record::{Record, Value};
use crate::logging::style::{Label, Look, Style};

fn line(look: Look, label: &Label, bytes: &[u8], partial: bool) -> String {
    let mut out = Buffer::default();
    Style::new(look, &clock().now(), label).append(&mut out, bytes, partial);
    String::from_utf8(out.as_slice().to_vec()).unwrap()
}

fn record(look: Look, record: &Record) -> String {
    let mut out = Buffer::default();
    record.append(&mut out, look, &clock().now());
    String::from_utf8(out.as_slice().to_vec()).unwrap()
}

fn word(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn lines_of_jobs_and_checks_look_as_in_the_original() {
    let job = Label::job("app", 42);
    let check = Label::check("app", 43);
    for (look, label, bytes, wanted) in [
        (
            Look::Default,
            &job,
            "a line",
            "2018-05-02T14:05:06.123456789Z app 42 a line\n",
        ),
        // D47: the original left the name out.
        (
            Look::Default,
            &check,
            "a line",
            "2018-05-02T14:05:06.123456789Z check.app 43 a line\n",
        ),
        (
            Look::Default,
            &job,
            "",
            "2018-05-02T14:05:06.123456789Z app 42 \n",
        ),
        (
            Look::Text,
            &job,
            "two words",
            "time=\"2018-05-02T14:05:06Z\" level=info msg=\"two words\" job=app pid=42 \n",
        ),
        (
            Look::Text,
            &check,
            "hello",
            "time=\"2018-05-02T14:05:06Z\" level=info msg=hello check=check.app pid=43 \n",
        ),
        (
            Look::Text,
            &job,
            "",
            "time=\"2018-05-02T14:05:06Z\" level=info job=app pid=42 \n",
        ),
        (
            Look::Terminal,
            &job,
            "two words",
            "\x1b[36mINFO\x1b[0m[0000] two words                                     \x1b[36mjob\x1b[0m=app \x1b[36mpid\x1b[0m=42\n",
        ),
        (
            Look::Json,
            &job,
            "two words",
            "{\"job\":\"app\",\"level\":\"info\",\"msg\":\"two words\",\"pid\":42,\"time\":\"2018-05-02T14:05:06.123456789Z\"}\n",
        ),
        (
            Look::Json,
            &check,
            "",
            "{\"check\":\"check.app\",\"level\":\"info\",\"msg\":\"\",\"pid\":43,\"time\":\"2018-05-02T14:05:06.123456789Z\"}\n",
        ),
    ] {
        assert_eq!(
            line(look, label, bytes.as_bytes(), false),
            wanted,
            "{look:?}"
        );
    }
}

#[test]
fn pieces_of_long_lines_are_marked() {
    let job = Label::job("app", 42);
    for (look, wanted) in [
        (
            Look::Default,
            "2018-05-02T14:05:06.123456789Z app 42 piece [...]\n",
        ),
        (
            Look::Text,
            "time=\"2018-05-02T14:05:06Z\" level=info msg=piece job=app partial=true pid=42 \n",
        ),
        (
            Look::Json,
            "{\"job\":\"app\",\"level\":\"info\",\"msg\":\"piece\",\"partial\":true,\"pid\":42,\"time\":\"2018-05-02T14:05:06.123456789Z\"}\n",
        ),
    ] {
        assert_eq!(line(look, &job, b"piece", true), wanted, "{look:?}");
    }
}

#[test]
fn d48_text_values_are_quoted_properly() {
    let job = Label::job("app", 1);
    for (bytes, wanted) in [
        (&b"1.2-x"[..], "1.2-x"),
        (b"a_b", "\"a_b\""),
        (b"say \"hi\"", r#""say \"hi\"""#),
        (b"back\\slash", r#""back\\slash""#),
        (b"a\tb\rc\x07\x7f", r#""a\tb\rc\x07\x7f""#),
        (b"bad \xff utf", r#""bad \xff utf""#),
        ("grüße".as_bytes(), "\"grüße\""),
    ] {
        let line = line(Look::Text, &job, bytes, false);
        assert!(line.contains(&format!(" msg={wanted} job=app ")), "{line}");
    }
}

#[test]
fn l08_json_escapes_what_must_be_escaped() {
    let job = Label::job("a\"b", 1);
    let line = line(
        Look::Json,
        &job,
        b"\"\\\n\r\t\x00\x1b[0m\xff\xc3\xa9",
        false,
    );
    let wanted = r#"{"job":"a\"b","level":"info","msg":"\"\\\n\r\t\u0000\u001b[0m�é","pid":1"#;
    assert!(line.starts_with(wanted), "{line}");
}

#[test]
fn messages_of_ours_look_as_in_the_original() {
    let info = Record::new(LogLevel::Info, "job started".to_owned())
        .with("run", Value::Literal("7".to_owned()))
        .with("job", word("app"))
        .with("why", word("signal: SIGKILL"));
    for (look, wanted) in [
        (
            Look::Default,
            "2018-05-02T14:05:06.123456789Z job started run=7 job=app why=\"signal: SIGKILL\"\n",
        ),
        (
            Look::Text,
            "time=\"2018-05-02T14:05:06Z\" level=info msg=\"job started\" job=app run=7 why=\"signal: SIGKILL\" \n",
        ),
        (
            Look::Terminal,
            "\x1b[36mINFO\x1b[0m[0000] job started                                   \x1b[36mjob\x1b[0m=app \x1b[36mrun\x1b[0m=7 \x1b[36mwhy\x1b[0m=\"signal: SIGKILL\"\n",
        ),
        (
            Look::Json,
            "{\"job\":\"app\",\"level\":\"info\",\"msg\":\"job started\",\"run\":7,\"time\":\"2018-05-02T14:05:06.123456789Z\",\"why\":\"signal: SIGKILL\"}\n",
        ),
    ] {
        assert_eq!(record(look, &info), wanted, "{look:?}");
    }
}

#[test]
fn levels_are_shown() {
    for (level, word, name, short) in [
        (LogLevel::Error, "ERROR message", "error", "ERRO"),
        (LogLevel::Warn, "WARN message", "warning", "WARN"),
        (LogLevel::Info, "message", "info", "INFO"),
        (LogLevel::Debug, "DEBUG message", "debug", "DEBU"),
    ] {
        let message = Record::new(level, "message".to_owned());
        assert_eq!(
            record(Look::Default, &message),
            format!("2018-05-02T14:05:06.123456789Z {word}\n")
        );
        assert!(record(Look::Text, &message).contains(&format!("level={name} msg=message \n")));
        assert!(record(Look::Json, &message).contains(&format!("\"level\":\"{name}\"")));
        assert!(record(Look::Terminal, &message).contains(short));
    }
}

#[test]
fn a_message_stays_one_line() {
    let message = Record::new(LogLevel::Info, "one\ntwo".to_owned()).with("at", word("a\nb=c"));
    assert_eq!(
        record(Look::Default, &message),
        "2018-05-02T14:05:06.123456789Z one\\ntwo at=\"a\\nb=c\"\n"
    );
    for look in [Look::Default, Look::Text, Look::Terminal, Look::Json] {
        assert_eq!(record(look, &message).matches('\n').count(), 1, "{look:?}");
    }
}

#[test]
fn names_and_messages_hold_nothing_that_a_terminal_obeys() {
    let odd = "a\nb\x1b[2J\u{9b}2J\u{202e}c";
    let shown = "a\\nb\\x1b[2J\\xc2\\x9b2J\\xe2\\x80\\xaec";
    assert_eq!(
        line(Look::Default, &Label::job(odd, 42), b"x", false),
        format!("2018-05-02T14:05:06.123456789Z {shown} 42 x\n")
    );
    let message = Record::new(LogLevel::Info, odd.to_owned());
    assert_eq!(
        record(Look::Default, &message),
        format!("2018-05-02T14:05:06.123456789Z {shown}\n")
    );
    for look in [Look::Text, Look::Terminal] {
        let line = line(look, &Label::job(odd, 42), b"x", false);
        assert!(line.contains(shown), "{line}");
    }
}

#[test]
fn own_names_of_a_line_are_not_overwritten() {
    let message = Record::new(LogLevel::Info, String::new())
        .with("msg", word("x"))
        .with("twice", word("first"))
        .with("twice", word("last"));
    assert_eq!(
        record(Look::Text, &message),
        "time=\"2018-05-02T14:05:06Z\" level=info fields.msg=x twice=last \n"
    );
    assert_eq!(
        record(Look::Json, &message),
        "{\"fields.msg\":\"x\",\"level\":\"info\",\"msg\":\"\",\"time\":\"2018-05-02T14:05:06.123456789Z\",\"twice\":\"last\"}\n"
    );
}

#[test]
fn a_long_message_is_cut() {
    let message = Record::new(LogLevel::Info, "ü".repeat(20_000));
    let line = record(Look::Default, &message);
    assert!(line.ends_with("ü [...]\n"));
    assert!(line.len() < 17_000);
}

#[test]
fn times_are_written_as_rfc_3339() {
    type Case = (
        fn() -> SystemTime,
        fn(i64) -> i32,
        &'static str,
        &'static str,
    );
    let cases: [Case; 4] = [
        (
            moment,
            |_| 7200,
            "2018-05-02T16:05:06.123456789+02:00",
            "2018-05-02T16:05:06+02:00",
        ),
        (
            moment,
            |_| -12_600,
            "2018-05-02T10:35:06.123456789-03:30",
            "2018-05-02T10:35:06-03:30",
        ),
        (
            || UNIX_EPOCH + Duration::new(0, 120_000_000),
            |_| 0,
            "1970-01-01T00:00:00.12Z",
            "1970-01-01T00:00:00Z",
        ),
        (
            || UNIX_EPOCH - Duration::from_secs(5),
            |_| 0,
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
        ),
    ];
    for (read, zone, precise, seconds) in cases {
        let mut clock = Clock::new(read, zone);
        let moment = clock.now();
        assert_eq!(moment.precise().to_string(), precise);
        assert_eq!(moment.seconds().to_string(), seconds);
    }
}

proptest! {
    #[test]
    fn l08_any_bytes_make_valid_json(bytes: Vec<u8>, name: String, partial: bool) {
        let label = Label::job(&name, 42);
        let line = line(Look::Json, &label, &bytes, partial);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(&value["job"], name.as_str());
        prop_assert_eq!(&value["msg"], &*String::from_utf8_lossy(&bytes));
        prop_assert_eq!(value["partial"].as_bool().unwrap_or(false), partial);
    }

    #[test]
    fn any_message_makes_valid_json(message: String, value: String) {
        let message = Record::new(LogLevel::Warn, message).with("a", word(&value));
        let line = record(Look::Json, &message);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(&read["msg"], message.message.as_str());
        prop_assert_eq!(&read["a"], value.as_str());
    }

    #[test]
    fn d48_any_text_line_can_be_read_back(bytes: Vec<u8>) {
        let line = line(Look::Text, &Label::job("app", 42), &bytes, false);
        prop_assert_eq!(line.matches('\n').count(), 1);
        let message = line.strip_prefix("time=\"2018-05-02T14:05:06Z\" level=info ").unwrap();
        let message = message.strip_suffix("job=app pid=42 \n").unwrap();
        prop_assert_eq!(read_text(message), bytes);
    }

    #[test]
    fn a_buffer_holds_what_was_put(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..40)) {
        let mut buffer = Buffer::default();
        for piece in &pieces {
            buffer.put(piece);
        }
        prop_assert_eq!(buffer.as_slice(), pieces.concat());
    }
}

/// The value of `msg=…` as bytes.
fn read_text(field: &str) -> Vec<u8> {
    let Some(value) = field.strip_prefix("msg=") else {
        return Vec::new();
    };
    let value = value.strip_suffix(' ').unwrap();
    let Some(inside) = value.strip_prefix('"') else {
        return value.as_bytes().to_vec();
    };
    let mut rest = inside.strip_suffix('"').unwrap().bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next().unwrap() {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'x' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            other => bytes.push(other),
        }
    }
    bytes
}
