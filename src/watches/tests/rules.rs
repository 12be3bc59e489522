use super::server::*;
use crate::events::EventCode::{Changed, Healthy, Unhealthy};
use crate::events::Failure;
use crate::watches::{Debounce, Entry, Found, Mode, Note, Subject, Target, WatchSpec};

#[test]
fn d41_the_first_answer_comes_at_once() {
    let mut world = World::of(2);
    world.advance(ms(1));
    assert_eq!(world.codes(), [Changed, Healthy]);
    assert_eq!(world.shown(0), Some(instances(2)));
}

#[test]
fn nothing_from_the_beginning_is_unhealthy_and_no_change() {
    let mut world = World::of(0);
    world.advance(secs(1));
    assert_eq!(world.codes(), [Unhealthy]);
    // It was confirmed.
    assert!(world.asked.iter().any(|(_, mode)| *mode == Mode::Confirmed));
}

#[test]
fn every_change_is_told_when_it_happens() {
    let mut world = World::of(1);
    world.advance(secs(1));
    for count in [2, 1, 0, 3] {
        world.advance(secs(5));
        let before = world.now;
        world.events.clear();
        world.set(&subject("app"), instances(count));
        world.advance(ms(2));
        let state = if count == 0 { Unhealthy } else { Healthy };
        assert_eq!(world.codes(), [Changed, state]);
        assert!(world.now - before <= ms(2));
    }
}

#[test]
fn ids_addresses_tags_and_health_count_and_nothing_else() {
    let base = instance(1);
    for change in [
        |one: &mut crate::watches::Instance| one.id = "other".to_owned(),
        |one: &mut crate::watches::Instance| one.address = "10.0.0.9".to_owned(),
        |one: &mut crate::watches::Instance| one.port = 9,
        |one: &mut crate::watches::Instance| one.tags = vec!["t".to_owned()],
        |one: &mut crate::watches::Instance| one.health = crate::services::CheckStatus::Warning,
    ] {
        let mut world = World::new(vec![watch("app")], 100);
        world.set(&subject("app"), Found::Instances(vec![base.clone()]));
        world.begin();
        world.advance(secs(1));
        world.events.clear();
        let mut other = base.clone();
        change(&mut other);
        world.set(&subject("app"), Found::Instances(vec![other]));
        world.advance(ms(1));
        assert_eq!(world.events.len(), 2);
    }
}

#[test]
fn nobody_passing_is_unhealthy_though_there_are_instances() {
    let mut world = World::of(1);
    world.advance(secs(1));
    world.events.clear();
    let mut sick = instance(0);
    sick.health = crate::services::CheckStatus::Critical;
    world.set(&subject("app"), Found::Instances(vec![sick]));
    world.advance(ms(1));
    assert_eq!(world.codes(), [Changed, Unhealthy]);
}

#[test]
fn c08_a_server_without_a_leader_that_answers_with_nothing_changes_nothing() {
    let mut world = World::of(2);
    world.advance(secs(1));
    world.events.clear();
    world.mood = Mood::Leaderless;
    world.touch(&subject("app"));
    world.advance(secs(30));
    assert_eq!(world.codes(), []);
    world.mood = Mood::Well;
    world.advance(secs(15));
    assert_eq!(
        (world.codes(), world.shown(0)),
        (vec![], Some(instances(2)))
    );
    world.set(&subject("app"), instances(0));
    world.advance(ms(2));
    assert_eq!(world.codes(), [Changed, Unhealthy]);
}

#[test]
fn c09_an_index_that_jumps_back_or_is_0_makes_no_event_and_no_loop() {
    let mut world = World::of(2);
    world.advance(secs(1));
    world.events.clear();
    let before = world.asked.len();
    for index in [5, 0, 7, 0, 0, 1_000, 3] {
        world.jump(&subject("app"), index);
        world.advance(secs(20));
    }
    world.index = u64::MAX - 10;
    world.touch(&subject("app"));
    world.advance(secs(20));
    assert_eq!(world.codes(), []);
    assert!(world.asked.len() - before < 40, "{:?}", world.asked);
    // After a smaller index the next question begins from nothing (Consul's documentation of blocking queries).
    let restarts = world.asked[before..]
        .iter()
        .filter(|(_, mode)| *mode == Mode::Now);
    assert!(restarts.count() >= 3, "{:?}", world.asked);
    world.index = 8;
    world.set(&subject("app"), instances(1));
    world.advance(secs(1));
    assert_eq!(world.codes(), [Changed, Healthy]);
}

#[test]
fn a_server_that_does_not_block_is_polled_at_the_interval() {
    for mood in [Mood::Hasty, Mood::Plain] {
        let mut world = World::of(1);
        world.mood = mood;
        world.touch(&subject("app"));
        world.advance(secs(100));
        assert!(world.asked.len() < 18, "{mood:?}: {:?}", world.asked);
        world.events.clear();
        world.set(&subject("app"), instances(2));
        world.advance(secs(11));
        assert_eq!(world.codes(), [Changed, Healthy], "{mood:?}");
    }
}

