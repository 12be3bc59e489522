//! Random faults under random schedules, against what must always hold.

use std::time::Duration;

use proptest::prelude::*;

use super::server::*;
use crate::events::{EventCode, Failure, WatchId};
use crate::watches::{Debounce, WatchSpec};

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Set(usize, u16),
    Touch(usize),
    Index(u64),
    Mood(Mood),
    BreakOff,
    Heard,
    AskAgain,
    /// A reload to the watches of these bits.
    Reload(u32),
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn step() -> impl Strategy<Value = Step> {
    let mood = prop_oneof![
        4 => Just(Mood::Well),
        1 => Just(Mood::Away),
        1 => Just(Mood::Silent),
        1 => Just(Mood::Leaderless),
        1 => Just(Mood::Hasty),
        1 => Just(Mood::Plain),
        1 => Just(Mood::Denies),
        1 => Just(Mood::Rejects),
    ];
    prop_oneof![
        5 => (0u64..30_000).prop_map(Step::Wait),
        5 => (0..NAMES.len(), 0u16..4).prop_map(|(name, count)| Step::Set(name, count)),
        2 => (0..NAMES.len()).prop_map(Step::Touch),
        1 => (0u64..300).prop_map(Step::Index),
        3 => mood.prop_map(Step::Mood),
        1 => Just(Step::BreakOff),
        1 => Just(Step::Heard),
        1 => Just(Step::AskAgain),
        2 => (0u32..16).prop_map(Step::Reload),
    ]
}

fn specs(debounce: bool) -> Vec<WatchSpec> {
    let debounce = debounce.then_some(Debounce {
        min: Duration::from_millis(1_500),
        max: Duration::from_secs(4),
    });
    let mut specs: Vec<WatchSpec> = NAMES.iter().map(|name| watch(name)).collect();
    specs[2].interval = Duration::from_secs(3);
    // Two watches share one subject, one of them held down.
    specs.push(WatchSpec {
        debounce,
        ..watch("a")
    });
    specs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever went wrong: once the server is well, what it has is what was published last.
    #[test]
    fn in_the_end_the_truth_was_published(
        steps in prop::collection::vec(step(), 0..60),
        room in 1usize..5,
        debounce in any::<bool>(),
        first in 0u32..16,
    ) {
        let all = numbered(specs(debounce));
        // A watch that comes back has another number, so none does here.
        let (mut present, mut gone) = (first, 0);
        let begun = all.iter().filter(|(id, _)| present >> id.0 & 1 == 1);
        let mut world = World::with(begun.cloned().collect(), room);
        let mut model = [0u16; NAMES.len()];
        world.begin();
        for step in &steps {
            match step {
                Step::Wait(by) => world.advance(Duration::from_millis(*by)),
                Step::Set(name, count) => {
                    model[*name] = *count;
                    world.set(&subject(NAMES[*name]), instances(*count));
                }
                Step::Touch(name) => world.touch(&subject(NAMES[*name])),
                Step::Index(index) => world.index = *index,
                Step::Mood(mood) => world.mood = *mood,
                Step::BreakOff => world.break_off(&Failure::Unreachable("reset".to_owned())),
                Step::Heard => {
                    let now = world.now;
                    world.watches.on_heard(now);
                }
                Step::Reload(bits) => {
                    let next = bits & !gone;
                    gone |= present & !next;
                    present = next;
                    reload(&mut world, &all, present);
                }
                Step::AskAgain => {
                    let orders = world.watches.ask_again(world.now);
                    world.take(orders);
                }
            }
        }
        world.mood = Mood::Well;
        world.index = 10_000;
        // The last change comes when all is well: an index that a change left unchanged is the server's fault.
        for (name, count) in NAMES.iter().zip(model) {
            world.set(&subject(name), instances(count));
        }
        world.advance(Duration::from_secs(1_000));
        for (watch, name) in (0u32..).zip([0, 1, 2, 0]) {
            if present >> watch & 1 == 0 {
                continue;
            }
            prop_assert_eq!(world.shown(watch), Some(instances(model[name])), "{}", watch);
        }
        prop_assert!(world.most <= room);
        // Nothing is asked for nobody.
        for (question, _) in world.standing.values() {
            let mut wanted = all.iter().filter(|(id, _)| present >> id.0 & 1 == 1);
            prop_assert!(wanted.any(|(_, spec)| spec.subject == question.subject));
        }
        check_events(&world)?;
    }
}

fn reload(world: &mut World, all: &[(WatchId, WatchSpec)], present: u32) {
    let specs = all.iter().filter(|(id, _)| present >> id.0 & 1 == 1);
    let known: Vec<_> = (0..4).map(|watch| world.shown(watch)).collect();
    let before = world.events.len();
    let orders = world.watches.change(specs.cloned().collect(), world.now);
    world.take(orders);
    for (_, watch, _) in &world.events[before..] {
        let known = &known[*watch as usize];
        assert!(
            known.is_none(),
            "what is watched as before is not told again"
        );
    }
}

/// `changed` is always followed by how it stands, and nothing is published twice in a row.
fn check_events(world: &World) -> Result<(), TestCaseError> {
    for watch in 0..4u32 {
        let codes: Vec<EventCode> = world
            .events
            .iter()
            .filter(|(_, of, _)| *of == watch)
            .map(|(_, _, code)| *code)
            .collect();
        let first_is_state = codes.first() != Some(&EventCode::Changed);
        let rest = &codes[usize::from(first_is_state && !codes.is_empty())..];
        prop_assert!(
            !first_is_state
                || codes
                    .first()
                    .is_none_or(|code| *code == EventCode::Unhealthy)
        );
        for pair in rest.chunks(2) {
            prop_assert_eq!(pair[0], EventCode::Changed);
            prop_assert!(matches!(pair[1], EventCode::Healthy | EventCode::Unhealthy));
        }
    }
    Ok(())
}
