//! Checks beside commands, several of them, and readiness.

use std::time::Duration;

use super::*;
use crate::jobs::{CheckSpec, HttpProbe, Probe, Ready, Target};

fn check(keys: &str) -> CheckSpec {
    let spec = job(&format!("health: {{ {keys}, interval: 10 }}"));
    spec.health.unwrap().checks.remove(0)
}

fn port(host: &str, port: u16) -> Target {
    Target::Port {
        host: host.to_owned(),
        port,
    }
}

fn http(value: &str) -> HttpProbe {
    match check(&format!("http: {value}")).probe {
        Probe::Http(probe) => probe,
        other => panic!("{other:?}"),
    }
}

#[test]
fn http_is_a_url_or_its_parts() {
    let probe = http("'http://[::1]:8080/health?x=1#top'");
    assert_eq!(probe.target, port("::1", 8080));
    assert_eq!(
        (probe.method.as_str(), probe.path.as_str()),
        ("GET", "/health?x=1")
    );
    assert_eq!(probe.status, [(200, 399)]);
    assert_eq!(http("'http://localhost'").target, port("localhost", 80));
    assert_eq!(http("'localhost:81/x'").target, port("localhost", 81));
    let probe = http(
        "{ port: '90', path: '/a', method: 'HEAD', status: ['200-204', 301], headers: { Host: 'a', 'X-B': 1 }, body: 'ok', scheme: 'http' }",
    );
    assert_eq!(probe.target, port("localhost", 90));
    assert_eq!(probe.status, [(200, 204), (301, 301)]);
    assert_eq!(probe.headers[1], ("X-B".to_owned(), "1".to_owned()));
    assert_eq!(
        (probe.method.as_str(), probe.body.as_deref()),
        ("HEAD", Some("ok"))
    );
    let probe = http("{ socket: '/run/app.sock', status: 204 }");
    assert_eq!(probe.target, Target::Socket("/run/app.sock".to_owned()));
    assert_eq!(http("{ url: 'http://10.0.0.1:1/a' }").path, "/a");
}

#[test]
fn tcp_grpc_and_files_are_short() {
    for (value, target) in [
        ("80", port("localhost", 80)),
        ("'db:5432'", port("db", 5432)),
        ("'[::1]:80'", port("::1", 80)),
        ("{ host: '10.0.0.1', port: 1 }", port("10.0.0.1", 1)),
        ("'/run/s'", Target::Socket("/run/s".to_owned())),
        ("'unix:@s'", Target::Socket("@s".to_owned())),
    ] {
        assert_eq!(
            check(&format!("tcp: {value}")).probe,
            Probe::Tcp(target.clone())
        );
        let service = String::new();
        assert_eq!(
            check(&format!("grpc: {value}")).probe,
            Probe::Grpc { target, service }
        );
    }
    let Probe::Grpc { service, .. } = check("grpc: { port: 1, service: 'a.B' }").probe else {
        panic!("grpc");
    };
    assert_eq!(service, "a.B");
    let path = "/run/beat".to_owned();
    let max_age = Some(secs(30));
    assert_eq!(
        check("file: { path: '/run/beat', maxAge: '30s' }").probe,
        Probe::File { path, max_age }
    );
}

#[test]
fn a_check_has_thresholds_and_times() {
    let spec = job(
        "exec: 'a', restarts: 3, health: { tcp: 1, interval: '2s', rise: 2, fall: '3', startPeriod: 90, onFailure: 'restart' }",
    );
    let health = spec.health.unwrap();
    // Longer than the warning of a short one asks for.
    assert_eq!((health.interval, health.ttl), (secs(2), secs(6)));
    let check = &health.checks[0];
    assert_eq!((check.rise, check.fall, check.restarts), (2, 3, true));
    assert_eq!(
        (check.start_period, check.timeout),
        (secs(90), Some(secs(2)))
    );
    let spec =
        job("health: [ { exec: 'a', interval: 10 }, { tcp: 1, interval: '500ms', ttl: 5 } ]");
    let health = spec.health.unwrap();
    assert_eq!(health.checks.len(), 2);
    assert_eq!(
        (health.interval, health.ttl),
        (Duration::from_millis(500), secs(5))
    );
}

