//! A reload from one configuration to another leads to what a fresh start of the other leads to, and touches nothing that
//! both have.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::*;
use crate::events::{EventCode, Exit, JobId, Run, RunId, RunKind, Signal, Source};
use crate::jobs::{Condition, Exec, Is, JobSpec, JobState, Outcome, Restarts, Start, State};

/// Jobs at most.
const MOST: u32 = 6;

/// What a job is like; what it depends on is a job before it.
#[derive(Clone, Debug)]
struct Draft {
    task: bool,
    checked: bool,
    hooked: bool,
    command: u8,
    need: Option<(u32, Need)>,
}

#[derive(Clone, Copy, Debug)]
enum Need {
    Healthy,
    IsHealthy,
    IsRunning,
    Done,
}

fn draft() -> impl Strategy<Value = Draft> {
    let need = prop_oneof![
        Just(Need::Healthy),
        Just(Need::IsHealthy),
        Just(Need::IsRunning),
        Just(Need::Done)
    ];
    let need = prop::option::of((0..MOST, need));
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.3));
    (flags, 0u8..2, need).prop_map(|((task, checked, hooked), command, need)| Draft {
        task,
        checked,
        hooked,
        command,
        need,
    })
}

/// Places may be empty; the first is a job that runs for ever, so that nothing is over.
fn configuration() -> impl Strategy<Value = Vec<Option<Draft>>> {
    prop::collection::vec(prop::option::weighted(0.8, draft()), MOST as usize)
}

/// A hook of a job has this number.
fn hook_of(job: u32) -> u32 {
    job + MOST
}

fn specs(drafts: &[Option<Draft>]) -> Vec<(JobId, JobSpec)> {
    let mut specs = vec![(JobId(100), unlimited("first"))];
    let there = |job: u32| drafts.get(job as usize).and_then(Option::as_ref);
    for (place, draft) in (0u32..).zip(drafts) {
        let Some(draft) = draft else { continue };
        let name = format!("j{place}");
        let need = draft.need.filter(|(job, _)| *job < place);
        let need = need.and_then(|(job, need)| Some((job, need, there(job)?)));
        let after = need.map_or_else(Condition::startup, |(job, need, on)| {
            condition(job, need, on)
        });
        let spec = JobSpec {
            exec: Exec::new(vec![format!("/bin/{}", draft.command)]),
            restarts: if draft.task {
                Restarts::Limited(0)
            } else {
                Restarts::Unlimited
            },
            health: (draft.checked && !draft.task)
                .then(|| checked(secs(1), secs(1)))
                .flatten(),
            start: Start::once(after),
            ..job(&name)
        };
        specs.push((JobId(place), spec));
        if draft.hooked {
            let hook = JobSpec {
                start: once(EventCode::Stopping, place),
                ..job(&format!("{name}.preStop"))
            };
            specs.push((JobId(hook_of(place)), hook));
        }
    }
    specs
}

/// What happens by chance before a reload.
#[derive(Clone, Debug)]
enum Chance {
    Wait(u64),
    /// A job that runs for ever ends all the same.
    Crash(usize),
    /// A check ends so.
    Check(usize, bool),
    /// What would come by itself comes.
    Settle,
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        2 => (0u64..3_000).prop_map(Chance::Wait),
        2 => any::<usize>().prop_map(Chance::Crash),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(pick, passes)| Chance::Check(pick, passes)),
        2 => Just(Chance::Settle),
    ]
}

fn happen(world: &mut World, chance: &Chance) {
    match *chance {
        Chance::Wait(by) => world.advance(ms(by)),
        Chance::Settle => settle(world),
        Chance::Crash(pick) => {
            let run = picked(world, pick, |world, run| {
                run.kind == RunKind::Main && runs_for_ever(world, run.job)
            });
            if let Some(run) = run {
                world.end(run, Exit::Code(1));
            }
        }
        Chance::Check(pick, passes) => {
            let run = picked(world, pick, |_, run| run.kind != RunKind::Main);
            if let Some(run) = run {
                world.end(run, Exit::Code(i32::from(!passes)));
            }
        }
    }
}

