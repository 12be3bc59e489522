//! What a job announces in the catalogue: `port` and the keys that go with it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::services::{InitialStatus, ServiceSpec, Weights};

use super::cron::Zones;
use super::duration::{SignedDuration, parse_with_unit};
use super::interfaces::{self, Addresses, Choice};
use super::keys;
use super::section::Section;
use super::walk::{Field, Finding, Place, Walk, quoted};

/// What the address of a service and the zone of a schedule depend on beside their own keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) addresses: Addresses<'a>,
    pub(super) zones: Zones<'a>,
    /// `TZ` of the program.
    pub(super) local_zone: Option<&'a str>,
    /// Whether a catalogue is configured: without one nobody reads the address.
    pub(super) has_catalogue: bool,
}

/// The keys of a job that say how it is advertised.
#[derive(Debug)]
pub(super) struct Keys<'n> {
    pub(super) port: Option<Field<'n>>,
    initial_status: Option<Field<'n>>,
    interfaces: Option<Field<'n>>,
    tags: Option<Field<'n>>,
    consul: Option<Field<'n>>,
}

const STATUS: [(&str, Option<InitialStatus>); 4] = [
    ("passing", Some(InitialStatus::Passing)),
    ("warning", Some(InitialStatus::Warning)),
    ("critical", Some(InitialStatus::Critical)),
    // What a template makes of a variable that is not set.
    ("", None),
];

impl<'n> Keys<'n> {
    pub(super) fn take(walk: &mut Walk<'_>, section: &mut Section<'n>) -> Keys<'n> {
        let initial_status = section.take(walk, "initial_status");
        let alias = section.take(walk, "initialStatus");
        if let (Some(_), Some(alias)) = (&initial_status, &alias) {
            let finding = Finding::new("`initialStatus` is the same key as `initial_status`");
            walk.error(&alias.place, finding.help("remove one of them"));
        }
        Keys {
            port: section.take(walk, "port"),
            initial_status: initial_status.or(alias),
            interfaces: section.take(walk, "interfaces"),
            tags: section.take(walk, "tags"),
            consul: section.take(walk, "consul"),
        }
    }

    /// Reads what is advertised under the job's name; `None` without a port, or when something has been reported.
    pub(super) fn read(
        self,
        walk: &mut Walk<'_>,
        name: &str,
        around: Surroundings<'_>,
    ) -> Option<ServiceSpec> {
        let port = self.port.as_ref().and_then(|field| port(walk, field));
        let Some(port) = port.filter(|port| *port != 0) else {
            if self.port.is_none() {
                self.warn_of_no_effect(walk);
            }
            return None;
        };
        let status = self.initial_status;
        let initial_status = status
            .and_then(|field| walk.choice(&field, &STATUS))
            .flatten();
        let tags = self
            .tags
            .map(|field| walk.texts(&field))
            .unwrap_or_default();
        let extras = self
            .consul
            .map(|field| Extras::read(walk, &field))
            .unwrap_or_default();
        let place = self
            .interfaces
            .as_ref()
            .or(self.port.as_ref())
            .map(|field| field.place.clone());
        let mut spec = ServiceSpec {
            name: extras.name.unwrap_or_else(|| name.to_owned()),
            id: extras.id,
            plain_check_id: extras.plain_check_id,
            ordinal: 1,
            port,
            address: None,
            static_address: extras.address,
            interfaces: Vec::new(),
            initial_status,
            tags,
            meta: extras.meta,
            weights: extras.weights,
            enable_tag_override: extras.enable_tag_override,
            deregister_critical_after: extras.deregister_critical_after,
        };
        let chosen = interfaces::choose(walk, self.interfaces.as_ref(), around.addresses);
        if spec.static_address.is_none() {
            spec.interfaces = chosen.specifications;
            let settled = settle(walk, place.as_ref(), chosen.choice, around);
            (spec.address, spec.static_address) = settled;
        }
        Some(spec)
    }

    /// Whether the service is called otherwise than its job.
    pub(super) fn has_own_name(&self) -> bool {
        let consul = self.consul.as_ref();
        consul.is_some_and(|field| field.node.get("name").is_some())
    }

    fn warn_of_no_effect(&self, walk: &mut Walk<'_>) {
        let keys = [
            &self.initial_status,
            &self.interfaces,
            &self.tags,
            &self.consul,
        ];
        for field in keys.into_iter().flatten() {
            let finding = Finding::new("the key has no effect without `port`");
            walk.warning(
                &field.place,
                finding.help("add `port` to advertise the job, or remove the key"),
            );
        }
    }
}

