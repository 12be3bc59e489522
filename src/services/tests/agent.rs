//! An agent in virtual time: it keeps what it is told, and fails on demand.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::events::{Failure, JobId};
use crate::services::{
    Call, CallId, CheckStatus, Note, Order, Plan, Presence, Registered, Registration, Reply,
    Services,
};

pub(super) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn registration(name: &str) -> Registration {
    Registration {
        plain_check_id: false,
        id: format!("{name}-host"),
        name: name.to_owned(),
        tags: vec!["a".to_owned()],
        address: Some("10.0.0.2".to_owned()),
        port: 80,
        meta: BTreeMap::new(),
        weights: None,
        enable_tag_override: false,
        ttl: secs(25),
        deregister_critical_after: None,
    }
}

pub(super) fn plan(job: u32) -> Plan {
    Plan {
        job: JobId(job),
        registration: registration(&format!("app{job}")),
        initial: None,
        interval: secs(10),
    }
}

/// How the agent answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    Away,
    Denies,
    Rejects,
    /// Somebody in between answers for it.
    Strange,
    /// It does what it is told, and the answer is lost.
    Mute,
    /// Each call goes to the other of two agents.
    Split,
}

/// The rules, a clock that is moved by hand, and the agent.
pub(super) struct World {
    pub(super) services: Services,
    pub(super) now: Instant,
    start: Instant,
    pub(super) mood: Mood,
    /// What stands in each of two agents; the second is only used while split.
    pub(super) agents: [BTreeMap<String, (Registered, CheckStatus, String)>; 2],
    turn: usize,
    pending: VecDeque<(JobId, CallId, Call)>,
    /// Answers are held back until the test asks for them.
    pub(super) slow: bool,
    pub(super) calls: Vec<(Duration, Call)>,
    pub(super) notes: Vec<Note>,
    pub(super) left: Vec<(JobId, bool)>,
}

impl World {
    pub(super) fn new(plans: Vec<Plan>) -> World {
        World::seeded(plans, 7)
    }

    pub(super) fn seeded(plans: Vec<Plan>, seed: u64) -> World {
        let now = Instant::now();
        World {
            services: Services::new(plans, CallId(1), seed),
            now,
            start: now,
            mood: Mood::Well,
            agents: [BTreeMap::new(), BTreeMap::new()],
            turn: 0,
            pending: VecDeque::new(),
            slow: false,
            calls: Vec::new(),
            notes: Vec::new(),
            left: Vec::new(),
        }
    }

    /// A world whose one service has passed its check.
    pub(super) fn passing() -> World {
        let mut world = World::new(vec![plan(0)]);
        world.begin();
        world.show(Presence::Passing);
        world
    }

    pub(super) fn begin(&mut self) {
        let orders = self.services.begin(self.now);
        self.take(orders);
    }

    pub(super) fn show(&mut self, presence: Presence) {
        self.show_of(0, presence, "sick");
    }

    pub(super) fn show_of(&mut self, job: u32, presence: Presence, output: &str) {
        let orders = self
            .services
            .on_presence(JobId(job), presence, output, self.now);
        self.take(orders);
    }

    pub(super) fn take(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Call { job, id, call } => {
                    let busy = self.pending.iter().any(|(other, ..)| *other == job);
                    assert!(!busy, "two calls of one service: {call:?}");
                    self.calls.push((self.now - self.start, call.clone()));
                    self.pending.push_back((job, id, call));
                }
                Order::Abandon(id) => self.pending.retain(|(_, other, _)| *other != id),
                Order::Left { job, was_there } => self.left.push((job, was_there)),
                Order::Report(_, note) => self.notes.push(note),
            }
        }
        if !self.slow {
            self.answer_all();
        }
        let next = self.services.next_deadline();
        assert!(
            next.is_none_or(|at| at > self.now),
            "a deadline in the past"
        );
    }

    pub(super) fn answer_all(&mut self) {
        for _ in 0..100 {
            let Some((job, id, call)) = self.pending.pop_front() else {
                return;
            };
            let result = self.perform(&call);
            let orders = self.services.on_answer(job, id, result, self.now);
            let slow = std::mem::replace(&mut self.slow, true);
            self.take(orders);
            self.slow = slow;
        }
        panic!("the rules never come to rest: {:?}", self.calls);
    }

    fn perform(&mut self, call: &Call) -> Result<Reply, Failure> {
        match self.mood {
            Mood::Away => return Err(Failure::Unreachable("refused".to_owned())),
            Mood::Denies => return Err(Failure::Denied("403".to_owned())),
            Mood::Rejects => return Err(Failure::Rejected("400".to_owned())),
            Mood::Strange => return Err(Failure::Unreadable("404".to_owned())),
            Mood::Well | Mood::Mute | Mood::Split => {}
        }
        let result = self.keep(call);
        if self.mood == Mood::Mute {
            return Err(Failure::Unreachable("timed out".to_owned()));
        }
        result
    }

    fn keep(&mut self, call: &Call) -> Result<Reply, Failure> {
        if self.mood == Mood::Split {
            self.turn = 1 - self.turn;
        }
        let standing = &mut self.agents[self.turn];
        match call {
            Call::Register(registration, status) => {
                let registered = registered(registration);
                standing.insert(
                    registration.id.clone(),
                    (registered, *status, String::new()),
                );
            }
            Call::Update {
                check,
                status,
                output,
            } => {
                let id = check.strip_prefix("service:").expect("a service's check");
                let Some(entry) = standing.get_mut(id) else {
                    return Err(Failure::Unknown("no such check".to_owned()));
                };
                entry.1 = *status;
                entry.2.clone_from(output);
            }
            Call::Deregister(id) => {
                standing.remove(id);
            }
            Call::Inspect(id) => {
                let found = standing.get(id).map(|(registered, ..)| registered.clone());
                return Ok(Reply::Found(found));
            }
        }
        Ok(Reply::Done)
    }

    pub(super) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        for _ in 0..100_000 {
            match self.services.next_deadline() {
                Some(due) if due <= end => {
                    self.now = due.max(self.now);
                    let orders = self.services.on_time(self.now);
                    self.take(orders);
                }
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the rules never come to rest");
    }

    /// The status of the first service in the first agent.
    pub(super) fn status(&self) -> Option<CheckStatus> {
        let entry = self.agents[0].get("app0-host");
        entry.map(|(_, status, _)| *status)
    }

    pub(super) fn count(&self, what: impl Fn(&Call) -> bool) -> usize {
        self.calls.iter().filter(|(_, call)| what(call)).count()
    }
}

pub(super) fn registered(registration: &Registration) -> Registered {
    Registered {
        name: registration.name.clone(),
        tags: registration.tags.clone(),
        address: registration.address.clone().unwrap_or_default(),
        port: registration.port,
        meta: registration.meta.clone(),
        weights: registration.weights,
        enable_tag_override: registration.enable_tag_override,
    }
}

pub(super) fn is_register(call: &Call) -> bool {
    matches!(call, Call::Register(..))
}

pub(super) fn is_update(call: &Call) -> bool {
    matches!(call, Call::Update { .. })
}
