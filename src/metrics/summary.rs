//! Quantiles of the last ten minutes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::exposition::Family;
use super::quantiles::Stream;

/// How far the window reaches, and in how many steps it moves (spec 8.3).
const WINDOW: Duration = Duration::from_mins(10);
const STEPS: u32 = 5;

/// Quantiles over a window that moves, with the sum and the count of all values.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    quantiles: Vec<f64>,
    /// Oldest first: each has all values since it was last emptied, one step after the one before it.
    streams: VecDeque<Stream>,
    /// When the oldest is emptied.
    step: Instant,
    sum: f64,
    count: u64,
    negative: bool,
}

impl Summary {
    pub(super) fn new(quantiles: &[f64], now: Instant) -> Summary {
        Summary {
            quantiles: quantiles.to_vec(),
            streams: (0..STEPS).map(|_| Stream::new(quantiles)).collect(),
            step: now + WINDOW / STEPS,
            sum: 0.0,
            count: 0,
            negative: false,
        }
    }

    pub(super) fn takes(&self, value: f64) -> bool {
        (self.sum + value).is_finite()
    }

    /// Takes a value; one that it does not [take](Summary::takes) changes nothing.
    pub(super) fn observe(&mut self, value: f64, now: Instant) {
        if !self.takes(value) {
            return;
        }
        self.age(now);
        for stream in &mut self.streams {
            stream.push(value);
        }
        self.sum += value;
        self.count += 1;
        self.negative |= value < 0.0;
    }

    pub(super) fn write(&mut self, family: &mut Family<'_>, now: Instant) {
        self.age(now);
        for share in &self.quantiles {
            let oldest = self.streams.front_mut();
            let value = oldest.map_or(f64::NAN, |stream| stream.quantile(*share));
            family.numbered("", &[], ("quantile", *share), value);
        }
        family.totals(&[], self.sum, self.count, self.negative);
    }

    /// Moves the window.
    fn age(&mut self, now: Instant) {
        for _ in 0..STEPS {
            if now < self.step {
                return;
            }
            self.streams.rotate_left(1);
            if let Some(newest) = self.streams.back_mut() {
                newest.clear();
            }
            self.step += WINDOW / STEPS;
        }
        // Everything is empty: how long nobody looked makes no difference.
        if now >= self.step {
            self.step = now + WINDOW / STEPS;
        }
    }
}
