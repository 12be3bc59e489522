//! The command line: flags and actions of the original.

mod subcommands;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::super::{Action, CatalogOptions, CheckRequest, Invocation, RunOptions, parse};
use super::*;
use crate::jobs::{Exec, Restarts};

fn read(args: &[&str]) -> Result<Invocation, String> {
    parse(&words(args)).map_err(|error| error.to_string())
}

/// A command line of the original, read under both names.
fn both(args: &[&str]) -> Result<Invocation, String> {
    let under = |name| {
        let mut all = vec![name];
        all.extend(args);
        read(&all)
    };
    let ours = under("/usr/bin/pilothouse");
    assert_eq!(ours, under("/bin/containerpilot"), "{args:?}");
    ours
}

fn supervise(config: Option<&str>, rest: &[&str]) -> Invocation {
    Invocation::Run {
        config: config.map(OsString::from),
        socket: None,
        words: words(rest),
    }
}

fn request(action: Action) -> Invocation {
    Invocation::Request {
        config: None,
        socket: None,
        action,
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn flags_are_read_as_go_reads_them() {
    let rows: [(&[&str], Invocation); 22] = [
        (&[], supervise(None, &[])),
        (&["-config", "f"], supervise(Some("f"), &[])),
        (&["--config", "f"], supervise(Some("f"), &[])),
        (&["-config=f"], supervise(Some("f"), &[])),
        (&["--config=f=g"], supervise(Some("f=g"), &[])),
        (&["-config", ""], supervise(None, &[])),
        (&["-config="], supervise(None, &[])),
        (&["-config", "a", "-config", "b"], supervise(Some("b"), &[])),
        (&["-config", "a", "-config="], supervise(None, &[])),
        // The next word is the value whatever it looks like.
        (&["-config", "-ping"], supervise(Some("-ping"), &[])),
        (&["-config", "--"], supervise(Some("--"), &[])),
        // Reading stops at the first word that is no flag; the rest belongs to nobody.
        (
            &["-config", "f", "app", "-ping"],
            supervise(Some("f"), &["app", "-ping"]),
        ),
        (
            &["-config", "f", "--", "-ping"],
            supervise(Some("f"), &["-ping"]),
        ),
        (&["--", "run"], supervise(None, &["run"])),
        (&["-", "-ping"], supervise(None, &["-", "-ping"])),
        (&["-ping=false"], supervise(None, &[])),
        (&["-ping=true", "-ping=0"], supervise(None, &[])),
        (&["-ping", "false"], request(Action::Ping)),
        (&["-ping=T"], request(Action::Ping)),
        (&["--reload"], request(Action::Reload)),
        (&["-maintenance="], supervise(None, &[])),
        (
            &["-socket", "/s", "-reload", "-config", "f"],
            Invocation::Request {
                config: Some("f".into()),
                socket: Some("/s".into()),
                action: Action::Reload,
            },
        ),
    ];
    for (args, expected) in rows {
        assert_eq!(both(args), Ok(expected), "{args:?}");
    }
}

#[test]
fn every_spelling_of_a_boolean_is_gos() {
    for text in ["1", "t", "T", "true", "TRUE", "True"] {
        let flag = format!("-version={text}");
        assert_eq!(both(&[&flag]), Ok(Invocation::Version));
    }
    for text in ["0", "f", "F", "false", "FALSE", "False"] {
        let flag = format!("-version={text}");
        assert_eq!(both(&[&flag]), Ok(supervise(None, &[])));
    }
    for text in ["", "yes", "tRUE", "2", "true "] {
        let flag = format!("-version={text}");
        let error = both(&[&flag]).unwrap_err();
        let start = format!("invalid boolean value \"{text}\" for -version: ");
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn actions_are_read() {
    let rows: [(&[&str], Invocation); 13] = [
        (
            &["-maintenance", "enable"],
            request(Action::Maintenance(true)),
        ),
        (
            &["-maintenance", "disable"],
            request(Action::Maintenance(false)),
        ),
        (
            &["-maintenance", "Enable"],
            request(Action::Maintenance(false)),
        ),
        (
            &["-putenv", "A=b=c"],
            request(Action::PutEnv(map(&[("A", "b=c")]))),
        ),
        (
            &["-putenv=A=b"],
            request(Action::PutEnv(map(&[("A", "b")]))),
        ),
        (
            &["-putenv", "A="],
            request(Action::PutEnv(map(&[("A", "")]))),
        ),
        (
            &["-putenv", "A=1", "--putenv", "B=2", "-putenv=A=3"],
            request(Action::PutEnv(map(&[("A", "3"), ("B", "2")]))),
        ),
        (
            &["-putmetric", "m=1"],
            request(Action::PutMetric(map(&[("m", "1")]))),
        ),
        (&["-version"], Invocation::Version),
        (&["-help"], Invocation::Help),
        (&["-h"], Invocation::Help),
        (
            &["-template", "-config", "f"],
            Invocation::Template {
                config: Some("f".into()),
                out: None,
            },
        ),
        (
            &["-template", "-out=o"],
            Invocation::Template {
                config: None,
                out: Some("o".into()),
            },
        ),
    ];
    for (args, expected) in rows {
        assert_eq!(both(args), Ok(expected), "{args:?}");
    }
    for out in [["-out", ""], ["-out", "-"]] {
        let args = ["-template", out[0], out[1]];
        let expected = Invocation::Template {
            config: None,
            out: None,
        };
        assert_eq!(both(&args), Ok(expected));
    }
    assert_eq!(both(&["-out", "x"]), Ok(supervise(None, &[])));
}

#[test]
fn of_several_actions_the_originals_first_one_is_done() {
    let ranked: [(&[&str], Invocation); 7] = [
        (&["-version"], Invocation::Version),
        (
            &["-template"],
            Invocation::Template {
                config: None,
                out: None,
            },
        ),
        (&["-reload"], request(Action::Reload)),
        (
            &["-maintenance", "enable"],
            request(Action::Maintenance(true)),
        ),
        (
            &["-putenv", "A=1"],
            request(Action::PutEnv(map(&[("A", "1")]))),
        ),
        (
            &["-putmetric", "m=1"],
            request(Action::PutMetric(map(&[("m", "1")]))),
        ),
        (&["-ping"], request(Action::Ping)),
    ];
    for first in 0..ranked.len() {
        // Written in the reverse order, so that precedence and not place decides.
        let flags = ranked[first..].iter().rev().flat_map(|(flags, _)| *flags);
        let args: Vec<&str> = flags.copied().collect();
        assert_eq!(both(&args), Ok(ranked[first].1.clone()), "{args:?}");
    }
}

#[test]
fn what_makes_no_sense_is_said_in_gos_words() {
    for (args, expected) in [
        (&["-x"][..], "flag provided but not defined: -x"),
        (&["--x=1"], "flag provided but not defined: -x"),
        (&["-Config", "f"], "flag provided but not defined: -Config"),
        (&["-ping", "-x"], "flag provided but not defined: -x"),
        (&["-config"], "flag needs an argument: -config"),
        (&["-ping", "--putenv"], "flag needs an argument: -putenv"),
        (&["---config"], "bad flag syntax: ---config"),
        (&["-=f"], "bad flag syntax: -=f"),
        (&["--=f"], "bad flag syntax: --=f"),
        (
            &["-putenv", "X"],
            "invalid value \"X\" for flag -putenv: flag value 'X' was not in the format 'key=val'",
        ),
        (
            &["-putmetric="],
            "invalid value \"\" for flag -putmetric: flag value '' was not in the format 'key=val'",
        ),
    ] {
        assert_eq!(both(args), Err(expected.to_owned()), "{args:?}");
    }
}

#[test]
fn paths_need_not_be_utf8_but_texts_do() {
    let odd = OsString::from_vec(b"/tmp/\xff".to_vec());
    let args = |flag: &str, value: &OsString| vec!["pilothouse".into(), flag.into(), value.clone()];
    let Ok(Invocation::Run { config, .. }) = parse(&args("-config", &odd)) else {
        panic!("not read");
    };
    assert_eq!(config, Some(odd.clone()));
    let error = parse(&args("-putenv", &odd)).unwrap_err().to_string();
    assert!(
        error.ends_with("for flag -putenv: it is not UTF-8"),
        "{error}"
    );
    assert!(parse(&args("healthy", &odd)).is_err());
    assert!(parse(&args("run", &odd)).is_err());
    assert!(parse(&["pilothouse".into(), odd.clone()]).is_err());
    let joined = OsString::from_vec(b"-config=\xff".to_vec());
    assert!(parse(&["pilothouse".into(), joined]).is_ok());
    let name = OsString::from_vec(b"-\xff".to_vec());
    assert!(parse(&["pilothouse".into(), name]).is_err());
}

proptest! {
    // What a failure shrinks to belongs into a table above, not into a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_are_read_or_refused(args in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..6)) {
        let mut all = vec![OsString::from("pilothouse")];
        all.extend(args.into_iter().map(OsString::from_vec));
        let _ = parse(&all);
    }

    #[test]
    fn under_the_old_name_words_never_become_a_command(words in prop::collection::vec("[a-z]{1,8}", 0..4)) {
        let mut all = vec![OsString::from("containerpilot")];
        all.extend(words.into_iter().map(OsString::from));
        let is_run = matches!(parse(&all), Ok(Invocation::Run { .. }));
        prop_assert!(is_run);
    }
}
