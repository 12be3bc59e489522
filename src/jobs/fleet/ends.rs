//! The end: of everything, and of one job with its hooks; in which order, and who is waited for.

use std::time::{Duration, Instant};

use super::{Jobs, Trays};
use crate::events::{EventCode, JobId, PublicEvent};
use crate::jobs::effect::{Effect, Note};
use crate::jobs::ending::{Ending, Why};
use crate::jobs::machine::Job;
use crate::jobs::spec::Essential;

impl Jobs {
    /// Begins the end, or gives a reason that outweighs the present one: a fault outweighs everything. A second request for
    /// what is already under way changes nothing (D12). A reload that waits is over (R06, D25).
    pub(super) fn begin_end(&mut self, why: Why, now: Instant, trays: &mut Trays) {
        if let Some(ending) = &mut self.ending {
            return ending.also(why);
        }
        self.ending = Some(Ending::new(why, now, self.limits.shutdown_timeout));
        self.change = None;
        trays.publish(PublicEvent::global(EventCode::Shutdown));
        self.send_out(&self.order.clone(), now, trays);
    }

    /// Whether a job is to come to its end: all are, or this one for a reload.
    pub(super) fn goes(&self, job: JobId) -> bool {
        self.ending.is_some() || self.is_leaving(job)
    }

    /// The jobs that are to come to their end, in config order.
    pub(super) fn going(&self) -> Vec<JobId> {
        let order = self.order.iter().copied();
        order.filter(|job| self.goes(*job)).collect()
    }

    /// Lets jobs come to their end, each as soon as nobody needs it who goes as well.
    pub(super) fn send_out(&mut self, jobs: &[JobId], now: Instant, trays: &mut Trays) {
        for job in jobs.iter().copied() {
            // A hook of an end that is over, or does not come, is a job like any other.
            let is_hook = self
                .job(job)
                .hook_of()
                .is_some_and(|(_, source)| self.goes(source) && !self.job(source).is_complete());
            if self.is_needed(job) && self.job(job).is_up() {
                self.deferred.insert(job);
                self.with(job, now, trays, Job::hold);
                continue;
            }
            self.with(job, now, trays, |job, turn| job.on_shutdown(is_hook, turn));
        }
    }

    /// Whether a job needs this one until its own end, which has not come.
    pub(super) fn is_needed(&self, job: JobId) -> bool {
        let clients = self.index.needed_by.get(&job);
        let mut clients = clients.into_iter().flatten();
        clients.any(|client| self.goes(*client) && !self.job(*client).is_complete())
    }

    pub(super) fn take_finals(&mut self, now: Instant, trays: &mut Trays) {
        for (job, exit) in std::mem::take(&mut trays.finals) {
            let exit = exit.map(|exit| self.job(job).spec.judged(exit));
            if let Some(failure) = exit.filter(|exit| !exit.is_success()) {
                self.first_failure.get_or_insert((job, failure));
            }
            let failed = exit.is_none_or(|exit| !exit.is_success());
            let ends = match self.job(job).spec.essential {
                Essential::No => false,
                Essential::Yes => true,
                Essential::OnFailure => failed,
            };
            if ends {
                // A job that never ran has failed by what it waited for.
                let exit = exit.or(self.first_failure.map(|(_, exit)| exit));
                self.begin_end(Why::Essential(exit), now, trays);
            }
        }
    }

    /// Lets hooks complete whose event cannot come any more (D4, S12), and jobs go on whose hooks are complete (D33).
    /// Says whether anything moved.
    pub(super) fn advance_ends(&mut self, now: Instant, trays: &mut Trays) -> bool {
        let free = self.deferred.iter().copied();
        let free: Vec<JobId> = free.filter(|job| !self.is_needed(*job)).collect();
        if !free.is_empty() {
            for job in free {
                self.deferred.remove(&job);
                self.with(job, now, trays, |job, turn| job.on_shutdown(false, turn));
            }
            return true;
        }
        let hooks_done = |id: &JobId| {
            self.hooks_on_stopping(*id)
                .iter()
                .all(|hook| self.job(*hook).has_served())
        };
        let mut ready: Vec<JobId> = self
            .awaiting_hooks
            .iter()
            .copied()
            .filter(hooks_done)
            .collect();
        // Hooks that wait for each other wait for ever: once nothing lives that could end, no event will come any more.
        let mut stuck: Vec<JobId> = Vec::new();
        let goes_on = self.ending.is_some() || self.change.is_some();
        if ready.is_empty() && goes_on && self.others_are_lifeless() {
            let hooks = self.index.hooks.iter().copied();
            stuck.extend(hooks.filter(|hook| self.goes(*hook) && self.job(*hook).is_at_rest()));
            if stuck.is_empty() {
                let waiting = self.awaiting_hooks.iter().copied();
                ready.extend(waiting.filter(|job| self.goes(*job)));
            }
        }
        // Both were judged before either acts: what acts publishes, and that has to be delivered first.
        for hook in &stuck {
            self.with(*hook, now, trays, Job::halt);
        }
        for id in &ready {
            self.with(*id, now, trays, Job::on_hooks_done);
        }
        !ready.is_empty() || !stuck.is_empty()
    }

    /// Whether nothing goes that lives and could end, but jobs that wait for the others.
    pub(super) fn others_are_lifeless(&self) -> bool {
        let mut others = self
            .all
            .values()
            .filter(|job| self.goes(job.id) && !self.deferred.contains(&job.id));
        others.all(Job::is_lifeless)
    }

    pub(super) fn hooks_on_stopping(&self, source: JobId) -> &[JobId] {
        self.index
            .stopping_hooks
            .get(&source)
            .map_or(&[], Vec::as_slice)
    }

    /// The time of a job's hooks is over: they are stopped, the job goes on (S03).
    pub(super) fn end_hooks(
        &mut self,
        job: JobId,
        limit: Duration,
        now: Instant,
        trays: &mut Trays,
    ) {
        let hooks = self.hooks_on_stopping(job).iter().copied();
        let late: Vec<JobId> = hooks
            .filter(|hook| !self.job(*hook).is_complete())
            .collect();
        for hook in late {
            trays
                .effects
                .push(Effect::Report(job, Note::HookTimedOut { hook, limit }));
            self.with(hook, now, trays, Job::halt);
        }
        self.with(job, now, trays, Job::on_hooks_done);
    }
}
