//! Watches.

use super::*;
use crate::watches::Target;

#[test]
fn watches_have_a_name_and_an_interval() {
    let watches = clean("{ watches: [ { name: 'web', interval: 3, tag: 'a', dc: '' }, { name: 'db', interval: '500ms' } ] }").watches;
    assert_eq!(
        (
            watches[0].interval,
            &watches[0].subject.target,
            watches[0].subject.dc.as_deref()
        ),
        (secs(3), &service("web", &["a"]), None)
    );
    assert_eq!(watches[1].interval, Duration::from_millis(500));
    let table = [
        ("{ interval: 3 }", "'name' must not be blank"),
        ("{ name: '', interval: 3 }", "'name' must not be blank"),
        (
            "{ name: 'w', interval: 3 }",
            "service names must be alphanumeric",
        ),
        ("{ name: 'web' }", "interval must be > 0"),
        (
            "{ name: 'web', interval: 0 }",
            "watches[0].interval: cannot use `0`",
        ),
        (
            "{ name: 'web', interval: 1, tagz: 'x' }",
            "did you mean `tag`?",
        ),
        (
            "{ name: 'w1', interval: 1, kv: 'a', tags: 'x' }",
            "no meaning beside `kv`",
        ),
        ("{ name: 'w1', interval: 1, kv: '' }", "a key is not empty"),
        (
            "{ name: 'w1', interval: 1, kv: '/a' }",
            "does not begin with `/`",
        ),
        (
            "{ name: 'w1', interval: 1, debounce: {} }",
            "`min` is missing",
        ),
        (
            "{ name: 'w1', interval: 1, debounce: { min: '2s', max: '1s' } }",
            "`max` is shorter than `min`",
        ),
        ("3", "expected an object"),
    ];
    for (watch, expected) in table {
        refused(&format!("{{ watches: [ {watch} ] }}"), expected);
    }
    clean("{ watches: [ { name: 'w1', interval: 1, service: 'A 1' } ] }");
    warned(
        "{ watches: [ { name: 'web', interval: 1, serviceName: 'x' } ] }",
        "the key has no effect",
    );
    // What the original silently took for none.
    assert!(
        warned("{ watches: 'web' }", "is no array and is ignored")
            .watches
            .is_empty()
    );
}

/// The passing instances of a service with these tags.
fn service(name: &str, tags: &[&str]) -> Target {
    Target::Service {
        name: name.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        passing_only: true,
    }
}

#[test]
fn d15_watches_of_one_service_can_have_names_of_their_own() {
    let text = "{ watches: [
        { name: 'blue', service: 'web', tag: 'b', tags: ['x', 'b'], dc: 'dc2', interval: 1 },
        { name: 'all', service: 'web', passingOnly: false, interval: 1, debounce: { min: '2s' } },
        { name: 'a key', kv: 'config/app', interval: 1 },
        { name: 'keys', kv: 'config/', interval: 1 } ] }";
    let watches = clean(text).watches;
    assert_eq!(watches[0].subject.target, service("web", &["b", "x"]));
    assert_eq!(watches[0].subject.dc.as_deref(), Some("dc2"));
    assert!(matches!(
        watches[1].subject.target,
        Target::Service {
            passing_only: false,
            ..
        }
    ));
    let debounce = watches[1].debounce.expect("given");
    assert_eq!((debounce.min, debounce.max), (secs(2), secs(20)));
    let key = Target::Key("config/app".to_owned());
    let keys = Target::Prefix("config/".to_owned());
    assert_eq!(watches[2].subject.target, key);
    assert_eq!(watches[3].subject.target, keys);
}

#[test]
fn of_two_watches_with_one_name_the_first_is_the_source() {
    let text =
        "{ watches: [ { name: 'web', interval: 1 }, { name: 'web', interval: 1, tag: 'a' } ],
                 jobs: [ { name: 'app', when: { source: 'watch.web', each: 'changed' } } ] }";
    let config = warned(text, "`watch.web` means the first");
    assert_eq!(config.watches.len(), 2);
}
