//! What is asked of the catalogue, and what it answers.

use std::time::Duration;

use crate::services::CheckStatus;

/// What a watch looks at. Two watches with an equal subject share the asking.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// Where to look.
    pub target: Target,
    /// The datacenter to ask in; `None`: the agent's own.
    pub dc: Option<String>,
}

/// A place in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The instances of a service that have all these tags; with `passing_only`, those whose checks all pass.
    Service {
        name: String,
        tags: Vec<String>,
        passing_only: bool,
    },
    /// One key.
    Key(String),
    /// All keys that begin with this.
    Prefix(String),
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub subject: Subject,
    /// How the answer is to be come by.
    pub mode: Mode,
}

/// How the server is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// At once.
    Now,
    /// When something has changed since this index, at the latest after this time (a blocking query).
    Change { since: u64, wait: Duration },
    /// At once, and confirmed by the leader of the servers (`consistent`).
    Confirmed,
}

/// What the catalogue answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The index to wait on next; `None` where the server does not say one, so that it can only be polled. May be 0.
    pub index: Option<u64>,
    pub found: Found,
}

/// What was found, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Instances(Vec<Instance>),
    Entries(Vec<Entry>),
}

impl Found {
    /// How many instances or keys were found.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Found::Instances(instances) => instances.len(),
            Found::Entries(entries) => entries.len(),
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Found::Instances(instances) => instances.is_empty(),
            Found::Entries(entries) => entries.is_empty(),
        }
    }
}

/// One instance of a service: exactly what counts as a change. Output of checks is not in it (C10).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instance {
    /// Unique within its node.
    pub id: String,
    /// Its own address, or its node's where it has none (D41).
    pub address: String,
    pub port: u16,
    /// Sorted.
    pub tags: Vec<String>,
    /// The worst of its checks.
    pub health: CheckStatus,
    /// The node that it is registered on.
    pub node: String,
}

/// One key of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    pub key: String,
    pub flags: u64,
    /// A digest of the value, which may be large.
    pub digest: u64,
    /// The value, where all values of the answer together are small enough to be kept.
    pub value: Option<Vec<u8>>,
}
