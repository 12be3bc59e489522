//! All watches of one configuration.
//!
//! What is asked and what is heard are two things: watches with an equal subject share one [`Query`], and each compares
//! what was found with what it last published. At most so many questions are under way as the configuration allows
//! (decision 25); the others take turns.
//!
//! Whether the server works at all is the matter of `pulse.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::change::arranged;
use super::order::{AskId, Note, Order};
use super::pulse::{Pulse, Suspicion};
use super::query::{News, Phase, Query};
use super::question::{Answer, Found, Question};
use super::spec::WatchSpec;
use crate::events::{EventCode, Failure, Jitter, PublicEvent, Source, WatchId, later};
use crate::services::CheckStatus;

/// A question that fails so soon was not taken at all. Twice in a row, while others stand and the server works, it is
/// taken for too many connections.
const AT_ONCE: Duration = Duration::from_secs(1);
const CROWD: u32 = 2;

/// After so much time one more place is tried than the server took, until there is the room that was configured.
pub(super) const REGROWTH: Duration = Duration::from_mins(1);

/// The watches of one configuration. A value: it knows no clock or server, and the same facts at the same times give the
/// same orders.
#[derive(Debug)]
pub struct Watches {
    pub(super) all: BTreeMap<WatchId, Watch>,
    pub(super) queries: Vec<Query>,
    /// Queries that wait for a place, first come first served.
    pub(super) ready: VecDeque<usize>,
    pub(super) asked: BTreeMap<AskId, usize>,
    pub(super) room: usize,
    /// The room that is configured.
    whole_room: usize,
    /// Questions in a row that were not taken.
    pub(super) refusals: u32,
    /// The server took fewer connections than there was room for; told once.
    pub(super) crowded: bool,
    pub(super) pulse: Pulse,
    deadlines: BTreeSet<(Instant, Timer)>,
    pub(super) scheduled: BTreeMap<Timer, Instant>,
    pub(super) jitter: Jitter,
    next_ask: AskId,
}

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) spec: WatchSpec,
    query: usize,
    /// What was published last.
    pub(super) shown: Option<Rc<Found>>,
    /// What was published before that.
    pub(super) shown_before: Option<Rc<Found>>,
    /// A change waits for quiet, at the latest until then.
    pub(super) held_until: Option<Instant>,
}

