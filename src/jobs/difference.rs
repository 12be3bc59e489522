//! What a new configuration makes of each job (decision 17): the rule of a reload, and the answer to who asks before it.
//!
//! A job is known by its number, which follows its name. What has to begin anew takes the hooks of its end with it, and its
//! `preStart` and `postStart`: they belong to one run of the job. What only says how the job is watched, announced or
//! stopped is applied to the job as it runs.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::Attributes;
use super::spec::{JobSpec, StopLimits};
use crate::events::{JobId, WatchId};

/// A configuration that is to take over.
#[derive(Clone, Debug, Default)]
pub struct Next {
    /// All jobs in config order; a job that is there already has the number that it has.
    pub jobs: Vec<(JobId, JobSpec)>,
    /// All watches; likewise.
    pub watches: Vec<WatchId>,
    pub limits: StopLimits,
}

/// What becomes of the jobs: those of the new configuration in its order, then those that are no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub jobs: Vec<(JobId, Verdict)>,
}

/// What becomes of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on as it is.
    Keep,
    /// It goes on, with these keys applied to it.
    Adjust(Vec<&'static str>),
    /// It is stopped as far as it lives, and begins anew.
    Renew(Reason),
    /// It is new.
    Add,
    /// It is stopped, and is no more.
    Remove,
}

/// Why a job begins anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// These keys say something else.
    Changed(Vec<&'static str>),
    /// It is a hook of a job that begins anew, or is no more.
    HookOf(JobId),
    /// It was skipped for what this job, which begins anew, had come to.
    SkippedFor(JobId),
    /// It is being stopped already for an earlier reload.
    Leaving,
}

impl Difference {
    /// The jobs that have to come to their end before the new configuration can take over.
    pub fn leaving(&self) -> impl Iterator<Item = JobId> {
        let jobs = self.jobs.iter();
        jobs.filter(|(_, verdict)| matches!(verdict, Verdict::Renew(_) | Verdict::Remove))
            .map(|(job, _)| *job)
    }
}

/// What is asked of the present jobs.
pub(super) trait Present {
    /// All jobs in config order.
    fn jobs(&self) -> impl Iterator<Item = (JobId, &JobSpec)>;
    /// The jobs that wait for, or are triggered by, what becomes of this one.
    fn dependents(&self, job: JobId) -> &[JobId];
    /// It never ran, since what it waited for could not happen any more.
    fn was_skipped(&self, job: JobId) -> bool;
    /// It is complete because it was given up.
    fn was_given_up(&self, job: JobId) -> bool;
    /// It is being stopped for an earlier reload.
    fn is_leaving(&self, job: JobId) -> bool;
}

/// Compares what is there with what is to come.
pub(super) fn difference(present: &impl Present, next: &[(JobId, JobSpec)]) -> Difference {
    let old: BTreeMap<JobId, &JobSpec> = present.jobs().collect();
    let mut verdicts: BTreeMap<JobId, Verdict> = BTreeMap::new();
    for (job, spec) in next {
        let verdict = match old.get(job) {
            None => Verdict::Add,
            Some(_) if present.is_leaving(*job) => Verdict::Renew(Reason::Leaving),
            Some(old) => compared(old, spec, present.was_given_up(*job)),
        };
        verdicts.insert(*job, verdict);
    }
    for job in old.keys() {
        verdicts.entry(*job).or_insert(Verdict::Remove);
    }
    take_along(present, &old, &mut verdicts);
    let known: BTreeSet<JobId> = next.iter().map(|(job, _)| *job).collect();
    let gone = old.keys().copied().filter(|job| !known.contains(job));
    let order: Vec<JobId> = next.iter().map(|(job, _)| *job).chain(gone).collect();
    let jobs = order
        .into_iter()
        .filter_map(|job| Some((job, verdicts.remove(&job)?)));
    Difference {
        jobs: jobs.collect(),
    }
}

fn compared(old: &JobSpec, new: &JobSpec, was_given_up: bool) -> Verdict {
    let (deep, mut live) = differences(old, new);
    if !deep.is_empty() {
        return Verdict::Renew(Reason::Changed(deep));
    }
    if was_given_up
        && live
            .iter()
            .any(|key| ["backoff", "maxRestarts"].contains(key))
    {
        live.retain(|key| ["backoff", "maxRestarts"].contains(key));
        return Verdict::Renew(Reason::Changed(live));
    }
    if live.is_empty() {
        Verdict::Keep
    } else {
        Verdict::Adjust(live)
    }
}

