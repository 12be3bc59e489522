//! How often was asked for what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The paths that exist: what else clients ask for is not counted, as in the original, so that nobody can make the counts
/// grow.
const PATHS: [&str; 9] = [
    "/v3/ping",
    "/v3/reload",
    "/v3/environ",
    "/v3/env",
    "/v3/metric",
    "/v3/maintenance/enable",
    "/v3/maintenance/disable",
    "/api/v1/health",
    "/api/v1/version",
];

/// Counts of requests by path and status. Clones are the same counts. Locked for the moment of one number.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<Mutex<BTreeMap<(&'static str, u16), u64>>>);

impl Requests {
    pub(super) fn count(&self, path: &str, status: u16) {
        if let Some(path) = PATHS.iter().find(|known| **known == path) {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry((path, status)).or_default() += 1;
        }
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, u16, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = counts.iter();
        counts
            .map(|((path, status), count)| (*path, *status, *count))
            .collect()
    }
}
