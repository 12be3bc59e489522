//! Reloads: what goes on, what begins anew, and what outweighs what.

mod told;

use std::collections::BTreeSet;

use super::world::*;
use crate::events::{Event, EventCode, Exit, JobId, Signal, StopReason};
use crate::jobs::{
    Condition, Effect, Essential, Exec, Health, Is, JobSpec, JobState, Outcome, Overlap, Reason,
    Restarts, Start, State, StopLimits, Trigger, Verdict,
};
use crate::services::Presence;

/// The same job with another command.
fn other(spec: &JobSpec) -> JobSpec {
    JobSpec {
        exec: Exec::new(vec!["/bin/other".to_owned()]),
        ..spec.clone()
    }
}

fn named(name: &str, spec: JobSpec) -> JobSpec {
    JobSpec {
        name: name.to_owned(),
        ..spec
    }
}

fn hook(name: &str, code: EventCode, of: u32) -> JobSpec {
    JobSpec {
        start: once(code, of),
        ..job(name)
    }
}

fn after(name: &str, code: EventCode, of: u32) -> JobSpec {
    hook(name, code, of)
}

#[test]
fn r02_what_is_the_same_goes_on() {
    let specs = vec![unlimited("a"), checked_job("b"), each_job("c", 0)];
    let mut world = World::started(specs.clone());
    let before = world.log.len();
    world.prepare(specs);
    world.change();
    assert_eq!(world.log.len(), before, "{:?}", &world.log[before..]);
    assert_eq!(world.outcome(), None);
}

fn checked_job(name: &str) -> JobSpec {
    JobSpec {
        health: checked(secs(1), secs(1)),
        ..unlimited(name)
    }
}

fn each_job(name: &str, of: u32) -> JobSpec {
    JobSpec {
        start: each(EventCode::ExitFailed, of),
        ..job(name)
    }
}

#[test]
fn r02_what_concerns_no_run_is_applied_as_it_runs() {
    let old = unlimited("a");
    let mut world = World::started(vec![old.clone()]);
    let run = world.main(0);
    world.prepare(vec![JobSpec {
        stop_timeout: Some(secs(1)),
        drain: Some(secs(3)),
        forward: vec![Signal::HUP],
        essential: Essential::Yes,
        health: checked(secs(2), secs(1)),
        service: Some(service("a")),
        ..old
    }]);
    world.change();
    assert_eq!(world.main(0), run);
    // The new check begins, and the new service is shown for it.
    world.advance(secs(2));
    world.end(world.check(0), Exit::Code(0));
    assert_eq!(world.shown(0), [Presence::Passing]);
    assert_eq!(world.status(0).health, Health::Healthy);
    // The new grace holds for the run that was there before.
    world.stop();
    world.left(0, false);
    world.advance(secs(1));
    assert_eq!(world.live[&run], Some(Signal::KILL));
}

#[test]
fn r02_a_check_that_is_the_same_keeps_what_it_knows() {
    let two = |last: u64| {
        let mut spec = checked_job("a");
        let health = spec.health.as_mut().expect("checked");
        health.checks.push(check_spec(secs(last), secs(1)));
        spec
    };
    let mut world = World::started(vec![two(1)]);
    world.advance(secs(1));
    let main = world.main(0);
    let runs: Vec<_> = world.live.keys().copied().collect();
    for run in runs.into_iter().filter(|run| *run != main) {
        world.end(run, Exit::Code(0));
    }
    assert_eq!(world.status(0).health, Health::Healthy);
    world.prepare(vec![two(2)]);
    world.change();
    assert_eq!(world.status(0).health, Health::Unknown);
    // The first has passed before, and only the second has to pass anew.
    world.advance_to(secs(2));
    let second = world.find(0, crate::events::RunKind::Check(1));
    world.end(second.expect("it is due"), Exit::Code(0));
    assert_eq!(world.status(0).health, Health::Healthy);
}

#[test]
fn r03_only_what_has_changed_is_stopped_waited_for_and_started() {
    let specs: Vec<JobSpec> = (0..10).map(|n| unlimited(&format!("j{n}"))).collect();
    let mut next = specs.clone();
    next[4] = other(&next[4]);
    let mut world = World::started(specs);
    let before: Vec<_> = (0..10).map(|job| world.main(job)).collect();
    world.prepare(next);
    assert_eq!(world.outcome(), None, "it is waited for");
    let asked: Vec<_> = world
        .live
        .iter()
        .filter(|(_, last)| last.is_some())
        .collect();
    assert_eq!(asked, [(&before[4], &Some(Signal::TERM))]);
    world.end(before[4], Exit::Signal(Signal::TERM));
    assert!(!world.runs(4));
    world.change();
    for (job, run) in (0..10).zip(before) {
        assert_eq!(world.main(job) == run, job != 4);
    }
    assert_eq!(world.outcome(), None);
}

