//! `telemetry`.

use std::collections::HashMap;

use super::interfaces::{self, Choice};
use super::keys;
use super::service::{Surroundings, port, report_no_match};
use super::settings::{MetricKind, MetricSpec, TelemetrySettings};
use super::walk::{Field, Finding, Walk, quoted};

const DEFAULT_PORT: u16 = 9090;

const KINDS: [(&str, MetricKind); 4] = [
    ("counter", MetricKind::Counter),
    ("gauge", MetricKind::Gauge),
    ("histogram", MetricKind::Histogram),
    ("summary", MetricKind::Summary),
];

const KINDS_HELP: &str = "use counter, gauge, histogram or summary";

/// Reads the section; `None` has been reported.
pub(super) fn read(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    around: Surroundings<'_>,
) -> Option<TelemetrySettings> {
    let mut section = walk.section(field, &keys::TELEMETRY)?;
    let port_field = section.take(walk, "port");
    let port = port_field
        .as_ref()
        .map_or(Some(DEFAULT_PORT), |field| port(walk, field));
    if let (Some(0), Some(field)) = (port, &port_field) {
        walk.error(
            &field.place,
            "cannot use `0`: a port is a number from 1 to 65535",
        );
    }
    let interfaces = section.take(walk, "interfaces");
    let place = interfaces
        .as_ref()
        .map_or_else(|| section.place.clone(), |field| field.place.clone());
    let address = match interfaces::choose(walk, interfaces.as_ref(), around.addresses).choice {
        Choice::Address(address) => Some(address),
        Choice::Open => None,
        Choice::Text(text) => {
            let finding = Finding::new(format!(
                "cannot listen on {}: not an IP address",
                quoted(&text)
            ));
            walk.error(&place, finding.help("write `static:` and an IP address"));
            None
        }
        Choice::NoMatch(message) => {
            report_no_match(walk, &place, message, around.has_catalogue);
            None
        }
    };
    let tags = section.texts(walk, "tags").unwrap_or_default();
    let metrics = section.list(walk, "metrics");
    let metrics = read_metrics(walk, &metrics);
    section.ignore(walk, "remove it");
    section.finish(walk);
    Some(TelemetrySettings {
        port: port?,
        address,
        tags,
        metrics,
    })
}

/// Reads the metrics. Of two with one name the first stays; they must agree, because one name is one series.
fn read_metrics(walk: &mut Walk<'_>, fields: &[Field<'_>]) -> Vec<MetricSpec> {
    let mut metrics: Vec<MetricSpec> = Vec::with_capacity(fields.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for field in fields {
        let Some(metric) = read_metric(walk, field) else {
            continue;
        };
        let name = metric.full_name();
        if let Some(&first) = places.get(&name) {
            let first = &metrics[first];
            let agree = first.kind == metric.kind && first.help == metric.help;
            report_twice(walk, field, &name, agree);
            continue;
        }
        places.insert(name, metrics.len());
        metrics.push(metric);
    }
    metrics
}

fn report_twice(walk: &mut Walk<'_>, field: &Field<'_>, name: &str, agree: bool) {
    let name = quoted(name);
    if agree {
        walk.warning(
            &field.place,
            format!("the metric {name} is there already; this one is left out"),
        );
    } else {
        let finding = Finding::new(format!(
            "the metric {name} is there already with another type or help"
        ));
        walk.error(&field.place, finding.help("give it another name"));
    }
}

/// One metric; `None` has been reported.
fn read_metric(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<MetricSpec> {
    let mut section = walk.section(field, &keys::METRIC)?;
    let mut text = |walk: &mut Walk<'_>, key| section.text(walk, key).unwrap_or_default();
    let namespace = text(walk, "namespace");
    let subsystem = text(walk, "subsystem");
    let name = text(walk, "name");
    let help = text(walk, "help");
    let kind = if let Some(field) = section.take(walk, "type") {
        read_kind(walk, &field)
    } else {
        let finding = Finding::new("`type` is missing: invalid metric type");
        walk.error(&section.place, finding.help(KINDS_HELP));
        None
    };
    section.ignore(walk, "remove it");
    section.finish(walk);
    if help.is_empty() {
        let finding = Finding::new("`help` is missing: empty help string");
        walk.error(
            &field.place,
            finding.help("say in a sentence what the metric counts"),
        );
    }
    let metric = MetricSpec {
        namespace,
        subsystem,
        name,
        help,
        kind: kind.unwrap_or(MetricKind::Gauge),
    };
    let full_name = metric.full_name();
    let is_right = is_metric_name(&full_name);
    if !is_right {
        let finding = Finding::new(format!("{} is not a valid metric name", quoted(&full_name)));
        let rule = "use letters, digits, `_` and `:`, and do not begin with a digit";
        walk.error(&field.place, finding.help(rule));
    }
    (is_right && kind.is_some()).then_some(metric)
}

fn read_kind(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<MetricKind> {
    let text = walk.text(field)?;
    let found = KINDS.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let finding = Finding::new(format!("invalid metric type: {}", quoted(&text)));
        walk.error(&field.place, finding.help(KINDS_HELP));
    }
    found.map(|(_, kind)| *kind)
}

/// The names that the exposition format allows.
fn is_metric_name(name: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(starts) && name.chars().all(goes_on)
}
