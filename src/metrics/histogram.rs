//! Values counted by size.

use super::exposition::{Family, whole};

/// Counts of values by upper bound, with their sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Finite and ascending.
    bounds: Vec<f64>,
    /// One more than there are bounds: the last is for what is above all of them.
    counts: Vec<u64>,
    sum: f64,
    negative: bool,
}

impl Histogram {
    /// `bounds`: finite, ascending.
    #[must_use]
    pub fn new(bounds: &[f64]) -> Histogram {
        Histogram {
            bounds: bounds.to_vec(),
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
            negative: false,
        }
    }

    /// Whether the sum could take this value.
    #[must_use]
    pub fn takes(&self, value: f64) -> bool {
        (self.sum + value).is_finite()
    }

    /// Counts a value; one that it does not [take](Histogram::takes) changes nothing.
    pub fn observe(&mut self, value: f64) {
        if !self.takes(value) {
            return;
        }
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
        self.negative |= value < 0.0;
    }

    /// Writes its series.
    pub fn write(&self, family: &mut Family<'_>, labels: &[(&str, &str)]) {
        let mut below = 0;
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        for (bound, count) in bounds.zip(&self.counts) {
            below += count;
            family.numbered("_bucket", labels, ("le", bound), whole(below));
        }
        family.totals(labels, self.sum, below, self.negative);
    }
}
