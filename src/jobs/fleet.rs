//! All jobs of one configuration, and the rules between them: who hears which event, the order of the end, when
//! everything is over, and with which status.

mod change;
mod ends;
mod index;
mod operate;
mod status;
mod view;
mod with;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use self::change::Change;
use self::index::Index;
pub use self::status::{JobState, JobStatus};
use super::effect::Effect;
use super::ending::{Ending, Outcome, Why};
use super::health::Health;
use super::machine::Job;
use super::spec::{Action, JobSpec, StopLimits, Trigger};
use crate::events::{
    Event, EventCode, Exit, Jitter, JobId, PublicEvent, Run, RunId, Source, WatchId,
};
use crate::services::Presence;

/// So many jobs are called at once, which takes a millisecond: a thousand whose time comes together must not keep a client
/// waiting.
const DUE: usize = 32;

/// The jobs of one configuration. A value: it knows no clock, process or network, and the same events at the same times
/// give the same effects.
#[derive(Debug)]
pub struct Jobs {
    all: BTreeMap<JobId, Job>,
    /// Their numbers in config order.
    order: Vec<JobId>,
    index: Index,
    /// Jobs to look at again: what they wait for, or they themselves, may have changed.
    look: BTreeSet<JobId>,
    /// Whether each watch has instances, as far as it has said.
    watches: BTreeMap<WatchId, bool>,
    /// Every job's next deadline; `scheduled` holds what is in here for each.
    deadlines: BTreeSet<(Instant, JobId)>,
    scheduled: BTreeMap<JobId, Instant>,
    /// How many jobs have a time limit running against somebody else.
    limited: usize,
    /// Jobs that are to stop once nobody needs them.
    deferred: BTreeSet<JobId>,
    /// The jobs at, or near, their end that an operator wants back.
    wanted: BTreeSet<JobId>,
    /// The jobs that have published `stopping` and wait for their hooks.
    awaiting_hooks: BTreeSet<JobId>,
    limits: StopLimits,
    epoch: Instant,
    jitter: Jitter,
    next_run: RunId,
    maintenance: bool,
    has_started: bool,
    /// A configuration that waits for what it changes.
    change: Option<Change>,
    ending: Option<Ending>,
    /// The final failure that came first in time, and whose it is (decision 9c).
    first_failure: Option<(JobId, Exit)>,
}

impl Jobs {
    /// The jobs of a configuration that was loaded at `epoch`, in config order. `first_run` is the first free run number;
    /// `seed` decides the jitter.
    #[must_use]
    pub fn new(
        specs: Vec<(JobId, JobSpec)>,
        limits: StopLimits,
        epoch: Instant,
        first_run: RunId,
        seed: u64,
    ) -> Jobs {
        let order = specs.iter().map(|(id, _)| *id).collect();
        let jobs = specs
            .into_iter()
            .map(|(id, spec)| (id, Job::new(id, spec, epoch, first_run)));
        let mut fleet = Jobs {
            index: Index::default(),
            look: BTreeSet::new(),
            watches: BTreeMap::new(),
            deferred: BTreeSet::new(),
            wanted: BTreeSet::new(),
            limited: 0,
            deadlines: BTreeSet::new(),
            awaiting_hooks: BTreeSet::new(),
            scheduled: BTreeMap::new(),
            all: jobs.collect(),
            order,
            limits,
            epoch,
            jitter: Jitter::new(seed),
            next_run: first_run,
            maintenance: false,
            has_started: false,
            change: None,
            ending: None,
            first_failure: None,
        };
        fleet.index = Index::of(fleet.in_order());
        fleet.plan_anew();
        fleet
    }

    /// Whether maintenance is on.
    #[must_use]
    pub fn in_maintenance(&self) -> bool {
        self.maintenance
    }

    /// What a job was configured to be; `None` if there is no such job (any more).
    #[must_use]
    pub fn spec(&self, job: JobId) -> Option<&JobSpec> {
        self.all.get(&job).map(|job| &job.spec)
    }

    /// Whether a run is one of the job as it is now: what KILL did not end may outlive its job.
    #[must_use]
    pub fn owns(&self, run: Run) -> bool {
        let job = self.all.get(&run.job);
        job.is_some_and(|job| run.id >= job.first_run)
    }