#[test]
fn wrong_checks_are_errors() {
    for (keys, expected) in [
        (
            "http: 'https://a'",
            "jobs[0].health.http: cannot use `https`: checks speak `http` alone",
        ),
        (
            "http: { port: 1, scheme: 'https' }",
            "health.http.scheme: cannot use `https`",
        ),
        (
            "http: 'http://user:secret@a/'",
            "cannot use the URL of the check",
        ),
        ("http: 'http://a:0/'", "cannot use the URL of the check"),
        ("http: { port: 1, path: 'x' }", "cannot use `x`: not a path"),
        (
            "http: { url: 'http://a/', path: '/x' }",
            "the path stands in `url` already",
        ),
        ("http: { port: 1, method: 'a b' }", "not a method"),
        (
            "http: { port: 1, status: '399-200' }",
            "cannot use `399-200`: not a status of HTTP",
        ),
        ("http: { port: 1, status: [] }", "no status would pass"),
        (
            "http: { port: 1, headers: { 'a b': 1 } }",
            "cannot send the header `a b`",
        ),
        (
            "http: { port: 1, headers: { a: 'x\\ny' } }",
            "cannot send the header `a`",
        ),
        (
            "http: { port: 1, socket: '/a' }",
            "a `socket` or a `port`, not to both",
        ),
        (
            "http: { socket: 'a' }",
            "cannot use `a`: not the path of a socket",
        ),
        ("http: { host: 'a b' }", "cannot use `a b`: not a host"),
        ("tcp: 0", "cannot connect to `0`"),
        ("tcp: 'a:b'", "cannot connect to `a:b`"),
        ("tcp: {}", "`port` is missing"),
        ("tcp: { port: 70000 }", "cannot use `70000`: not a port"),
        ("file: {}", "`path` is missing"),
        ("file: ''", "not a path"),
        (
            "file: { path: 'a', maxAge: 0 }",
            "cannot use `0`: must be more than 0",
        ),
        ("tcp: 1, exec: 'a'", "a check has `exec` or `tcp`, not both"),
        ("tcp: 1, timeout: 0", "only a command may last for ever"),
        ("tcp: 1, rise: 0", "cannot use `0`: must be at least 1"),
        (
            "tcp: 1, onFailure: 'restart'",
            "the job may not be started again",
        ),
        ("tcp: 1, onFailure: 'x'", "expected one of `restart`"),
    ] {
        refused_job(&format!("health: {{ {keys}, interval: 10 }}"), expected);
    }
    refused_job("health: []", "cannot use 0 checks: expected 1 to 64");
    refused_job(
        "health: [ { interval: 1, ttl: 3 } ]",
        "jobs[0].health[0]: there is nothing to check",
    );
}

#[test]
fn ready_is_health_a_notice_or_a_newline() {
    let ready = |keys: &str| job(&format!("exec: 'a', {keys}")).ready;
    assert_eq!(
        ready("ready: 'notify'"),
        Some(Ready::Notify { watchdog: None })
    );
    let watchdog = Some(secs(20));
    assert_eq!(
        ready("ready: 'notify', watchdog: '20s'"),
        Some(Ready::Notify { watchdog })
    );
    assert_eq!(ready("ready: { fd: 3 }"), Some(Ready::Descriptor(3)));
    assert_eq!(
        ready("ready: 'health', health: { tcp: 1, interval: 1 }"),
        Some(Ready::Health)
    );
    for (keys, expected) in [
        (
            "exec: 'a', ready: 'health'",
            "the job has no health check to be ready by",
        ),
        (
            "exec: 'a', ready: 'x'",
            "expected one of `health`, `notify`",
        ),
        (
            "exec: 'a', ready: { fd: 2 }",
            "not a descriptor from 3 to 255",
        ),
        ("exec: 'a', ready: {}", "`fd` is missing"),
        (
            "ready: { fd: 3 }",
            "a job without `exec` cannot say that it is ready",
        ),
        ("exec: 'a', watchdog: 3", "nobody would hear the heartbeats"),
        (
            "exec: 'a', ready: 'notify', watchdog: 0",
            "must be at least 1 millisecond",
        ),
    ] {
        refused_job(keys, expected);
    }
}
