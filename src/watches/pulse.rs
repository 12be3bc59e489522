//! Whether the server works: the pulse, and what follows from it for the questions.
//!
//! A standing question proves nothing about a server that has fallen silent, so when nothing was heard for the shortest
//! interval, a *pulse* asks whether the catalogue works. While it does not, only the pulse is tried again; once it does,
//! everything is asked anew.

use std::time::{Duration, Instant};

use super::machine::{REGROWTH, Timer, Watches};
use super::order::{AskId, Note, Order};
use super::query::{Phase, Query};
use super::question::Mode;
use crate::events::{Failure, Retry, later};

/// Bounds of the time without any news after which a pulse is sent, and of the longest wait for another one.
const PULSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The least number of questions that stand at once, however crowded the server is.
const LEAST_ROOM: usize = 4;

/// After an outage questions are spread over so much time, so that a thousand programs do not ask at once (C14).
const RETURN: Duration = Duration::from_millis(200);

/// What is known of the server beside its answers.
#[derive(Debug)]
pub(super) struct Pulse {
    every: Duration,
    /// When something was heard of the server last.
    pub(super) heard: Instant,
    under_way: Option<AskId>,
    /// A question failed and it is not known yet whether only that one did.
    pub(super) suspicion: Option<Suspicion>,
    /// The server does not work; when it is asked next.
    pub(super) away: Option<Instant>,
    retry: Retry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// Of one question alone.
    One,
    /// The connection was not taken though others stand: there may be too many.
    Crowd,
}

impl Pulse {
    /// Of a server of which nothing is known.
    pub(super) fn new(queries: &[Query], now: Instant) -> Pulse {
        Pulse {
            every: pulse_of(queries),
            heard: now,
            under_way: None,
            suspicion: None,
            away: None,
            retry: Retry::default(),
        }
    }

    /// Other questions are asked from now on.
    pub(super) fn adopt(&mut self, queries: &[Query]) {
        self.every = pulse_of(queries);
    }
}

impl Watches {
    /// Something else has heard of the server, which then needs no pulse.
    pub fn on_heard(&mut self, now: Instant) {
        self.pulse.heard = now;
        self.schedule_pulse();
    }

    /// Takes what came of a pulse.
    pub fn on_pulse(&mut self, id: AskId, failure: Option<&Failure>, now: Instant) -> Vec<Order> {
        let mut orders = Vec::new();
        if self.pulse.under_way != Some(id) {
            return orders;
        }
        self.pulse.under_way = None;
        let suspicion = self.pulse.suspicion.take();
        // What answers works; what it refuses to tell is another matter.
        match failure {
            Some(failure) if failure.is_outage() => self.on_away(now, &mut orders),
            _ => self.on_well(suspicion, now, &mut orders),
        }
        self.settle(now, &mut orders);
        orders
    }

    fn on_well(&mut self, suspicion: Option<Suspicion>, now: Instant, orders: &mut Vec<Order>) {
        self.pulse.heard = now;
        self.pulse.retry.reset();
        if self.pulse.away.take().is_some() {
            for query in 0..self.queries.len() {
                let spread = self.jitter.within(RETURN).saturating_sub(RETURN / 2);
                self.queries[query].restart(later(now, spread));
                self.schedule_query(query);
            }
            self.ready.clear();
        } else if suspicion == Some(Suspicion::Crowd) {
            let room = (self.asked.len() * 3 / 4).max(LEAST_ROOM);
            self.refusals = 0;
            if room < self.room {
                self.room = room;
                self.set_timer(Timer::Room, Some(later(now, REGROWTH)));
                if !self.crowded {
                    orders.push(Order::Report(Note::Crowded { room }));
                }
                self.crowded = true;
            }
        }
    }

    /// The server does not work: standing questions will not be answered, and more of them would not be either.
    fn on_away(&mut self, now: Instant, orders: &mut Vec<Order>) {
        let delay = self
            .pulse
            .retry
            .after_failure(self.pulse.every, &mut self.jitter);
        self.pulse.away = Some(later(now, delay));
        for (id, query) in std::mem::take(&mut self.asked) {
            orders.push(Order::Abandon(id));
            self.queries[query].restart(now);
            self.schedule_query(query);
        }
    }

    pub(super) fn send_pulse(&mut self, now: Instant, orders: &mut Vec<Order>) {
        if self.pulse.under_way.is_none() && self.pulse_due().is_some_and(|at| at <= now) {
            let id = self.next_id();
            self.pulse.under_way = Some(id);
            orders.push(Order::Pulse(id));
        }
    }

    fn pulse_due(&self) -> Option<Instant> {
        if self.queries.is_empty() {
            return None;
        }
        if let Some(at) = self.pulse.away {
            return Some(at);
        }
        if self.pulse.suspicion.is_some() {
            return Some(self.pulse.heard);
        }
        // Without a standing question every answer is fresh.
        let stands = self.asked.values().any(|query| {
            let phase = self.queries[*query].phase;
            matches!(
                phase,
                Phase::Asked {
                    mode: Mode::Change { .. },
                    ..
                }
            )
        });
        stands.then(|| later(self.pulse.heard, self.pulse.every))
    }

    pub(super) fn schedule_pulse(&mut self) {
        let at = self.pulse_due().filter(|_| self.pulse.under_way.is_none());
        self.set_timer(Timer::Pulse, at);
    }
}

/// How long nothing may be heard of the server: the shortest interval.
fn pulse_of(queries: &[Query]) -> Duration {
    let shortest = queries.iter().map(|query| query.interval).min();
    shortest.unwrap_or(PULSE.1).clamp(PULSE.0, PULSE.1)
}
