//! The table of keys against the readers. That no reader takes a key which the table lacks is asserted at each of them.

use std::collections::BTreeMap;

use super::{clean, try_load};
use crate::config::keys::{self, Kind, Shape, TOP};
use crate::config::{Report, Severity};
use crate::jobs::Resource;

/// For each shape a configuration that has one: `@` is where a key goes.
const PLACES: [(&str, &str); 30] = [
    ("configuration", "{ @ }"),
    ("watch", "{ watches: [{ @ name: 'web', interval: 1 }] }"),
    (
        "debounce",
        "{ watches: [{ name: 'web', interval: 1, debounce: { @ min: 1 } }] }",
    ),
    ("consul", "{ consul: { @ } }"),
    ("tls", "{ consul: { tls: { @ } } }"),
    ("control", "{ control: { @ } }"),
    ("logging", "{ logging: { @ } }"),
    ("telemetry", "{ telemetry: { @ } }"),
    (
        "metric",
        "{ telemetry: { metrics: [{ @ name: 'm', help: 'h', type: 'gauge' }] } }",
    ),
    (
        "job",
        "{ jobs: [{ @ name: 'app', exec: 'app', port: 80, interfaces: 'static:192.0.2.7', health: { interval: 1, ttl: 3 } }] }",
    ),
    (
        "jobConsul",
        "{ jobs: [{ name: 'app', exec: 'app', port: 80, interfaces: 'static:192.0.2.7', health: { interval: 1, ttl: 3 }, consul: { @ } }] }",
    ),
    (
        "weights",
        "{ jobs: [{ name: 'app', exec: 'app', port: 80, interfaces: 'static:192.0.2.7', health: { interval: 1, ttl: 3 }, consul: { weights: { @ } } }] }",
    ),
    (
        "shell",
        "{ jobs: [{ name: 'app', exec: { @ shell: 'a' } }] }",
    ),
    (
        "hook",
        "{ jobs: [{ name: 'app', exec: 'a', postStop: { @ exec: 'b' } }] }",
    ),
    (
        "preStart",
        "{ jobs: [{ name: 'app', exec: 'a', preStart: { @ exec: 'b' } }] }",
    ),
    (
        "reaction",
        "{ watches: [{ name: 'web', interval: 1 }], jobs: [{ name: 'app', exec: 'a', onChange: { web: { @ restart: true } } }] }",
    ),
    (
        "action",
        "{ jobs: [{ name: 'app' }, { name: 'it', action: { @ restart: 'app' } }] }",
    ),
    (
        "backoff",
        "{ jobs: [{ name: 'app', exec: 'a', backoff: { @ } }] }",
    ),
    (
        "maxRestarts",
        "{ jobs: [{ name: 'app', exec: 'a', maxRestarts: { @ count: 1, within: 1 } }] }",
    ),
    (
        "jobLogging",
        "{ jobs: [{ name: 'app', exec: 'a', logging: { @ } }] }",
    ),
    (
        "ready",
        "{ jobs: [{ name: 'app', exec: 'a', ready: { @ fd: 3 } }] }",
    ),
    ("limits", "{ jobs: [{ name: 'app', limits: { @ } }] }"),
    (
        "limit",
        "{ jobs: [{ name: 'app', limits: { nofile: { @ } } }] }",
    ),
    (
        "when",
        "{ jobs: [{ name: 'app', exec: 'a', when: { @ } }] }",
    ),
    (
        "condition",
        "{ jobs: [{ name: 'app', exec: 'a', when: { after: { @ source: 'global', once: 'startup' } } }] }",
    ),
    (
        "health",
        "{ jobs: [{ name: 'app', exec: 'a', health: { @ tcp: 80, interval: 1 } }] }",
    ),
    (
        "http",
        "{ jobs: [{ name: 'app', exec: 'a', health: { http: { @ }, interval: 1 } }] }",
    ),
    (
        "target",
        "{ jobs: [{ name: 'app', exec: 'a', health: { tcp: { @ port: 80 }, interval: 1 } }] }",
    ),
    (
        "grpc",
        "{ jobs: [{ name: 'app', exec: 'a', health: { grpc: { @ port: 80 }, interval: 1 } }] }",
    ),
    (
        "file",
        "{ jobs: [{ name: 'app', exec: 'a', health: { file: { @ path: '/f' }, interval: 1 } }] }",
    ),
];

/// Every shape that can stand in a configuration, by name.
fn shapes() -> BTreeMap<&'static str, &'static Shape> {
    let mut found = BTreeMap::new();
    collect(&TOP, &mut found);
    found
}