#[test]
fn r04_what_is_removed_takes_its_check_its_hook_and_its_wait_along() {
    let mut backing = unlimited("backing");
    backing.backoff.first = secs(60);
    let mut served = served("checked");
    served.health = checked(secs(1), secs(9));
    let stays = unlimited("stays");
    let hook = hook("checked.preStop", EventCode::Stopping, 1);
    let mut world = World::started(vec![backing, served, hook, stays.clone()]);
    world.exit(0, 1);
    assert_eq!(world.status(0).state, JobState::Backoff);
    world.advance(secs(1));
    let check = world.check(1);
    world.prepare_numbered(vec![(JobId(3), stays)]);
    // The check is killed at once, the service leaves before the hook runs, and the hook before TERM.
    assert_eq!(world.live[&check], Some(Signal::KILL));
    world.end(check, Exit::Signal(Signal::KILL));
    assert!(!world.runs(2));
    world.left(1, true);
    assert_eq!(world.live[&world.main(1)], None);
    world.exit(2, 0);
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    world.exit(1, 0);
    world.change();
    world.advance(secs(600));
    let live: Vec<_> = world.live.keys().map(|run| run.job).collect();
    assert_eq!(live, [JobId(3)]);
    assert_eq!(world.starts(0), 1);
    assert_eq!(world.jobs.spec(JobId(0)), None);
    assert_eq!(world.jobs.status(JobId(1)), None);
}

