//! What comes back: from JSON to the values of the pure rooms.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

use crate::services::{CheckStatus, Registered, Weights};
use crate::watches::{Entry, Found, Instance, Target};

/// Values are kept while all of an answer's together have at most this many bytes.
const KEPT_VALUES: usize = 1 << 20;

/// Go writes `null` for a list or a map with nothing in it.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthEntry {
    node: Node,
    service: Service,
    #[serde(default, deserialize_with = "nullable")]
    checks: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    node: String,
    #[serde(default)]
    address: String,
}

/// A service, of the health endpoint and of the agent's alike.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    #[serde(rename = "Service")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    tags: Vec<String>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    port: i64,
    #[serde(default, deserialize_with = "nullable")]
    meta: BTreeMap<String, String>,
    #[serde(default)]
    weights: Option<ShareOfRequests>,
    #[serde(default)]
    enable_tag_override: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShareOfRequests {
    passing: i64,
    warning: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyEntry<'a> {
    key: String,
    #[serde(default)]
    flags: u64,
    /// In base64, which JSON has no reason to escape; but it may.
    #[serde(borrow, default)]
    value: Option<std::borrow::Cow<'a, str>>,
}

/// What the agent says stands there.
pub(super) fn registered(body: &[u8]) -> Result<Registered, String> {
    let service: Service = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let weights = service.weights.and_then(|weights| {
        Some(Weights {
            passing: weights.passing.try_into().ok()?,
            warning: weights.warning.try_into().ok()?,
        })
    });
    Ok(Registered {
        name: service.name,
        tags: service.tags,
        address: service.address,
        port: port(service.port),
        meta: service.meta,
        weights,
        enable_tag_override: service.enable_tag_override,
    })
}

/// What was found for a question.
pub(super) fn found(target: &Target, body: &[u8]) -> Result<Found, String> {
    match target {
        Target::Service {
            tags, passing_only, ..
        } => instances(body, tags, *passing_only),
        Target::Key(_) | Target::Prefix(_) => entries(body),
    }
    .map_err(|error| error.to_string())
}

/// Nothing was found.
pub(super) fn nothing(target: &Target) -> Found {
    match target {
        Target::Service { .. } => Found::Instances(Vec::new()),
        Target::Key(_) | Target::Prefix(_) => Found::Entries(Vec::new()),
    }
}

fn instances(body: &[u8], tags: &[String], passing_only: bool) -> serde_json::Result<Found> {
    let entries: Option<Vec<HealthEntry>> = serde_json::from_slice(body)?;
    let entries = entries.unwrap_or_default().into_iter();
    // Servers before 1.3 honour the last tag only.
    let tagged = entries.filter(|entry| tags.iter().all(|tag| has_tag(&entry.service, tag)));
    let instances = tagged.map(instance);
    let mut instances: Vec<Instance> = instances
        .filter(|instance| !passing_only || instance.health == CheckStatus::Passing)
        .collect();
    instances.sort();
    Ok(Found::Instances(instances))
}

/// Consul compares tags without regard to case.
fn has_tag(service: &Service, tag: &str) -> bool {
    let tag = tag.to_lowercase();
    service.tags.iter().any(|own| own.to_lowercase() == tag)
}

fn instance(entry: HealthEntry) -> Instance {
    let service = entry.service;
    let mut tags = service.tags;
    tags.sort();
    let statuses = entry.checks.iter();
    let statuses = statuses.map(|check| CheckStatus::from_name(&check.status));
    Instance {
        id: service.id,
        address: if service.address.is_empty() {
            entry.node.address
        } else {
            service.address
        },
        port: port(service.port),
        tags,
        health: statuses.max().unwrap_or(CheckStatus::Passing),
        node: entry.node.node,
    }
}

/// Others may register what is no port.
fn port(number: i64) -> u16 {
    u16::try_from(number).unwrap_or_default()
}

fn entries(body: &[u8]) -> serde_json::Result<Found> {
    let read: Option<Vec<KeyEntry<'_>>> = serde_json::from_slice(body)?;
    let read = read.unwrap_or_default();
    let length = |entry: &KeyEntry<'_>| entry.value.as_ref().map_or(0, |value| value.len());
    // Four letters for three bytes; the padding makes no difference worth counting.
    let all: usize = read.iter().map(length).sum();
    let keep = all / 4 * 3 <= KEPT_VALUES;
    let mut entries = Vec::with_capacity(read.len());
    for entry in read {
        let encoded = entry.value.unwrap_or_default();
        let value = STANDARD
            .decode(encoded.as_bytes())
            .map_err(serde::de::Error::custom)?;
        entries.push(Entry {
            key: entry.key,
            flags: entry.flags,
            digest: digest(&value),
            value: keep.then_some(value),
        });
    }
    entries.sort();
    Ok(Found::Entries(entries))
}

/// The same for the same bytes as long as the program runs.
fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
