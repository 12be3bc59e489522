//! What this node registered through its agent: initial status, registering again, maintenance.

use std::time::{Duration, Instant};

use super::model::{Check, CheckKind, Service, Status};
use super::problem::Problem;
use super::{Tables, Timer};

/// The check that holds the node in maintenance.
const NODE_MAINTENANCE: &str = "_node_maintenance";

/// Begins the name of the check that holds a service in maintenance.
const SERVICE_MAINTENANCE: &str = "_service_maintenance:";

/// A service with its checks, as `agent/service/register` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceSpec {
    pub(crate) service: Service,
    pub(crate) checks: Vec<CheckSpec>,
    /// Checks of an earlier registration go, unless they are named again.
    pub(crate) replace_checks: bool,
}

/// A TTL check as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckSpec {
    /// Empty: made up from the service, or the name.
    pub(crate) id: String,
    /// Empty: made up from the service.
    pub(crate) name: String,
    pub(crate) notes: String,
    /// Of a check that is new; one that was there keeps its own.
    pub(crate) status: Status,
    pub(crate) ttl: Duration,
    /// Critical for as long: the service goes.
    pub(crate) deregister_after: Option<Duration>,
}

/// What the agent knows of a check beyond the catalogue.
#[derive(Clone, Debug, Default)]
pub(super) struct AgentCheck {
    /// The output of now; the catalogue's may be older.
    pub(super) output: String,
    /// What the last heartbeat of this registration said.
    pub(super) heartbeat: String,
    /// Since when it is critical; none before the first heartbeat or expiry of this registration, as in Consul.
    pub(super) critical_since: Option<Instant>,
    pub(super) deregister_after: Option<Duration>,
}

impl Tables {
    /// Registers a service, or changes it.
    ///
    /// # Errors
    ///
    /// When a bound is reached; then nothing was changed.
    pub(crate) fn register_service(
        &mut self,
        spec: ServiceSpec,
        now: Instant,
    ) -> Result<(), Problem> {
        let own = self.own.clone();
        let count = spec.checks.len();
        let numbered = spec.checks.into_iter().enumerate();
        let checks: Vec<CheckSpec> = numbered
            .map(|(number, check)| named_by_service(check, number, count, &spec.service))
            .collect();
        let shown: Vec<Check> = checks
            .iter()
            .map(|check| shown(check, &spec.service.id))
            .collect();
        self.have_room(&own, Some(&spec.service), &shown)?;
        let id = spec.service.id.clone();
        if spec.replace_checks {
            self.drop_other_checks(&id, &checks, now);
        }
        self.agent_services.insert(id.clone());
        self.put_service(&own, spec.service);
        for check in checks {
            self.put_agent_check(&check, &id, now);
        }
        Ok(())
    }

    /// Registers a check of the node, or of a service of this agent.
    ///
    /// # Errors
    ///
    /// When the service is not there or a bound is reached; then nothing was changed.
    pub(crate) fn register_check(
        &mut self,
        mut spec: CheckSpec,
        service_id: &str,
        now: Instant,
    ) -> Result<(), Problem> {
        if !service_id.is_empty() && !self.agent_services.contains(service_id) {
            return Err(Problem::NoSuchService(service_id.to_owned()));
        }
        if spec.id.is_empty() {
            spec.id.clone_from(&spec.name);
        }
        self.have_room(&self.own, None, &[shown(&spec, service_id)])?;
        self.put_agent_check(&spec, service_id, now);
        Ok(())
    }

    /// One that was there keeps status and output, and its TTL begins anew.
    fn put_agent_check(&mut self, spec: &CheckSpec, service_id: &str, now: Instant) {
        let own = self.own.clone();
        let mut check = shown(spec, service_id);
        let mut agent = AgentCheck {
            deregister_after: spec.deregister_after,
            ..AgentCheck::default()
        };
        if let Some(old) = self.agent_checks.get(&check.id) {
            agent.output.clone_from(&old.output);
            check.output.clone_from(&old.output);
            check.status = self
                .own_check(&check.id)
                .map_or(check.status, |old| old.status);
        }
        let id = check.id.clone();
        self.forget_timers(&id);
        self.timers
            .set(Timer::Ttl(id.clone()), now.checked_add(spec.ttl));
        self.agent_checks.insert(id, agent);
        self.put_check(&own, check, now);
    }

