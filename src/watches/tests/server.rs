//! A server in virtual time: it holds questions back until something changes, and fails on demand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::events::{EventCode, Failure, Source, WatchId};
use crate::services::CheckStatus;
use crate::watches::{
    Answer, AskId, Found, Instance, Mode, Note, Order, Question, Subject, Target, WatchSpec,
    Watches,
};

pub(super) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn subject(name: &str) -> Subject {
    Subject {
        target: Target::Service {
            name: name.to_owned(),
            tags: Vec::new(),
            passing_only: true,
        },
        dc: None,
    }
}

pub(super) fn watch(name: &str) -> WatchSpec {
    WatchSpec {
        name: name.to_owned(),
        subject: subject(name),
        interval: secs(10),
        debounce: None,
    }
}

/// Watches with the number of their place.
pub(super) fn numbered(specs: Vec<WatchSpec>) -> Vec<(WatchId, WatchSpec)> {
    (0..).map(WatchId).zip(specs).collect()
}

pub(super) fn instance(number: u16) -> Instance {
    Instance {
        id: format!("i{number}"),
        address: "10.0.0.1".to_owned(),
        port: number,
        tags: Vec::new(),
        health: CheckStatus::Passing,
        node: "n".to_owned(),
    }
}

pub(super) fn instances(count: u16) -> Found {
    Found::Instances((0..count).map(instance).collect())
}

/// How the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    /// No connection.
    Away,
    /// It takes everything and says nothing.
    Silent,
    /// It has no leader: plain questions get an empty list, confirmed ones an error.
    Leaderless,
    /// It answers everything at once, with the same index.
    Hasty,
    /// It says no index.
    Plain,
    /// It refuses.
    Denies,
    Rejects,
}

struct Kept {
    index: u64,
    found: Found,
}

pub(super) struct World {
    pub(super) watches: Watches,
    pub(super) now: Instant,
    pub(super) start: Instant,
    pub(super) mood: Mood,
    pub(super) index: u64,
    data: BTreeMap<Subject, Kept>,
    /// Questions that stand, with the time at which each is answered at the latest.
    pub(super) standing: BTreeMap<AskId, (Question, Instant)>,
    /// How many questions the server lets stand.
    pub(super) limit: usize,
    pub(super) asked: Vec<(Duration, Mode)>,
    pub(super) pulses: Vec<Duration>,
    pub(super) events: Vec<(Duration, u32, EventCode)>,
    pub(super) notes: Vec<Note>,
    pub(super) most: usize,
}

impl World {
    pub(super) fn new(specs: Vec<WatchSpec>, room: usize) -> World {
        World::seeded(specs, room, 7)
    }

    pub(super) fn seeded(specs: Vec<WatchSpec>, room: usize, seed: u64) -> World {
        World::made(numbered(specs), room, seed)
    }

    /// A world with watches of these numbers.
    pub(super) fn with(specs: Vec<(WatchId, WatchSpec)>, room: usize) -> World {
        World::made(specs, room, 7)
    }

    fn made(specs: Vec<(WatchId, WatchSpec)>, room: usize, seed: u64) -> World {
        let now = Instant::now();
        World {
            watches: Watches::new(specs, room, AskId(1), seed, now),
            now,
            start: now,
            mood: Mood::Well,
            index: 100,
            data: BTreeMap::new(),
            standing: BTreeMap::new(),
            limit: usize::MAX,
            asked: Vec::new(),
            pulses: Vec::new(),
            events: Vec::new(),
            notes: Vec::new(),
            most: 0,
        }
    }

    pub(super) fn begin(&mut self) {
        let orders = self.watches.begin(self.now);
        self.take(orders);
    }

    /// A world with one watch on `app`, which has so many instances.
    pub(super) fn of(count: u16) -> World {
        let mut world = World::new(vec![watch("app")], 100);
        world.set(&subject("app"), instances(count));
        world.begin();
        world
    }

    /// A world with so many watches, `app0` and on, each of which has one instance. Nothing is asked yet.
    pub(super) fn of_subjects(count: usize) -> World {
        let specs = (0..count).map(|number| watch(&format!("app{number}")));
        let mut world = World::new(specs.collect(), 100);
        world.set_each(count, 1);
        world
    }

    /// Gives each of the first watches so many instances.
    pub(super) fn set_each(&mut self, count: usize, found: u16) {
        for number in 0..count {
            self.set(&subject(&format!("app{number}")), instances(found));
        }
    }

    /// Changes what the server has, and answers whoever waits for that.
    pub(super) fn set(&mut self, subject: &Subject, found: Found) {
        self.index += 1;
        let index = self.index;
        self.data.insert(subject.clone(), Kept { index, found });
        self.wake(subject);
    }

    /// The index moves though the data does not (another check's output).
    pub(super) fn touch(&mut self, subject: &Subject) {
        self.index += 1;
        let index = self.index;
        if let Some(kept) = self.data.get_mut(subject) {
            kept.index = index;
        }
        self.wake(subject);
    }

    /// The index becomes this, and whoever waits is told.
    pub(super) fn jump(&mut self, subject: &Subject, index: u64) {
        if let Some(kept) = self.data.get_mut(subject) {
            kept.index = index;
        }
        self.wake(subject);
    }