impl Watch {
    pub(super) fn new(spec: WatchSpec, query: usize) -> Watch {
        Watch {
            spec,
            query,
            shown: None,
            shown_before: None,
            held_until: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Query(usize),
    Hold(WatchId),
    Pulse,
    Room,
}

impl Watches {
    /// `room`: how many questions may be under way at once, at least 1. `first_ask` is the first free number; `seed`
    /// decides the jitter. Nothing is asked yet: see [`Watches::begin`].
    #[must_use]
    pub fn new(
        specs: Vec<(WatchId, WatchSpec)>,
        room: usize,
        first_ask: AskId,
        seed: u64,
        now: Instant,
    ) -> Watches {
        let (all, queries) = arranged(specs, now);
        let pulse = Pulse::new(&queries, now);
        Watches {
            all,
            queries,
            ready: VecDeque::new(),
            asked: BTreeMap::new(),
            room: room.max(1),
            whole_room: room.max(1),
            refusals: 0,
            crowded: false,
            pulse,
            deadlines: BTreeSet::new(),
            scheduled: BTreeMap::new(),
            jitter: Jitter::new(seed),
            next_ask: first_ask,
        }
    }

    /// Asks the first questions, at once (D41).
    pub fn begin(&mut self, now: Instant) -> Vec<Order> {
        let mut orders = Vec::new();
        if self.queries.len() > self.room {
            orders.push(Order::Report(Note::TakingTurns {
                subjects: self.queries.len(),
                room: self.room,
            }));
        }
        self.pulse.heard = now;
        for query in 0..self.queries.len() {
            self.make_ready(query);
        }
        self.settle(now, &mut orders);
        orders
    }

    /// The first number of a question that is still free.
    #[must_use]
    pub fn next_ask(&self) -> AskId {
        self.next_ask
    }

    /// What a watch published last; `None` before its first answer.
    #[must_use]
    pub fn shown(&self, watch: WatchId) -> Option<&Rc<Found>> {
        self.all.get(&watch)?.shown.as_ref()
    }

    /// When the catalogue last answered about a watch.
    #[must_use]
    pub fn heard(&self, watch: WatchId) -> Option<Instant> {
        let query = self.all.get(&watch)?.query;
        self.queries.get(query)?.heard
    }

    /// What it published before that; `None` before its second change.
    #[must_use]
    pub fn shown_before(&self, watch: WatchId) -> Option<&Rc<Found>> {
        self.all.get(&watch)?.shown_before.as_ref()
    }

    /// What a watch was configured to be.
    #[must_use]
    pub fn spec(&self, watch: WatchId) -> Option<&WatchSpec> {
        self.all.get(&watch).map(|watch| &watch.spec)
    }

    /// The first of the watches that a question under way is asked for.
    #[must_use]
    pub fn asked_for(&self, id: AskId) -> Option<&str> {
        let query = self.asked.get(&id)?;
        let watch = self.queries[*query].watches.first()?;
        Some(&self.all.get(watch)?.spec.name)
    }

    /// Whether there is nothing to watch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The one next moment at which [`Watches::on_time`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes the answer to a question. Another number than that of a question under way changes nothing.
    pub fn on_answer(
        &mut self,
        id: AskId,
        result: Result<Answer, Failure>,
        now: Instant,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        let Some(query) = self.asked.remove(&id) else {
            return orders;
        };
        match result {
            Ok(answer) => {
                self.refusals = 0;
                self.pulse.heard = now;
                self.queries[query].heard = Some(now);
                let news = self.queries[query].on_answer(answer, now);
                if self.queries[query].phase == Phase::Ready {
                    // The confirmation of an empty answer keeps the place.
                    self.ready.push_front(query);
                }
                if news == News::Changed {
                    self.on_seen(query, now, &mut orders);
                }
            }
            Err(failure) => self.on_failure(query, &failure, now),
        }
        self.schedule_query(query);
        self.settle(now, &mut orders);
        orders
    }

    fn on_failure(&mut self, query: usize, failure: &Failure, now: Instant) {
        let is_final = matches!(failure, Failure::Rejected(_));
        let at_once = self.queries[query]
            .asked_for(now)
            .is_some_and(|asked| asked < AT_ONCE);
        self.queries[query].on_failure(is_final, now, &mut self.jitter);
        if !failure.is_outage() || self.pulse.away.is_some() {
            return;
        }
        let not_taken = match failure {
            Failure::Crowded(_) => true,
            Failure::Unreachable(_) => at_once && !self.asked.is_empty(),
            // It was taken, and answered.
            _ => false,
        };
        self.refusals = if not_taken { self.refusals + 1 } else { 0 };
        let crowd = self.refusals >= CROWD;
        self.pulse.suspicion = Some(if crowd {
            Suspicion::Crowd
        } else {
            Suspicion::One
        });
    }

    /// What is known may not be any more (other credentials, a thaw): everything is asked again.
    pub fn ask_again(&mut self, now: Instant) -> Vec<Order> {
        let mut orders = Vec::new();
        for query in 0..self.queries.len() {
            if let Phase::Waiting { .. } = self.queries[query].phase {
                self.queries[query].restart(now);
                self.schedule_query(query);
            }
        }
        self.settle(now, &mut orders);
        orders
    }

    /// Does what is due at `now`. Afterwards the next deadline is none, or later than `now`.
    pub fn on_time(&mut self, now: Instant) -> Vec<Order> {
        let mut orders = Vec::new();
        self.settle(now, &mut orders);
        orders
    }

    /// Does what is due and possible.
    pub(super) fn settle(&mut self, now: Instant, orders: &mut Vec<Order>) {
        let due = self.deadlines.iter().take_while(|(at, _)| *at <= now);
        let due: Vec<Timer> = due.map(|(_, timer)| *timer).collect();
        for timer in due {
            self.set_timer(timer, None);
            match timer {
                Timer::Query(query) => self.make_ready(query),
                Timer::Hold(watch) => self.publish(watch, orders),
                Timer::Pulse => {}
                Timer::Room => self.regrow(now),
            }
        }
        self.ask_ready(now, orders);
        self.send_pulse(now, orders);
        self.schedule_pulse();
    }

    fn regrow(&mut self, now: Instant) {
        self.room = (self.room + 1).max(self.room * 4 / 3).min(self.whole_room);
        let more = self.room < self.whole_room;
        self.set_timer(Timer::Room, more.then(|| later(now, REGROWTH)));
    }

    pub(super) fn make_ready(&mut self, query: usize) {
        self.queries[query].phase = Phase::Ready;
        self.ready.push_back(query);
    }

    fn ask_ready(&mut self, now: Instant, orders: &mut Vec<Order>) {
        if self.pulse.away.is_some() {
            return;
        }
        let subjects = self.queries.len();
        let take_turns = subjects > self.room;
        let share = take_turns.then(|| (small(self.room), small(subjects)));
        while self.asked.len() < self.room {
            let Some(index) = self.ready.pop_front() else {
                return;
            };
            let id = self.next_id();
            let query = &mut self.queries[index];
            let mode = query.ask(id, now, share);
            let subject = query.subject.clone();
            self.asked.insert(id, index);
            let question = Question { subject, mode };
            orders.push(Order::Ask { id, question });
        }
    }

    pub(super) fn next_id(&mut self) -> AskId {
        let id = self.next_ask;
        self.next_ask.0 += 1;
        id
    }

    pub(super) fn schedule_query(&mut self, query: usize) {
        let at = match self.queries[query].phase {
            Phase::Waiting { until } => Some(until),
            Phase::Ready | Phase::Asked { .. } => None,
        };
        self.set_timer(Timer::Query(query), at);
    }

    pub(super) fn set_timer(&mut self, timer: Timer, at: Option<Instant>) {
        let old = match at {
            Some(at) => self.scheduled.insert(timer, at),
            None => self.scheduled.remove(&timer),
        };
        if old == at {
            return;
        }
        if let Some(old) = old {
            self.deadlines.remove(&(old, timer));
        }
        if let Some(at) = at {
            self.deadlines.insert((at, timer));
        }
    }

    /// A subject's finding has changed: its watches publish that, or wait for quiet first.
    fn on_seen(&mut self, query: usize, now: Instant, orders: &mut Vec<Order>) {
        for id in self.queries[query].watches.clone() {
            let Some(watch) = self.all.get_mut(&id) else {
                continue;
            };
            let held = watch.spec.debounce.filter(|_| watch.shown.is_some());
            let Some(debounce) = held else {
                self.publish(id, orders);
                continue;
            };
            let at_latest = *watch
                .held_until
                .get_or_insert_with(|| later(now, debounce.max));
            let until = later(now, debounce.min).min(at_latest);
            self.set_timer(Timer::Hold(id), Some(until));
        }
    }

    /// Publishes what is new for a watch: `changed`, then how it stands now.
    pub(super) fn publish(&mut self, id: WatchId, orders: &mut Vec<Order>) {
        let Some(watch) = self.all.get_mut(&id) else {
            return;
        };
        watch.held_until = None;
        let Some(seen) = self.queries[watch.query].seen.clone() else {
            return;
        };
        if watch.shown.as_ref() == Some(&seen) {
            return;
        }
        // Nothing from the beginning is no change, but somebody may wait to hear that there is nothing.
        let is_change = watch.shown.is_some() || !seen.is_empty();
        let state = if is_healthy(&seen) {
            EventCode::Healthy
        } else {
            EventCode::Unhealthy
        };
        watch.shown_before = watch.shown.replace(seen);
        let codes = is_change.then_some(EventCode::Changed);
        for code in codes.into_iter().chain([state]) {
            let source = Source::Watch(id);
            orders.push(Order::Publish(PublicEvent { code, source }));
        }
    }
}

/// Whether a watch that found this is healthy: somebody can be asked, or the key is there.
fn is_healthy(found: &Found) -> bool {
    match found {
        Found::Instances(instances) => instances
            .iter()
            .any(|instance| instance.health == CheckStatus::Passing),
        Found::Entries(entries) => !entries.is_empty(),
    }
}

/// Numbers of watches and places are far below this limit: the configuration bounds them.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
