//! Reloads: what stays registered, what is written anew, and what is taken out.

use super::agent::*;
use crate::events::JobId;
use crate::services::{Call, CheckStatus, Plan, Presence, Registration, Services};

fn tagged(job: u32, tag: &str) -> Plan {
    let plan = plan(job);
    let registration = Registration {
        tags: vec![tag.to_owned()],
        ..plan.registration
    };
    Plan {
        registration,
        ..plan
    }
}

fn named(job: u32, id: &str) -> Plan {
    let plan = plan(job);
    let registration = Registration {
        id: id.to_owned(),
        ..plan.registration
    };
    Plan {
        registration,
        ..plan
    }
}

fn ids(world: &World) -> Vec<&str> {
    world.agents[0].keys().map(String::as_str).collect()
}

/// Lets the rest do what it has to, in the place of the services.
fn wind_up(world: &mut World, rest: Option<Services>) {
    let rest = rest.expect("something is left to be done");
    let present = std::mem::replace(&mut world.services, rest);
    world.begin();
    world.advance(secs(100));
    assert!(world.services.is_settled());
    world.services = present;
}

#[test]
fn r02_other_tags_are_written_over_with_the_status_that_stands() {
    let mut world = World::passing();
    let before = world.calls.len();
    assert!(
        world
            .services
            .change(vec![tagged(0, "b")], |_| false)
            .is_none()
    );
    world.begin();
    let calls: Vec<_> = world.calls[before..].iter().map(|(_, call)| call).collect();
    assert!(
        matches!(calls[..], [Call::Register(registration, CheckStatus::Passing)] if registration.tags == ["b"]),
        "{calls:?}"
    );
    // And the same again is no call at all.
    let before = world.calls.len();
    assert!(
        world
            .services
            .change(vec![tagged(0, "b")], |_| false)
            .is_none()
    );
    world.begin();
    assert_eq!(world.calls.len(), before);
}

#[test]
fn a_registration_that_was_under_way_is_followed_by_the_other() {
    let mut world = World::new(vec![plan(0)]);
    world.begin();
    world.slow = true;
    world.show(Presence::Passing);
    world.services.change(vec![tagged(0, "b")], |_| false);
    world.begin();
    world.slow = false;
    world.answer_all();
    assert_eq!(world.agents[0]["app0-host"].0.tags, ["b"]);
}

#[test]
fn r04_what_is_removed_is_taken_out_even_from_a_catalogue_that_was_away() {
    let mut world = World::new(vec![plan(0), plan(1)]);
    world.begin();
    world.show_of(0, Presence::Passing, "");
    world.show_of(1, Presence::Passing, "");
    world.mood = Mood::Away;
    let rest = world.services.change(vec![plan(0)], |_| false);
    world.begin();
    world.mood = Mood::Well;
    wind_up(&mut world, rest);
    assert_eq!(ids(&world), ["app0-host"]);
    assert_eq!(world.services.registration(JobId(1)), None);
}

#[test]
fn another_id_is_another_service_with_the_same_health() {
    let mut world = World::passing();
    let rest = world.services.change(vec![named(0, "other")], |_| false);
    world.begin();
    assert_eq!(world.agents[0]["other"].1, CheckStatus::Passing);
    wind_up(&mut world, rest);
    assert_eq!(ids(&world), ["other"]);
}

#[test]
fn an_id_that_another_job_takes_is_left_to_that_one() {
    let mut world = World::new(vec![plan(0), plan(1)]);
    world.begin();
    world.show_of(0, Presence::Passing, "");
    world.show_of(1, Presence::Passing, "");
    // Job 0 is no more, and job 1 has its id from now on.
    let rest = world
        .services
        .change(vec![named(1, "app0-host")], |_| false);
    world.begin();
    wind_up(&mut world, rest);
    assert_eq!(ids(&world), ["app0-host"]);
    assert_eq!(world.agents[0]["app0-host"].0.name, "app1");
}

#[test]
fn what_begins_anew_waits_for_its_removal_that_is_under_way() {
    let mut world = World::passing();
    world.slow = true;
    world.show(Presence::Leaving);
    assert!(world.services.change(vec![plan(0)], |_| true).is_none());
    world.begin();
    world.show(Presence::Passing);
    world.slow = false;
    world.answer_all();
    let last = |what: fn(&Call) -> bool| world.calls.iter().rposition(|(_, call)| what(call));
    let removed = last(|call| matches!(call, Call::Deregister(_)));
    assert!(removed < last(is_register), "{:?}", world.calls);
    assert_eq!(world.status(), Some(CheckStatus::Passing));
}

#[test]
fn r07_another_catalogue_is_shown_what_the_last_one_was() {
    let world = World::passing();
    let mut next = World::new(vec![plan(0), plan(1)]);
    next.services.remember(&world.services, |_| false);
    next.begin();
    assert_eq!(next.status(), Some(CheckStatus::Passing));
    assert_eq!(ids(&next), ["app0-host"]);
    // Not of what begins anew.
    let mut next = World::new(vec![plan(0)]);
    next.services.remember(&world.services, |_| true);
    next.begin();
    assert_eq!(ids(&next), Vec::<&str>::new());
}
