//! A reload: what is watched as before goes on, with its question, its index and what it has shown.

use std::collections::BTreeMap;
use std::time::Instant;

use super::machine::{Timer, Watch, Watches};
use super::order::{Note, Order};
use super::query::Query;
use super::question::Subject;
use super::spec::WatchSpec;
use crate::events::WatchId;

/// The watches of a configuration, and the questions that they share.
pub(super) fn arranged(
    specs: Vec<(WatchId, WatchSpec)>,
    now: Instant,
) -> (BTreeMap<WatchId, Watch>, Vec<Query>) {
    let mut queries: Vec<Query> = Vec::new();
    let mut known: BTreeMap<Subject, usize> = BTreeMap::new();
    let mut watches = BTreeMap::new();
    for (id, spec) in specs {
        let query = *known.entry(spec.subject.clone()).or_insert_with(|| {
            queries.push(Query::new(spec.subject.clone(), spec.interval, now));
            queries.len() - 1
        });
        queries[query].watches.push(id);
        queries[query].interval = queries[query].interval.min(spec.interval);
        watches.insert(id, Watch::new(spec, query));
    }
    (watches, queries)
}

impl Watches {
    /// Takes the watches of another configuration of the same catalogue. What is new is asked for at once, or told at once
    /// where it is known already.
    pub fn change(&mut self, specs: Vec<(WatchId, WatchSpec)>, now: Instant) -> Vec<Order> {
        let (all, queries) = arranged(specs, now);
        let mut old_queries = std::mem::replace(&mut self.queries, queries);
        let old = std::mem::replace(&mut self.all, all);
        for (id, watch) in &mut self.all {
            if let Some(old) = old.get(id) {
                watch.follow(old);
            }
        }
        let places: BTreeMap<Subject, usize> = (0..)
            .zip(&old_queries)
            .map(|(place, query)| (query.subject.clone(), place))
            .collect();
        let mut moved = BTreeMap::new();
        let mut fresh = Vec::new();
        for (place, query) in self.queries.iter_mut().enumerate() {
            match places.get(&query.subject) {
                Some(before) => {
                    query.follow(&mut old_queries[*before]);
                    moved.insert(*before, place);
                }
                None => fresh.push(place),
            }
        }
        let mut orders = Vec::new();
        for (id, before) in std::mem::take(&mut self.asked) {
            match moved.get(&before) {
                Some(place) => {
                    self.asked.insert(id, *place);
                }
                None => orders.push(Order::Abandon(id)),
            }
        }
        let ready = std::mem::take(&mut self.ready).into_iter();
        self.ready = ready
            .filter_map(|before| moved.get(&before).copied())
            .collect();
        for place in fresh {
            self.make_ready(place);
        }
        self.pulse.adopt(&self.queries);
        self.plan_anew();
        if self.queries.len() > self.room && old_queries.len() <= self.room {
            let (subjects, room) = (self.queries.len(), self.room);
            orders.push(Order::Report(Note::TakingTurns { subjects, room }));
        }
        let unheard = self.all.iter().filter(|(_, watch)| watch.shown.is_none());
        let unheard: Vec<WatchId> = unheard.map(|(id, _)| *id).collect();
        for watch in unheard {
            self.publish(watch, &mut orders);
        }
        self.settle(now, &mut orders);
        orders
    }

    /// Takes over what the watches of another catalogue have shown, so that only what is otherwise here counts as a change.
    pub fn remember(&mut self, earlier: &Watches) {
        for (id, watch) in &mut self.all {
            if let Some(old) = earlier.all.get(id) {
                watch.follow(old);
                watch.held_until = None;
            }
        }
    }

    /// The timers of other questions and watches than before.
    fn plan_anew(&mut self) {
        let held = |timer: &Timer| match timer {
            Timer::Hold(watch) => self
                .all
                .get(watch)
                .is_some_and(|watch| watch.held_until.is_some()),
            Timer::Query(_) => false,
            Timer::Pulse | Timer::Room => true,
        };
        let gone: Vec<Timer> = self.scheduled.keys().copied().collect();
        let gone: Vec<Timer> = gone.into_iter().filter(|timer| !held(timer)).collect();
        for timer in gone {
            self.set_timer(timer, None);
        }
        for query in 0..self.queries.len() {
            self.schedule_query(query);
        }
    }
}

impl Watch {
    fn follow(&mut self, before: &Watch) {
        if self.spec.subject == before.spec.subject {
            self.shown.clone_from(&before.shown);
            self.shown_before.clone_from(&before.shown_before);
            self.held_until = before.held_until.filter(|_| self.spec.debounce.is_some());
        }
    }
}