    /// All jobs in config order.
    pub fn iter(&self) -> impl Iterator<Item = (JobId, &JobSpec)> {
        self.in_order().map(|job| (job.id, &job.spec))
    }

    fn in_order(&self) -> impl Iterator<Item = &Job> + Clone {
        self.order.iter().filter_map(|id| self.all.get(id))
    }

    /// The check that a job is unhealthy for.
    #[must_use]
    pub fn failing_check(&self, job: JobId) -> Option<u16> {
        self.all.get(&job)?.check.as_ref()?.failing()
    }

    /// Whether a failure of this run of a check says nothing yet (J04).
    #[must_use]
    pub fn is_lenient(&self, run: Run, now: Instant) -> bool {
        let job = self.all.get(&run.job);
        let check = job.and_then(|job| job.check.as_ref());
        check.is_some_and(|check| check.is_lenient(run, now))
    }

    /// Whether everything is on its way out.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// The limit of the stop that is under way.
    #[must_use]
    pub fn stop_deadline(&self) -> Option<Instant> {
        self.ending.map(|ending| ending.limit.deadline)
    }

    /// Whether the end goes on without processes that KILL did not end: they have had all that can be done (S11).
    #[must_use]
    pub fn gave_up_on_any(&self) -> bool {
        self.is_abandoned() || self.all.values().any(Job::gave_up)
    }

    fn is_abandoned(&self) -> bool {
        self.ending
            .is_some_and(|ending| ending.limit.is_abandoned())
    }

    /// Whether any time limit runs against somebody else: only then does it matter whether time was frozen (X08).
    #[must_use]
    pub fn limits_anybody(&self) -> bool {
        self.limited > 0 || self.ending.is_some() || self.change.is_some()
    }

    /// How many jobs are triggered by this event, or wait for it.
    #[must_use]
    pub fn subscribers(&self, event: PublicEvent) -> usize {
        self.index.subscribers.get(&event).map_or(0, Vec::len)
    }

    /// Whether a job is triggered by this event.
    #[must_use]
    pub fn has_subscriber(&self, event: PublicEvent) -> bool {
        self.index.subscribers.contains_key(&event)
    }

