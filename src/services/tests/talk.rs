//! What is said of the way to the catalogue.

use std::time::{Duration, Instant};

use crate::events::Failure;
use crate::services::{Link, LinkNote, Matter, Subject};

fn away() -> Failure {
    Failure::Unreachable("refused".to_owned())
}

fn denied() -> Failure {
    Failure::Denied("403".to_owned())
}

fn matter(subject: Subject, name: &str) -> Matter {
    let name = name.to_owned();
    Matter { subject, name }
}

fn watch(name: &str) -> Matter {
    matter(Subject::Watch, name)
}

#[test]
fn c01_one_line_when_it_goes_and_one_when_it_is_back() {
    let start = Instant::now();
    let mut link = Link::default();
    let mut notes = Vec::new();
    let update = || matter(Subject::HealthUpdate, "app");
    for second in 0..1_800 {
        let now = start + Duration::from_secs(second);
        notes.extend(link.on_result(watch("db"), Some(&away()), now));
        notes.extend(link.on_result(update(), Some(&away()), now));
    }
    assert!(link.is_lost());
    let now = start + Duration::from_mins(30);
    notes.extend(link.on_result(update(), None, now));
    notes.extend(link.on_result(watch("db"), None, now));
    let back = LinkNote::Back(Duration::from_mins(30));
    assert_eq!(notes, [LinkNote::Lost(away()), back]);
    assert!(!link.is_lost());
}

#[test]
fn c18_a_single_lost_answer_is_no_news() {
    let now = Instant::now();
    let mut link = Link::default();
    for _ in 0..100 {
        assert_eq!(link.on_result(watch("db"), Some(&away()), now), []);
        assert_eq!(link.on_result(watch("db"), None, now), []);
    }
}

#[test]
fn c06_a_refusal_is_told_once_for_what_it_is_about() {
    let now = Instant::now();
    let mut link = Link::default();
    let mut notes = Vec::new();
    for _ in 0..10 {
        notes.extend(link.on_result(watch("key"), Some(&denied()), now));
        // Others go well, which changes nothing for this one.
        notes.extend(link.on_result(watch("db"), None, now));
        let look = matter(Subject::Inspection, "app");
        notes.extend(link.on_result(look, Some(&denied()), now));
    }
    notes.extend(link.on_result(watch("more"), Some(&denied()), now));
    notes.extend(link.on_result(watch("key"), None, now));
    let refused = |name: &str, others| LinkNote::Refused {
        matter: watch(name),
        failure: denied(),
        others,
    };
    let expected = [
        refused("key", 0),
        refused("more", 1),
        LinkNote::Accepted(watch("key")),
    ];
    assert_eq!(notes, expected);
}

#[test]
fn what_fails_while_the_catalogue_answers_others_is_told_by_its_name() {
    let now = Instant::now();
    let mut link = Link::default();
    let mut notes = Vec::new();
    let failure = Failure::Busy("no path to datacenter".to_owned());
    for _ in 0..10 {
        notes.extend(link.on_result(watch("far"), Some(&failure), now));
        notes.extend(link.on_result(matter(Subject::Pulse, ""), None, now));
    }
    notes.extend(link.on_result(watch("far"), None, now));
    let refused = LinkNote::Refused {
        matter: watch("far"),
        failure,
        others: 0,
    };
    assert_eq!(notes, [refused, LinkNote::Accepted(watch("far"))]);
}
