//! Nodes, services and checks.

use std::collections::BTreeMap;
use std::time::Duration;

/// The state of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Passing,
    Warning,
    Critical,
}

impl Status {
    /// Consul's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Passing => "passing",
            Status::Warning => "warning",
            Status::Critical => "critical",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Status> {
        let all = [Status::Passing, Status::Warning, Status::Critical];
        all.into_iter().find(|status| status.word() == word)
    }
}

/// What kind a check is; the word is `Type` in Consul's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckKind {
    /// Set by whoever registered it; [`Status::Critical`] when nobody does for `ttl`.
    Ttl {
        ttl: Duration,
    },
    Maintenance,
    /// Set through the catalogue's own endpoints.
    External,
}

impl CheckKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            CheckKind::Ttl { .. } => "ttl",
            CheckKind::Maintenance => "maintenance",
            CheckKind::External => "",
        }
    }
}

/// A check as the catalogue shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) notes: String,
    pub(crate) output: String,
    /// Empty for a check of the node.
    pub(crate) service_id: String,
    pub(crate) kind: CheckKind,
    pub(crate) create: u64,
    pub(crate) modify: u64,
}

impl Check {
    /// Whether two differ in nothing but their indexes.
    pub(super) fn is_same(&self, other: &Check) -> bool {
        let indexes = (self.create, self.modify);
        let mut other = other.clone();
        (other.create, other.modify) = indexes;
        *self == other
    }
}

/// How a service's instances are weighed by those who balance loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weights {
    pub(crate) passing: i64,
    pub(crate) warning: i64,
}

impl Default for Weights {
    fn default() -> Weights {
        Weights {
            passing: 1,
            warning: 1,
        }
    }
}

/// An instance of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    /// Empty: the node's address.
    pub(crate) address: String,
    /// By kind of network, such as `lan_ipv4`.
    pub(crate) tagged: BTreeMap<String, (String, i64)>,
    pub(crate) meta: BTreeMap<String, String>,
    pub(crate) port: i64,
    pub(crate) weights: Weights,
    pub(crate) enable_tag_override: bool,
    pub(crate) create: u64,
    pub(crate) modify: u64,
}

impl Service {
    /// Whether two differ in nothing but their indexes.
    pub(super) fn is_same(&self, other: &Service) -> bool {
        let mut other = other.clone();
        (other.create, other.modify) = (self.create, self.modify);
        *self == other
    }

    /// Whether it carries this tag, in any case, as Consul compares them.
    pub(crate) fn has_tag(&self, tag: &str) -> bool {
        let lower = tag.to_lowercase();
        self.tags.iter().any(|own| own.to_lowercase() == lower)
    }
}

/// What is said of a node when it is registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeSpec {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) tagged: BTreeMap<String, String>,
    pub(crate) meta: BTreeMap<String, String>,
}

/// A node with what is on it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) spec: NodeSpec,
    /// By id.
    pub(crate) services: BTreeMap<String, Service>,
    /// By id.
    pub(crate) checks: BTreeMap<String, Check>,
    pub(crate) create: u64,
    pub(crate) modify: u64,
}

impl Node {
    /// The checks of the node itself.
    pub(crate) fn own_checks(&self) -> impl Iterator<Item = &Check> {
        self.checks_of("")
    }

    /// The checks of one service, by id of the service.
    pub(crate) fn checks_of(&self, service_id: &str) -> impl Iterator<Item = &Check> {
        let of_service = move |check: &&Check| check.service_id == service_id;
        self.checks.values().filter(of_service)
    }
}
