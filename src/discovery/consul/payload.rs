//! What is sent: the bodies of requests (spec 6.3).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::events::Failure;
use crate::services::{CheckStatus, Registration, Weights};

/// How much of a check's output is sent, in bytes; Consul keeps 4 KiB by default.
const OUTPUT: usize = 4096;

/// A service with its check, in the original's order of fields.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Service<'r> {
    #[serde(rename = "ID")]
    id: &'r str,
    name: &'r str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'r [String],
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'r str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enable_tag_override: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    meta: &'r BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<ShareOfRequests>,
    check: Check<'r>,
    /// The original's client wrote it.
    checks: (),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShareOfRequests {
    passing: u16,
    warning: u16,
}

impl From<Weights> for ShareOfRequests {
    fn from(weights: Weights) -> ShareOfRequests {
        ShareOfRequests {
            passing: weights.passing,
            warning: weights.warning,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Check<'r> {
    #[serde(rename = "CheckID", skip_serializing_if = "Option::is_none")]
    id: Option<&'r str>,
    #[serde(rename = "TTL")]
    ttl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deregister_critical_service_after: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Update<'u> {
    status: &'static str,
    output: &'u str,
}

/// The body of a registration. `status` is what the check starts with; without one, Consul says critical.
pub(super) fn registration(
    registration: &Registration,
    status: Option<CheckStatus>,
) -> Result<Vec<u8>, Failure> {
    json(&Service {
        id: &registration.id,
        name: &registration.name,
        tags: &registration.tags,
        port: registration.port,
        address: registration.address.as_deref().filter(|a| !a.is_empty()),
        enable_tag_override: registration.enable_tag_override,
        meta: &registration.meta,
        weights: registration.weights.map(Into::into),
        check: Check {
            id: registration.plain_check_id.then_some(&registration.id),
            ttl: go_duration(registration.ttl),
            status: status.map(CheckStatus::name),
            notes: registration.notes(),
            deregister_critical_service_after: registration
                .deregister_critical_after
                .map(go_duration),
        },
        checks: (),
    })
}

/// The body of a heartbeat.
pub(super) fn update(status: CheckStatus, output: &str) -> Result<Vec<u8>, Failure> {
    json(&Update {
        status: status.name(),
        output: &output[..output.floor_char_boundary(OUTPUT)],
    })
}

/// What is above can always be written; were it otherwise, no second attempt would help.
fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let unwritten = |error| format!("cannot write what Consul is to be told: {error}");
    serde_json::to_vec(value).map_err(|error| Failure::Rejected(unwritten(error)))
}

/// A length of time as Go reads it: in seconds where they are whole, as the original wrote them, else in milliseconds.
/// Never less than it is, and never 0, which Consul takes for none.
pub(super) fn go_duration(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 && duration.as_secs() > 0 {
        return format!("{}s", duration.as_secs());
    }
    let millis = duration.as_nanos().div_ceil(1_000_000).max(1);
    format!("{millis}ms")
}
