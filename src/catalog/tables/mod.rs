//! What the catalogue knows, and its rules with time and order: plain values without clock, network or runtime.
//!
//! Time comes in as [`Instant`]; [`Tables::next_deadline`] is the one next moment at which [`Tables::on_time`] wants to
//! be called. Every change raises one index by one and notes the [`Topic`]s that it touches. A reader of a topic sees
//! the index of its last change, so an unrelated change neither wakes it nor looks new to it.
//!
//! | file | the rule in it |
//! | --- | --- |
//! | `topic.rs` | what can be waited for, and the index of each |
//! | `timers.rs` | deadlines by name |
//! | `model.rs` | nodes, services, checks |
//! | `nodes.rs` | storing and removing them, and who notices |
//! | `agent.rs` | what this node registered: initial status, registering again, maintenance |
//! | `ttl.rs` | heartbeats, expiry, deregistration of what stays critical |
//! | `reads.rs` | the questions |
//! | `kv.rs` | keys: check-and-set, locks |
//! | `sessions.rs` | sessions: expiry, what happens to the locks, the lock-delay |

mod agent;
mod kv;
mod limits;
mod model;
mod nodes;
mod problem;
mod reads;
mod sessions;
mod timers;
mod topic;
mod ttl;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

pub(super) use agent::{CheckSpec, ServiceSpec};
pub(super) use kv::{Condition, Entry};
pub(super) use limits::Limits;
pub(super) use model::{Check, CheckKind, Node, NodeSpec, Service, Status, Weights};
pub(super) use problem::Problem;
pub(super) use sessions::{Behavior, Session, SessionSpec};
pub(super) use topic::Topic;

use agent::AgentCheck;
use kv::Keys;
use sessions::Sessions;
use timers::Timers;
use topic::Indexes;

/// What a deadline is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A check's TTL ends.
    Ttl(String),
    /// An output that nobody was told about yet is written to the catalogue.
    Output(String),
    /// A check has been critical for too long.
    Reap(String),
    /// A session was not renewed.
    Session(String),
}

/// Everything in memory.
#[derive(Debug)]
pub(super) struct Tables {
    limits: Limits,
    /// The node that the agent's endpoints speak for.
    own: String,
    indexes: Indexes,
    /// By lower-case name, as Consul looks them up.
    nodes: BTreeMap<String, Node>,
    /// Lower-case service name to the nodes and ids of its instances.
    by_name: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Ids of the services that were registered through the agent.
    agent_services: BTreeSet<String>,
    /// What the agent knows of its checks beyond the catalogue.
    agent_checks: BTreeMap<String, AgentCheck>,
    keys: Keys,
    sessions: Sessions,
    timers: Timers<Timer>,
}

impl Tables {
    /// Tables with one node, this one, which is alive.
    pub(super) fn new(own: NodeSpec, limits: Limits) -> Tables {
        let mut tables = Tables {
            limits,
            own: own.name.clone(),
            indexes: Indexes::default(),
            nodes: BTreeMap::new(),
            by_name: BTreeMap::new(),
            agent_services: BTreeSet::new(),
            agent_checks: BTreeMap::new(),
            keys: Keys::default(),
            sessions: Sessions::default(),
            timers: Timers::default(),
        };
        tables.plant(own);
        tables
    }

    /// The next moment at which something happens by itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Does what is due.
    pub(super) fn on_time(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Ttl(check) => self.on_ttl(&check, now),
                Timer::Output(check) => self.publish_output(&check, now),
                Timer::Reap(check) => self.on_reap(&check, now),
                Timer::Session(session) => self.invalidate(&session, now),
            }
        }
    }

    /// The index of the last change of what this topic is about; at least 1, never falling.
    pub(super) fn index_of(&self, topic: &Topic) -> u64 {
        self.indexes.of(topic)
    }

    /// The topics that were touched since the last call.
    pub(super) fn take_touched(&mut self) -> Vec<Topic> {
        self.indexes.take_touched()
    }
}