/// The keys that say something else: those for which a job has to begin anew, and those that are applied to it as it runs.
fn differences(old: &JobSpec, new: &JobSpec) -> (Vec<&'static str>, Vec<&'static str>) {
    // In full, so that no field can be forgotten here.
    let JobSpec {
        name: _,
        exec,
        action,
        start,
        restarts,
        backoff,
        max_restarts,
        timeout,
        stop_timeout,
        health,
        ready,
        essential,
        io,
        forward,
        orphans,
        service,
        drain,
        agent,
        attributes,
        metric,
    } = old;
    let deep = [
        ("exec", *exec != new.exec || *action != new.action),
        ("when", *start != new.start),
        ("restarts", *restarts != new.restarts),
        ("timeout", *timeout != new.timeout),
        ("ready", *ready != new.ready),
        ("logging.raw", io.raw != new.io.raw),
        ("stdin", io.stdin != new.io.stdin),
        ("tty", io.tty != new.io.tty),
        ("orphans", *orphans != new.orphans),
        ("metric", *metric != new.metric),
    ];
    let live = [
        ("backoff", *backoff != new.backoff),
        ("maxRestarts", *max_restarts != new.max_restarts),
        ("stopTimeout", *stop_timeout != new.stop_timeout),
        (
            "stopSignal",
            attributes.stop_signal != new.attributes.stop_signal,
        ),
        ("health", *health != new.health),
        ("essential", *essential != new.essential),
        ("forward", *forward != new.forward),
        ("service", *service != new.service),
        ("drain", *drain != new.drain),
        ("agent", *agent != new.agent),
    ];
    let keys = |found: &[(&'static str, bool)]| -> Vec<&'static str> {
        let differ = found.iter().filter(|(_, differs)| *differs);
        differ.map(|(key, _)| *key).collect()
    };
    let mut deep = keys(&deep);
    deep.extend(attributes_that_differ(attributes, &new.attributes));
    (deep, keys(&live))
}

fn attributes_that_differ(old: &Attributes, new: &Attributes) -> Vec<&'static str> {
    let Attributes {
        stop_signal: _,
        success,
        env,
        env_files,
        workdir,
        user,
        group,
        umask,
        nice,
        limits,
        no_new_privileges,
    } = old;
    let found = [
        ("successExitCodes", *success != new.success),
        ("env", *env != new.env),
        ("envFile", *env_files != new.env_files),
        ("workdir", *workdir != new.workdir),
        ("user", *user != new.user),
        ("group", *group != new.group),
        ("umask", *umask != new.umask),
        ("nice", *nice != new.nice),
        ("limits", *limits != new.limits),
        (
            "noNewPrivileges",
            *no_new_privileges != new.no_new_privileges,
        ),
    ];
    let differ = found.into_iter().filter(|(_, differs)| *differs);
    differ.map(|(key, _)| key).collect()
}

/// Adds what cannot stay as it is beside a job that begins anew.
fn take_along(
    present: &impl Present,
    old: &BTreeMap<JobId, &JobSpec>,
    verdicts: &mut BTreeMap<JobId, Verdict>,
) {
    let by_name: BTreeMap<&str, JobId> = old
        .iter()
        .map(|(job, spec)| (spec.name.as_str(), *job))
        .collect();
    let ends = |verdict: &Verdict| matches!(verdict, Verdict::Renew(_) | Verdict::Remove);
    let first = verdicts.iter().filter(|(_, verdict)| ends(verdict));
    let mut open: Vec<JobId> = first.map(|(job, _)| *job).collect();
    while let Some(source) = open.pop() {
        let Some(spec) = old.get(&source) else {
            continue;
        };
        let around = ["preStart", "postStart"].map(|hook| format!("{}.{hook}", spec.name));
        let around = around.iter().filter_map(|name| by_name.get(name.as_str()));
        let dependents = present.dependents(source).iter();
        let candidates: Vec<(JobId, bool)> = around
            .map(|job| (*job, true))
            .chain(dependents.map(|job| (*job, false)))
            .collect();
        for (job, belongs) in candidates {
            let Some(verdict) = verdicts.get_mut(&job).filter(|verdict| !ends(verdict)) else {
                continue;
            };
            let hook_of = old.get(&job).and_then(|spec| spec.start.hook_of());
            let reason = if belongs || hook_of.is_some_and(|(_, of)| of == source) {
                Reason::HookOf(source)
            } else if present.was_skipped(job) {
                Reason::SkippedFor(source)
            } else {
                continue;
            };
            *verdict = Verdict::Renew(reason);
            open.push(job);
        }
    }
}