/// A port; 0 means that there is none.
pub(super) fn port(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<u16> {
    let number = walk.integer(field)?;
    let port = u16::try_from(number).ok();
    if port.is_none() {
        let shown = walk.shown(field.node);
        walk.error(
            &field.place,
            format!("cannot use {shown}: a port is a number from 1 to 65535"),
        );
    }
    port
}

/// The address of a choice. That nothing matched is an error only where somebody would read the address.
fn settle(
    walk: &mut Walk<'_>,
    place: Option<&Place>,
    choice: Choice,
    around: Surroundings<'_>,
) -> (Option<IpAddr>, Option<String>) {
    match choice {
        Choice::Address(address) => (Some(address), None),
        Choice::Text(text) => (None, Some(text)),
        Choice::Open => (None, None),
        Choice::NoMatch(message) => {
            if let Some(place) = place {
                report_no_match(walk, place, message, around.has_catalogue);
            }
            (None, None)
        }
    }
}

pub(super) fn report_no_match(walk: &mut Walk<'_>, place: &Place, message: String, is_error: bool) {
    let finding =
        Finding::new(message).help("set `interfaces`, for example to `[\"eth0\", \"inet\"]`");
    if is_error {
        walk.error(place, finding);
    } else {
        walk.warning(place, finding);
    }
}

/// Whether a name is one that every user of the catalogue can ask for.
pub(super) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_lowercase());
    let rest = characters.as_str();
    first && !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The name that the catalogue knows a service by. What is wrong has been reported.
pub(super) fn check_name(walk: &mut Walk<'_>, place: &Place, name: &str) {
    if !is_name(name) {
        let finding = Finding::new(format!(
            "cannot use {}: service names must be alphanumeric with dashes to comply with service discovery",
            quoted(name)
        ));
        walk.error(
            place,
            finding.help("begin with a small letter; use at least two of a-z, A-Z, 0-9 and `-`"),
        );
    }
}

/// `jobs[].consul`.
#[derive(Debug, Default)]
struct Extras {
    name: Option<String>,
    id: Option<String>,
    plain_check_id: bool,
    address: Option<String>,
    meta: BTreeMap<String, String>,
    weights: Option<Weights>,
    enable_tag_override: bool,
    deregister_critical_after: Option<Duration>,
}

impl Extras {
    fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> Extras {
        let Some(mut section) = walk.section(field, &keys::JOB_CONSUL) else {
            return Extras::default();
        };
        let name = section.text(walk, "name");
        let id = section.take(walk, "id");
        let plain_check_id = section.boolean(walk, "plainCheckId");
        let address = section.take(walk, "address");
        let meta = section.take(walk, "meta");
        let weights = section.section(walk, "weights");
        let enable_tag_override = section.boolean(walk, "enableTagOverride");
        let after = section.take(walk, "deregisterCriticalServiceAfter");
        section.finish(walk);
        Extras {
            name: name.filter(|name| !name.is_empty()),
            plain_check_id: plain_check_id.unwrap_or_default(),
            id: id.and_then(|field| read_id(walk, &field)),
            address: address.and_then(|field| read_address(walk, &field)),
            meta: meta
                .map(|field| read_meta(walk, &field))
                .unwrap_or_default(),
            weights: weights.map(|section| read_weights(walk, section)),
            enable_tag_override: enable_tag_override.unwrap_or_default(),
            deregister_critical_after: after.and_then(|field| deregister_after(walk, &field)),
        }
    }
}

