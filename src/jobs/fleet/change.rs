//! A reload: what has changed leaves, then the new configuration takes over (decision 17, R02–R07).
//!
//! ```text
//!   prepare(next) ──> leaving: stopped in order, with their hooks ──> outcome: Reload ──> change()
//!        ^                 │
//!        └── a later next ─┘ the newest counts; what leaves already goes on leaving
//! ```
//!
//! What a job does on its way out is a matter of its hooks alone: others do not start for it. What begins anew is told the
//! facts that last; whoever only wants to hear of each event is told nothing.

use std::collections::BTreeSet;
use std::time::Instant;

use super::index::Index;
use super::{Jobs, Trays};
use crate::events::{EventCode, JobId, PublicEvent, Source};
use crate::jobs::difference::{self, Difference, Next, Present};
use crate::jobs::effect::Effect;
use crate::jobs::ending::Limit;
use crate::jobs::health::Health;
use crate::jobs::machine::{Fate, Job};
use crate::jobs::spec::JobSpec;

/// A configuration that waits to take over.
#[derive(Debug)]
pub(super) struct Change {
    next: Next,
    pub(super) leaving: BTreeSet<JobId>,
    pub(super) limit: Limit,
}

impl Jobs {
    /// What this configuration would make of each job.
    #[must_use]
    pub fn difference(&self, next: &Next) -> Difference {
        difference::difference(self, &next.jobs)
    }

    /// Stops what this configuration changes or has not any more; once that has ended, [`Jobs::outcome`] says so. Of
    /// several the last one counts. Changes nothing while everything stops (R06).
    pub fn prepare(&mut self, next: Next, now: Instant) -> Vec<Effect> {
        if self.ending.is_some() {
            return Vec::new();
        }
        let mut leaving: BTreeSet<JobId> = self.difference(&next).leaving().collect();
        let (before, limit) = match self.change.take() {
            Some(change) => (change.leaving, Some(change.limit)),
            None => (BTreeSet::new(), None),
        };
        let more: BTreeSet<JobId> = leaving.difference(&before).copied().collect();
        // Who is asked to stop later has the whole time for it; there is an end to that, since nobody is asked twice.
        let limit = limit.filter(|_| more.is_empty());
        leaving.extend(before);
        // The new configuration brings those back.
        self.wanted.retain(|job| !leaving.contains(job));
        self.change = Some(Change {
            next,
            leaving,
            limit: limit.unwrap_or_else(|| Limit::new(now, self.limits.shutdown_timeout)),
        });
        let mut trays = Trays::default();
        let more = self.order.iter().copied().filter(|job| more.contains(job));
        let more: Vec<JobId> = more.collect();
        self.send_out(&more, now, &mut trays);
        self.settle(now, trays)
    }

    /// The jobs that a reload has to wait for, or has waited for.
    pub fn leaving(&self) -> impl Iterator<Item = JobId> {
        let change = self.change.iter();
        change.flat_map(|change| change.leaving.iter().copied())
    }

    /// Whether a reload waits for jobs to end.
    #[must_use]
    pub fn is_changing(&self) -> bool {
        self.change.is_some()
    }

    /// Lets the prepared configuration take over; to be called when [`Jobs::outcome`] says so.
    pub fn change(&mut self, now: Instant) -> Vec<Effect> {
        let Some(Change { next, leaving, .. }) = self.change.take() else {
            return Vec::new();
        };
        let mut fresh = BTreeSet::new();
        let mut adjusted = Vec::new();
        let mut old = std::mem::take(&mut self.all);
        self.order.clear();
        for (id, spec) in next.jobs {
            self.order.push(id);
            let kept = old.remove(&id).filter(|_| !leaving.contains(&id));
            let job = kept.unwrap_or_else(|| {
                fresh.insert(id);
                Job::new(id, spec.clone(), now, self.next_run)
            });
            if job.spec != spec {
                adjusted.push((id, spec));
            }
            self.all.insert(id, job);
        }
        self.limits = next.limits;
        let of_the_past = |job: &JobId| fresh.contains(job) || !self.all.contains_key(job);
        self.first_failure = self.first_failure.filter(|(job, _)| !of_the_past(job));
        self.awaiting_hooks.retain(|job| !of_the_past(job));
        self.deferred.retain(|job| !of_the_past(job));
        self.wanted.retain(|job| !of_the_past(job));

        // Nobody is told of each other until all are there.
        self.index = Index::default();
        self.look.clear();
        let mut trays = Trays::default();
        for (id, spec) in adjusted {
            self.with(id, now, &mut trays, |job, turn| job.adjust(spec, turn));
        }
        self.index = Index::of(self.in_order());
        self.watches.retain(|watch, _| next.watches.contains(watch));
        self.plan_anew();
        self.recall(&fresh, now, &mut trays);
        if self.has_started && !self.maintenance {
            self.show_initial(&fresh, &mut trays);
        }
        let waiting = self.all.values().filter(|job| job.is_at_rest());
        self.look.extend(waiting.map(|job| job.id));
        self.settle(now, trays)
    }

