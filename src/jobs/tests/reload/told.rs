//! Who is told what by a reload: hooks, what waits, and what begins anew.

use super::*;

#[test]
fn hooks_of_what_changes_run_each_time() {
    let app = named("app", unlimited("app"));
    let hooks = [
        hook("app.preStop", EventCode::Stopping, 0),
        hook("app.postStop", EventCode::Stopped, 0),
    ];
    let mut next = app.clone();
    let mut world = World::started(vec![app, hooks[0].clone(), hooks[1].clone()]);
    for round in 1..=3 {
        next = JobSpec {
            timeout: Some(secs(1000 + round)),
            ..next
        };
        world.prepare(vec![next.clone(), hooks[0].clone(), hooks[1].clone()]);
        assert_eq!(
            world.live[&world.main(0)],
            None,
            "preStop comes before TERM"
        );
        world.exit(1, 0);
        world.exit(0, 143);
        assert!(world.runs(2), "postStop runs");
        assert_eq!(world.outcome(), None, "it is waited for");
        world.exit(2, 0);
        world.change();
        assert!(world.runs(0));
    }
    assert_eq!((world.starts(1), world.starts(2)), (3, 3));
}

#[test]
fn pre_start_runs_again_for_what_begins_anew() {
    let app = JobSpec {
        start: once(EventCode::ExitSuccess, 0),
        ..unlimited("app")
    };
    let specs = |app: &JobSpec| {
        vec![
            job("app.preStart"),
            app.clone(),
            after("seed", EventCode::ExitSuccess, 0),
        ]
    };
    let mut world = World::started(specs(&app));
    world.exit(0, 0);
    world.exit(2, 0);
    let next = specs(&other(&app));
    let difference = world.difference(next.clone());
    assert_eq!(
        difference,
        [
            Verdict::Renew(Reason::HookOf(JobId(1))),
            Verdict::Renew(Reason::Changed(vec!["exec"])),
            // It only waited for it, and has run.
            Verdict::Keep,
        ]
    );
    world.prepare(next);
    world.exit(1, 0);
    world.change();
    assert!(world.runs(0) && !world.runs(1));
    world.exit(0, 0);
    assert!(world.runs(1));
    assert_eq!(world.starts(2), 1);
}

#[test]
fn facts_that_last_are_told_to_what_begins_anew() {
    let base = [job("done"), checked_job("well"), unlimited("plain")];
    let mut world = World::started(base.to_vec());
    world.exit(0, 0);
    world.advance(secs(1));
    world.end(world.check(1), Exit::Code(0));
    let on_running = Condition::Is(State {
        source: crate::events::Source::Job(JobId(2)),
        is: Is::Running,
    });
    let mut next = base.to_vec();
    next.extend([
        after("success", EventCode::ExitSuccess, 0),
        after("failure", EventCode::ExitFailed, 0),
        after("stopped", EventCode::Stopped, 0),
        after("healthy", EventCode::Healthy, 1),
        JobSpec {
            start: Start::once(on_running),
            ..job("running")
        },
        job("startup"),
        JobSpec {
            start: each(EventCode::Healthy, 1),
            ..job("each")
        },
    ]);
    world.prepare(next);
    world.change();
    let started: Vec<u32> = (3..10).filter(|job| world.runs(*job)).collect();
    assert_eq!(started, [3, 5, 6, 7, 8]);
    // That cannot come any more.
    assert_eq!(world.status(4).state, JobState::Skipped);
    // What is done is done.
    assert_eq!(world.starts(0), 1);
}

#[test]
fn only_hooks_hear_of_what_leaves() {
    let app = unlimited("app");
    let specs = |app: JobSpec| {
        vec![
            app,
            after("waits", EventCode::ExitFailed, 0),
            after("hopes", EventCode::ExitSuccess, 0),
            each_job("listens", 0),
        ]
    };
    let mut world = World::started(specs(app.clone()));
    world.prepare(specs(other(&app)));
    world.exit(0, 1);
    world.change();
    assert_eq!(
        (world.starts(1), world.starts(2), world.starts(3)),
        (0, 0, 0)
    );
    let states: Vec<_> = (1..4).map(|job| world.status(job).state).collect();
    assert_eq!(states, [JobState::Waiting; 3], "nobody is skipped for it");
    // What becomes of the new one counts again.
    world.exit(0, 1);
    assert_eq!((world.starts(1), world.starts(3)), (1, 1));
}

#[test]
fn what_waits_forgets_what_came_of_a_job_that_begins_anew() {
    let db = checked_job("db");
    let waits = JobSpec {
        start: Start::once(Condition::All(vec![
            Condition::Once(on(EventCode::Healthy, 0)),
            Condition::Once(on(EventCode::ExitSuccess, 1)),
        ])),
        ..job("waits")
    };
    let specs = |db: JobSpec| vec![db, unlimited("task"), waits.clone()];
    let mut world = World::started(specs(db.clone()));
    world.advance(secs(1));
    world.end(world.check(0), Exit::Code(0));
    world.prepare(specs(other(&db)));
    world.exit(0, 0);
    world.change();
    world.exit(1, 0);
    assert!(!world.runs(2), "the new database is not healthy yet");
    world.advance_to(secs(2));
    world.end(world.check(0), Exit::Code(0));
    assert!(world.runs(2));
}

#[test]
fn j07_what_was_skipped_gets_another_chance() {
    let task = job("task");
    let specs = |task: JobSpec| {
        vec![
            task,
            after("app", EventCode::ExitSuccess, 0),
            unlimited("stays"),
        ]
    };
    let mut world = World::started(specs(task.clone()));
    world.exit(0, 1);
    assert_eq!(world.status(1).state, JobState::Skipped);
    world.prepare(specs(other(&task)));
    world.change();
    assert_eq!(world.status(1).state, JobState::Waiting);
    world.exit(0, 0);
    assert!(world.runs(1));
    // The old failure is of the past: everything ends well.
    world.exit(1, 0);
    world.stop();
    world.exit(2, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}

#[test]
fn the_failure_of_what_is_no_more_does_not_count() {
    let mut world = World::started(vec![job("bad"), job("good")]);
    world.exit(0, 3);
    world.prepare_numbered(vec![(JobId(1), job("good"))]);
    world.change();
    world.exit(1, 0);
    assert_eq!(world.outcome(), Some(Outcome::End(0)));
}
