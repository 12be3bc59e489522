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
fn a_subcommand_is_only_the_very_first_word_and_only_ours() {
    for word in [
        "check", "run", "healthy", "version", "help", "chekc", "sleep", "",
    ] {
        let ignored = supervise(None, &[word, "x"]);
        assert_eq!(
            read(&["/opt/containerpilot", word, "x"]),
            Ok(ignored.clone())
        );
        assert_eq!(
            read(&["containerpilot", "--", word, "x"]),
            Ok(ignored.clone())
        );
        assert_eq!(read(&["pilothouse", "--", word, "x"]), Ok(ignored));
        let after_a_flag = read(&["pilothouse", "-config", "f", word, "x"]);
        assert_eq!(after_a_flag, Ok(supervise(Some("f"), &[word, "x"])));
    }
    assert_eq!(read(&["pilothouse", "version"]), Ok(Invocation::Version));
    assert_eq!(read(&["pilothouse", "help"]), Ok(Invocation::Help));
    assert_eq!(read(&["pilothouse", "help", "run"]), Ok(Invocation::Help));
    // Under any other name, the subcommands are there.
    assert_eq!(read(&["init", "version"]), Ok(Invocation::Version));
    assert_eq!(read(&[]), Ok(supervise(None, &[])));
    for (args, expected) in [
        (
            ["pilothouse", "chekc"],
            "unknown command `chekc`: did you mean `check`?",
        ),
        (
            ["pilothouse", "rum"],
            "unknown command `rum`: did you mean `run`?",
        ),
        (
            ["pilothouse", "/bin/app"],
            "unknown command `/bin/app`: to supervise a command, write `run -- /bin/app ...`",
        ),
    ] {
        assert_eq!(read(&args), Err(expected.to_owned()));
    }
}

#[test]
fn check_takes_one_file() {
    for (args, strict) in [
        (&["pilothouse", "check", "f"][..], false),
        (&["pilothouse", "check", "--strict", "f"], true),
        (&["pilothouse", "check", "-strict=false", "f"], false),
        (&["pilothouse", "check", "-strict", "--", "f"], true),
    ] {
        let file = PathBuf::from("f");
        assert_eq!(
            read(args),
            Ok(Invocation::Check(CheckRequest {
                strict,
                file,
                ..CheckRequest::default()
            })),
            "{args:?}"
        );
    }
    assert_eq!(
        read(&["pilothouse", "check", "--image", "--json", "f"]),
        Ok(Invocation::Check(CheckRequest {
            image: true,
            json: true,
            file: PathBuf::from("f"),
            ..CheckRequest::default()
        }))
    );
    for args in [
        &["pilothouse", "check"][..],
        &["pilothouse", "check", "--strict"],
        &["pilothouse", "check", "f", "--strict"],
        &["pilothouse", "check", "f", "g"],
    ] {
        let expected = "`check` takes its flags and then one file";
        assert_eq!(read(args), Err(expected.to_owned()), "{args:?}");
    }
    assert_eq!(
        read(&["pilothouse", "check", "--help"]),
        Ok(Invocation::Help)
    );
    assert!(read(&["pilothouse", "check", "-ping", "f"]).is_err());
}

#[test]
fn healthy_takes_a_job_or_none() {
    let all = request(Action::Healthy(None));
    assert_eq!(read(&["pilothouse", "healthy"]), Ok(all));
    let one = Invocation::Request {
        config: Some("f".into()),
        socket: Some("/s".into()),
        action: Action::Healthy(Some("app".to_owned())),
    };
    let args = [
        "pilothouse",
        "healthy",
        "--socket",
        "/s",
        "--config=f",
        "app",
    ];
    assert_eq!(read(&args), Ok(one));
    assert!(read(&["pilothouse", "healthy", "a", "b"]).is_err());
    assert!(read(&["pilothouse", "healthy", "--strict"]).is_err());
    assert!(read(&["pilothouse", "version", "x"]).is_err());
}

