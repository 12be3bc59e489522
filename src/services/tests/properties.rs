//! Random faults under random schedules, against what must always hold.

use std::time::Duration;

use proptest::prelude::*;

use super::agent::*;
use crate::events::JobId;
use crate::services::{CheckStatus, Plan, Presence};

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Show(u32, Presence),
    Mood(Mood),
    /// The agent loses its data.
    Empty,
    /// Somebody changes what stands there.
    Meddle,
    Slow(bool),
    TryNow,
    Thaw,
    Move(u8),
    /// A reload with other tags, in which this job begins anew.
    Reload(u8, Option<u32>),
}

fn step() -> impl Strategy<Value = Step> {
    let presence = prop_oneof![
        4 => Just(Presence::Passing),
        3 => Just(Presence::Critical),
        1 => Just(Presence::Initial),
        1 => Just(Presence::Absent),
    ];
    let mood = prop_oneof![
        3 => Just(Mood::Well),
        1 => Just(Mood::Away),
        1 => Just(Mood::Denies),
        1 => Just(Mood::Rejects),
        1 => Just(Mood::Strange),
        1 => Just(Mood::Mute),
    ];
    prop_oneof![
        4 => (0u64..40_000).prop_map(Step::Wait),
        6 => (0u32..2, presence).prop_map(|(job, presence)| Step::Show(job, presence)),
        3 => mood.prop_map(Step::Mood),
        1 => Just(Step::Empty),
        1 => Just(Step::Meddle),
        2 => any::<bool>().prop_map(Step::Slow),
        1 => Just(Step::TryNow),
        1 => Just(Step::Thaw),
        1 => any::<u8>().prop_map(Step::Move),
        2 => (0u8..3, prop::option::of(0u32..2)).prop_map(|(tag, anew)| Step::Reload(tag, anew)),
    ]
}

fn plans(tag: u8) -> Vec<Plan> {
    let initial = Some(CheckStatus::Warning);
    let mut plans = vec![plan(0), Plan { initial, ..plan(1) }];
    for plan in &mut plans {
        plan.registration.tags = vec![tag.to_string()];
    }
    plans
}

fn world() -> World {
    let mut world = World::new(plans(0));
    world.begin();
    world
}

/// What the last presences come to.
#[derive(Clone, Copy, Debug, Default)]
struct Model {
    wanted: [Option<CheckStatus>; 2],
}

impl Model {
    fn show(&mut self, job: u32, presence: Presence) {
        let wanted = &mut self.wanted[job as usize];
        *wanted = match presence {
            Presence::Initial => wanted.or((job == 1).then_some(CheckStatus::Warning)),
            Presence::Passing => Some(CheckStatus::Passing),
            Presence::Critical => wanted.map(|_| CheckStatus::Critical),
            Presence::Absent | Presence::Leaving | Presence::Back => None,
        };
    }
}

fn play(world: &mut World, model: &mut Model, step: &Step) {
    match step {
        Step::Wait(by) => world.advance(Duration::from_millis(*by)),
        Step::Show(job, presence) => {
            model.show(*job, *presence);
            world.show_of(*job, *presence, "sick");
        }
        Step::Mood(mood) => world.mood = *mood,
        Step::Empty => world.agents[0].clear(),
        Step::Meddle => {
            for entry in world.agents[0].values_mut() {
                entry.0.port = 1;
            }
        }
        Step::Slow(slow) => {
            world.slow = *slow;
            if !slow {
                world.answer_all();
            }
        }
        Step::TryNow => {
            let orders = world.services.try_now(world.now);
            world.take(orders);
        }
        Step::Thaw => {
            let orders = world.services.on_thaw(world.now);
            world.take(orders);
        }
        Step::Reload(tag, anew) => {
            if let Some(job) = *anew {
                model.show(job, Presence::Leaving);
            }
            let rest = world
                .services
                .change(plans(*tag), |job| Some(job.0) == *anew);
            assert!(rest.is_none(), "both are there before and after");
            // As at a start: first what stands from the beginning.
            if *anew == Some(1) {
                model.show(1, Presence::Initial);
                world.show_of(1, Presence::Initial, "");
            }
            world.begin();
        }
        Step::Move(last) => {
            let address = format!("10.0.0.{last}");
            let orders = world.services.readdress(JobId(0), address, world.now);
            world.take(orders);
        }
    }
}

fn heal(world: &mut World) {
    world.slow = false;
    world.mood = Mood::Well;
    world.answer_all();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever went wrong: once the agent is well, what is wanted stands there.
    #[test]
    fn in_the_end_what_is_wanted_stands_there(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = world();
        let mut model = Model::default();
        for step in &steps {
            play(&mut world, &mut model, step);
        }
        heal(&mut world);
        // The longest wait of all is that after a rejection.
        world.advance(Duration::from_secs(1_000));
        for job in 0..2u32 {
            let id = format!("app{job}-host");
            let standing = world.agents[0].get(&id);
            // A status that no result has changed since the agent was emptied is the one it was registered with.
            prop_assert_eq!(standing.map(|entry| entry.1), model.wanted[job as usize], "{}", job);
            if let Some((registered, ..)) = standing {
                let registration = world.services.registration(JobId(job)).expect("a service");
                prop_assert!(registration.is(registered));
            }
        }
    }

    /// The end is told exactly once, with nothing left there, however badly things stood before.
    #[test]
    fn the_end_comes_once_and_leaves_nothing(steps in prop::collection::vec(step(), 0..40)) {
        let mut world = world();
        let mut model = Model::default();
        for step in &steps {
            play(&mut world, &mut model, step);
        }
        world.show_of(0, Presence::Leaving, "");
        world.show_of(1, Presence::Leaving, "");
        heal(&mut world);
        world.advance(Duration::from_secs(1_000));
        prop_assert!(world.agents[0].is_empty(), "{:?}", world.agents);
        let mut left: Vec<JobId> = world.left.iter().map(|(job, _)| *job).collect();
        left.sort();
        prop_assert_eq!(left, vec![JobId(0), JobId(1)]);
        prop_assert!(world.services.is_settled());
        prop_assert_eq!(world.services.next_deadline(), None);
    }
}
