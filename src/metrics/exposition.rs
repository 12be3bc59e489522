//! The two text formats: Prometheus 0.0.4, and `OpenMetrics` 1.0.
//!
//! A series has one name in both. `OpenMetrics` wants the name of a counter to end in `_total`; one that does not (the
//! original's, and most of its users') is of unknown type there, which Prometheus stores and computes with all the same.

use super::number;

/// How series are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

/// What a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

/// A text that series are written into, one family after the other.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    text: String,
    /// Names that are not written, because a metric of the application has them.
    taken: Vec<String>,
}

/// One family: series of one name.
#[derive(Debug)]
pub struct Family<'e> {
    /// `None`: it is not written.
    text: Option<&'e mut String>,
    name: &'e str,
    format: Format,
}

impl Format {
    /// The format for a client that sends this `Accept`, which may list several with a preference. Without any that is
    /// known here: the text, as in the original.
    #[must_use]
    pub fn accepted(accept: &str) -> Format {
        let best = |kind: &str| {
            let ranges = accept.split(',').take(MAX_RANGES);
            let ranges = ranges.filter_map(|range| preference(range, kind));
            ranges.fold(0.0, f64::max)
        };
        let open = best("application/openmetrics-text");
        let text = best("text/plain");
        if open > 0.0 && open >= text {
            Format::OpenMetrics
        } else {
            Format::Text
        }
    }

    /// The `Content-Type` of a text in this format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// How many ranges of an `Accept` are looked at.
const MAX_RANGES: usize = 32;

/// The preference that one range of an `Accept` gives to a media type, if it is about that and a version that is known.
fn preference(range: &str, kind: &str) -> Option<f64> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(kind) {
        return None;
    }
    let mut preference = 1.0;
    for part in parts {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        match name.trim() {
            "q" => preference = value.trim().parse().ok()?,
            "version" if !["0.0.4", "0.0.1", "1.0.0"].contains(&value.trim()) => return None,
            _ => {}
        }
    }
    Some(preference)
}

impl Exposition {
    #[must_use]
    pub fn new(format: Format) -> Exposition {
        Exposition {
            format,
            text: String::new(),
            taken: Vec::new(),
        }
    }

    /// Leaves out families of these names from now on: two of one name would spoil the whole text for its reader.
    pub fn leave_out(&mut self, names: impl Iterator<Item = String>) {
        self.taken.extend(names);
    }

    /// From now on every family is written.
    pub fn take_all(&mut self) {
        self.taken.clear();
    }

    /// Begins a family. A counter's name is that of its series, with `_total` if it has that.
    pub fn family<'e>(&'e mut self, name: &'e str, kind: Type, help: &str) -> Family<'e> {
        let format = self.format;
        if self.taken.iter().any(|taken| taken == name) {
            return Family {
                text: None,
                name,
                format,
            };
        }
        let (shown, kind) = match (format, kind, name.strip_suffix("_total")) {
            (Format::OpenMetrics, Type::Counter, None) => (name, "unknown"),
            (Format::OpenMetrics, Type::Counter, Some(base)) => (base, "counter"),
            (_, Type::Counter, _) => (name, "counter"),
            (_, Type::Gauge, _) => (name, "gauge"),
            (_, Type::Histogram, _) => (name, "histogram"),
            (_, Type::Summary, _) => (name, "summary"),
        };
        let text = &mut self.text;
        text.push_str("# HELP ");
        text.push_str(shown);
        text.push(' ');
        escape(text, help, format == Format::OpenMetrics);
        text.push_str("\n# TYPE ");
        text.push_str(shown);
        text.push(' ');
        text.push_str(kind);
        text.push('\n');
        Family {
            text: Some(text),
            name,
            format,
        }
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

impl Family<'_> {
    /// Writes one series. Values of labels may be any text.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.part("", labels, value);
    }

    /// The sum and the count of a summary or a histogram. `OpenMetrics` has no sum where values may be below zero.
    pub fn totals(&mut self, labels: &[(&str, &str)], sum: f64, count: u64, negative: bool) {
        if !(negative && self.format == Format::OpenMetrics) {
            self.part("_sum", labels, sum);
        }
        self.part("_count", labels, whole(count));
    }

    /// A part of a series with a number in a label: a bucket's bound, a quantile.
    pub(super) fn numbered(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        (name, number): (&str, f64),
        value: f64,
    ) {
        let number = match self.format {
            Format::Text => number::text(number),
            Format::OpenMetrics => number::canonical(number),
        };
        let labels = [labels, &[(name, number.as_str())]].concat();
        self.part(suffix, &labels, value);
    }

    fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let Some(text) = &mut self.text else { return };
        text.push_str(self.name);
        text.push_str(suffix);
        for (index, (name, value)) in labels.iter().enumerate() {
            text.push(if index == 0 { '{' } else { ',' });
            text.push_str(name);
            text.push_str("=\"");
            escape(text, value, true);
            text.push('"');
        }
        if !labels.is_empty() {
            text.push('}');
        }
        text.push(' ');
        number::push(text, value);
        text.push('\n');
    }
}

/// A count as a value: above 2^53 the last digits are lost, as in every reader of these formats.
#[expect(
    clippy::cast_precision_loss,
    reason = "the formats know no other number"
)]
#[must_use]
pub fn whole(count: u64) -> f64 {
    count as f64
}

fn escape(text: &mut String, raw: &str, quotes: bool) {
    for character in raw.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}