    /// Whether it was there. Its checks go with it.
    pub(crate) fn deregister_service(&mut self, id: &str, now: Instant) -> bool {
        let own = self.own.clone();
        let of_service = |node: &super::Node| {
            let checks = node.checks_of(id).map(|check| check.id.clone());
            checks.collect::<Vec<_>>()
        };
        let checks = self.own_node().map(of_service).unwrap_or_default();
        for check in checks {
            self.agent_checks.remove(&check);
            self.forget_timers(&check);
        }
        self.agent_services.remove(id);
        self.remove_service(&own, id, now)
    }

    /// Whether it was there.
    pub(crate) fn deregister_check(&mut self, id: &str, now: Instant) -> bool {
        let own = self.own.clone();
        self.agent_checks.remove(id);
        self.forget_timers(id);
        self.remove_check(&own, id, now)
    }

    fn drop_other_checks(&mut self, service_id: &str, kept: &[CheckSpec], now: Instant) {
        let is_kept = |id: &str| kept.iter().any(|check| check.id == id);
        let node = self.own_node();
        let others: Vec<String> = node.map_or_else(Vec::new, |node| {
            let checks = node.checks_of(service_id).map(|check| check.id.clone());
            checks.filter(|id| !is_kept(id)).collect()
        });
        for id in others {
            self.deregister_check(&id, now);
        }
    }

    /// Holds a service in maintenance by a critical check, or lets it go.
    ///
    /// # Errors
    ///
    /// When the service is not of this agent, or there is no room for the check.
    pub(crate) fn service_maintenance(
        &mut self,
        id: &str,
        reason: Option<&str>,
        enable: bool,
        now: Instant,
    ) -> Result<(), Problem> {
        if !self.agent_services.contains(id) {
            return Err(Problem::NoServiceForMaintenance(id.to_owned()));
        }
        let check = format!("{SERVICE_MAINTENANCE}{id}");
        let (what, name) = ("service", "Service Maintenance Mode");
        self.maintenance(&check, id, name, what, reason, enable, now)
    }

    /// The same for the node and all that is on it.
    ///
    /// # Errors
    ///
    /// When there is no room for the check.
    pub(crate) fn node_maintenance(
        &mut self,
        reason: Option<&str>,
        enable: bool,
        now: Instant,
    ) -> Result<(), Problem> {
        let name = "Node Maintenance Mode";
        self.maintenance(NODE_MAINTENANCE, "", name, "node", reason, enable, now)
    }

    #[expect(clippy::too_many_arguments, reason = "two callers, one above")]
    fn maintenance(
        &mut self,
        id: &str,
        service_id: &str,
        name: &str,
        what: &str,
        reason: Option<&str>,
        enable: bool,
        now: Instant,
    ) -> Result<(), Problem> {
        if !enable {
            self.deregister_check(id, now);
            return Ok(());
        }
        if self.own_check(id).is_some() {
            return Ok(());
        }
        let default = || {
            format!(
                "Maintenance mode is enabled for this {what}, but no reason was provided. This is a default message."
            )
        };
        let check = Check {
            id: id.to_owned(),
            name: name.to_owned(),
            status: Status::Critical,
            notes: reason.map_or_else(default, str::to_owned),
            output: String::new(),
            service_id: service_id.to_owned(),
            kind: CheckKind::Maintenance,
            create: 0,
            modify: 0,
        };
        let own = self.own.clone();
        self.have_room(&own, None, std::slice::from_ref(&check))?;
        self.agent_checks
            .insert(id.to_owned(), AgentCheck::default());
        self.put_check(&own, check, now);
        Ok(())
    }
}

/// The names that Consul makes up: the first of several checks is number 1, a single one has no number.
fn named_by_service(
    mut check: CheckSpec,
    number: usize,
    count: usize,
    service: &Service,
) -> CheckSpec {
    if check.id.is_empty() {
        check.id = format!("service:{}", service.id);
        if count > 1 {
            check.id = format!("{}:{}", check.id, number + 1);
        }
    }
    if check.name.is_empty() {
        check.name = format!("Service '{}' check", service.name);
    }
    check
}

fn shown(spec: &CheckSpec, service_id: &str) -> Check {
    Check {
        id: spec.id.clone(),
        name: spec.name.clone(),
        status: spec.status,
        notes: spec.notes.clone(),
        output: String::new(),
        service_id: service_id.to_owned(),
        kind: CheckKind::Ttl { ttl: spec.ttl },
        create: 0,
        modify: 0,
    }
}
