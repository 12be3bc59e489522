//! What makes a service of a job, its names, and what the catalogue is told of it.

use super::*;
use crate::services::InitialStatus;

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
