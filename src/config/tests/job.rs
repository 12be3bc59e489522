use crate::events::Signal;
use crate::jobs::{Essential, Orphans, Restarts, Stdin};
use crate::services::InitialStatus;

use super::*;

const HEALTH: &str = "health: { interval: 1, ttl: 5 }";

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
fn a_port_makes_a_service() {
    let service = job(&format!(
        "port: '80', {HEALTH}, tags: ['a', 1], initial_status: 'warning'"
    ))
    .service
    .unwrap();
    assert_eq!(
        (service.port, service.tags.as_slice()),
        (80, ["a".to_owned(), "1".to_owned()].as_slice())
    );
    assert_eq!(service.initial_status, Some(InitialStatus::Warning));
    assert_eq!(
        (service.name.as_str(), service.address),
        ("app", Some(ip("10.0.0.2")))
    );
    // D37: one text alone will do.
    let service = job(&format!(
        "port: 80, {HEALTH}, tags: 'a', initialStatus: 'passing'"
    ))
    .service
    .unwrap();
    assert_eq!(
        (service.tags.len(), service.initial_status),
        (1, Some(InitialStatus::Passing))
    );
    assert_eq!(job("port: 0").service, None);
    let table = [
        (
            "port: 80",
            "jobs[0].port: health must be set if 'port' is set",
        ),
        (
            "port: 70000, health: { interval: 1, ttl: 5 }",
            "a port is a number from 1 to 65535",
        ),
        (
            "port: '', health: { interval: 1, ttl: 5 }",
            "cannot use ``: expected a whole number",
        ),
        (
            "port: 80, health: { interval: 1, ttl: 5 }, initial_status: 'good'",
            "expected one of `passing`, `warning`, `critical`",
        ),
        (
            "port: 80, health: { interval: 1, ttl: 5 }, initial_status: 'passing', initialStatus: 'passing'",
            "is the same key as",
        ),
    ];
    for (keys, expected) in table {
        refused_job(keys, expected);
    }
}

#[test]
fn extras_of_a_service() {
    let with = |consul: &str| format!("port: 80, {HEALTH}, consul: {consul}");
    let service = job(&with(
        "{ enableTagOverride: true, deregisterCriticalServiceAfter: '10m' }",
    ))
    .service
    .unwrap();
    assert!(service.enable_tag_override);
    assert_eq!(service.deregister_critical_after, Some(secs(600)));
    // D37: the time may be left out.
    let service = job(&with("{ enableTagOverride: 'true' }")).service.unwrap();
    assert_eq!(service.deregister_critical_after, None);
    refused_job(
        &with("{ deregisterCriticalServiceAfter: 10 }"),
        "missing unit in duration",
    );
    refused_job(
        &with("{ deregisterCriticalServiceAfter: '' }"),
        "invalid duration",
    );
}

#[test]
fn keys_of_a_service_have_no_effect_without_a_port() {
    for key in [
        "tags: ['a']",
        "interfaces: 'eth0'",
        "consul: {}",
        "initial_status: 'nonsense'",
    ] {
        let job = warned_job(key, "the key has no effect without `port`");
        assert_eq!(job.service, None);
    }
}

#[test]
fn names_of_services_follow_the_catalogue() {
    for name in ["my-app", "a1", "aB-2-"] {
        clean(&format!(
            "{{ jobs: [ {{ name: '{name}', port: 80, {HEALTH} }} ] }}"
        ));
    }
    for name in ["a", "App", "my_app", "1app", "my.app", "äpp"] {
        let text = format!("{{ jobs: [ {{ name: '{name}', port: 80, {HEALTH} }} ] }}");
        refused(&text, "service names must be alphanumeric with dashes");
        clean(&format!("{{ jobs: [ {{ name: '{name}' }} ] }}"));
    }
    for text in [
        "{ jobs: [ {} ] }",
        "{ jobs: [ { name: '' } ] }",
        "{ jobs: [ { name: null } ] }",
    ] {
        refused(text, "'name' must not be blank");
    }
}

