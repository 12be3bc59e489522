//! The metrics of the application.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use super::exposition::{Exposition, Type};
use super::histogram::Histogram;
use super::spec::{MetricKind, MetricSpec};
use super::summary::Summary;

/// The metrics that a configuration names. Their number never grows: what has another name is refused (K05).
#[derive(Debug, Default)]
pub struct Registry {
    all: Vec<Metric>,
    /// By the exposed name, and by the one that the original wanted (D19). Where both are taken the exposed one counts.
    names: HashMap<String, usize>,
}

#[derive(Debug)]
struct Metric {
    spec: MetricSpec,
    name: String,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Counter(f64),
    Gauge(f64),
    Histogram(Histogram),
    Summary(Box<Summary>),
}

/// Why a value was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No metric has this name.
    #[error("cannot record {0}: `telemetry.metrics` has no metric of this name")]
    Unknown(Shown),
    /// What is no number, or has no end, would spoil what is recorded for ever.
    #[error("cannot record {0}: its value is not a finite number")]
    NotFinite(Shown),
    /// A counter only grows (D18).
    #[error("cannot record {0}: a counter takes no value below zero")]
    Negative(Shown),
    /// The sum would have no end.
    #[error("cannot record {0}: its value is too large for the sum")]
    TooLarge(Shown),
}

/// A name as a message shows it: short, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    const LENGTH: usize = 60;

    fn of(name: &str) -> Shown {
        let mut shown: String = name.chars().take(Self::LENGTH).collect();
        if shown.len() < name.len() {
            shown.push('…');
        }
        Shown(shown)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.0)
    }
}

impl Registry {
    /// The metrics of a configuration, all at their beginning. Their exposed names differ.
    #[must_use]
    pub fn new(specs: &[MetricSpec], now: Instant) -> Registry {
        let all: Vec<Metric> = specs.iter().map(|spec| Metric::new(spec, now)).collect();
        let mut names = HashMap::new();
        for (index, metric) in all.iter().enumerate() {
            names.insert(metric.name.clone(), index);
        }
        for (index, metric) in all.iter().enumerate() {
            names.entry(metric.spec.posted_name()).or_insert(index);
        }
        Registry { all, names }
    }

    /// Follows another configuration: what is of the same kind and name goes on, the rest begins anew or goes (D49).
    pub fn follow(&mut self, specs: &[MetricSpec], now: Instant) {
        let mut next = Registry::new(specs, now);
        for old in std::mem::take(&mut self.all) {
            let same = next.all.iter_mut().find(|new| new.name == old.name);
            if let Some(new) = same.filter(|new| new.spec.kind == old.spec.kind) {
                new.value = old.value;
            }
        }
        *self = next;
    }

    /// The exposed names.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.all.iter().map(|metric| metric.name.clone())
    }

    /// Records values under their names, all of them or none.
    ///
    /// # Errors
    ///
    /// The first reason against it.
    pub fn record(&mut self, values: &[(String, f64)], now: Instant) -> Result<(), Refusal> {
        let mut found = Vec::with_capacity(values.len());
        for (name, value) in values {
            let index = self.names.get(name).copied();
            let index = index.ok_or_else(|| Refusal::Unknown(Shown::of(name)))?;
            self.all[index].check(name, *value)?;
            found.push((index, *value));
        }
        for (index, value) in found {
            self.all[index].record(value, now);
        }
        Ok(())
    }

    /// Writes all of them.
    pub fn write(&mut self, exposition: &mut Exposition, now: Instant) {
        for metric in &mut self.all {
            metric.write(exposition, now);
        }
    }
}

impl Metric {
    fn new(spec: &MetricSpec, now: Instant) -> Metric {
        let value = match &spec.kind {
            MetricKind::Counter => Value::Counter(0.0),
            MetricKind::Gauge => Value::Gauge(0.0),
            MetricKind::Histogram { buckets } => Value::Histogram(Histogram::new(buckets)),
            MetricKind::Summary { quantiles } => {
                Value::Summary(Box::new(Summary::new(quantiles, now)))
            }
        };
        Metric {
            name: spec.full_name(),
            spec: spec.clone(),
            value,
        }
    }

    fn check(&self, name: &str, value: f64) -> Result<(), Refusal> {
        if !value.is_finite() {
            return Err(Refusal::NotFinite(Shown::of(name)));
        }
        let takes = match &self.value {
            Value::Counter(_) if value < 0.0 => return Err(Refusal::Negative(Shown::of(name))),
            Value::Counter(sum) => (sum + value).is_finite(),
            Value::Gauge(_) => true,
            Value::Histogram(histogram) => histogram.takes(value),
            Value::Summary(summary) => summary.takes(value),
        };
        let too_large = || Refusal::TooLarge(Shown::of(name));
        takes.then_some(()).ok_or_else(too_large)
    }

    fn record(&mut self, value: f64, now: Instant) {
        match &mut self.value {
            // Two values of one request may each fit and not both.
            Value::Counter(sum) if (*sum + value).is_finite() => *sum += value,
            Value::Counter(_) => {}
            Value::Gauge(gauge) => *gauge = value,
            Value::Histogram(histogram) => histogram.observe(value),
            Value::Summary(summary) => summary.observe(value, now),
        }
    }

    fn write(&mut self, exposition: &mut Exposition, now: Instant) {
        let kind = match &self.value {
            Value::Counter(_) => Type::Counter,
            Value::Gauge(_) => Type::Gauge,
            Value::Histogram(_) => Type::Histogram,
            Value::Summary(_) => Type::Summary,
        };
        let mut family = exposition.family(&self.name, kind, &self.spec.help);
        match &mut self.value {
            Value::Counter(value) | Value::Gauge(value) => family.sample(&[], *value),
            Value::Histogram(histogram) => histogram.write(&mut family, &[]),
            Value::Summary(summary) => summary.write(&mut family, now),
        }
    }
}
