use std::collections::BTreeMap;
use std::time::Duration;

use super::agent::*;
use crate::events::JobId;
use crate::services::{
    CheckStatus, InitialStatus, Note, Plan, Presence, Registration, ServiceSpec, Weights,
};

#[test]
fn a_service_appears_when_it_first_passes_and_not_before() {
    let mut world = World::new(vec![plan(0)]);
    world.begin();
    world.show(Presence::Critical);
    assert_eq!(world.status(), None);
    world.show(Presence::Passing);
    assert_eq!(world.status(), Some(CheckStatus::Passing));
    assert_eq!(world.notes, [Note::Registered]);
    // Registered as passing, and told at once: an agent that knew the check before keeps the status it had.
    assert_eq!((world.count(is_register), world.count(is_update)), (1, 1));
}

#[test]
fn every_result_renews_the_ttl() {
    let mut world = World::passing();
    for _ in 0..5 {
        world.advance(secs(1));
        world.show(Presence::Passing);
    }
    assert_eq!((world.count(is_register), world.count(is_update)), (1, 6));
}

#[test]
fn d40_a_failed_check_is_critical_at_once_with_its_output() {
    let mut world = World::passing();
    world.show(Presence::Critical);
    let (_, status, output) = &world.agents[0]["app0-host"];
    assert_eq!((*status, output.as_str()), (CheckStatus::Critical, "sick"));
    world.show(Presence::Passing);
    assert_eq!(world.agents[0]["app0-host"].2, "ok");
}

#[test]
fn d39_an_initial_status_is_registered_with_its_own_retries() {
    let initial = Some(CheckStatus::Critical);
    let mut world = World::new(vec![Plan { initial, ..plan(0) }]);
    world.mood = Mood::Away;
    world.show(Presence::Initial);
    world.begin();
    world.advance(secs(60));
    world.mood = Mood::Well;
    world.advance(secs(10));
    assert_eq!(world.status(), Some(CheckStatus::Critical));
    // No check has ended, so there is nothing to tell.
    assert_eq!(world.count(is_update), 0);
}

#[test]
fn c01_an_agent_that_is_away_is_asked_ever_more_rarely_and_found_again_within_an_interval() {
    let mut world = World::passing();
    world.mood = Mood::Away;
    let before = world.calls.len();
    for _ in 0..180 {
        world.show(Presence::Passing);
        world.advance(secs(10));
    }
    let tries = world.calls.len() - before;
    // 30 minutes with a cap of 10 s, of which half is by chance: 180 to 360, and a few at the beginning.
    assert!((180..380).contains(&tries), "{tries}");
    world.agents[0].clear();
    world.mood = Mood::Well;
    world.advance(secs(10));
    assert_eq!(world.status(), Some(CheckStatus::Passing));
}

#[test]
fn c03_an_agent_without_its_data_gets_it_back_with_the_next_result() {
    for (presence, status) in [
        (Presence::Passing, CheckStatus::Passing),
        (Presence::Critical, CheckStatus::Critical),
    ] {
        let mut world = World::passing();
        world.agents[0].clear();
        world.show(presence);
        assert_eq!(world.status(), Some(status));
        assert!(world.notes.contains(&Note::Lost));
    }
}

#[test]
fn c04_what_somebody_removed_comes_back_without_any_result() {
    let mut world = World::passing();
    world.agents[0].clear();
    world.advance(secs(37));
    assert_eq!(world.status(), Some(CheckStatus::Passing));
}

#[test]
fn what_somebody_changed_is_mended() {
    let mut world = World::passing();
    let entry = world.agents[0].get_mut("app0-host").expect("it stands");
    entry.0.port = 81;
    world.advance(secs(37));
    assert_eq!(world.agents[0]["app0-host"].0.port, 80);
    assert!(world.notes.contains(&Note::Mended));
}

#[test]
fn c05_maintenance_takes_it_away_and_the_next_pass_brings_it_back() {
    let mut world = World::passing();
    for _ in 0..2 {
        world.show(Presence::Absent);
        world.show(Presence::Absent);
        assert_eq!(world.status(), None);
        world.show(Presence::Critical);
        assert_eq!(world.status(), None);
        world.show(Presence::Passing);
        assert_eq!(world.status(), Some(CheckStatus::Passing));
    }
}

#[test]
fn c06_what_is_denied_is_tried_rarely_and_at_once_with_other_credentials() {
    let mut world = World::new(vec![plan(0)]);
    world.mood = Mood::Denies;
    world.begin();
    world.show(Presence::Passing);
    let before = world.calls.len();
    world.advance(secs(60));
    assert!(world.calls.len() - before <= 13, "a tight loop");
    world.mood = Mood::Well;
    let orders = world.services.try_now(world.now);
    world.take(orders);
    assert_eq!(world.status(), Some(CheckStatus::Passing));
}

