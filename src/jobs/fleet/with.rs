//! How one job acts: what it is lent, and what of it the others and the clock are told.

use std::time::Instant;

use super::view::outside;
use super::{Jobs, Trays};
use crate::events::JobId;
use crate::jobs::machine::Job;
use crate::jobs::turn::Turn;

impl Jobs {
    pub(super) fn with_all(
        &mut self,
        now: Instant,
        trays: &mut Trays,
        act: impl Fn(&mut Job, &mut Turn<'_>),
    ) {
        for id in self.order.clone() {
            self.with(id, now, trays, &act);
        }
    }

    /// Lets one job act, and notes when it wants to be called next.
    pub(super) fn with(
        &mut self,
        id: JobId,
        now: Instant,
        trays: &mut Trays,
        act: impl FnOnce(&mut Job, &mut Turn<'_>),
    ) {
        let stopping = self.goes(id);
        let Some(job) = self.all.get_mut(&id) else {
            return;
        };
        let mut turn = Turn {
            now,
            epoch: self.epoch,
            limits: self.limits,
            stopping,
            maintenance: self.maintenance || job.is_in_maintenance(),
            unchecked: job.is_unchecked(),
            jitter: &mut self.jitter,
            next_run: &mut self.next_run,
            effects: &mut trays.effects,
            queue: &mut trays.queue,
            finals: &mut trays.finals,
            actions: &mut trays.actions,
        };
        let limited = job.limits_anybody();
        let before = outside(job);
        act(job, &mut turn);
        job.heed_health(&mut turn);
        if job.is_at_rest() && self.index.waiters.contains(&id) {
            self.look.insert(id);
        }
        if outside(job) != before {
            let dependents = self.index.dependents.get(&id);
            self.look.extend(dependents.into_iter().flatten());
        }
        self.limited = self.limited + usize::from(job.limits_anybody()) - usize::from(limited);
        if job.waits_for_hooks() {
            self.awaiting_hooks.insert(id);
        } else {
            self.awaiting_hooks.remove(&id);
        }
        self.reschedule(id);
    }

    pub(super) fn reschedule(&mut self, id: JobId) {
        let next = self.all.get(&id).and_then(Job::deadline);
        let scheduled = match next {
            Some(at) => self.scheduled.insert(id, at),
            None => self.scheduled.remove(&id),
        };
        if scheduled == next {
            return;
        }
        if let Some(at) = scheduled {
            self.deadlines.remove(&(at, id));
        }
        if let Some(at) = next {
            self.deadlines.insert((at, id));
        }
    }
}
