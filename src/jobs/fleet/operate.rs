//! What an operator does to the jobs. Every operation has an answer in every state of a job, and none starts a second
//! instance (K06).
//!
//! | the job | start | stop | restart |
//! | --- | --- | --- | --- |
//! | waits, or is between two runs | starts now | comes to its end | starts now |
//! | runs | nothing | comes to its end | comes to its end, then begins anew |
//! | waits for a restart | starts now | comes to its end | starts now |
//! | comes to its end | begins anew after that | stays there | begins anew after that |
//! | is at its end | begins anew | nothing | begins anew |
//!
//! What begins anew has its counters reset and its hooks around it begin anew as well, `preStart` first. A stop that comes
//! before takes a start back that was to follow.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Jobs, Trays};
use crate::events::JobId;
use crate::jobs::effect::{Effect, Note};
use crate::jobs::machine::{Job, Standing};
use crate::jobs::operation::{Operation, Progress, Refused};

impl Jobs {
    /// Does what an operator asks of a job that is there, and says how far that has come. Waits for nothing.
    pub fn operate(
        &mut self,
        job: JobId,
        operation: Operation,
        now: Instant,
    ) -> (Result<Progress, Refused>, Vec<Effect>) {
        let mut trays = Trays::default();
        let result = self.operated(job, operation, now, &mut trays);
        (result, self.settle(now, trays))
    }

    fn operated(
        &mut self,
        id: JobId,
        operation: Operation,
        now: Instant,
        trays: &mut Trays,
    ) -> Result<Progress, Refused> {
        if !self.all.contains_key(&id) {
            return Err(Refused::NotRunning);
        }
        if let Operation::Signal(signal) = operation {
            let mut sent = false;
            self.with(id, now, trays, |job, turn| sent = job.pass(signal, turn));
            return if sent {
                Ok(Progress::Begun)
            } else {
                Err(Refused::NotRunning)
            };
        }
        if self.ending.is_some() {
            let stops = operation == Operation::Stop;
            return if stops {
                Ok(Progress::Already)
            } else {
                Err(Refused::Ending)
            };
        }
        if self.is_leaving(id) {
            return Err(Refused::Leaving);
        }
        match operation {
            Operation::Start => Ok(self.bring_up(id, now, trays)),
            Operation::Stop => Ok(self.put_down(id, now, trays)),
            Operation::Restart => Ok(self.restart(id, now, trays)),
            Operation::Check(on) => self.set_checked(id, on, now, trays),
            Operation::Maintenance(on) => Ok(self.set_maintenance(id, on, now, trays)),
            Operation::Signal(_) => Err(Refused::NotRunning),
        }
    }

    fn bring_up(&mut self, id: JobId, now: Instant, trays: &mut Trays) -> Progress {
        match self.job(id).standing() {
            Standing::Up => Progress::Already,
            Standing::AtRest => self.start_now(id, now, trays),
            Standing::Ending | Standing::Over => self.want(id),
        }
    }

    /// It begins anew as soon as it can: see [`Jobs::begin_wanted`].
    fn want(&mut self, id: JobId) -> Progress {
        if !self.wanted.insert(id) {
            return Progress::Already;
        }
        if self.is_quiet(id) {
            Progress::Begun
        } else {
            Progress::Later
        }
    }

    fn put_down(&mut self, id: JobId, now: Instant, trays: &mut Trays) -> Progress {
        let was_wanted = self.wanted.remove(&id);
        if matches!(self.job(id).standing(), Standing::Ending | Standing::Over) {
            if !was_wanted {
                return Progress::Already;
            }
            self.with(id, now, trays, Job::put_down);
            return Progress::Begun;
        }
        self.with(id, now, trays, Job::put_down);
        for hook in self.around(id) {
            self.with(hook, now, trays, Job::halt);
        }
        Progress::Begun
    }

    fn restart(&mut self, id: JobId, now: Instant, trays: &mut Trays) -> Progress {
        if self.job(id).standing() != Standing::Up {
            return self.bring_up(id, now, trays);
        }
        self.put_down(id, now, trays);
        self.wanted.insert(id);
        Progress::Begun
    }