#[test]
fn c19_what_is_rejected_is_not_tried_in_a_loop() {
    let mut world = World::new(vec![plan(0)]);
    world.mood = Mood::Rejects;
    world.begin();
    let before = world.calls.len();
    for _ in 0..36 {
        world.show(Presence::Passing);
        world.advance(secs(10));
    }
    assert!(world.calls.len() - before <= 3, "{:?}", world.calls);
}

#[test]
fn c14_services_that_lost_their_agent_together_do_not_come_back_together() {
    // 500 programs, each with its own seed: when does each try for the fifth time after the loss?
    let mut times: Vec<Duration> = (0..500)
        .map(|seed| {
            let mut world = World::seeded(vec![plan(0)], seed * 7_919);
            world.mood = Mood::Away;
            world.begin();
            world.advance(secs(60));
            world.calls[4].0
        })
        .collect();
    times.sort();
    let spread = times[450].saturating_sub(times[50]);
    assert!(spread >= Duration::from_millis(300), "{spread:?}");
    let most = times
        .windows(50)
        .map(|some| some[49].saturating_sub(some[0]))
        .min();
    assert!(most >= Some(Duration::from_millis(10)), "{most:?}");
}

#[test]
fn c15_what_an_earlier_program_left_is_removed_until_the_service_is_well() {
    let mut world = World::new(vec![plan(0)]);
    let mut old = registered(&registration("app0"));
    old.port = 4_711;
    let entry = (old, CheckStatus::Passing, String::new());
    world.agents[0].insert("app0-host".to_owned(), entry);
    world.begin();
    assert_eq!(world.status(), None);
    assert!(world.notes.contains(&Note::Remnant));
    world.show(Presence::Passing);
    assert_eq!(world.agents[0]["app0-host"].0.port, 80);
}

#[test]
fn a_registration_that_is_found_as_it_should_be_stays_until_a_check_has_judged() {
    let found = || {
        let mut world = World::new(vec![plan(0)]);
        let entry = (
            registered(&registration("app0")),
            CheckStatus::Passing,
            String::new(),
        );
        world.agents[0].insert("app0-host".to_owned(), entry);
        world.begin();
        assert_eq!(world.status(), Some(CheckStatus::Passing));
        world
    };
    for presence in [Presence::Absent, Presence::Leaving] {
        let mut world = found();
        world.show(presence);
        assert_eq!(world.status(), None);
    }
    let mut world = found();
    world.advance(secs(100));
    world.show(Presence::Passing);
    assert_eq!(world.notes, [Note::Registered]);
}

#[test]
fn c18_one_strange_answer_holds_up_neither_the_next_result_nor_a_removal() {
    let mut world = World::passing();
    world.mood = Mood::Strange;
    world.show(Presence::Passing);
    world.mood = Mood::Well;
    let before = world.count(is_update);
    world.advance(secs(10));
    assert!(world.count(is_update) > before, "no update for an interval");
    // What is rejected for good holds up its own kind alone.
    world.mood = Mood::Rejects;
    world.show(Presence::Passing);
    world.mood = Mood::Well;
    world.show(Presence::Absent);
    assert_eq!(world.status(), None);
}

#[test]
fn c16_two_agents_under_one_address_are_noticed_and_no_twin_is_left() {
    let mut world = World::new(vec![plan(0)]);
    world.mood = Mood::Split;
    world.begin();
    for _ in 0..30 {
        world.show(Presence::Passing);
        world.advance(secs(10));
        let standing = world.agents.iter().filter(|agent| !agent.is_empty());
        assert!(standing.count() <= 1, "twins");
    }
    let told = world.notes.iter().filter(|note| **note == Note::Astray);
    assert_eq!(told.count(), 1);
    // A cycle of three calls for an interval each: no storm.
    assert!(world.calls.len() < 120, "{}", world.calls.len());
}

#[test]
fn c18_a_lost_answer_is_asked_for_again_long_before_the_ttl() {
    let mut world = World::passing();
    world.mood = Mood::Mute;
    world.show(Presence::Passing);
    world.mood = Mood::Well;
    let before = world.count(is_update);
    world.advance(Duration::from_millis(100));
    assert_eq!(world.count(is_update), before + 1);
}

#[test]
fn a_registration_whose_answer_was_lost_is_removed_at_the_end() {
    let mut world = World::new(vec![plan(0)]);
    world.begin();
    world.mood = Mood::Mute;
    world.show(Presence::Passing);
    assert!(world.status().is_some());
    world.mood = Mood::Well;
    world.show(Presence::Leaving);
    assert_eq!(world.status(), None);
    assert_eq!(world.left, [(JobId(0), true)]);
}

#[test]
fn the_end_removes_the_service_and_says_so_once() {
    let mut world = World::passing();
    world.show(Presence::Leaving);
    world.show(Presence::Passing);
    world.show(Presence::Leaving);
    assert_eq!(world.status(), None);
    assert_eq!(world.left, [(JobId(0), true)]);
    assert!(world.services.is_settled());
}

