//! What a metric of the application is.

/// One metric that the application records.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSpec {
    /// The three parts of its name; each may be empty, not all of them.
    pub namespace: String,
    pub subsystem: String,
    pub name: String,
    /// What it says, for people; not empty.
    pub help: String,
    pub kind: MetricKind,
}

/// What becomes of a value that is recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricKind {
    /// It is added.
    Counter,
    /// It replaces the last one.
    Gauge,
    /// It is counted by size.
    Histogram {
        /// Upper bounds, finite and ascending. A last one without a bound is always there.
        buckets: Vec<f64>,
    },
    /// It is one of many whose order is looked at.
    Summary {
        /// The shares of values below what is shown: above 0, below 1, ascending.
        quantiles: Vec<f64>,
    },
}

impl MetricKind {
    /// The buckets of a histogram that names none (spec 8.3).
    pub const BUCKETS: [f64; 11] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];

    /// The quantiles of a summary that names none (spec 8.3).
    pub const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];
}

impl MetricSpec {
    /// The exposed name: the parts that are not empty, joined by `_`.
    #[must_use]
    pub fn full_name(&self) -> String {
        let parts = [&self.namespace, &self.subsystem, &self.name];
        let parts: Vec<&str> = parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect();
        parts.join("_")
    }

    /// The name that the original wanted values to be posted under: all three parts, joined by `_` (D19).
    #[must_use]
    pub fn posted_name(&self) -> String {
        [
            self.namespace.as_str(),
            self.subsystem.as_str(),
            self.name.as_str(),
        ]
        .join("_")
    }
}