    /// Tells what begins anew the facts that last, and lets what still waits forget the past of what begins anew.
    pub(super) fn recall(&mut self, fresh: &BTreeSet<JobId>, now: Instant, trays: &mut Trays) {
        for id in self.order.clone() {
            if !fresh.contains(&id) {
                self.with(id, now, trays, |job, _| job.forget(fresh));
                continue;
            }
            let awaited = self.job(id).awaited();
            let facts: Vec<PublicEvent> = awaited
                .into_iter()
                .filter(|event| self.has_come_to(*event))
                .collect();
            self.with(id, now, trays, |job, _| job.recall(&facts));
        }
    }

    /// Whether what this event said is so still.
    fn has_come_to(&self, event: PublicEvent) -> bool {
        let PublicEvent { code, source } = event;
        match source {
            Source::Global => code == EventCode::Startup && self.has_started,
            Source::Signal(_) | Source::Custom(_) => false,
            Source::Watch(watch) => match code {
                EventCode::Healthy => self.watches.get(&watch) == Some(&true),
                EventCode::Unhealthy => self.watches.get(&watch) == Some(&false),
                _ => false,
            },
            Source::Check(job) => {
                let health = self.job(job).health();
                match code {
                    EventCode::ExitSuccess => health == Health::Healthy,
                    EventCode::ExitFailed => health == Health::Unhealthy,
                    _ => false,
                }
            }
            Source::Job(job) => has_come_to(self.job(job), code),
        }
    }

    /// Whether a job is on its way out for a reload.
    pub(super) fn is_leaving(&self, job: JobId) -> bool {
        let change = self.change.as_ref();
        change.is_some_and(|change| change.leaving.contains(&job))
    }

    /// Everybody's next deadline, after some have changed at once.
    pub(super) fn plan_anew(&mut self) {
        self.deadlines.clear();
        self.scheduled.clear();
        self.limited = self.all.values().filter(|job| job.limits_anybody()).count();
        for id in self.order.clone() {
            self.reschedule(id);
        }
    }
}

fn has_come_to(job: &Job, code: EventCode) -> bool {
    let exit = job.last_exit.map(|exit| job.spec.is_success(exit));
    match code {
        EventCode::ExitSuccess => exit == Some(true),
        EventCode::ExitFailed => exit == Some(false),
        EventCode::Healthy => job.health() == Health::Healthy,
        EventCode::Unhealthy => job.health() == Health::Unhealthy,
        EventCode::Stopping => job.has_told_stopping(),
        EventCode::Stopped => job.is_complete() && !job.gave_up(),
        EventCode::Failed => job.fate() == Some(Fate::Failed),
        _ => false,
    }
}

impl Present for Jobs {
    fn jobs(&self) -> impl Iterator<Item = (JobId, &JobSpec)> {
        self.iter()
    }

    fn dependents(&self, job: JobId) -> &[JobId] {
        let dependents = self.index.dependents.get(&job);
        dependents.map_or(&[], Vec::as_slice)
    }

    fn was_skipped(&self, job: JobId) -> bool {
        self.job(job).fate() == Some(Fate::Skipped)
    }

    fn was_given_up(&self, job: JobId) -> bool {
        self.job(job).fate() == Some(Fate::Failed)
    }

    fn is_leaving(&self, job: JobId) -> bool {
        Jobs::is_leaving(self, job)
    }
}
