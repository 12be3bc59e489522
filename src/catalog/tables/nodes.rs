//! Storing and removing nodes, services and checks, and who notices.

use std::collections::BTreeMap;
use std::time::Instant;

use super::model::{Check, CheckKind, Node, NodeSpec, Service, Status, Weights};
use super::problem::Problem;
use super::topic::Topic;
use super::{Tables, Timer};

/// The check by which Consul says that a node's agent is alive.
const ALIVE: &str = "serfHealth";

impl Tables {
    /// Puts this node in, with Consul's own service and check, which clients expect to see.
    pub(super) fn plant(&mut self, own: NodeSpec) {
        let name = own.name.clone();
        let service = Service {
            id: "consul".to_owned(),
            name: "consul".to_owned(),
            port: 8300,
            weights: Weights::default(),
            ..Service::default()
        };
        let check = Check {
            id: ALIVE.to_owned(),
            name: "Serf Health Status".to_owned(),
            status: Status::Passing,
            notes: String::new(),
            output: "Agent alive and reachable".to_owned(),
            service_id: String::new(),
            kind: CheckKind::External,
            create: 0,
            modify: 0,
        };
        self.put_node(own);
        self.put_service(&name, service);
        if let Some(node) = self.nodes.get_mut(&name.to_lowercase()) {
            let index = self.indexes.bump();
            let check = Check {
                create: index,
                modify: index,
                ..check
            };
            node.checks.insert(check.id.clone(), check);
        }
        self.indexes.take_touched();
    }

    /// Stores a node or changes it; its services and checks stay.
    pub(super) fn put_node(&mut self, spec: NodeSpec) {
        let key = spec.name.to_lowercase();
        if self.nodes.get(&key).is_some_and(|old| old.spec == spec) {
            return;
        }
        let index = self.indexes.bump();
        let node = self.nodes.entry(key.clone()).or_insert_with(|| Node {
            spec: NodeSpec::default(),
            services: BTreeMap::default(),
            checks: BTreeMap::default(),
            create: index,
            modify: index,
        });
        node.spec = spec;
        node.modify = index;
        self.indexes.touch(Topic::Nodes);
        self.touch_node(&key);
    }

    /// Stores a service on a node that exists; what is the same already changes nothing.
    pub(super) fn put_service(&mut self, node: &str, mut service: Service) {
        let key = node.to_lowercase();
        let Some(stored) = self.nodes.get_mut(&key) else {
            return;
        };
        let old = stored.services.get(&service.id);
        if old.is_some_and(|old| old.is_same(&service)) {
            return;
        }
        let index = self.indexes.bump();
        service.create = old.map_or(index, |old| old.create);
        service.modify = index;
        let (id, name) = (service.id.clone(), service.name.clone());
        let old = stored.services.insert(id.clone(), service);
        if let Some(old) = old.filter(|old| !old.name.eq_ignore_ascii_case(&name)) {
            self.unlist(&key, &old);
        }
        let lower = name.to_lowercase();
        let listed = self.by_name.entry(lower.clone()).or_default();
        listed.insert((key.clone(), id));
        self.indexes.touch(Topic::Services);
        self.indexes.touch(Topic::Service(lower));
        self.indexes.touch(Topic::Node(key));
    }

    /// Stores a check on a node that exists; what is the same already changes nothing.
    pub(super) fn put_check(&mut self, node: &str, mut check: Check, now: Instant) {
        let key = node.to_lowercase();
        let Some(stored) = self.nodes.get_mut(&key) else {
            return;
        };
        let old = stored.checks.get(&check.id);
        if old.is_some_and(|old| old.is_same(&check)) {
            return;
        }
        let index = self.indexes.bump();
        check.create = old.map_or(index, |old| old.create);
        check.modify = index;
        let moved = old.map(|old| old.service_id.clone());
        let (id, service_id, status) = (check.id.clone(), check.service_id.clone(), check.status);
        stored.checks.insert(id.clone(), check);
        self.touch_check(&key, &service_id);
        if let Some(moved) = moved.filter(|moved| *moved != service_id) {
            self.touch_check(&key, &moved);
        }
        if status == Status::Critical {
            self.invalidate_by_check(&key, &id, now);
        }
    }

    /// Removes a service with its checks. Whether it was there.
    pub(super) fn remove_service(&mut self, node: &str, id: &str, now: Instant) -> bool {
        let key = node.to_lowercase();
        let Some(stored) = self.nodes.get_mut(&key) else {
            return false;
        };
        let Some(service) = stored.services.remove(id) else {
            return false;
        };
        let checks: Vec<String> = stored.checks_of(id).map(|check| check.id.clone()).collect();
        self.indexes.bump();
        self.unlist(&key, &service);
        self.indexes.touch(Topic::Services);
        self.indexes.touch(Topic::Node(key.clone()));
        for check in checks {
            self.remove_check(&key, &check, now);
        }
        true
    }

    /// Removes a check. Whether it was there.
    pub(super) fn remove_check(&mut self, node: &str, id: &str, now: Instant) -> bool {
        let key = node.to_lowercase();
        let Some(stored) = self.nodes.get_mut(&key) else {
            return false;
        };
        let Some(check) = stored.checks.remove(id) else {
            return false;
        };
        self.indexes.bump();
        self.touch_check(&key, &check.service_id);
        self.invalidate_by_check(&key, id, now);
        true
    }

