//! Quantiles of many values in little memory.
//!
//! Up to [`EXACT`] values the answer is exact. Beyond that the values are merged (Cormode, Korn, Muthukrishnan,
//! Srivastava: "Effective computation of biased quantiles over data streams"): the rank of what is answered for a quantile
//! differs from the true one by at most a tenth of what is above it, as in the original: 0.5 ± 0.05, 0.9 ± 0.01,
//! 0.99 ± 0.001 (spec 8.3).

/// So many values are kept as they are before they are merged.
const EXACT: usize = 500;

/// A stream of values.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    targets: Vec<f64>,
    /// Values that are not merged yet.
    recent: Vec<f64>,
    /// Ascending.
    merged: Vec<Mark>,
    /// How many values `merged` stands for.
    count: f64,
}

/// A value that stands for others near it.
#[derive(Clone, Copy, Debug)]
struct Mark {
    value: f64,
    /// How many values it stands for, itself included.
    width: f64,
    /// By how much its rank may be higher.
    slack: f64,
}

impl Stream {
    /// For these quantiles, each above 0 and below 1.
    pub(super) fn new(targets: &[f64]) -> Stream {
        Stream {
            targets: targets.to_vec(),
            recent: Vec::new(),
            merged: Vec::new(),
            count: 0.0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.recent = Vec::new();
        self.merged = Vec::new();
        self.count = 0.0;
    }

    /// Takes a finite value.
    pub(super) fn push(&mut self, value: f64) {
        self.recent.push(value);
        if self.recent.len() >= EXACT {
            self.merge();
        }
    }

    /// The value with this share of all values at or below it; not a number without any.
    pub(super) fn quantile(&mut self, share: f64) -> f64 {
        if self.merged.is_empty() {
            self.recent.sort_unstable_by(f64::total_cmp);
            return self.exact(share);
        }
        self.merge();
        let rank = (share * self.count).ceil();
        let mut best = (f64::INFINITY, f64::NAN);
        let mut below = 0.0;
        for mark in &self.merged {
            below += mark.width;
            let error = (rank - below).max(below + mark.slack - rank);
            if error < best.0 {
                best = (error, mark.value);
            }
        }
        best.1
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rank among a few hundred values, from 1"
    )]
    fn exact(&self, share: f64) -> f64 {
        let rank = (share * self.recent.len() as f64).ceil() as usize;
        let value = self.recent.get(rank.saturating_sub(1));
        value.copied().unwrap_or(f64::NAN)
    }

    /// By how much the rank of a mark at `rank` may be uncertain. A mark that begins below a target may reach over it, so
    /// only four fifths of the error are used.
    fn allowance(&self, rank: f64) -> f64 {
        let allowed = self.targets.iter().map(|target| {
            let error = (1.0 - target) / 12.5;
            if target * self.count <= rank {
                2.0 * error * rank / target
            } else {
                2.0 * error * (self.count - rank) / (1.0 - target)
            }
        });
        allowed.fold(f64::INFINITY, f64::min)
    }

    fn merge(&mut self) {
        let mut recent = std::mem::take(&mut self.recent);
        recent.sort_unstable_by(f64::total_cmp);
        let old = std::mem::take(&mut self.merged);
        let mut merged = Vec::with_capacity(old.len() + recent.len());
        let mut old = old.into_iter().peekable();
        for value in recent {
            while let Some(mark) = old.next_if(|mark| mark.value <= value) {
                merged.push(mark);
            }
            // Its rank is at most the highest of the next one. The first and the last are known exactly.
            let next = old.peek().filter(|_| !merged.is_empty());
            let slack = next.map_or(0.0, |next: &Mark| next.width + next.slack - 1.0);
            let width = 1.0;
            merged.push(Mark {
                value,
                width,
                slack,
            });
            self.count += 1.0;
        }
        merged.extend(old);
        self.merged = self.compressed(merged);
    }

    /// Merges neighbours as far as what is asked for allows.
    fn compressed(&self, marks: Vec<Mark>) -> Vec<Mark> {
        let mut marks = marks.into_iter().rev();
        let Some(mut last) = marks.next() else {
            return Vec::new();
        };
        let mut kept = Vec::new();
        let mut rank = self.count - last.width;
        for mark in marks {
            rank -= mark.width;
            if mark.width + last.width + last.slack <= self.allowance(rank) {
                last.width += mark.width;
            } else {
                kept.push(last);
                last = mark;
            }
        }
        kept.push(last);
        kept.reverse();
        kept
    }

    /// How many values are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.merged.len() + self.recent.len()
    }
}
