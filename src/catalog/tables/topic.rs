//! What can be waited for, and the index of its last change.

use std::collections::BTreeMap;

/// The most topics whose last change is remembered one by one. Topics of things that are gone are remembered too, as
/// their removal is a change. Beyond it all are forgotten at once: every reader is told once more than necessary.
const REMEMBERED: usize = 65_536;

/// Something that can change. Names of services and nodes are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// The list of nodes.
    Nodes,
    /// A node with its services and checks.
    Node(String),
    /// The list of services with their tags.
    Services,
    /// A service: its instances, their checks, the checks of their nodes.
    Service(String),
    /// The checks of everything.
    Checks,
    /// One key.
    Key(String),
    /// All keys with this beginning. Only for readers: a change names the key.
    Prefix(String),
    /// The list of sessions.
    Sessions,
    /// One session.
    Session(String),
}

impl Topic {
    pub(crate) fn node(name: &str) -> Topic {
        Topic::Node(name.to_lowercase())
    }

    pub(crate) fn service(name: &str) -> Topic {
        Topic::Service(name.to_lowercase())
    }
}

/// The index of everything, and of each topic.
#[derive(Debug)]
pub(super) struct Indexes {
    last: u64,
    /// The index of topics that are not in `topics`.
    floor: u64,
    topics: BTreeMap<Topic, u64>,
    touched: Vec<Topic>,
}

impl Default for Indexes {
    /// Consul's index is never 0, which asks for an answer without waiting.
    fn default() -> Indexes {
        Indexes {
            last: 1,
            floor: 1,
            topics: BTreeMap::new(),
            touched: Vec::new(),
        }
    }
}

impl Indexes {
    /// Begins a change: the next index.
    pub(super) fn bump(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The present change is also about this topic.
    pub(super) fn touch(&mut self, topic: Topic) {
        if self.topics.len() >= REMEMBERED {
            self.topics.clear();
            self.floor = self.last;
        }
        self.touched.push(topic.clone());
        self.topics.insert(topic, self.last);
    }

    pub(super) fn of(&self, topic: &Topic) -> u64 {
        let Topic::Prefix(prefix) = topic else {
            return self.topics.get(topic).copied().unwrap_or(self.floor);
        };
        let from = Topic::Key(prefix.clone())..Topic::Prefix(String::new());
        let below = self.topics.range(from).take_while(
            |(topic, _)| matches!(topic, Topic::Key(key) if key.starts_with(prefix.as_str())),
        );
        below
            .map(|(_, index)| *index)
            .max()
            .unwrap_or(0)
            .max(self.floor)
    }

    pub(super) fn take_touched(&mut self) -> Vec<Topic> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        touched
    }
}
