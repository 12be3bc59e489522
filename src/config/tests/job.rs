use crate::events::Signal;
use crate::jobs::{Essential, Orphans, Restarts, Stdin};

use super::*;

#[test]
fn commands_are_split_or_taken_word_by_word() {
    let table: [(&str, &[&str]); 6] = [
        ("exec: '/bin/app -p 80'", &["/bin/app", "-p", "80"]),
        ("exec: '  /bin/app  '", &["/bin/app"]),
        ("exec: ['/bin/app', 'a b', '']", &["/bin/app", "a b", ""]),
        ("exec: ['sleep', 5, 1000000]", &["sleep", "5", "1000000"]),
        ("exec: { shell: 'a && b' }", &["/bin/sh", "-c", "a && b"]),
        (
            "exec: 'curl http://x/?a=1&b=2#c'",
            &["curl", "http://x/?a=1&b=2#c"],
        ),
    ];
    for (keys, argv) in table {
        assert_eq!(job(keys).exec.unwrap().argv(), argv, "{keys}");
    }
    assert_eq!(job("exec: null").exec, None);
}

/// D38.
#[test]
fn strings_that_want_a_shell_are_split_with_a_warning() {
    let table: [(&str, &[&str]); 8] = [
        ("curl -H 'a b'", &["curl", "-H", "'a", "b'"]),
        ("a  b", &["a", "", "b"]),
        ("a && b", &["a", "&&", "b"]),
        ("a | b", &["a", "|", "b"]),
        ("a $HOME", &["a", "$HOME"]),
        ("a > b", &["a", ">", "b"]),
        ("a 2>&1", &["a", "2>&1"]),
        ("a; b", &["a;", "b"]),
    ];
    for (command, argv) in table {
        let job = warned_job(&format!("exec: \"{command}\""), "no shell reads it");
        assert_eq!(job.exec.unwrap().argv(), argv, "{command}");
    }
}

#[test]
fn words_that_are_no_text_become_one() {
    let job = warned_job("exec: ['a', null]", "null` becomes the argument `<nil>`");
    assert_eq!(job.exec.unwrap().argv(), ["a", "<nil>"]);
    let job = warned_job(
        "exec: ['a', [1, {b: true}]]",
        "becomes the argument `[1 map[b:true]]`",
    );
    assert_eq!(job.exec.unwrap().argv()[1], "[1 map[b:true]]");
}

#[test]
fn a_command_is_not_empty() {
    for exec in [
        "''",
        "'  '",
        "[]",
        "['']",
        "{ shell: '' }",
        "{}",
        "5",
        "true",
    ] {
        refused_job(&format!("exec: {exec}"), "received zero-length argument");
    }
    refused_job("exec: { shel: 'a' }, restarts: 1", "did you mean `shell`?");
    refused_job("exec: 'a', restart: 1", "did you mean `restarts`?");
}

#[test]
fn restarts_are_words_or_numbers() {
    let table = [
        ("'unlimited'", Restarts::Unlimited),
        ("'never'", Restarts::Limited(0)),
        ("'3'", Restarts::Limited(3)),
        ("3", Restarts::Limited(3)),
        ("2.9", Restarts::Limited(2)),
        ("0", Restarts::Limited(0)),
        ("1e12", Restarts::Limited(u32::MAX)),
        ("null", Restarts::Limited(0)),
    ];
    for (restarts, expected) in table {
        assert_eq!(
            job(&format!("restarts: {restarts}")).restarts,
            expected,
            "{restarts}"
        );
    }
    let wrong = [
        ("'always'", "did you mean `unlimited`?"),
        (
            "''",
            "accepts positive integers, \"unlimited\", or \"never\"",
        ),
        ("-1", "number must be positive integer"),
        ("'-1'", "number must be positive integer"),
        ("true", "accepts positive integers"),
        ("[]", "accepts positive integers"),
        ("NaN", "accepts positive integers"),
    ];
    for (restarts, expected) in wrong {
        refused_job(&format!("restarts: {restarts}"), expected);
    }
    let each = "{ jobs: [ { name: 'a' }, { name: 'b', restarts: 'unlimited', when: { source: 'a', each: 'stopped' } } ] }";
    refused(each, "may not be used when 'job.when.each' is set");
}