    fn wake(&mut self, subject: &Subject) {
        if matches!(self.mood, Mood::Away | Mood::Silent) {
            return;
        }
        let waiting: Vec<AskId> = self
            .standing
            .iter()
            .filter(|(_, (question, _))| question.subject == *subject)
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.answer(id);
        }
    }

    fn answer(&mut self, id: AskId) {
        let (question, _) = self.standing.remove(&id).expect("it stands");
        let result = self.result(&question);
        let orders = self.watches.on_answer(id, result, self.now);
        self.take(orders);
    }

    /// Ends a standing question without an answer.
    pub(super) fn break_off(&mut self, failure: &Failure) {
        let ids: Vec<AskId> = self.standing.keys().copied().collect();
        for id in ids {
            if self.standing.remove(&id).is_some() {
                let orders = self.watches.on_answer(id, Err(failure.clone()), self.now);
                self.take(orders);
            }
        }
    }

    /// The same to one of them.
    pub(super) fn break_one(&mut self, failure: &Failure) {
        let id = *self.standing.keys().next().expect("a question stands");
        self.standing.remove(&id);
        let orders = self.watches.on_answer(id, Err(failure.clone()), self.now);
        self.take(orders);
    }

    fn result(&self, question: &Question) -> Result<Answer, Failure> {
        let kept = self.data.get(&question.subject);
        let found = kept.map_or_else(|| instances(0), |kept| kept.found.clone());
        let index = kept.map_or(1, |kept| kept.index);
        match self.mood {
            Mood::Away | Mood::Silent => Err(Failure::Unreachable("refused".to_owned())),
            Mood::Denies => Err(Failure::Denied("403".to_owned())),
            Mood::Rejects => Err(Failure::Rejected("400".to_owned())),
            Mood::Leaderless if question.mode == Mode::Confirmed => {
                Err(Failure::Busy("no leader".to_owned()))
            }
            Mood::Leaderless => Ok(Answer {
                index: Some(index),
                found: instances(0),
            }),
            Mood::Plain => Ok(Answer { index: None, found }),
            Mood::Well | Mood::Hasty => Ok(Answer {
                index: Some(index),
                found,
            }),
        }
    }

    pub(super) fn take(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Ask { id, question } => self.on_ask(id, question),
                Order::Pulse(id) => self.on_pulse(id),
                Order::Abandon(id) => {
                    self.standing.remove(&id);
                }
                Order::Publish(event) => {
                    let Source::Watch(WatchId(watch)) = event.source else {
                        panic!("not of a watch: {event:?}");
                    };
                    self.events.push((self.now - self.start, watch, event.code));
                }
                Order::Report(note) => self.notes.push(note),
            }
        }
        let next = self.watches.next_deadline();
        assert!(
            next.is_none_or(|at| at > self.now),
            "a deadline in the past"
        );
    }

    fn on_ask(&mut self, id: AskId, question: Question) {
        self.asked.push((self.now - self.start, question.mode));
        assert!(self.asked.len() < 200_000, "a busy loop");
        let wait = match question.mode {
            Mode::Change { since, wait } => {
                assert!(since > 0, "an index of 0 does not wait");
                let index = self
                    .data
                    .get(&question.subject)
                    .map_or(1, |kept| kept.index);
                let stands = self.mood == Mood::Well && index <= since;
                stands.then_some(wait)
            }
            Mode::Now | Mode::Confirmed => None,
        };
        let crowded = self.standing.len() >= self.limit;
        let until = match (self.mood, wait) {
            // A time limit of the client ends what is never answered.
            (Mood::Silent, _) => self.now + secs(60),
            (_, Some(wait)) if !crowded => self.now + wait + wait / 16,
            _ => self.now + ms(1),
        };
        self.standing.insert(id, (question, until));
        self.most = self.most.max(self.standing.len());
    }

    fn on_pulse(&mut self, id: AskId) {
        self.pulses.push(self.now - self.start);
        let failure = match self.mood {
            Mood::Away | Mood::Silent => Some(Failure::Unreachable("refused".to_owned())),
            Mood::Leaderless => Some(Failure::Busy("no leader".to_owned())),
            _ => None,
        };
        let orders = self.watches.on_pulse(id, failure.as_ref(), self.now);
        self.take(orders);
    }

    pub(super) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        for _ in 0..1_000_000 {
            let due = self.watches.next_deadline();
            let answer = self.standing.iter().map(|(id, (_, at))| (*at, *id)).min();
            match (due, answer) {
                (due, Some((at, id))) if at <= end && due.is_none_or(|due| at <= due) => {
                    self.now = at.max(self.now);
                    let crowded = self.standing.len() > self.limit;
                    if crowded {
                        self.standing.remove(&id);
                        let refused = Err(Failure::Unreachable("closed".to_owned()));
                        let orders = self.watches.on_answer(id, refused, self.now);
                        self.take(orders);
                    } else {
                        self.answer(id);
                    }
                }
                (Some(due), _) if due <= end => {
                    self.now = due.max(self.now);
                    let orders = self.watches.on_time(self.now);
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

    /// The events so far, without their times.
    pub(super) fn codes(&self) -> Vec<EventCode> {
        self.events.iter().map(|(_, _, code)| *code).collect()
    }

    pub(super) fn shown(&self, watch: u32) -> Option<Found> {
        self.watches
            .shown(WatchId(watch))
            .map(|found| Found::clone(found))
    }
}
