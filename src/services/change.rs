//! A reload: a service that stays keeps what is known of it, and a service that is no more is taken out.

use std::collections::{BTreeMap, BTreeSet};

use super::fleet::{Plan, Services};
use super::machine::{End, Service, patience};
use super::order::CallId;
use crate::events::{Jitter, JobId};

/// Numbers that are set aside for the calls of services that are no more.
const ROOM: u64 = 1 << 32;

impl Services {
    /// Takes the services of another configuration of the same catalogue. `renewed` says of a job that it ended and begins
    /// anew. Returned is what is nobody's any more and may still stand there: somebody has to go on with it. What is to be
    /// done is ordered by [`Services::begin`].
    pub fn change(
        &mut self,
        plans: Vec<Plan>,
        renewed: impl Fn(JobId) -> bool,
    ) -> Option<Services> {
        let mut old = std::mem::take(&mut self.all);
        let mut left = BTreeMap::new();
        for plan in plans {
            let job = plan.job;
            let service = match old.remove(&job) {
                Some(mut same) if same.registration().id == plan.registration.id => {
                    same.change(plan, renewed(job));
                    same
                }
                Some(other) => {
                    let mut service = Service::of(plan);
                    if !renewed(job) {
                        service.want_as(&other);
                    }
                    left.insert(job, other);
                    service
                }
                None => Service::of(plan),
            };
            self.all.insert(job, service);
        }
        left.extend(old);
        let all = &self.all;
        self.scheduled.retain(|job, _| all.contains_key(job));
        self.deadlines.retain(|(_, job)| all.contains_key(job));
        let ids: BTreeSet<&str> = self.ids().collect();
        left.values_mut().for_each(Service::be_gone);
        // What another service registers under the same id is that one's matter.
        left.retain(|_, service| {
            !service.is_settled() && !ids.contains(service.registration().id.as_str())
        });
        if left.is_empty() {
            return None;
        }
        let next_call = self.next_call;
        self.next_call = CallId(next_call.0.saturating_add(ROOM));
        Some(Services {
            all: left,
            deadlines: BTreeSet::new(),
            scheduled: BTreeMap::new(),
            jitter: Jitter::new(next_call.0),
            next_call,
        })
    }

    /// Lets the services of another catalogue's configuration begin with what the same ones showed there. `renewed` as in
    /// [`Services::change`].
    pub fn remember(&mut self, earlier: &Services, renewed: impl Fn(JobId) -> bool) {
        for (job, service) in &mut self.all {
            if let Some(old) = earlier.all.get(job).filter(|_| !renewed(*job)) {
                service.want_as(old);
            }
        }
    }

    /// The calls that are under way.
    pub fn calls(&self) -> impl Iterator<Item = CallId> {
        self.all.values().filter_map(Service::call)
    }
}

impl Service {
    fn change(&mut self, plan: Plan, renewed: bool) {
        if renewed {
            self.end = End::No;
            self.wanted = None;
            self.retry.reset();
            self.not_before = None;
        }
        self.initial = plan.initial;
        self.patience = patience(plan.interval);
        if self.registration != plan.registration {
            self.registration = plan.registration;
            self.expire();
        }
    }

    /// Is to show what another one shows.
    fn want_as(&mut self, other: &Service) {
        if other.end == End::No {
            self.wanted.clone_from(&other.wanted);
        }
    }

    /// It is nobody's any more, and is taken out.
    pub(super) fn be_gone(&mut self) {
        self.own_remnant();
        self.wanted = None;
        self.end = End::Told;
    }
}
