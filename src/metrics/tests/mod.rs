use super::*;

mod counts;
mod exposition;
mod quantiles;
mod registry;

use std::time::{Duration, Instant};

/// What a registry comes to in a format.
fn text(registry: &mut Registry, format: Format, now: Instant) -> String {
    let mut exposition = Exposition::new(format);
    registry.write(&mut exposition, now);
    exposition.finish()
}

fn metric(name: &str, kind: MetricKind) -> MetricSpec {
    MetricSpec {
        namespace: String::new(),
        subsystem: String::new(),
        name: name.to_owned(),
        help: format!("help of {name}"),
        kind,
    }
}

fn histogram() -> MetricKind {
    MetricKind::Histogram {
        buckets: MetricKind::BUCKETS.to_vec(),
    }
}

fn summary() -> MetricKind {
    MetricKind::Summary {
        quantiles: MetricKind::QUANTILES.to_vec(),
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
