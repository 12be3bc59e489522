//! Telemetry of one configuration: what is recorded and counted. Without a `telemetry` block there is none, and nothing is
//! counted.

use std::time::Instant;

use super::app::App;
use crate::config::Config;
use crate::metrics::Registry;

/// What the loop counts and records.
#[derive(Debug)]
pub(super) struct Telemetry {
    registry: Registry,
}

impl Telemetry {
    /// What a configuration asks for.
    pub(super) fn of(config: &Config) -> Option<Box<Telemetry>> {
        let settings = config.telemetry.as_ref()?;
        Some(Box::new(Telemetry {
            registry: Registry::new(&settings.metrics, Instant::now()),
        }))
    }
}

impl App {
    /// Records values of the application's metrics, all or none. Without telemetry nobody would read them: they are
    /// dropped, as in the original.
    pub(super) fn record(&mut self, values: &[(String, f64)]) -> Result<(), String> {
        let Some(telemetry) = &mut self.telemetry else {
            tracing::debug!(
                "{} metric values are dropped: there is no telemetry",
                values.len()
            );
            return Ok(());
        };
        let recorded = telemetry.registry.record(values, Instant::now());
        recorded.map_err(|refusal| refusal.to_string())
    }
}
