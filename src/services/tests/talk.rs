//! What is said of the way to the catalogue.

use std::time::{Duration, Instant};

use crate::events::Failure;
use crate::services::{Link, LinkNote, Subject};

fn away() -> Failure {
    Failure::Unreachable("refused".to_owned())
}

#[test]
fn c01_one_line_when_it_goes_and_one_when_it_is_back() {
    let start = Instant::now();
    let mut link = Link::default();
    let mut notes = Vec::new();
    for second in 0..1_800 {
        let now = start + Duration::from_secs(second);
        notes.extend(link.on_result(Subject::Watch, Some(&away()), now));
        notes.extend(link.on_result(Subject::HealthUpdate, Some(&away()), now));
    }
    assert!(link.is_lost());
    let now = start + Duration::from_mins(30);
    notes.extend(link.on_result(Subject::HealthUpdate, None, now));
    notes.extend(link.on_result(Subject::Watch, None, now));
    let back = LinkNote::Back(Duration::from_mins(30));
    assert_eq!(notes, [LinkNote::Lost(away()), back]);
    assert!(!link.is_lost());
}

#[test]
fn c18_a_single_lost_answer_is_no_news() {
    let now = Instant::now();
    let mut link = Link::default();
    for _ in 0..100 {
        assert_eq!(
            link.on_result(Subject::HealthUpdate, Some(&away()), now),
            []
        );
        assert_eq!(link.on_result(Subject::HealthUpdate, None, now), []);
    }
}

#[test]
fn c06_a_refusal_is_told_once_for_what_it_is_about() {
    let now = Instant::now();
    let mut link = Link::default();
    let denied = Failure::Denied("403".to_owned());
    let mut notes = Vec::new();
    for _ in 0..10 {
        notes.extend(link.on_result(Subject::Registration, Some(&denied), now));
        notes.extend(link.on_result(Subject::Watch, None, now));
        notes.extend(link.on_result(Subject::Inspection, Some(&denied), now));
    }
    notes.extend(link.on_result(Subject::Registration, None, now));
    let refused = LinkNote::Refused(Subject::Registration, denied);
    assert_eq!(notes, [refused, LinkNote::Accepted(Subject::Registration)]);
}