#[test]
fn r06_a_stop_outweighs_a_reload() {
    let app = unlimited("app");
    let mut world = World::started(vec![app.clone(), unlimited("other")]);
    world.prepare(vec![other(&app), unlimited("other")]);
    world.stop();
    world.exit(0, 0);
    world.exit(1, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
    assert!(
        world.jobs.change(world.now).is_empty(),
        "nothing takes over"
    );
    world.prepare(vec![app]);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
    assert!(world.live.is_empty());
}

#[test]
fn r06_a_fault_outweighs_a_reload() {
    let app = unlimited("app");
    let mut world = World::started(vec![app.clone()]);
    world.prepare(vec![other(&app)]);
    world.tell(&Event::StopRequested(StopReason::Fault));
    world.exit(0, 0);
    assert_eq!(world.outcome(), Some(Outcome::Fault));
}

#[test]
fn r05_of_several_reloads_the_last_counts() {
    let specs = vec![unlimited("a"), unlimited("b")];
    let mut world = World::started(specs.clone());
    let (a, b) = (world.main(0), world.main(1));
    world.prepare(vec![other(&specs[0]), specs[1].clone()]);
    // That took it back, but the job leaves already; and now the other one leaves as well.
    world.prepare(vec![specs[0].clone(), other(&specs[1])]);
    assert_eq!(world.live[&a], Some(Signal::TERM));
    assert_eq!(world.live[&b], Some(Signal::TERM));
    world.end(a, Exit::Code(0));
    assert_eq!(world.outcome(), None);
    world.end(b, Exit::Code(0));
    world.change();
    assert_eq!(world.jobs.spec(JobId(0)), Some(&specs[0]));
    assert_eq!(world.jobs.spec(JobId(1)), Some(&other(&specs[1])));
    assert!(world.runs(0) && world.runs(1));
}

#[test]
fn s11_a_reload_goes_on_without_what_kill_does_not_end() {
    let limits = StopLimits {
        shutdown_timeout: secs(20),
        ..StopLimits::default()
    };
    let app = unlimited("app");
    let mut world = World::with_limits(vec![app.clone()], limits);
    world.tell(&Event::Started);
    let old = world.main(0);
    world.prepare(vec![other(&app)]);
    world.advance(secs(20));
    world.live.remove(&old).expect("it did not end");
    world.change();
    assert!(world.runs(0));
    assert!(!world.jobs.owns(old));
    let before = world.log.len();
    world.tell(&Event::Exited {
        run: old,
        exit: Exit::Code(0),
        left: false,
    });
    assert_eq!(world.log.len(), before, "its end is nobody's business");
}

#[test]
fn who_is_asked_to_stop_by_a_later_reload_has_the_whole_time_for_it() {
    let limits = StopLimits {
        shutdown_timeout: secs(20),
        ..StopLimits::default()
    };
    let slow = |name: &str| JobSpec {
        stop_timeout: Some(secs(60)),
        ..unlimited(name)
    };
    let specs = [slow("a"), slow("b")];
    let mut world = World::with_limits(specs.to_vec(), limits);
    world.tell(&Event::Started);
    world.prepare(vec![other(&specs[0]), specs[1].clone()]);
    world.advance(secs(10));
    world.prepare(vec![other(&specs[0]), other(&specs[1])]);
    world.advance(secs(19));
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    world.advance(secs(1));
    assert_eq!(world.live[&world.main(1)], Some(Signal::KILL));
}

#[test]
fn s04_what_changes_stops_in_the_order_of_need_and_nobody_else_does() {
    let db = checked_job("db");
    let needs = |name: &str| JobSpec {
        start: Start::once(Condition::Once(on(EventCode::Healthy, 0))),
        ..unlimited(name)
    };
    let specs = [db, needs("app"), needs("stays")];
    let mut world = World::started(specs.to_vec());
    world.advance(secs(1));
    world.end(world.check(0), Exit::Code(0));
    world.prepare(vec![other(&specs[0]), other(&specs[1]), specs[2].clone()]);
    assert_eq!(world.live[&world.main(1)], Some(Signal::TERM));
    assert_eq!(world.live[&world.main(0)], None, "the app needs it");
    world.exit(1, 0);
    assert_eq!(world.live[&world.main(0)], Some(Signal::TERM));
    assert_eq!(world.live[&world.main(2)], None);
    world.exit(0, 0);
    world.change();
    assert!(world.runs(0) && !world.runs(1), "it waits for the new one");
    world.advance(secs(1));
    world.end(world.check(0), Exit::Code(0));
    assert!(world.runs(1));
    assert_eq!(world.starts(2), 1);
}

#[test]
fn d52_ticks_go_on_over_a_reload() {
    let tick = JobSpec {
        start: Start::interval(secs(10), Overlap::Skip),
        restarts: Restarts::Unlimited,
        ..job("tick")
    };
    let app = unlimited("app");
    let mut world = World::started(vec![tick.clone(), app.clone()]);
    world.exit(0, 0);
    world.advance_to(secs(7));
    world.prepare(vec![tick, other(&app)]);
    world.exit(1, 0);
    world.change();
    world.advance_to(secs(10));
    world.exit(0, 0);
    world.advance_to(secs(20));
    assert_eq!(world.start_times(0), [secs(0), secs(10), secs(20)]);
}

#[test]
fn counters_start_again_only_for_what_changes() {
    let twice = restarting("twice", Restarts::Limited(1));
    let app = unlimited("app");
    let mut world = World::started(vec![twice.clone(), app.clone()]);
    world.exit(0, 1);
    world.prepare(vec![twice.clone(), other(&app)]);
    world.exit(1, 0);
    world.change();
    world.exit(0, 1);
    assert!(!world.runs(0), "its one restart was used before");
    world.prepare(vec![other(&twice), other(&app)]);
    world.change();
    world.exit(0, 1);
    assert!(world.runs(0));
}

#[test]
fn maintenance_lasts_over_a_reload() {
    let served = JobSpec {
        health: checked(secs(1), secs(1)),
        ..served("app")
    };
    let mut world = World::started(vec![served.clone()]);
    world.tell(&Event::Maintenance(true));
    world.prepare(vec![other(&served)]);
    world.left(0, false);
    world.exit(0, 0);
    world.change();
    world.advance(secs(5));
    assert!(world.find(0, crate::events::RunKind::Check(0)).is_none());
    world.tell(&Event::Maintenance(false));
    world.end(world.check(0), Exit::Code(0));
    assert_eq!(world.shown(0).last(), Some(&Presence::Passing));
}

#[test]
fn every_key_is_told_by_its_name() {
    let old = unlimited("a");
    let verdict = |new: JobSpec| {
        let world = World::started(vec![old.clone()]);
        let [verdict] = world.difference(vec![new]).try_into().expect("one job");
        verdict
    };
    assert_eq!(verdict(old.clone()), Verdict::Keep);
    let mut new = old.clone();
    new.attributes.env_files = vec!["x".to_owned()];
    new.start.trigger = Trigger::Each(vec![signal_event(Signal::HUP)]);
    let keys = vec!["when", "envFile"];
    assert_eq!(verdict(new), Verdict::Renew(Reason::Changed(keys)));
    let mut new = old.clone();
    new.attributes.stop_signal = Some(Signal::QUIT);
    new.stop_timeout = Some(secs(9));
    let keys = vec!["stopTimeout", "stopSignal"];
    assert_eq!(verdict(new), Verdict::Adjust(keys));
}

#[test]
fn what_was_given_up_is_tried_again_with_other_limits() {
    let mut old = unlimited("a");
    old.max_restarts = Some(crate::jobs::MaxRestarts {
        count: 0,
        within: secs(60),
    });
    let mut world = World::started(vec![old.clone(), unlimited("stays")]);
    world.exit(0, 1);
    assert_eq!(world.status(0).state, JobState::Failed);
    let mut new = old;
    new.max_restarts = None;
    world.prepare(vec![new, unlimited("stays")]);
    world.change();
    assert!(world.runs(0));
}

#[test]
fn effects_of_a_change_are_of_what_begins_only() {
    let specs: Vec<JobSpec> = (0..5).map(|n| checked_job(&format!("j{n}"))).collect();
    let mut next = specs.clone();
    next[2] = other(&next[2]);
    next.push(unlimited("new"));
    let mut world = World::started(specs);
    world.prepare(next);
    world.exit(2, 0);
    let before = world.log.len();
    world.change();
    let spawned: BTreeSet<JobId> = world.log[before..]
        .iter()
        .filter_map(|(_, effect)| match effect {
            Effect::Spawn { run, .. } => Some(run.job),
            _ => None,
        })
        .collect();
    assert_eq!(spawned, BTreeSet::from([JobId(2), JobId(5)]));
}
