//! Metrics: what is counted and measured, and the text in which others read it.
//!
//! The room is pure: it knows no clock, server or process. The supervisor's loop owns what is counted and tells it what
//! happened; a scrape is one text, written by the loop from what it owns.
//!
//! | file | what |
//! | --- | --- |
//! | `spec.rs` | what a metric of the application is |
//! | `registry.rs` | the application's metrics, and which values they refuse (D18, D19, K05) |
//! | `histogram.rs`, `summary.rs`, `quantiles.rs` | values by size; quantiles over ten minutes |
//! | `counts.rs`, `job.rs`, `tally.rs` | what the program counts of itself |
//! | `scrape.rs` | that, and what is so at the moment, as series |
//! | `own.rs` | the names of those |
//! | `exposition.rs`, `number.rs` | Prometheus text and `OpenMetrics` |
//!
//! Why no library: of those that are kept up, `prometheus-client` writes `OpenMetrics` only, appends `_total` to the
//! original's counters and has no summary; `prometheus` has no summary either; the exporter of `metrics` keeps the
//! quantiles of the newest values only, and brings 45 crates. Names and quantiles here are promises to those who come
//! from `ContainerPilot`.

mod counts;
mod exposition;
mod histogram;
mod job;
mod number;
mod own;
mod quantiles;
mod registry;
mod scrape;
mod spec;
mod summary;
mod tally;

#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use exposition::{Exposition, Family, Format, Type, whole};
pub use histogram::Histogram;
pub use own::is_own;
pub use registry::{Refusal, Registry, Shown};
pub use scrape::{Present, PresentJob, PresentWatch, Usage};
pub use spec::{MetricKind, MetricSpec};
