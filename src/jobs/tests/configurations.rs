//! Random configurations.

use super::world::*;
use crate::events::{EventCode, JobId, PublicEvent, Signal, Source};
use crate::jobs::{
    Action, Condition, Essential, Expiry, First, HealthSpec, Is, JobSpec, MaxRestarts, Orphans,
    Overlap, Ready, Restarts, Start, State, Trigger, Wait,
};
use crate::services::{InitialStatus, ServiceSpec};
use proptest::prelude::*;

pub(super) fn start(jobs: u32) -> impl Strategy<Value = Start> {
    let code = prop_oneof![
        Just(EventCode::ExitSuccess),
        Just(EventCode::ExitFailed),
        Just(EventCode::Stopping),
        Just(EventCode::Stopped),
        Just(EventCode::Healthy),
        Just(EventCode::TimerExpired)
    ];
    let on = (code, 0..jobs).prop_map(|(code, job)| PublicEvent::job(code, JobId(job)));
    let wait = prop::option::of((1u64..5_000).prop_map(ms));
    let overlap = prop_oneof![
        Just(Overlap::Skip),
        Just(Overlap::Queue),
        Just(Overlap::Kill)
    ];
    let is = prop_oneof![Just(Is::Running), Just(Is::Healthy), Just(Is::Unhealthy)];
    let is = (is, 0..jobs).prop_map(|(is, job)| {
        let source = Source::Job(JobId(job));
        Condition::Is(State { source, is })
    });
    let leaf = prop_oneof![2 => on.clone().prop_map(Condition::Once), 1 => is];
    let group =
        (prop::collection::vec(leaf.clone(), 1..4), any::<bool>()).prop_map(|(parts, all)| {
            if all {
                Condition::All(parts)
            } else {
                Condition::Any(parts)
            }
        });
    let then = prop_oneof![Just(Expiry::Skip), Just(Expiry::Fail), Just(Expiry::Start)];
    let group = (group, wait.clone(), then).prop_map(|(group, wait, then)| Start {
        wait: wait.map(|limit| Wait { limit, then }),
        ..Start::once(group)
    });
    let cron = (overlap.clone(), prop::option::of(leaf.clone()));
    let cron = cron.prop_map(|(overlap, after)| Start {
        after: after.unwrap_or_else(Condition::startup),
        ..Start::cron(super::cron::daily(), overlap)
    });
    let interval = ((1u64..3_000).prop_map(ms), overlap, any::<bool>());
    let interval = interval.prop_map(|(every, overlap, later)| {
        let first = if later { First::Interval } else { First::Now };
        Start {
            trigger: Trigger::Interval {
                every,
                overlap,
                first,
            },
            ..Start::startup()
        }
    });
    let each = (on.clone(), wait.clone(), prop::option::of(leaf));
    let each = each.prop_map(|(on, wait, after)| Start {
        after: after.unwrap_or_else(Condition::always),
        ..Start::each(on).within(wait)
    });
    prop_oneof![
        3 => Just(Start::startup()),
        1 => interval,
        1 => cron,
        2 => (on, wait.clone()).prop_map(|(on, wait)| Start::once(Condition::Once(on)).within(wait)),
        2 => each,
        2 => group,
        1 => wait.clone().prop_map(|wait| Start::each(signal_event(Signal::HUP)).within(wait)),
        1 => wait.prop_map(|wait| Start::never().within(wait)),
    ]
}

pub(super) fn spec(jobs: u32) -> impl Strategy<Value = JobSpec> {
    let restarts = prop_oneof![
        (0u32..4).prop_map(Restarts::Limited),
        Just(Restarts::Unlimited),
        Just(Restarts::OnFailure)
    ];
    let health = prop::option::of(((1u64..3_000), (1u64..3_000)).prop_map(
        |(interval, timeout)| {
            // One check, or two with the means of the second.
            let one = check_spec(ms(interval), ms(timeout));
            let second = crate::jobs::CheckSpec {
                rise: 2,
                fall: 2,
                start_period: ms(timeout),
                restarts: true,
                ..one.clone()
            };
            let mut checks = vec![one];
            checks.extend((interval % 2 == 0).then_some(second));
            HealthSpec {
                checks,
                interval: ms(interval),
                ttl: secs(10),
            }
        },
    ));
    let time = || prop::option::of((0u64..4_000).prop_map(ms));
    (
        start(jobs),
        restarts,
        time(),
        time(),
        health,
        essential(),
        prop::bool::weighted(0.2),
        action(jobs),
        (
            prop::bool::weighted(0.3),
            time(),
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.2),
            ready(),
        ),
    )
        .prop_map(
            |(start, restarts, timeout, stop_timeout, health, essential, keep, action, served)| {
                JobSpec {
                    service: served.0.then(service),
                    drain: served.1,
                    agent: served.2,
                    start,
                    restarts,
                    timeout: timeout.map(|limit| limit.max(ms(1))),
                    stop_timeout,
                    ready: served.5,
                    health,
                    essential,
                    orphans: if keep { Orphans::Keep } else { Orphans::Sweep },
                    exec: if served.3 || action.is_some() {
                        None
                    } else {
                        job("x").exec
                    },
                    action,
                    max_restarts: served.4.then_some(MaxRestarts {
                        count: 2,
                        within: secs(60),
                    }),
                    ..job("x")
                }
            },
        )
}

pub(super) fn ready() -> impl Strategy<Value = Option<Ready>> {
    let watchdog = prop::option::of((1u64..3_000).prop_map(ms));
    prop_oneof![
        4 => Just(None),
        1 => Just(Some(Ready::Descriptor(3))),
        1 => watchdog.prop_map(|watchdog| Some(Ready::Notify { watchdog })),
    ]
}

pub(super) fn essential() -> impl Strategy<Value = Essential> {
    prop_oneof![
        8 => Just(Essential::No),
        1 => Just(Essential::Yes),
        1 => Just(Essential::OnFailure)
    ]
}

pub(super) fn action(jobs: u32) -> impl Strategy<Value = Option<Action>> {
    let action = (0..jobs, any::<bool>()).prop_map(|(job, restart)| {
        if restart {
            Action::Restart(JobId(job))
        } else {
            Action::Signal(JobId(job), Signal::HUP)
        }
    });
    prop::option::weighted(0.1, action)
}

pub(super) fn service() -> ServiceSpec {
    ServiceSpec {
        initial_status: Some(InitialStatus::Warning),
        ..super::world::service("x")
    }
}

pub(super) fn fleet() -> impl Strategy<Value = Vec<JobSpec>> {
    (1u32..6).prop_flat_map(|jobs| prop::collection::vec(spec(jobs), jobs as usize))
}
