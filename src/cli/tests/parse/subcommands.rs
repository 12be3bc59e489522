//! Subcommands and what they take.

use super::*;

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
