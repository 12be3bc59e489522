//! Jobs that wait for each other can never start. In the form of the original that is odd, in ours an error (decision 1).

use crate::events::{EventCode, JobId, Source};
use crate::jobs::{Condition, Expiry, JobSpec, Leaf, Start, State, Trigger};

use super::job::Draft;
use super::walk::{Finding, Walk, quoted};

/// Reports every job that can never start because of what others wait for.
pub(super) fn check(walk: &mut Walk<'_>, drafts: &[Draft]) {
    let starts: Vec<&Start> = drafts.iter().map(|draft| &draft.spec.start).collect();
    let can_start = startable(&starts);
    for (index, draft) in drafts.iter().enumerate() {
        // That it names nothing that can happen has been said where it does.
        if can_start[index] || names_nothing(&draft.spec.start.after) {
            continue;
        }
        let Some(when) = &draft.when else {
            continue;
        };
        let chain = chain(index, drafts, &can_start);
        let finding = Finding::new(format!("the job never starts: {chain}"));
        let finding = finding.help("let one of them start without waiting for the others");
        if when.is_new() {
            walk.error(&when.place, finding);
        } else {
            walk.warning(&when.place, finding);
        }
    }
}

fn names_nothing(condition: &Condition) -> bool {
    match condition {
        Condition::Never => true,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(names_nothing),
        Condition::Once(_) | Condition::Is(_) => false,
    }
}

/// Who can start, given who can: from nobody on, until no further one can.
fn startable(starts: &[&Start]) -> Vec<bool> {
    let mut can = vec![false; starts.len()];
    loop {
        let mut more = false;
        for (index, start) in starts.iter().enumerate() {
            if !can[index] && opens(start, &can) {
                can[index] = true;
                more = true;
            }
        }
        if !more {
            return can;
        }
    }
}

fn opens(start: &Start, can: &[bool]) -> bool {
    let waits_no_longer = start.wait.is_some_and(|wait| wait.then == Expiry::Start);
    let triggered = match &start.trigger {
        Trigger::Each(events) => events.iter().any(|event| comes(Leaf::Once(*event), can)),
        Trigger::Once | Trigger::Interval { .. } | Trigger::Cron { .. } => true,
    };
    waits_no_longer || (triggered && holds(&start.after, can))
}

fn holds(condition: &Condition, can: &[bool]) -> bool {
    match condition {
        Condition::Never => false,
        Condition::Once(event) => comes(Leaf::Once(*event), can),
        Condition::Is(state) => comes(Leaf::Is(*state), can),
        Condition::All(parts) => parts.iter().all(|part| holds(part, can)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, can)),
    }
}

/// Whether this can come, as far as it depends on the start of a job.
fn comes(leaf: Leaf, can: &[bool]) -> bool {
    let Some(JobId(job)) = needs_start(leaf) else {
        return true;
    };
    can.get(job as usize).copied().unwrap_or(true)
}

/// The job that has to start before this comes. A job that never starts stops all the same.
fn needs_start(leaf: Leaf) -> Option<JobId> {
    let (source, code) = match leaf {
        Leaf::Once(event) => (event.source, Some(event.code)),
        Leaf::Is(State { source, .. }) => (source, None),
    };
    let without = [
        EventCode::Stopping,
        EventCode::Stopped,
        EventCode::TimerExpired,
        EventCode::Failed,
    ];
    match source {
        Source::Job(job) | Source::Check(job)
            if code.is_none_or(|code| !without.contains(&code)) =>
        {
            Some(job)
        }
        _ => None,
    }
}

/// `a` waits for `b`, `b` waits for `a`.
fn chain(start: usize, drafts: &[Draft], can_start: &[bool]) -> String {
    let mut words = Vec::new();
    let mut seen = vec![start];
    let mut at = start;
    while let Some(next) = blocker(&drafts[at].spec, can_start) {
        let Some(draft) = drafts.get(next) else {
            break;
        };
        let (waiting, source) = (&drafts[at].spec.name, &draft.spec.name);
        words.push(format!("{} waits for {}", quoted(waiting), quoted(source)));
        if seen.contains(&next) || words.len() == 8 {
            break;
        }
        seen.push(next);
        at = next;
    }
    words.join(", ")
}

/// The first job that this one waits for in vain.
fn blocker(spec: &JobSpec, can_start: &[bool]) -> Option<usize> {
    let mut found = None;
    let mut look = |leaf| {
        let job = needs_start(leaf).map(|JobId(job)| job as usize);
        let job = job.filter(|job| can_start.get(*job) == Some(&false));
        found = found.or(job);
    };
    spec.start.after.for_each(&mut look);
    if let Trigger::Each(events) = &spec.start.trigger {
        for event in events {
            look(Leaf::Once(*event));
        }
    }
    found
}