    /// Removes a node with all that is on it. Whether it was there.
    fn remove_node(&mut self, name: &str, now: Instant) -> bool {
        let key = name.to_lowercase();
        let Some(stored) = self.nodes.get(&key) else {
            return false;
        };
        let services: Vec<String> = stored.services.keys().cloned().collect();
        let checks: Vec<String> = stored.checks.keys().cloned().collect();
        for id in services {
            self.remove_service(&key, &id, now);
        }
        for id in checks {
            self.remove_check(&key, &id, now);
        }
        self.invalidate_by_node(&key, now);
        self.nodes.remove(&key);
        self.indexes.bump();
        self.indexes.touch(Topic::Nodes);
        self.indexes.touch(Topic::Node(key));
        true
    }

    fn unlist(&mut self, key: &str, service: &Service) {
        let lower = service.name.to_lowercase();
        if let Some(listed) = self.by_name.get_mut(&lower) {
            listed.remove(&(key.to_owned(), service.id.clone()));
            if listed.is_empty() {
                self.by_name.remove(&lower);
            }
        }
        self.indexes.touch(Topic::Service(lower));
    }

    /// A check changed: of a service, or of the node and thereby of all that is on it.
    fn touch_check(&mut self, key: &str, service_id: &str) {
        self.indexes.touch(Topic::Checks);
        if service_id.is_empty() {
            self.touch_node(key);
            return;
        }
        self.indexes.touch(Topic::Node(key.to_owned()));
        let stored = self.nodes.get(key);
        if let Some(service) = stored.and_then(|node| node.services.get(service_id)) {
            self.indexes.touch(Topic::service(&service.name));
        }
    }

    fn touch_node(&mut self, key: &str) {
        self.indexes.touch(Topic::Node(key.to_owned()));
        let Some(node) = self.nodes.get(key) else {
            return;
        };
        for service in node.services.values() {
            self.indexes.touch(Topic::service(&service.name));
        }
    }

    /// `catalog/register`: a node, and perhaps a service and checks on it. They never expire. `None` keeps the node as
    /// it is.
    ///
    /// # Errors
    ///
    /// When something it refers to is missing, or a bound is reached; then nothing was changed.
    pub(crate) fn register(
        &mut self,
        name: &str,
        node: Option<NodeSpec>,
        service: Option<Service>,
        checks: Vec<Check>,
        now: Instant,
    ) -> Result<(), Problem> {
        let known = self.nodes.get(&name.to_lowercase());
        if known.is_none() && node.is_none() {
            return Err(Problem::NoNode);
        }
        let is_there = |id: &str| {
            known.is_some_and(|node| node.services.contains_key(id))
                || service.as_ref().is_some_and(|service| service.id == id)
        };
        for check in &checks {
            if !check.service_id.is_empty() && !is_there(&check.service_id) {
                return Err(Problem::NoServiceOnNode(name.to_owned()));
            }
        }
        self.have_room(name, service.as_ref(), &checks)?;
        if let Some(node) = node {
            self.put_node(node);
        }
        if let Some(service) = service {
            self.put_service(name, service);
        }
        for check in checks {
            self.put_check(name, check, now);
        }
        Ok(())
    }

    /// `catalog/deregister`: a check, else a service, else the node. What is not there changes nothing. What this agent
    /// registered comes back in Consul at the next synchronisation; here the agent forgets it too.
    pub(crate) fn deregister(
        &mut self,
        node: &str,
        service: Option<&str>,
        check: Option<&str>,
        now: Instant,
    ) {
        let is_own = node.eq_ignore_ascii_case(&self.own);
        match (service, check) {
            (_, Some(check)) if is_own => drop(self.deregister_check(check, now)),
            (_, Some(check)) => drop(self.remove_check(node, check, now)),
            (Some(service), None) if is_own => drop(self.deregister_service(service, now)),
            (Some(service), None) => drop(self.remove_service(node, service, now)),
            // This node cannot go: it is the one that answers.
            (None, None) if is_own => {}
            (None, None) => drop(self.remove_node(node, now)),
        }
    }

    /// Whether the bounds allow these on this node.
    pub(super) fn have_room(
        &self,
        name: &str,
        service: Option<&Service>,
        checks: &[Check],
    ) -> Result<(), Problem> {
        let limits = &self.limits;
        let node = self.nodes.get(&name.to_lowercase());
        let full = |what, limit| Err(Problem::Full { what, limit });
        if node.is_none() && self.nodes.len() >= limits.nodes {
            return full("nodes", limits.nodes);
        }
        let is_new =
            |service: &&Service| !node.is_some_and(|node| node.services.contains_key(&service.id));
        let services: usize = self.nodes.values().map(|node| node.services.len()).sum();
        if service.as_ref().is_some_and(is_new) && services >= limits.services {
            return full("services", limits.services);
        }
        let is_new = |check: &&Check| !node.is_some_and(|node| node.checks.contains_key(&check.id));
        let new = checks.iter().filter(is_new).count();
        let stored: usize = self.nodes.values().map(|node| node.checks.len()).sum();
        if new > 0 && stored + new > limits.checks {
            return full("checks", limits.checks);
        }
        Ok(())
    }

    /// Forgets the deadlines of a check.
    pub(super) fn forget_timers(&mut self, check: &str) {
        for timer in [Timer::Ttl, Timer::Output, Timer::Reap] {
            self.timers.set(timer(check.to_owned()), None);
        }
    }
}