    /// Its `preStart` comes first, and the job then waits for that.
    fn start_now(&mut self, id: JobId, now: Instant, trays: &mut Trays) -> Progress {
        let first = self.hook(id, "preStart");
        let first = first.map(|first| (first, self.job(first).standing()));
        match first {
            Some((first, Standing::AtRest)) => self.with(first, now, trays, Job::start_now),
            Some((_, Standing::Up)) => return Progress::Already,
            Some((_, Standing::Ending | Standing::Over)) | None => {
                self.with(id, now, trays, Job::start_now);
            }
        }
        Progress::Begun
    }

    fn set_checked(
        &mut self,
        id: JobId,
        on: bool,
        now: Instant,
        trays: &mut Trays,
    ) -> Result<Progress, Refused> {
        let job = self.job(id);
        if !job.has_checks() {
            return Err(Refused::NoCheck);
        }
        if job.is_unchecked() != on {
            return Ok(Progress::Already);
        }
        self.with(id, now, trays, |job, turn| job.set_checked(on, turn));
        Ok(Progress::Begun)
    }

    fn set_maintenance(
        &mut self,
        id: JobId,
        on: bool,
        now: Instant,
        trays: &mut Trays,
    ) -> Progress {
        if self.job(id).is_in_maintenance() == on {
            return Progress::Already;
        }
        let of_all = self.maintenance;
        self.with(id, now, trays, |job, turn| {
            job.set_maintenance(on, of_all, turn);
        });
        Progress::Begun
    }

    /// Lets jobs begin anew that an operator wants back, once nothing of them is left. Says whether anything moved.
    pub(super) fn begin_wanted(&mut self, now: Instant, trays: &mut Trays) -> bool {
        if self.ending.is_some() {
            self.wanted.clear();
        }
        let ready = self.wanted.iter().copied();
        let ready: Vec<JobId> = ready.filter(|job| self.is_quiet(*job)).collect();
        for id in &ready {
            self.wanted.remove(id);
            self.begin_anew(*id, now, trays);
        }
        !ready.is_empty()
    }

    /// Whether it is at its end, and the hook that belongs to that as well.
    fn is_quiet(&self, id: JobId) -> bool {
        let last = self.hook(id, "postStop").map(|hook| self.job(hook));
        let last = last.is_none_or(|hook| !hook.is_up() && !hook.is_halting());
        last && self.job(id).is_complete()
    }

    fn begin_anew(&mut self, id: JobId, now: Instant, trays: &mut Trays) {
        let fresh = self.to_renew(id);
        for id in &fresh {
            self.with(*id, now, trays, |job, turn| {
                *job = job.anew(turn);
                turn.report(job.id, Note::Anew);
                job.come_back(turn);
            });
        }
        self.first_failure = self.first_failure.filter(|(job, _)| !fresh.contains(job));
        self.recall(&fresh, now, trays);
        if self.has_started && !self.maintenance {
            self.show_initial(&fresh, trays);
        }
        self.look.extend(&fresh);
        self.start_now(id, now, trays);
    }

    /// The job and those of its hooks that are at their end.
    fn to_renew(&self, id: JobId) -> BTreeSet<JobId> {
        let mut fresh = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(source) = open.pop() {
            let hooks = self.index.hooks.iter().copied();
            let hooks = hooks.filter(|hook| {
                let of = self.job(*hook).hook_of();
                of.is_some_and(|(_, of)| of == source)
            });
            for hook in hooks.chain(self.around(source)) {
                let over = self.job(hook).is_complete() && !self.is_leaving(hook);
                if over && !self.job(hook).is_put_down() && fresh.insert(hook) {
                    open.push(hook);
                }
            }
        }
        fresh
    }

    /// The hooks that begin a run of the job.
    fn around(&self, id: JobId) -> Vec<JobId> {
        let hooks = ["preStart", "postStart"].map(|hook| self.hook(id, hook));
        hooks.into_iter().flatten().collect()
    }

    /// The job that a hook of a job has become (decision 15).
    fn hook(&self, id: JobId, hook: &str) -> Option<JobId> {
        let name = &self.job(id).spec.name;
        let is_hook = |job: &&Job| {
            let rest = job.spec.name.strip_prefix(name.as_str());
            rest.and_then(|rest| rest.strip_prefix('.')) == Some(hook)
        };
        self.in_order().find(is_hook).map(|job| job.id)
    }
}
