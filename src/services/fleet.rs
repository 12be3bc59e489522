//! All services of one configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::machine::Service;
use super::order::{CallId, Order, Presence, Reply};
use super::registration::{CheckStatus, Registration};
use super::turn::Turn;
use crate::events::{Failure, Jitter, JobId};

/// The services of one configuration. A value: it knows no clock or server, and the same facts at the same times give the
/// same orders.
#[derive(Debug)]
pub struct Services {
    pub(super) all: BTreeMap<JobId, Service>,
    /// Every service's next deadline; `scheduled` holds what is in here for each.
    pub(super) deadlines: BTreeSet<(Instant, JobId)>,
    pub(super) scheduled: BTreeMap<JobId, Instant>,
    pub(super) jitter: Jitter,
    pub(super) next_call: CallId,
}

/// What is known of a service's job beside its registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub job: JobId,
    pub registration: Registration,
    /// The status with which it is registered before a check has judged it.
    pub initial: Option<CheckStatus>,
    /// Time between two checks.
    pub interval: Duration,
}

impl Services {
    /// `first_call` is the first free number of a call; `seed` decides the jitter. Nothing is ordered yet: see
    /// [`Services::begin`].
    #[must_use]
    pub fn new(plans: Vec<Plan>, first_call: CallId, seed: u64) -> Services {
        let all = plans.into_iter().map(|plan| (plan.job, Service::of(plan)));
        Services {
            all: all.collect(),
            deadlines: BTreeSet::new(),
            scheduled: BTreeMap::new(),
            jitter: Jitter::new(seed),
            next_call: first_call,
        }
    }

    /// The first call number that is still free.
    #[must_use]
    pub fn next_call(&self) -> CallId {
        self.next_call
    }

    /// Looks for what an earlier program may have left in the catalogue (C15). To be called once, after what stands there
    /// from the beginning ([`Presence::Initial`]) has been told.
    pub fn begin(&mut self, now: Instant) -> Vec<Order> {
        self.with_all(now, Service::on_time)
    }

    /// Takes what the catalogue is to show of a job. `output`: the end of what a failed check wrote.
    pub fn on_presence(
        &mut self,
        job: JobId,
        presence: Presence,
        output: &str,
        now: Instant,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        if !self.all.contains_key(&job) && presence == Presence::Leaving {
            let was_there = false;
            orders.push(Order::Left { job, was_there });
        }
        self.with(job, now, &mut orders, |service, turn| {
            service.on_presence(presence, output, turn);
        });
        orders
    }

    /// Takes what came of a call.
    pub fn on_answer(
        &mut self,
        job: JobId,
        id: CallId,
        result: Result<Reply, Failure>,
        now: Instant,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        self.with(job, now, &mut orders, |service, turn| {
            service.on_answer(id, result, turn);
        });
        orders
    }

    /// The host's address for a job's service has changed.
    pub fn readdress(&mut self, job: JobId, address: String, now: Instant) -> Vec<Order> {
        let mut orders = Vec::new();
        self.with(job, now, &mut orders, |service, turn| {
            service.readdress(address, turn);
        });
        orders
    }

    /// Other credentials are in use: what was refused is tried again at once (C06).
    pub fn try_now(&mut self, now: Instant) -> Vec<Order> {
        self.with_all(now, Service::try_now)
    }

    /// The program was frozen for a while: passing services renew their TTL first (X08).
    pub fn on_thaw(&mut self, now: Instant) -> Vec<Order> {
        self.with_all(now, Service::on_thaw)
    }

    /// Does what is due at `now`. Afterwards the next deadline is none, or later than `now`.
    pub fn on_time(&mut self, now: Instant) -> Vec<Order> {
        let mut orders = Vec::new();
        let due = self.deadlines.iter().take_while(|(at, _)| *at <= now);
        let due: Vec<JobId> = due.map(|(_, job)| *job).collect();
        for job in due {
            self.with(job, now, &mut orders, Service::on_time);
        }
        orders
    }

    /// The one next moment at which [`Services::on_time`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Whether a job's service stands in the catalogue, as far as is known.
    #[must_use]
    pub fn is_present(&self, job: JobId) -> bool {
        self.all.get(&job).is_some_and(Service::is_present)
    }

    /// What is to stand in the catalogue for a job.
    #[must_use]
    pub fn registration(&self, job: JobId) -> Option<&Registration> {
        self.all.get(&job).map(Service::registration)
    }

    /// Whether no call is under way and nothing has to be removed: what a program waits for before it ends (S08).
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.all.values().all(Service::is_settled)
    }

    /// Whether anything of it may still stand in the catalogue that shall not, so that somebody has to go on removing it.
    /// `renewed` says of an id that another configuration registers it at the same place: that is then its matter.
    pub fn keep_unsettled(&mut self, renewed: impl Fn(&str) -> bool) -> bool {
        self.all
            .retain(|_, service| !service.is_settled() && !renewed(&service.registration().id));
        let all = &self.all;
        self.scheduled.retain(|job, _| all.contains_key(job));
        self.deadlines.retain(|(_, job)| all.contains_key(job));
        !self.all.is_empty()
    }

    /// All of them are to be taken out, as nobody's.
    pub fn be_gone(&mut self) {
        self.all.values_mut().for_each(Service::be_gone);
    }

    /// The ids of all services.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all
            .values()
            .map(|service| service.registration().id.as_str())
    }

    /// Whether a call is under way that changes what stands in the catalogue.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.all.values().any(Service::is_busy)
    }

    fn with_all(&mut self, now: Instant, act: impl Fn(&mut Service, &mut Turn<'_>)) -> Vec<Order> {
        let mut orders = Vec::new();
        let jobs: Vec<JobId> = self.all.keys().copied().collect();
        for job in jobs {
            self.with(job, now, &mut orders, &act);
        }
        orders
    }

    fn with(
        &mut self,
        job: JobId,
        now: Instant,
        orders: &mut Vec<Order>,
        act: impl FnOnce(&mut Service, &mut Turn<'_>),
    ) {
        let Some(service) = self.all.get_mut(&job) else {
            return;
        };
        let mut turn = Turn {
            now,
            jitter: &mut self.jitter,
            calls: &mut self.next_call,
            orders,
        };
        act(service, &mut turn);
        let next = service.deadline();
        let scheduled = self.scheduled.get(&job).copied();
        if scheduled == next {
            return;
        }
        if let Some(at) = scheduled {
            self.deadlines.remove(&(at, job));
            self.scheduled.remove(&job);
        }
        if let Some(at) = next {
            self.deadlines.insert((at, job));
            self.scheduled.insert(job, at);
        }
    }
}