#[test]
fn c10_news_without_change_make_no_event_and_a_bounded_rate() {
    let mut world = World::of(2);
    world.advance(secs(1));
    world.events.clear();
    let before = world.asked.len();
    for _ in 0..600 {
        world.touch(&subject("app"));
        world.advance(ms(100));
    }
    assert_eq!(world.codes(), []);
    // 5 a second and a burst.
    let asked = world.asked.len() - before;
    assert!(asked < 60 * 5 + 12, "{asked}");
}

#[test]
fn c11_a_flapping_target_is_held_down_and_ends_right() {
    let debounce = Some(Debounce {
        min: secs(2),
        max: secs(10),
    });
    let mut world = World::new(
        vec![WatchSpec {
            debounce,
            ..watch("app")
        }],
        100,
    );
    world.set(&subject("app"), instances(1));
    world.begin();
    world.advance(ms(1));
    // The first answer is not held.
    assert_eq!(world.codes(), [Changed, Healthy]);
    for round in 0..300u16 {
        world.set(&subject("app"), instances(round % 2));
        world.advance(secs(1));
    }
    assert!(world.events.len() <= 2 + 60, "{}", world.events.len());
    world.advance(secs(10));
    assert_eq!(world.shown(0), Some(instances(1)));
}

#[test]
fn a_change_that_is_taken_back_in_time_is_none() {
    let debounce = Some(Debounce {
        min: secs(2),
        max: secs(10),
    });
    let spec = WatchSpec {
        debounce,
        ..watch("app")
    };
    let mut world = World::new(vec![spec], 100);
    world.set(&subject("app"), instances(1));
    world.begin();
    world.advance(secs(1));
    world.events.clear();
    world.set(&subject("app"), instances(0));
    world.advance(secs(1));
    world.set(&subject("app"), instances(1));
    world.advance(secs(60));
    assert_eq!(world.codes(), []);
}

#[test]
fn c12_watches_of_one_service_with_other_tags_or_datacenters_are_apart() {
    let tagged = |tags: &[&str], dc: Option<&str>| Subject {
        target: Target::Service {
            name: "app".to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            passing_only: true,
        },
        dc: dc.map(str::to_owned),
    };
    let subjects = [
        tagged(&[], None),
        tagged(&["blue"], None),
        tagged(&["blue", "fast"], None),
        tagged(&["blue"], Some("dc2")),
    ];
    let specs = subjects.iter().map(|subject| WatchSpec {
        subject: subject.clone(),
        ..watch("app")
    });
    let mut world = World::new(specs.collect(), 100);
    for subject in &subjects {
        world.set(subject, instances(1));
    }
    world.begin();
    world.advance(secs(1));
    world.events.clear();
    world.set(&subjects[1], instances(2));
    world.advance(secs(60));
    let heard: Vec<u32> = world.events.iter().map(|(_, watch, _)| *watch).collect();
    assert_eq!(heard, [1, 1]);
}

#[test]
fn equal_subjects_are_asked_about_once() {
    let mut world = World::new(vec![watch("app"), watch("app"), watch("app")], 100);
    world.set(&subject("app"), instances(1));
    world.begin();
    world.advance(secs(1));
    assert_eq!(world.most, 1);
    assert_eq!(world.events.len(), 6);
}

#[test]
fn c01_while_the_server_is_away_the_last_good_set_stays_and_one_call_tries() {
    let mut world = World::of_subjects(50);
    world.begin();
    world.advance(secs(1));
    world.events.clear();
    world.mood = Mood::Away;
    world.break_off(&Failure::Unreachable("gone".to_owned()));
    world.advance(secs(1));
    let before = (world.asked.len(), world.pulses.len());
    world.advance(secs(1_800));
    assert_eq!(world.asked.len(), before.0);
    let pulses = world.pulses.len() - before.1;
    assert!((180..370).contains(&pulses), "{pulses}");
    assert_eq!(world.codes(), []);
    world.mood = Mood::Well;
    world.set(&subject("app7"), instances(2));
    world.advance(secs(11));
    assert_eq!(world.codes(), [Changed, Healthy]);
}

#[test]
fn c02_a_server_that_falls_silent_is_noticed_by_the_pulse() {
    let mut world = World::of(1);
    world.advance(secs(5));
    world.mood = Mood::Silent;
    world.advance(secs(12));
    assert!(!world.pulses.is_empty());
    assert!(world.standing.is_empty(), "a question still stands");
    world.mood = Mood::Well;
    world.set(&subject("app"), instances(2));
    world.advance(secs(11));
    assert_eq!(world.shown(0), Some(instances(2)));
}

