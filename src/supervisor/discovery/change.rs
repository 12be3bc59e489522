//! A reload: what of the catalogue goes on, and what is left behind.

use std::time::Instant;

use super::{Answered, Discovery, LOOK_AT_ADDRESSES, Order, of_services, of_watches};
use crate::config::Config;
use crate::discovery::consul::Client;
use crate::events::{JobId, WatchId};
use crate::services::{self, Plan, Registration, Services};
use crate::supervisor::numbers::Ids;
use crate::supervisor::telemetry::{OWN, own_plan};
use crate::watches::{WatchSpec, Watches};

/// How many earlier configurations are kept for what they left behind; a catalogue that stays away over more reloads
/// keeps the rest until its `deregisterCriticalServiceAfter`.
const KEPT: usize = 8;

impl Discovery {
    /// Whether a configuration is served by another catalogue than the present one, or in another way.
    pub(in crate::supervisor) fn moves_to(&self, client: Option<&Client>) -> bool {
        match (&self.client, client) {
            (Some(old), Some(new)) => !old.serves_as(new),
            (None, None) => false,
            _ => true,
        }
    }

    /// Follows to a configuration of the same catalogue; [`Discovery::resume`] has to come after it. `renewed` says of a
    /// job that it ended and begins anew.
    pub(in crate::supervisor) fn change(
        &mut self,
        config: &Config,
        ids: &Ids,
        renewed: impl Fn(JobId) -> bool,
    ) {
        self.told.forget(&renewed);
        if self.client.is_none() {
            return;
        }
        self.looked_up = looked_up(config, ids);
        if let Some(rest) = self.services.change(plans(config, ids), renewed) {
            self.leave_behind(rest);
        }
    }

    /// Begins with what a change brought.
    pub(in crate::supervisor) fn resume(
        &mut self,
        watches: Vec<(WatchId, WatchSpec)>,
        now: Instant,
    ) -> Vec<Order> {
        if self.client.is_none() {
            return Vec::new();
        }
        self.look_at = (!self.looked_up.is_empty()).then(|| now + LOOK_AT_ADDRESSES);
        let mut orders: Vec<Order> = of_services(self.services.begin(now)).collect();
        orders.extend(of_watches(self.watches.change(watches, now)));
        self.of_before(|before| of_services(before.services.begin(now)).collect());
        orders
    }

    /// Services that nobody has any more are taken out beside what goes on.
    fn leave_behind(&mut self, rest: Services) {
        let mut behind = Discovery::of(
            self.client.clone(),
            rest,
            Watches::new(Vec::new(), 1, self.watches.next_ask(), 0, Instant::now()),
            self.answers.clone(),
        );
        for id in behind.services.calls() {
            if let Some(task) = self.calls.remove(&id) {
                behind.calls.insert(id, task);
            }
        }
        behind.before = self.before.take();
        self.before = Some(Box::new(behind));
        self.limit_chain();
    }

    fn limit_chain(&mut self) {
        let mut slot = &mut self.before;
        for _ in 0..KEPT {
            let Some(kept) = slot else { return };
            slot = &mut kept.before;
        }
        *slot = None;
    }

    /// Takes over from the configuration of another catalogue: what that one has still to take out there, and what was
    /// shown. It asks nothing any more.
    pub(in crate::supervisor) fn follow(
        &mut self,
        mut earlier: Discovery,
        renewed: impl Fn(JobId) -> bool,
    ) {
        let place = |discovery: &Discovery| discovery.client.as_ref().map(Client::address);
        earlier.stop_asking();
        earlier.looked_up.clear();
        earlier.look_at = None;
        earlier.told.forget(&renewed);
        self.told = std::mem::take(&mut earlier.told);
        self.services.remember(&earlier.services, renewed);
        self.watches.remember(&earlier.watches);
        // Its questions were given up before.
        earlier.watches.change(Vec::new(), Instant::now());
        let same_place = place(&earlier) == place(self);
        let is_here = |id: &str| same_place && self.services.ids().any(|own| own == id);
        let chain = earlier.before.take();
        earlier.services.be_gone();
        if earlier.services.keep_unsettled(is_here) {
            earlier.before = chain;
            self.before = Some(Box::new(earlier));
        } else {
            self.before = chain;
        }
        self.limit_chain();
    }

    /// Lets an earlier configuration go on with what it has to take out. Nobody of its time is there to be told.
    pub(super) fn of_before(&mut self, act: impl FnOnce(&mut Discovery) -> Vec<Order>) {
        let Some(before) = &mut self.before else {
            return;
        };
        for order in act(before) {
            match order {
                Order::Service(services::Order::Call { job, id, call }) => {
                    before.call(job, id, call);
                }
                Order::Service(services::Order::Abandon(id)) => before.abandon_call(id),
                Order::Service(services::Order::Report(job, services::Note::Deregistered)) => {
                    let registration = before.services.registration(job);
                    let name = registration.map_or("?", |registration| registration.name.as_str());
                    tracing::info!("Service deregistered: {name}, of an earlier configuration");
                }
                _ => {}
            }
        }
        if before.services.is_settled() {
            self.before = before.before.take();
        }
    }

    /// An answer to a call that is not of the present configuration: numbers are never used twice.
    pub(super) fn is_of_before(&self, answered: &Answered) -> bool {
        matches!(answered, Answered::Call { id, .. } if !self.calls.contains_key(id))
    }
}

/// What is to be registered.
pub(super) fn plans(config: &Config, ids: &Ids) -> Vec<Plan> {
    let hostname = nix::unistd::gethostname().unwrap_or_default();
    let hostname = hostname.to_string_lossy();
    let plans = ids.jobs(config).filter_map(|(job, spec)| {
        let service = spec.service.as_ref()?;
        let health = spec.health.as_ref()?;
        Some(Plan {
            job,
            registration: Registration::new(service, health.ttl, &hostname),
            initial: service.initial_status.map(Into::into),
            interval: health.interval,
        })
    });
    plans.chain(own_plan(config, &hostname)).collect()
}

/// The services whose address is looked up, with the specifications that choose it.
pub(super) fn looked_up(config: &Config, ids: &Ids) -> Vec<(JobId, Vec<String>)> {
    let found = ids.jobs(config).filter_map(|(job, spec)| {
        let service = spec.service.as_ref()?;
        let changes = !service.interfaces.is_empty() && service.address.is_some();
        changes.then(|| (job, service.interfaces.clone()))
    });
    let own = config.telemetry.iter().filter_map(|settings| {
        let changes = !settings.interfaces.is_empty() && settings.address.is_some();
        changes.then(|| (OWN, settings.interfaces.clone()))
    });
    found.chain(own).collect()
}