#[test]
fn times_of_a_job() {
    let spec = job("timeout: 1, stopTimeout: '250ms'");
    assert_eq!(
        (spec.timeout, spec.stop_timeout),
        (Some(secs(1)), Some(Duration::from_millis(250)))
    );
    let spec = job("timeout: '', stopTimeout: ''");
    assert_eq!((spec.timeout, spec.stop_timeout), (None, None));
    let spec = job("stopTimeout: -1");
    assert_eq!(spec.stop_timeout, Some(Duration::ZERO));
    refused_job(
        "timeout: 0",
        "jobs[0].timeout: cannot use `0`: cannot be less than 1ms",
    );
    refused_job(
        "timeout: 'x'",
        "jobs[0].timeout: cannot use `x`: invalid duration",
    );
    refused_job("stopTimeout: '5 parsecs'", "cannot use `5 parsecs`");
}

#[test]
fn health_has_an_interval_and_a_ttl() {
    let health = |keys: &str| job(&format!("health: {{ {keys} }}")).health.unwrap();
    let check = health("exec: 'a', interval: '10', ttl: 25");
    assert_eq!(
        (check.interval, check.ttl, check.checks[0].timeout),
        (secs(10), secs(25), Some(secs(10)))
    );
    let check =
        health("exec: 'a', interval: '500ms', ttl: '1m', timeout: 3, logging: { raw: true }");
    assert_eq!(
        (check.interval, check.ttl, check.checks[0].timeout),
        (Duration::from_millis(500), secs(60), Some(secs(3)))
    );
    assert!(check.checks[0].raw);
    assert!(health("interval: 1, ttl: 5").checks.is_empty());
    for none in ["0", "-1", "'0s'"] {
        assert_eq!(
            health(&format!("exec: 'a', interval: 1, ttl: 5, timeout: {none}")).checks[0].timeout,
            None
        );
    }
    let table = [
        (
            "ttl: 5",
            "jobs[0].health: `interval` is missing: interval must be > 0",
        ),
        (
            "interval: 5",
            "jobs[0].health: `ttl` is missing: ttl must be > 0",
        ),
        (
            "interval: 0, ttl: 5",
            "jobs[0].health.interval: cannot use `0`: must be at least 1 second",
        ),
        ("interval: -3, ttl: 5", "must be at least 1 second"),
        ("interval: '1us', ttl: 5", "must be at least 1 millisecond"),
        (
            "interval: 5, ttl: 'long'",
            "jobs[0].health.ttl: cannot use `long`: invalid duration",
        ),
        ("interval: 5, tll: 5, ttl: 13", "did you mean `ttl`?"),
        ("interval: '', ttl: 5", "expected a whole number"),
        ("interval: 1e30, ttl: 5", "longer than 292 years"),
    ];
    for (keys, expected) in table {
        refused_job(&format!("health: {{ {keys} }}"), expected);
    }
}

/// C18.
#[test]
fn c18_a_short_ttl_is_odd_where_it_counts() {
    let job = warned_job(
        "port: 80, health: { interval: 10, ttl: 20 }",
        "use at least 25s",
    );
    assert!(job.service.is_some());
    super::job("port: 80, health: { interval: 10, ttl: 25 }");
    super::job("health: { interval: 10, ttl: 1 }");
}