fn collect(shape: &'static Shape, found: &mut BTreeMap<&'static str, &'static Shape>) {
    if let Some(other) = found.insert(shape.name, shape) {
        assert!(std::ptr::eq(other, shape), "two are called {}", shape.name);
        return;
    }
    for key in shape.keys {
        collect_kind(&key.kind, found);
    }
}

fn collect_kind(kind: &'static Kind, found: &mut BTreeMap<&'static str, &'static Shape>) {
    match kind {
        Kind::Object(shape) => collect(shape, found),
        Kind::List(kind) | Kind::Map(kind) => collect_kind(kind, found),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| collect_kind(kind, found)),
        _ => {}
    }
}

/// What is wrong with a text.
fn errors(text: &str) -> Vec<String> {
    let report: Report = match try_load(text) {
        Ok(_) => return Vec::new(),
        Err(report) => report,
    };
    let errors = report.iter().filter(|it| it.severity == Severity::Error);
    errors.map(ToString::to_string).collect()
}

fn place(name: &str) -> &'static str {
    let place = PLACES.iter().find(|(shape, _)| *shape == name);
    place.map_or_else(|| panic!("add a place for {name}"), |(_, text)| text)
}

#[test]
fn every_key_of_the_table_is_taken_by_a_reader() {
    for (name, shape) in shapes() {
        let place = place(name);
        let without = place.replace('@', "");
        assert_eq!(errors(&without), Vec::<String>::new(), "{without}");
        let keys = shape.keys.iter().map(|key| key.name);
        for key in keys.chain(shape.ignored.iter().copied()) {
            // Null is as good as absent, and a key that nobody takes is unknown whatever its value is. Where the place
            // has the key already, the later one counts.
            let text = place.replace('@', &format!("'{key}': null,"));
            assert_eq!(errors(&text), Vec::<String>::new(), "{name}: {text}");
        }
        if name != "limits" {
            let text = place.replace('@', "nobodyKnows: null,");
            assert!(
                errors(&text)
                    .iter()
                    .any(|error| error.contains("unknown key")),
                "{text}"
            );
        }
    }
    assert_eq!(shapes().len(), PLACES.len());
}

#[test]
fn what_is_required_is_a_key() {
    for shape in shapes().into_values() {
        for required in shape.required {
            assert!(shape.key(required).is_some(), "{} {required}", shape.name);
        }
    }
}

#[test]
fn the_limits_of_the_table_are_those_of_the_kernel() {
    let table: Vec<&str> = keys::LIMITS.keys.iter().map(|key| key.name).collect();
    assert_eq!(table, Resource::names().collect::<Vec<_>>());
}

/// Every word of the table is one that its reader knows.
#[test]
fn every_word_of_the_table_is_accepted() {
    for (name, shape) in shapes() {
        for key in shape.keys {
            for word in words(&key.kind) {
                let text = with_word(name, key.name, word);
                let said = errors(&text);
                let refused = said.iter().any(|error| error.contains("expected one of"));
                assert!(!refused, "{name}.{}: {word}: {said:?}", key.name);
            }
            if let Kind::Words(_) = key.kind {
                let text = with_word(name, key.name, "nonsense");
                assert!(!errors(&text).is_empty(), "{text}");
            }
        }
    }
}

/// A shape's place with this word under a key, instead of what the place has there.
fn with_word(shape: &str, key: &str, word: &str) -> String {
    let place = place(shape);
    let own = format!("{key}: '");
    match place.split_once(&own) {
        Some((before, after)) => {
            let rest = after.split_once('\'').map_or("", |(_, rest)| rest);
            format!("{}{own}{word}'{rest}", before.replace('@', ""))
        }
        None => place.replace('@', &format!("{key}: '{word}',")),
    }
}

fn words(kind: &'static Kind) -> Vec<&'static str> {
    match kind {
        Kind::Words(words) | Kind::WordsInAnyCase(words) => words.to_vec(),
        Kind::Either(kinds) => kinds.iter().flat_map(words).collect(),
        _ => Vec::new(),
    }
}

/// The reference names every key.
#[test]
fn the_reference_names_every_key() {
    let reference = include_str!("../../../config/README.md");
    for (name, shape) in shapes() {
        let keys = shape.keys.iter().map(|key| key.name);
        for key in keys.chain(shape.ignored.iter().copied()) {
            assert!(is_named(reference, key), "{name}: {key}");
        }
    }
}

/// Whether a key stands in code: alone, after a dot, in a list, before a colon.
fn is_named(reference: &str, key: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    reference
        .split('`')
        .skip(1)
        .step_by(2)
        .any(|code| code.split(|c| !part(c)).any(|word| word == key))
}

#[test]
fn a_key_of_a_hook_may_be_null() {
    let text = "{ jobs: [{ name: 'app', exec: 'a', preStart: null, postStop: null }] }";
    assert_eq!(clean(text).jobs.len(), 1);
}
