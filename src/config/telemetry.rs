//! `telemetry`.

use std::collections::HashMap;

use super::interfaces::{self, Choice};
use super::keys;
use super::section::Section;
use super::service::{Surroundings, port, report_no_match};
use super::settings::TelemetrySettings;
use super::tree::Kind as NodeKind;
use super::walk::{Field, Finding, Walk, quoted};
use crate::metrics::{MetricKind, MetricSpec, is_own};

const DEFAULT_PORT: u16 = 9090;

/// The words for a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

const WORDS: [(&str, Word); 4] = [
    ("counter", Word::Counter),
    ("gauge", Word::Gauge),
    ("histogram", Word::Histogram),
    ("summary", Word::Summary),
];

const KINDS_HELP: &str = "use counter, gauge, histogram or summary";

/// How many series one metric may become.
const MOST: usize = 100;

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
    let chosen = interfaces::choose(walk, interfaces.as_ref(), around.addresses);
    let address = match chosen.choice {
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
        interfaces: chosen.specifications,
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
    let word = if let Some(field) = section.take(walk, "type") {
        read_word(walk, &field)
    } else {
        let finding = Finding::new("`type` is missing: invalid metric type");
        walk.error(&section.place, finding.help(KINDS_HELP));
        None
    };
    let kind = read_kind(walk, &mut section, word);
    let is_known = kind.is_some();
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
    if is_own(&full_name) {
        let name = quoted(&full_name);
        let finding = Finding::new(format!(
            "{name} hides the program's own series of this name"
        ));
        walk.warning(&field.place, finding.help("give it another name"));
    }
    if !is_right {
        let finding = Finding::new(format!("{} is not a valid metric name", quoted(&full_name)));
        let rule = "use letters, digits, `_` and `:`, and do not begin with a digit";
        walk.error(&field.place, finding.help(rule));
    }
    (is_right && is_known).then_some(metric)
}

fn read_word(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Word> {
    let text = walk.text(field)?;
    let found = WORDS.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let finding = Finding::new(format!("invalid metric type: {}", quoted(&text)));
        walk.error(&field.place, finding.help(KINDS_HELP));
    }
    found.map(|(_, word)| *word)
}

/// The type with its bounds; `None` has been reported.
fn read_kind(
    walk: &mut Walk<'_>,
    section: &mut Section<'_>,
    word: Option<Word>,
) -> Option<MetricKind> {
    let mut bounds = |walk: &mut Walk<'_>, key, owner| {
        let field = section.take(walk, key)?;
        if word.is_some_and(|word| word != owner) {
            let finding = Finding::new(format!("`{key}` has no use for a metric of this type"));
            walk.error(&field.place, finding.help("remove it, or change `type`"));
        }
        Some(numbers(walk, &field))
    };
    let buckets = bounds(walk, "buckets", Word::Histogram);
    let quantiles = bounds(walk, "quantiles", Word::Summary);
    Some(match word? {
        Word::Counter => MetricKind::Counter,
        Word::Gauge => MetricKind::Gauge,
        Word::Histogram => MetricKind::Histogram {
            buckets: match buckets {
                Some((field, buckets)) => read_buckets(walk, &field, buckets?)?,
                None => MetricKind::BUCKETS.to_vec(),
            },
        },
        Word::Summary => MetricKind::Summary {
            quantiles: match quantiles {
                Some((field, quantiles)) => read_quantiles(walk, &field, quantiles?)?,
                None => MetricKind::QUANTILES.to_vec(),
            },
        },
    })
}

/// An array of numbers, each greater than the one before it; `None` has been reported.
fn numbers<'n>(walk: &mut Walk<'_>, field: &Field<'n>) -> (Field<'n>, Option<Vec<f64>>) {
    let mut numbers: Vec<f64> = Vec::new();
    let errors = walk.errors();
    for element in walk.list(field).iter().take(MOST + 1) {
        let number = match &element.node.kind {
            NodeKind::Number(number) => Some(*number),
            NodeKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let shown = walk.shown(element.node);
        match number.filter(|number| !number.is_nan()) {
            None => walk.error(
                &element.place,
                format!("cannot use {shown}: expected a number"),
            ),
            Some(number) if numbers.last().is_some_and(|last| *last >= number) => {
                let finding =
                    Finding::new(format!("{shown} is not greater than what is before it"));
                walk.error(
                    &element.place,
                    finding.help("write the numbers in ascending order"),
                );
            }
            Some(number) => numbers.push(number),
        }
    }
    if numbers.len() > MOST {
        let finding = Finding::new(format!("there are more than {MOST} numbers"));
        walk.error(
            &field.place,
            finding.help("each of them is a series; remove some"),
        );
    }
    (field.clone(), (walk.errors() == errors).then_some(numbers))
}

/// The last bucket without a bound is always there; written out it is the same.
fn read_buckets(walk: &mut Walk<'_>, field: &Field<'_>, buckets: Vec<f64>) -> Option<Vec<f64>> {
    let finite: Vec<f64> = buckets
        .into_iter()
        .filter(|bound| *bound != f64::INFINITY)
        .collect();
    let is_right = !finite.is_empty() && finite.iter().all(|bound| bound.is_finite());
    if !is_right {
        let finding =
            Finding::new("a histogram needs at least one bound, and none below all numbers");
        walk.error(
            &field.place,
            finding.help("write for example `[0.1, 0.5, 1, 5]`"),
        );
    }
    is_right.then_some(finite)
}

fn read_quantiles(walk: &mut Walk<'_>, field: &Field<'_>, shares: Vec<f64>) -> Option<Vec<f64>> {
    let is_right = shares.iter().all(|share| *share > 0.0 && *share < 1.0);
    if !is_right {
        let finding = Finding::new("a quantile is a number above 0 and below 1");
        walk.error(
            &field.place,
            finding.help("write for example `[0.5, 0.9, 0.99]`"),
        );
    }
    is_right.then_some(shares)
}

/// The names that the exposition format allows.
fn is_metric_name(name: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(starts) && name.chars().all(goes_on)
}