#[test]
fn what_was_never_there_has_left_already() {
    let mut world = World::new(vec![plan(0)]);
    world.begin();
    world.show(Presence::Leaving);
    assert_eq!(world.left, [(JobId(0), false)]);
    // A job without a service, or without a catalogue, does not wait either.
    world.show_of(5, Presence::Leaving, "");
    assert_eq!(world.left[1], (JobId(5), false));
}

#[test]
fn the_end_does_not_wait_for_an_update_but_for_a_registration() {
    let mut world = World::passing();
    world.slow = true;
    world.show(Presence::Passing);
    world.show(Presence::Leaving);
    world.answer_all();
    assert_eq!((world.status(), world.left.len()), (None, 1));

    let mut world = World::new(vec![plan(0)]);
    world.begin();
    world.slow = true;
    world.show(Presence::Passing);
    world.show(Presence::Leaving);
    assert_eq!(world.left, []);
    world.answer_all();
    assert_eq!((world.status(), world.left.len()), (None, 1));
}

#[test]
fn s08_the_end_is_told_at_the_first_failure_and_the_removal_is_tried_on() {
    let mut world = World::passing();
    world.mood = Mood::Away;
    world.show(Presence::Leaving);
    assert_eq!(world.left.len(), 1);
    assert!(!world.services.is_settled());
    world.mood = Mood::Well;
    world.advance(secs(1));
    assert_eq!(world.status(), None);
    assert!(world.services.is_settled());
    assert_eq!(world.left.len(), 1);
}

#[test]
fn x08_a_thaw_renews_the_ttl_first() {
    let mut world = World::passing();
    let before = world.count(is_update);
    let orders = world.services.on_thaw(world.now);
    world.take(orders);
    assert_eq!(world.count(is_update), before + 1);
    // What is critical has no TTL to lose.
    world.show(Presence::Critical);
    let before = world.count(is_update);
    let orders = world.services.on_thaw(world.now);
    world.take(orders);
    assert_eq!(world.count(is_update), before);
}

#[test]
fn d53_another_address_is_registered_at_once() {
    let mut world = World::passing();
    let orders = world
        .services
        .readdress(JobId(0), "10.9.9.9".to_owned(), world.now);
    world.take(orders);
    assert_eq!(world.agents[0]["app0-host"].0.address, "10.9.9.9");
}

fn spec() -> ServiceSpec {
    ServiceSpec {
        plain_check_id: false,
        name: "app".to_owned(),
        id: None,
        ordinal: 1,
        port: 80,
        address: Some([10, 0, 0, 2].into()),
        static_address: None,
        interfaces: Vec::new(),
        initial_status: Some(InitialStatus::Warning),
        tags: vec!["a".to_owned()],
        meta: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        weights: None,
        enable_tag_override: false,
        deregister_critical_after: None,
    }
}

#[test]
fn ids_and_notes_are_those_of_the_original() {
    let registration = Registration::new(&spec(), secs(5), "host1");
    assert_eq!(registration.id, "app-host1");
    assert_eq!(registration.check_id(), "service:app-host1");
    assert_eq!(registration.notes(), "TTL for app set by containerpilot");
    assert_eq!(registration.address.as_deref(), Some("10.0.0.2"));
    let second = ServiceSpec {
        plain_check_id: false,
        ordinal: 2,
        ..spec()
    };
    assert_eq!(
        Registration::new(&second, secs(5), "host1").id,
        "app-host1-2"
    );
    let id = Some("mine".to_owned());
    let static_address = Some("db.local".to_owned());
    let explicit = ServiceSpec {
        plain_check_id: false,
        id,
        static_address,
        ..spec()
    };
    let registration = Registration::new(&explicit, secs(5), "host1");
    assert_eq!(registration.check_id(), "service:mine");
    assert_eq!(registration.address.as_deref(), Some("db.local"));
}

#[test]
fn what_stands_there_is_compared_field_by_field() {
    let own = Registration::new(&spec(), secs(5), "host1");
    let right = registered(&own);
    assert!(own.is(&right));
    let weights = Some(Weights {
        passing: 5,
        warning: 1,
    });
    for change in [
        |other: &mut crate::services::Registered| other.port = 81,
        |other: &mut crate::services::Registered| other.address = "10.0.0.3".to_owned(),
        |other: &mut crate::services::Registered| other.name = "b".to_owned(),
        |other: &mut crate::services::Registered| other.tags.clear(),
        |other: &mut crate::services::Registered| other.meta.clear(),
        |other: &mut crate::services::Registered| other.enable_tag_override = true,
    ] {
        let mut other = right.clone();
        change(&mut other);
        assert!(!own.is(&other), "{other:?}");
    }
    let mut weighted = own.clone();
    weighted.weights = weights;
    assert!(!weighted.is(&right));
    // Where others may change the tags, theirs are right.
    let mut open = own;
    open.enable_tag_override = true;
    let mut other = registered(&open);
    other.tags = vec!["theirs".to_owned()];
    assert!(open.is(&other));
}