    /// How everything ended; `None` while it has not. Without any job the program runs until it is asked to stop (D10).
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        if let Some(change) = &self.change {
            let mut leaving = change.leaving.iter().filter_map(|id| self.all.get(id));
            let over = change.limit.is_abandoned() || leaving.all(Job::is_complete);
            return over.then_some(Outcome::Reload);
        }
        let has_end = self.ending.is_some() || !self.all.is_empty();
        // What an operator has stopped may be started again, so it does not count as complete.
        let is_complete =
            |job: &Job| job.is_complete() && (self.ending.is_some() || !job.is_put_down());
        let over = has_end && self.all.values().all(is_complete);
        let first_failure = self.first_failure.map(|(_, exit)| exit);
        let own = Outcome::End(first_failure.map_or(0, Exit::status));
        let outcome = self.ending.map_or(own, |ending| ending.outcome());
        (over || self.is_abandoned()).then_some(outcome)
    }

    /// The one next moment at which [`Jobs::on_time`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let job = self.deadlines.first().map(|(at, _)| *at);
        let stop = self.ending.and_then(|ending| ending.limit.next());
        let change = self.change.as_ref().and_then(|change| change.limit.next());
        [job, stop, change].into_iter().flatten().min()
    }

    /// Takes one fact; says what is to be done about it.
    pub fn on_event(&mut self, event: &Event, now: Instant) -> Vec<Effect> {
        let mut trays = Trays::default();
        match *event {
            Event::Started if self.ending.is_some() => {}
            Event::Started => {
                self.has_started = true;
                if !self.maintenance {
                    let all = self.order.iter().copied().collect();
                    self.show_initial(&all, &mut trays);
                }
                trays.publish(PublicEvent::global(EventCode::Startup));
            }
            Event::Left { job, was_there } => {
                self.with(job, now, &mut trays, |job, turn| {
                    job.on_left(was_there, turn);
                });
            }
            Event::Published(event) => {
                self.note_watch(event);
                trays.publish(event);
            }
            Event::Exited { run, exit, left } => {
                self.with(run.job, now, &mut trays, |job, turn| {
                    job.on_exit(run, exit, left, turn);
                });
            }
            Event::Gone(run) => {
                self.with(run.job, now, &mut trays, |job, turn| job.on_gone(run, turn));
            }
            Event::SpawnFailed(run, failure) => {
                self.with(run.job, now, &mut trays, |job, turn| {
                    job.on_spawn_failed(run, failure, turn);
                });
            }
            Event::Notified(run, notice) => {
                self.with(run.job, now, &mut trays, |job, turn| {
                    job.on_notice(run, notice, turn);
                });
            }
            Event::Ticked(job) => self.with(job, now, &mut trays, Job::on_clock),
            Event::Maintenance(on) => self.on_maintenance(on, now, &mut trays),
            Event::StopRequested(reason) => self.begin_end(Why::Asked(reason), now, &mut trays),
        }
        self.settle(now, trays)
    }

    /// Does what is due at `now`. Afterwards the next deadline is none, or later than `now`; unless so much was due that the
    /// rest is for another call, which the caller makes after it has looked at what else there is.
    pub fn on_time(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = self.do_due(now);
        // A step whose time is over may be followed by one that has none: the hooks of a job with `stopTimeout: 0`.
        if self.next_deadline().is_some_and(|at| at <= now) {
            effects.extend(self.do_due(now));
        }
        effects
    }

    fn do_due(&mut self, now: Instant) -> Vec<Effect> {
        let mut trays = Trays::default();
        // Each job once: a deadline that its own handler left due would otherwise never end this loop.
        let due: Vec<JobId> = self
            .deadlines
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, job)| *job)
            .take(DUE)
            .collect();
        for job in due {
            if let Some(limit) = self.job(job).hooks_overdue(now) {
                self.end_hooks(job, limit, now, &mut trays);
            }
            self.with(job, now, &mut trays, Job::on_time);
        }
        let limit = match (&mut self.ending, &mut self.change) {
            (Some(ending), _) => Some(&mut ending.limit),
            (None, change) => change.as_mut().map(|change| &mut change.limit),
        };
        if limit.is_some_and(|limit| limit.on_time(now)) {
            for id in self.going() {
                self.with(id, now, &mut trays, Job::on_stop_deadline);
            }
        }
        self.settle(now, trays)
    }

    /// Says that the program, and with it its children, was frozen for `by` until `now`: time limits of others move on,
    /// so that nothing is killed for time in which it could not run (X08). To be called before [`Jobs::on_time`].
    pub fn on_thaw(&mut self, by: Duration, now: Instant) {
        if let Some(ending) = &mut self.ending {
            ending.limit.thaw(by);
        }
        if let Some(change) = &mut self.change {
            change.limit.thaw(by);
        }
        // What a thaw writes is nothing: it only moves deadlines.
        self.with_all(now, &mut Trays::default(), |job, _| job.thaw(by));
    }

    /// What is to stand in the catalogue before anything has run.
    fn show_initial(&self, of: &BTreeSet<JobId>, trays: &mut Trays) {
        let has_initial = |job: &&Job| {
            let service = job.spec.service.as_ref();
            of.contains(&job.id)
                && !job.is_in_maintenance()
                && service.is_some_and(|service| service.initial_status.is_some())
        };
        let initial = self.in_order().filter(has_initial);
        let shown = initial.map(|job| Effect::Show(job.id, Presence::Initial));
        trays.effects.extend(shown);
    }

    fn on_maintenance(&mut self, on: bool, now: Instant, trays: &mut Trays) {
        // Asking for what is already so does nothing: a second `enterMaintenance` would start its jobs twice.
        if self.maintenance == on {
            return;
        }
        self.maintenance = on;
        self.with_all(now, trays, |job, turn| {
            // Its own maintenance goes on.
            if !job.is_in_maintenance() {
                job.on_maintenance(on, turn);
            }
        });
        let code = if on {
            EventCode::EnterMaintenance
        } else {
            EventCode::ExitMaintenance
        };
        trays.publish(PublicEvent::global(code));
    }

    fn note_watch(&mut self, event: PublicEvent) {
        if let Source::Watch(watch) = event.source {
            match event.code {
                EventCode::Healthy => self.watches.insert(watch, true),
                EventCode::Unhealthy => self.watches.insert(watch, false),
                _ => None,
            };
        }
    }

    /// Delivers what was published, in the order of publishing, until nobody has anything more to say.
    fn settle(&mut self, now: Instant, mut trays: Trays) -> Vec<Effect> {
        loop {
            while let Some(event) = trays.queue.pop_front() {
                self.deliver(event, now, &mut trays);
            }
            self.take_finals(now, &mut trays);
            self.act(now, &mut trays);
            let settled = trays.queue.is_empty() && trays.finals.is_empty();
            if settled
                && !self.revise(now, &mut trays)
                && !self.advance_ends(now, &mut trays)
                && !self.begin_wanted(now, &mut trays)
            {
                return trays.effects;
            }
        }
    }

    fn deliver(&mut self, event: PublicEvent, now: Instant, trays: &mut Trays) {
        let Some(subscribers) = self.index.subscribers.get(&event).cloned() else {
            return;
        };
        let is_private = match event.source {
            Source::Job(job) | Source::Check(job) => self.is_leaving(job),
            Source::Global | Source::Watch(_) | Source::Signal(_) | Source::Custom(_) => false,
        };
        for job in subscribers {
            if !self.is_for(event, job) || (is_private && !self.is_leaving(job)) {
                continue;
            }
            self.with(job, now, trays, |job, turn| job.on_subscribed(event, turn));
            if self.job(job).may_open(&self.seen_by(job)) {
                self.with(job, now, trays, |job, turn| job.open(Some(event), turn));
            }
        }
    }

    /// Does to jobs what others were started for.
    fn act(&mut self, now: Instant, trays: &mut Trays) {
        for action in std::mem::take(&mut trays.actions) {
            match action {
                Action::Signal(job, signal) => {
                    self.with(job, now, trays, |job, turn| job.signal(signal, turn));
                }
                Action::Restart(job) => self.with(job, now, trays, Job::renew),
            }
        }
    }

    /// Looks again at the jobs that wait for what has changed: some may start, some wait in vain (J07). Says whether
    /// anything moved.
    fn revise(&mut self, now: Instant, trays: &mut Trays) -> bool {
        let look = std::mem::take(&mut self.look);
        let mut moved = false;
        for job in look {
            if self.job(job).may_open(&self.seen_by(job)) {
                self.with(job, now, trays, |job, turn| job.open(None, turn));
                moved = true;
            } else if let Some(source) = self.job(job).waits_in_vain_for(&self.seen_by(job)) {
                self.with(job, now, trays, |job, turn| job.skip(source, turn));
                moved = true;
            }
        }
        moved
    }

    /// Whether an event is for this subscriber. A single result of a check is not for those that wait for the state, which
    /// `rise` and `fall` decide (decision 13).
    fn is_for(&self, event: PublicEvent, subscriber: JobId) -> bool {
        let triggers = matches!(self.job(subscriber).spec.start.trigger, Trigger::Each(_));
        let Source::Job(source) = event.source else {
            return true;
        };
        if triggers {
            return true;
        }
        let source = self.job(source);
        if source.check.is_none() {
            return true;
        }
        match event.code {
            EventCode::Healthy => source.health() == Health::Healthy,
            EventCode::Unhealthy => source.health() == Health::Unhealthy,
            _ => true,
        }
    }

    /// One of the jobs; their relations name no others.
    fn job(&self, id: JobId) -> &Job {
        &self.all[&id]
    }

    /// For the invariants of the tests.
    #[cfg(test)]
    pub(super) fn machines(&self) -> impl Iterator<Item = &Job> {
        self.in_order()
    }
}

/// What the jobs write in one turn.
#[derive(Default)]
struct Trays {
    effects: Vec<Effect>,
    queue: VecDeque<PublicEvent>,
    finals: Vec<(JobId, Option<Exit>)>,
    actions: Vec<Action>,
}

impl Trays {
    fn publish(&mut self, event: PublicEvent) {
        self.effects.push(Effect::Announce(event));
        self.queue.push_back(event);
    }
}