/// D35 and decision 1.
#[test]
fn the_second_of_two_equal_names_is_numbered() {
    let config = warned(
        "{ jobs: [ { name: 'a' }, { name: 'a' } ] }",
        "this one is `a#2` to others",
    );
    let names: Vec<&str> = config.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["a", "a#2"]);
    let text = "{ jobs: [ { name: 'a' }, { name: 'a' }, { name: 'a#2' }, { name: 'a' }, { name: 'b', when: { source: 'a', once: 'stopped' } } ] }";
    let loaded = try_load(text).unwrap();
    let names: Vec<&str> = loaded
        .config
        .jobs
        .iter()
        .map(|job| job.name.as_str())
        .collect();
    assert_eq!(names, ["a", "a#3", "a#2", "a#4", "b"]);
    let text = format!(
        "{{ jobs: [ {{ name: 'ab', port: 1, {HEALTH} }}, {{ name: 'ab', port: 2, {HEALTH} }} ] }}"
    );
    let config = warned(&text, "`ab#2`");
    assert_eq!(config.jobs[1].service.as_ref().unwrap().name, "ab");
}

#[test]
fn names_of_sources_are_taken() {
    let watch = "watches: [ { name: 'web', interval: 1 } ]";
    for name in ["global", "SIGHUP", "SIGUSR2", "watch.web", "check.app"] {
        let text = format!("{{ jobs: [ {{ name: 'app' }}, {{ name: '{name}' }} ], {watch} }}");
        refused(&text, "it is the name of another source of events");
    }
    for name in ["SIGNAL", "watch.other", "check.nobody"] {
        let text = format!("{{ jobs: [ {{ name: '{name}' }} ], {watch} }}");
        warned(&text, "looks like a source of events");
    }
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

#[test]
fn s07_drain_needs_a_service() {
    let served = "port: 80, interfaces: 'lo', health: { interval: 1, ttl: 5 }";
    let drain = |keys: &str| super::job(&format!("{served}, {keys}")).drain;
    assert_eq!(drain("drain: '1500ms'"), Some(Duration::from_millis(1500)));
    assert_eq!(drain("drain: 0"), None);
    warned_job("drain: 1", "not advertised");
    // It counts for what a stop may last.
    warned_job(&format!("{served}, drain: 12"), "may take 17s");
}

#[test]
fn what_the_catalogue_is_told_beside_the_original_s_keys() {
    let served = "port: 80, interfaces: 'lo', health: { interval: 1, ttl: 5 }";
    let service = |consul: &str| {
        let job = super::job(&format!("{served}, consul: {{ {consul} }}"));
        job.service.expect("it has a port")
    };
    let given =
        service("id: 'a-1', address: 'db.local', meta: { v: 2, k: 'x' }, weights: { passing: 5 }");
    assert_eq!(given.id.as_deref(), Some("a-1"));
    assert_eq!(given.static_address.as_deref(), Some("db.local"));
    assert_eq!(given.address, None);
    assert_eq!(given.meta["v"], "2");
    let weights = given.weights.expect("given");
    assert_eq!((weights.passing, weights.warning), (5, 1));
    assert_eq!(service("").interfaces, ["lo"]);
    for (consul, says) in [
        ("id: 'a/b'", "not an id"),
        ("address: 'http://a'", "not an address"),
        ("meta: { 'a b': 'c' }", "cannot use the key `a b`"),
        ("meta: 3", "expected an object"),
        ("weights: { passing: 0 }", "a weight is a number from 1"),
        ("weights: { warning: -1 }", "a weight is a number from 0"),
    ] {
        refused_job(&format!("{served}, consul: {{ {consul} }}"), says);
    }
}

#[test]
fn d35_no_two_services_have_one_id() {
    let app = |name: &str, id: &str| {
        format!(
            "{{ name: '{name}', port: 80, interfaces: 'lo', health: {{ interval: 1, ttl: 5 }}, consul: {{ id: '{id}' }} }}"
        )
    };
    let text = format!(
        "{{ jobs: [ {}, {} ] }}",
        app("one", "same"),
        app("two", "same")
    );
    super::refused(&text, "two services have the id `same`");
    let plain = "{ name: 'one', port: 80, interfaces: 'lo', health: { interval: 1, ttl: 5 } }";
    let jobs = super::warned(&format!("{{ jobs: [ {plain}, {plain} ] }}"), "`one#2`").jobs;
    let ordinals: Vec<u32> = jobs
        .iter()
        .filter_map(|job| Some(job.service.as_ref()?.ordinal))
        .collect();
    assert_eq!(ordinals, [1, 2]);
}