/// An id goes into paths of the catalogue's interface, and others write it by hand.
fn read_id(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let id = walk.text(field).filter(|id| !id.is_empty())?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if id.len() <= 256 && id.chars().all(allowed) {
        return Some(id);
    }
    let finding = Finding::new(format!("cannot use {}: not an id", quoted(&id)));
    walk.error(
        &field.place,
        finding.help("use at most 256 letters, digits, `-`, `_`, `.` and `:`"),
    );
    None
}

fn read_address(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let address = walk.text(field).filter(|address| !address.is_empty())?;
    if address.chars().any(|c| c.is_whitespace() || c == '/') {
        let finding = Finding::new(format!("cannot use {}: not an address", quoted(&address)));
        let help = "write an IP address or a host name, without scheme and port";
        walk.error(&field.place, finding.help(help));
        return None;
    }
    Some(address)
}

/// What the catalogue takes (Consul: 64 pairs, keys of 128 and values of 512 characters).
const META_PAIRS: usize = 64;
const META_KEY: usize = 128;
const META_VALUE: usize = 512;

fn read_meta(walk: &mut Walk<'_>, field: &Field<'_>) -> BTreeMap<String, String> {
    let pairs = walk.pairs(field);
    if pairs.len() > META_PAIRS {
        let finding = Finding::new(format!(
            "there are {} pairs: the catalogue takes {META_PAIRS}",
            pairs.len()
        ));
        walk.error(&field.place, finding.help("remove some"));
        return BTreeMap::new();
    }
    let mut meta = BTreeMap::new();
    for (key, value) in pairs {
        let Some(text) = walk.text(&value) else {
            continue;
        };
        let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || key.len() > META_KEY || !key.chars().all(known) {
            let finding = Finding::new(format!("cannot use the key {}", quoted(&key)));
            let help = format!("use at most {META_KEY} letters, digits, `-` and `_`");
            walk.error(&value.place, finding.help(help));
        } else if text.len() > META_VALUE {
            let finding = Finding::new(format!("the value is longer than {META_VALUE} bytes"));
            walk.error(&value.place, finding.help("shorten it"));
        } else {
            meta.insert(key, text);
        }
    }
    meta
}

fn read_weights(walk: &mut Walk<'_>, mut section: Section<'_>) -> Weights {
    let passing = section.take(walk, "passing");
    let warning = section.take(walk, "warning");
    section.finish(walk);
    Weights {
        passing: passing
            .and_then(|field| weight(walk, &field, 1))
            .unwrap_or(1),
        warning: warning
            .and_then(|field| weight(walk, &field, 0))
            .unwrap_or(1),
    }
}

fn weight(walk: &mut Walk<'_>, field: &Field<'_>, least: i64) -> Option<u16> {
    let number = walk.integer(field)?;
    let weight = u16::try_from(number).ok().filter(|_| number >= least);
    if weight.is_none() {
        let shown = walk.shown(field.node);
        let finding = format!("cannot use {shown}: a weight is a number from {least} to 65535");
        walk.error(&field.place, finding);
    }
    weight
}

/// A duration with its unit: a bare number is an error here, as it was in the original.
fn deregister_after(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Duration> {
    let text = walk.text(field)?;
    match parse_with_unit(&text) {
        Ok(length) => SignedDuration::positive(length),
        Err(error) => {
            let finding = Finding::new(format!("cannot use {}: {error}", quoted(&text)));
            walk.error(
                &field.place,
                finding.help("write the unit, for example `10m`"),
            );
            None
        }
    }
}

/// The variable in which others find the address of a service: `CONTAINERPILOT_<SERVICE>_IP`.
#[must_use]
pub fn address_variable(service: &str) -> String {
    let service = service.to_uppercase().replace('-', "_");
    format!("CONTAINERPILOT_{service}_IP")
}