#[test]
fn what_else_hears_of_the_server_spares_the_pulse() {
    let mut world = World::of(1);
    for _ in 0..20 {
        world.advance(secs(5));
        let now = world.now;
        world.watches.on_heard(now);
    }
    assert_eq!(world.pulses.len(), 0);
    world.advance(secs(31));
    // The question's own answer may fall into this time as well.
    assert!((2..=3).contains(&world.pulses.len()), "{:?}", world.pulses);
}

#[test]
fn c06_denied_questions_are_asked_rarely_and_again_with_other_credentials() {
    let mut world = World::of(1);
    world.advance(secs(1));
    world.mood = Mood::Denies;
    world.touch(&subject("app"));
    let before = world.asked.len();
    world.advance(secs(60));
    assert!(
        world.asked.len() - before < 22,
        "{}",
        world.asked.len() - before
    );
    world.mood = Mood::Well;
    world.set(&subject("app"), instances(2));
    let orders = world.watches.ask_again(world.now);
    world.take(orders);
    world.advance(ms(2));
    assert_eq!(world.shown(0), Some(instances(2)));
}

#[test]
fn c19_rejected_questions_are_not_asked_in_a_loop() {
    let mut world = World::new(vec![watch("app")], 100);
    world.mood = Mood::Rejects;
    world.begin();
    world.advance(secs(600));
    assert!(world.asked.len() <= 4, "{:?}", world.asked);
}

#[test]
fn c13_more_subjects_than_places_take_turns_within_their_interval() {
    let mut world = World::of_subjects(300);
    world.begin();
    let room = 100;
    let subjects = 300;
    assert_eq!(world.notes, [Note::TakingTurns { subjects, room }]);
    world.advance(secs(30));
    assert!(world.most <= 100, "{}", world.most);
    world.events.clear();
    world.set_each(300, 2);
    // The sixteenth that the server adds to each wait counts too.
    world.advance(secs(11));
    assert_eq!(world.events.len(), 600);
}

#[test]
fn c13_a_server_that_takes_fewer_connections_is_asked_less_at_once() {
    let mut world = World::of_subjects(60);
    world.limit = 20;
    world.begin();
    world.advance(secs(60));
    assert!(matches!(world.notes[0], Note::Crowded { room } if room < 60));
    assert_eq!(world.notes.len(), 1);
    world.events.clear();
    world.set_each(60, 2);
    world.advance(secs(30));
    assert_eq!(world.events.len(), 120);
}

#[test]
fn c13_one_broken_connection_is_no_crowd() {
    let mut world = World::of_subjects(20);
    world.begin();
    for _ in 0..10 {
        world.advance(secs(20));
        world.break_one(&Failure::Unreachable("reset".to_owned()));
        world.advance(secs(20));
        world.break_one(&Failure::Busy("500".to_owned()));
    }
    world.advance(secs(10));
    assert_eq!(world.notes, []);
    assert_eq!(world.standing.len(), 20);
}

#[test]
fn c13_the_room_grows_again_when_the_server_takes_more() {
    let mut world = World::of_subjects(60);
    world.limit = 20;
    world.begin();
    world.advance(secs(60));
    assert!(world.standing.len() < 60);
    world.limit = usize::MAX;
    world.advance(secs(900));
    assert_eq!(world.standing.len(), 60);
}

#[test]
fn c14_programs_that_lost_the_server_together_ask_again_apart() {
    let mut returns: Vec<_> = (0..200u64)
        .map(|seed| {
            let mut world = World::seeded(vec![watch("app")], 100, seed * 7_919);
            world.begin();
            world.advance(secs(1));
            world.mood = Mood::Away;
            world.break_off(&Failure::Unreachable("gone".to_owned()));
            world.advance(secs(60));
            world.mood = Mood::Well;
            let before = world.asked.len();
            world.advance(secs(15));
            world.asked[before].0
        })
        .collect();
    returns.sort();
    let spread = returns[180].saturating_sub(returns[20]);
    assert!(spread > secs(2), "{spread:?}");
}

#[test]
fn c21_a_key_that_goes_and_comes_is_told_each_time() {
    let subject = Subject {
        target: Target::Key("config/app".to_owned()),
        dc: None,
    };
    let entry = |digest| {
        Found::Entries(vec![Entry {
            key: "config/app".to_owned(),
            flags: 0,
            digest,
            value: None,
        }])
    };
    let spec = WatchSpec {
        subject: subject.clone(),
        ..watch("key")
    };
    let mut world = World::new(vec![spec], 100);
    world.set(&subject, entry(1));
    world.begin();
    world.advance(secs(1));
    world.set(&subject, Found::Entries(Vec::new()));
    world.advance(secs(1));
    world.set(&subject, entry(1));
    world.advance(secs(1));
    world.set(&subject, entry(1));
    world.advance(secs(1));
    world.set(&subject, entry(2));
    world.advance(secs(1));
    assert_eq!(
        world.codes(),
        [
            Changed, Healthy, Changed, Unhealthy, Changed, Healthy, Changed, Healthy
        ]
    );
}
