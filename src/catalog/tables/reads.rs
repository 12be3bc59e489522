//! The questions: each answer is in a stable order, by node and then by id.

use std::collections::{BTreeMap, BTreeSet};

use super::Tables;
use super::model::{Check, Node, Service, Status};
use super::problem::Problem;

impl Tables {
    /// All nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// One node by its name.
    pub(crate) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(&name.to_lowercase())
    }

    /// This node; it is always there.
    pub(crate) fn own_node(&self) -> Option<&Node> {
        self.node(&self.own)
    }

    pub(super) fn own_check(&self, id: &str) -> Option<&Check> {
        self.own_node()?.checks.get(id)
    }

    /// The instances of a service with their nodes.
    pub(crate) fn instances(&self, name: &str) -> impl Iterator<Item = (&Node, &Service)> {
        let listed = self.by_name.get(&name.to_lowercase());
        listed.into_iter().flatten().filter_map(|(node, id)| {
            let node = self.nodes.get(node)?;
            Some((node, node.services.get(id)?))
        })
    }

    /// The names of all services, with the tags of all their instances.
    pub(crate) fn service_names(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for service in self.nodes.values().flat_map(|node| node.services.values()) {
            let tags = names.entry(&service.name).or_default();
            tags.extend(service.tags.iter().map(String::as_str));
        }
        names
    }

    /// All checks in a state, of all with `None`.
    pub(crate) fn checks(&self, status: Option<Status>) -> impl Iterator<Item = (&Node, &Check)> {
        let all = self
            .nodes
            .values()
            .flat_map(|node| node.checks.values().map(move |check| (node, check)));
        all.filter(move |(_, check)| status.is_none_or(|status| check.status == status))
    }

    /// What this agent registered.
    pub(crate) fn agent_services(&self) -> impl Iterator<Item = &Service> {
        let node = self.own_node();
        let ids = self.agent_services.iter();
        ids.filter_map(move |id| node?.services.get(id))
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub(crate) fn agent_service(&self, id: &str) -> Result<&Service, Problem> {
        let mut services = self.agent_services();
        let found = services.find(|service| service.id == id);
        found.ok_or_else(|| Problem::UnknownService(id.to_owned()))
    }

    /// The checks of this agent with their outputs of now.
    pub(crate) fn agent_checks(&self) -> impl Iterator<Item = (&Node, &Check, &str)> {
        let node = self.own_node();
        let known = self.agent_checks.iter();
        known.filter_map(move |(id, agent)| {
            let node = node?;
            Some((node, node.checks.get(id)?, agent.output.as_str()))
        })
    }
}