#[test]
fn new_keys_of_a_job() {
    let plain = job("exec: 'a'");
    assert_eq!(
        (plain.essential, plain.orphans, plain.io.stdin, plain.io.tty),
        (Essential::No, Orphans::Sweep, Stdin::Null, false)
    );
    let spec = job(
        "exec: 'a', essential: true, orphans: 'keep', stdin: 'inherit', logging: { raw: true }",
    );
    assert_eq!(
        (spec.essential, spec.orphans, spec.io.stdin, spec.io.raw),
        (Essential::Yes, Orphans::Keep, Stdin::Inherit, true)
    );
    let spec = job("tty: true");
    assert_eq!((spec.io.tty, spec.io.stdin), (true, Stdin::Inherit));
    let spec = job("forward: ['WINCH', 'SIGUSR1', 10, 'RTMIN+3']");
    assert_eq!(
        spec.forward,
        [
            Signal::WINCH,
            Signal::USR1,
            Signal::from_number(37).unwrap()
        ]
    );
    assert_eq!(job("forward: 'HUP'").forward, [Signal::HUP]);
    refused_job("forward: ['TERM']", "cannot forward SIGTERM");
    refused_job("forward: ['NOPE']", "cannot use `NOPE`: not a signal");
    refused_job("stdin: 'file'", "expected one of `null`, `inherit`");
    refused_job(
        "tty: true, stdin: 'null'",
        "a job with `tty` reads from the terminal",
    );
    refused_job("orphans: 'drop'", "expected one of `sweep`, `keep`");
    warned_job("essential: true", "no effect on a job without `exec`");
}

#[test]
fn one_job_has_the_terminal() {
    refused(
        "{ jobs: [ { name: 'a', tty: true }, { name: 'b', tty: true } ] }",
        "`a` has the terminal already",
    );
    warned(
        "{ jobs: [ { name: 'a', tty: true }, { name: 'b', stdin: 'inherit' } ] }",
        "`a` reads the same input",
    );
}

/// Spec: keys that the original took for fields of its own.
#[test]
fn ignored_keys_are_warnings() {
    for key in [
        "ttl",
        "execTimeout",
        "restartLimit",
        "whenEvent",
        "healthCheckExec",
        "TTL",
    ] {
        warned_job(&format!("{key}: 5"), "the key has no effect");
    }
}

#[test]
fn keys_that_nobody_knows_are_errors() {
    refused_job("restart: 'x'", "jobs[0]: unknown key `restart`");
    refused_job(
        "logging: { raw: true, level: 'x' }",
        "jobs[0].logging: unknown key `level`",
    );
}

/// D54 and decision 2.
#[test]
fn keys_in_another_case_and_of_the_users_own() {
    let job = warned_job("stoptimeout: 3", "write `stopTimeout`");
    assert_eq!(job.stop_timeout, Some(secs(3)));
    let job =
        super::job("'x-note': 'mine', timeout: 2, health: { interval: 1, ttl: 5, 'x-y': {} }");
    assert_eq!(job.timeout, Some(secs(2)));
    // The exact key wins, and the other is unknown.
    refused_job("timeout: 2, TIMEOUT: 3", "unknown key `TIMEOUT`");
}

#[test]
fn jobs_are_an_array_of_objects() {
    // D10.
    for jobs in ["{}", "{ app: {} }", "'app'", "3"] {
        refused(&format!("{{ jobs: {jobs} }}"), "expected an array");
    }
    refused(
        "{ jobs: [ 'app' ] }",
        "jobs[0]: cannot use `app`: expected an object",
    );
    let config = warned(
        "{ jobs: [ null, { name: 'a' } ] }",
        "jobs[0]: null is skipped",
    );
    assert_eq!(config.jobs.len(), 1);
    assert!(clean("{ jobs: null }").jobs.is_empty());
}

#[test]
fn s06_the_agent_of_the_catalogue_is_known_by_its_command_or_its_key() {
    for (keys, expected) in [
        ("exec: ['/usr/bin/consul', 'agent', '-dev']", true),
        ("exec: 'consul agent -dev'", true),
        ("exec: 'consul agent -dev', agent: false", false),
        ("exec: 'consul watch -type=key'", false),
        ("exec: '/bin/start-consul.sh agent'", false),
        ("exec: '/bin/start-consul.sh', agent: true", true),
    ] {
        assert_eq!(super::job(keys).agent, expected, "{keys}");
    }
}
