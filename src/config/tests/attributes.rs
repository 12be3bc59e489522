//! What a job says of its processes.

use super::*;
use crate::events::{Exit, Signal};
use crate::jobs::{Attributes, Limit, Resource, Variable, Who};

#[track_caller]
fn read(keys: &str) -> Attributes {
    job(&format!("exec: 'app', {keys}")).attributes
}

#[track_caller]
fn refuse(keys: &str, expected: &str) {
    refused_job(&format!("exec: 'app', {keys}"), expected);
}

#[test]
fn a_job_that_says_nothing_has_none() {
    assert_eq!(read(""), Attributes::NONE);
    assert_eq!(Attributes::default(), Attributes::NONE);
}

#[test]
fn s13_stop_signals_have_names_and_numbers() {
    for (text, number) in [
        ("'QUIT'", 3),
        ("'SIGINT'", 2),
        ("'usr1'", 10),
        ("'RTMIN+3'", 37),
        ("28", 28),
        ("'KILL'", 9),
    ] {
        let signal = read(&format!("stopSignal: {text}")).stop_signal;
        assert_eq!(signal.map(Signal::number), Some(number), "{text}");
    }
    refuse("stopSignal: 'GO'", "cannot use `GO`: not a signal");
    refuse("stopSignal: 'STOP'", "it ends no process");
    refuse("stopSignal: 33", "not a signal");
}

#[test]
fn success_is_a_list_of_statuses() {
    let lenient = job("exec: 'app', successExitCodes: [0, 143]");
    assert!(lenient.is_success(Exit::Code(143)));
    assert!(lenient.is_success(Exit::Signal(Signal::TERM)));
    assert!(!lenient.is_success(Exit::Code(1)));
    assert_eq!(lenient.judged(Exit::Code(143)), Exit::Code(0));
    assert_eq!(lenient.judged(Exit::Code(1)), Exit::Code(1));
    let odd = job("exec: 'app', successExitCodes: 3");
    assert!(odd.is_success(Exit::Code(3)) && !odd.is_success(Exit::Code(0)));
    let strict = job("exec: 'app'");
    assert!(strict.is_success(Exit::Code(0)) && !strict.is_success(Exit::Signal(Signal::TERM)));
    refuse("successExitCodes: []", "nothing would ever be a success");
    refuse("successExitCodes: [256]", "expected a status from 0 to 255");
    refuse("successExitCodes: [0, 126]", "could not be started");
}

#[test]
fn variables_are_set_and_unset() {
    let variable = |name: &str, value: Option<&str>| Variable {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    };
    assert_eq!(
        read("env: { A: 'x=y', B: null, C: 5, D: '' }, envFile: 'some.env'"),
        Attributes {
            env: vec![
                variable("A", Some("x=y")),
                variable("B", None),
                variable("C", Some("5")),
                variable("D", Some("")),
            ],
            env_files: vec!["some.env".to_owned()],
            ..Attributes::NONE
        }
    );
    assert_eq!(read("envFile: ['a', '/b']").env_files, ["a", "/b"]);
    warned_job(
        "exec: 'app', env: { A: true }",
        "`true` becomes the text `1`",
    );
    refuse("env: { 'A=B': 1 }", "cannot set `A=B`");
    refuse("env: { '': 1 }", "a name has at least one character");
    refuse("env: { A: '\\0' }", "no zero byte");
    refuse("env: { A: {} }", "expected a string");
    refuse("env: ['A=1']", "expected an object");
    refuse(
        "env: { CONTAINERPILOT_RUN: '1' }",
        "finds a job's processes",
    );
    refuse("envFile: ''", "expected a path");
}

#[test]
fn l12_no_message_shows_the_environment_of_a_job() {
    for text in [
        "{ jobs: [{ name: 'app', exec: 'app', env: { DB: 's3cr3t', '=': 1 }, nonsense: 1 }] }",
        "{ jobs: [{ name: 'app', exec: 'a  s3cr3t',\n env: { PASSWORD: 's3cr3t' }, port: 's3cr3t' }] }",
        "{ jobs: [{ name: 'app', exec: 'app', env: {\n PASSWORD: 's3cr3t',\n PASSWORD: 'other' } }] }",
        "{ jobs: [{ name: 'app', exec: 'app', env: {\n DB: 's3cr3t' oops } }] }",
        "{ jobs: [{ name: 'app', exec: 'app', env: {\n A: 1,\n B: 2,\n C: 3,\n DB_PASSWORD: 's3cr3t' oops } }] }",
        "{ jobs: [{ name: 'app', exec: 'app', preStop: { exec: 'x', env: { DB: 's3cr3t' }, nonsense: 1 } }] }",
    ] {
        let said = match try_load(text) {
            Ok(loaded) => loaded.warnings.to_string(),
            Err(report) => report.to_string(),
        };
        assert!(!said.is_empty() && !said.contains("s3cr3t"), "{said}");
    }
    let config = clean("{ jobs: [{ name: 'app', exec: 'app', env: { DB: 's3cr3t' } }] }");
    let shown = format!(
        "{config:?}{}",
        serde_json::to_string(&config.summary()).unwrap()
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn users_are_names_or_numbers() {
    let found = read("user: 'app', group: 20");
    assert_eq!(found.user, Some(Who::Name("app".to_owned())));
    assert_eq!(found.group, Some(Who::Number(20)));
    assert_eq!(read("user: '1000'").user, Some(Who::Number(1000)));
    refuse("user: 'app:app'", "expected a user by name or number");
    refuse("user: ''", "expected a user");
    refuse("group: 4294967295", "expected a group");
    refuse("user: '-1'", "expected a user");
}

#[test]
fn numbers_have_their_ranges() {
    let found = read("umask: '027', nice: -5, noNewPrivileges: true, workdir: '/srv'");
    assert_eq!((found.umask, found.nice), (Some(0o027), Some(-5)));
    assert!(found.no_new_privileges);
    assert_eq!(found.workdir.as_deref(), Some("/srv"));
    refuse("umask: 22", "octal digits in a string");
    refuse("umask: '1000'", "octal digits");
    refuse("umask: ''", "octal digits");
    refuse("nice: 20", "expected -20 (first) to 19 (last)");
    refuse("workdir: 'srv'", "expected an absolute path");
}

#[test]
fn p19_limits_are_one_number_or_two() {
    let limit = |soft, hard| Limit { soft, hard };
    let found = read(
        "limits: { nofile: 1024, core: 'unlimited', nproc: { soft: 5, hard: 'unlimited' }, stack: { soft: 8192 }, as: null }",
    );
    let named = |name| Resource::from_name(name).unwrap();
    assert_eq!(
        found.limits,
        [
            (named("nofile"), limit(Some(1024), Some(1024))),
            (named("core"), limit(Some(u64::MAX), Some(u64::MAX))),
            (named("nproc"), limit(Some(5), Some(u64::MAX))),
            (named("stack"), limit(Some(8192), None)),
        ]
    );
    assert_eq!(named("nofile").number(), 7);
    refuse("limits: { nofiles: 1 }", "did you mean `nofile`?");
    refuse("limits: { nofile: -1 }", "expected a limit");
    refuse("limits: { nofile: 1.5 }", "expected a limit");
    refuse(
        "limits: { nofile: { soft: 2, hard: 1 } }",
        "above the hard one",
    );
    refuse("limits: { nofile: { max: 1 } }", "unknown key `max`");
}