#[test]
fn run_takes_flags_and_a_command() {
    let command = |argv: &[&str]| {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        Exec::new(argv).unwrap()
    };
    let rows: [(&[&str], RunOptions, &[&str]); 7] = [
        (
            &["--", "sleep", "1"],
            RunOptions::default(),
            &["sleep", "1"],
        ),
        (&["sleep", "-x"], RunOptions::default(), &["sleep", "-x"]),
        (&["--", "--", "x"], RunOptions::default(), &["--", "x"]),
        (
            &["--restarts", "unlimited", "--", "a"],
            RunOptions {
                restarts: Some(Restarts::Unlimited),
                ..RunOptions::default()
            },
            &["a"],
        ),
        (
            &["--restarts=never", "-name", "n", "--", "a"],
            RunOptions {
                restarts: Some(Restarts::Limited(0)),
                name: Some("n".to_owned()),
                ..RunOptions::default()
            },
            &["a"],
        ),
        (
            &[
                "--restarts",
                "3",
                "--stop-timeout",
                "1m30s",
                "--socket",
                "/s",
                "--",
                "a",
            ],
            RunOptions {
                restarts: Some(Restarts::Limited(3)),
                stop_timeout: Some(Duration::from_secs(90)),
                socket: Some("/s".into()),
                name: None,
            },
            &["a"],
        ),
        (
            &["--stop-timeout=7", "a"],
            RunOptions {
                stop_timeout: Some(Duration::from_secs(7)),
                ..RunOptions::default()
            },
            &["a"],
        ),
    ];
    for (args, options, argv) in rows {
        let mut all = vec!["pilothouse", "run"];
        all.extend(args);
        let command = command(argv);
        assert_eq!(
            read(&all),
            Ok(Invocation::RunCommand { options, command }),
            "{args:?}"
        );
    }
    for args in [
        &[][..],
        &["--"],
        &["--", ""],
        &["--restarts", "-1", "--", "a"],
        &["--restarts", "1.5", "--", "a"],
        &["--restarts", "", "--", "a"],
        &["--restarts", "99999999999", "--", "a"],
        &["--stop-timeout", "x", "--", "a"],
        &["--stop-timeout", "-1s", "--", "a"],
        &["--stop-timeout", "99999999999999999999", "--", "a"],
        &["--name", "", "--", "a"],
        &["--name"],
        &["--ping", "--", "a"],
    ] {
        let mut all = vec!["pilothouse", "run"];
        all.extend(args);
        assert!(read(&all).is_err(), "{args:?}");
    }
}

#[test]
fn catalog_takes_flags_alone() {
    let catalog = |args: &[&str]| read(&[&["pilothouse", "catalog"], args].concat());
    let none = CatalogOptions::default();
    assert_eq!(catalog(&[]), Ok(Invocation::Catalog(none.clone())));
    for bind in ["127.0.0.1:0", "[::1]:8500", "0.0.0.0:80"] {
        let options = CatalogOptions {
            bind: Some(bind.parse().unwrap()),
            ..none.clone()
        };
        assert_eq!(catalog(&["--bind", bind]), Ok(Invocation::Catalog(options)));
    }
    let options = CatalogOptions {
        bind: None,
        datacenter: Some("east".to_owned()),
        node: Some("n".to_owned()),
    };
    let asked = catalog(&["-datacenter=east", "--node", "n"]);
    assert_eq!(asked, Ok(Invocation::Catalog(options)));
    assert_eq!(catalog(&["--help"]), Ok(Invocation::Help));
    let address = "write an address and a port, such as `127.0.0.1:8500` or `[::1]:0`";
    for (args, expected) in [
        (&["x"][..], "`catalog` takes nothing more: `x`".to_owned()),
        (
            &["--port", "1"],
            "flag provided but not defined: -port".to_owned(),
        ),
        (
            &["--bind", "localhost:1"],
            format!("invalid value \"localhost:1\" for flag -bind: {address}"),
        ),
        (
            &["--bind=127.0.0.1"],
            format!("invalid value \"127.0.0.1\" for flag -bind: {address}"),
        ),
        (
            &["--node="],
            "invalid value \"\" for flag -node: it must not be blank".to_owned(),
        ),
    ] {
        assert_eq!(catalog(args), Err(expected), "{args:?}");
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