fn picked(world: &World, pick: usize, is: impl Fn(&World, &Run) -> bool) -> Option<Run> {
    let runs = world.live.keys().filter(|run| is(world, run));
    let runs: Vec<Run> = runs.copied().collect();
    runs.get(pick % runs.len().max(1)).copied()
}

fn runs_for_ever(world: &World, job: JobId) -> bool {
    let spec = world.jobs.spec(job);
    spec.is_some_and(|spec| spec.restarts == Restarts::Unlimited)
}

/// What can come of that job.
fn condition(job: u32, need: Need, on_job: &Draft) -> Condition {
    let is = |is| {
        let source = Source::Job(JobId(job));
        Condition::Is(State { source, is })
    };
    match need {
        _ if on_job.task => Condition::Once(on(EventCode::ExitSuccess, job)),
        Need::Healthy if on_job.checked => Condition::Once(on(EventCode::Healthy, job)),
        Need::IsHealthy if on_job.checked => is(Is::Healthy),
        Need::Healthy | Need::IsHealthy | Need::IsRunning | Need::Done => is(Is::Running),
    }
}

/// Lets everything happen that comes by itself: tasks and hooks succeed, checks pass, what is asked to end ends.
fn settle(world: &mut World) {
    // Longer than the longest back-off after a few crashes.
    for _ in 0..60 {
        while let Some(run) = world.live.iter().find_map(|(run, signal)| {
            let ends =
                signal.is_some() || run.kind != RunKind::Main || !runs_for_ever(world, run.job);
            ends.then_some(*run)
        }) {
            let asked = world.live[&run].is_some();
            let exit = if asked {
                Exit::Signal(Signal::TERM)
            } else {
                Exit::Code(0)
            };
            world.end(run, exit);
        }
        if world.outcome() == Some(Outcome::Reload) {
            world.change();
        } else {
            world.advance(secs(1));
        }
    }
}

/// The live runs, and where every job stands.
fn picture(world: &World) -> (BTreeMap<JobId, RunId>, BTreeMap<JobId, JobState>) {
    let live = world.live.keys();
    let live = live.filter(|run| run.kind == RunKind::Main);
    let states = world.jobs.iter().map(|(job, _)| {
        let status = world.jobs.status(job).expect("it is there");
        (job, status.state)
    });
    (
        live.map(|run| (run.job, run.id)).collect(),
        states.collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_reload_leads_to_what_a_fresh_start_leads_to(
        chain in prop::collection::vec(configuration(), 2..4),
        chances in prop::collection::vec(chance(), 0..12),
    ) {
        let chain: Vec<_> = chain.iter().map(|drafts| specs(drafts)).collect();
        let mut world = World::of(chain[0].clone());
        for pair in chain.windows(2) {
            let (old, new) = (&pair[0], &pair[1]);
            for chance in &chances {
                happen(&mut world, chance);
            }
            let (before, _) = picture(&world);
            world.prepare_numbered(new.clone());
            settle(&mut world);
            let (live, states) = picture(&world);

            let mut fresh = World::of(new.clone());
            settle(&mut fresh);
            let (fresh_live, fresh_states) = picture(&fresh);
            prop_assert_eq!(live.keys().collect::<Vec<_>>(), fresh_live.keys().collect::<Vec<_>>());
            prop_assert_eq!(&states, &fresh_states);

            for (job, spec) in new {
                let same = runs_for_ever(&world, *job)
                    && old.iter().any(|(id, old)| id == job && old == spec);
                if let Some(run) = before.get(job).filter(|_| same) {
                    prop_assert_eq!(live.get(job), Some(run), "{} was touched", spec.name);
                }
            }
        }
    }
}
