//! A strict reader of both formats of `/metrics`: whatever it does not know for right is an error.

use std::collections::{BTreeMap, BTreeSet};

/// What a scrape said.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    /// The type of each family, by the name in its `TYPE` line.
    pub(crate) types: BTreeMap<String, String>,
    /// The value of each series: `name{label="value",…}` as it was written.
    pub(crate) series: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads Prometheus text 0.0.4.
    pub(crate) fn text(body: &str) -> Scrape {
        read(body, false).unwrap_or_else(|error| panic!("not Prometheus text: {error}\n{body}"))
    }

    /// Reads `OpenMetrics` 1.0.
    pub(crate) fn open(body: &str) -> Scrape {
        read(body, true).unwrap_or_else(|error| panic!("not OpenMetrics: {error}\n{body}"))
    }

    /// The value of a series, which must be there.
    pub(crate) fn value(&self, series: &str) -> f64 {
        let value = self.series.get(series).copied();
        value.unwrap_or_else(|| panic!("no {series} in {:#?}", self.series))
    }

    /// Whether a series has this value.
    pub(crate) fn has(&self, series: &str, value: f64) -> bool {
        self.series
            .get(series)
            .is_some_and(|found| (found - value).abs() < 1e-9)
    }
}

/// The family whose lines are being read.
#[derive(Default)]
struct Family {
    name: String,
    kind: String,
}

pub(crate) fn read(body: &str, open: bool) -> Result<Scrape, String> {
    let mut scrape = Scrape::default();
    let body = match (open, body.strip_suffix("# EOF\n")) {
        (true, None) => return Err("it does not end in `# EOF`".to_owned()),
        (true, Some(rest)) => rest,
        (false, _) => body,
    };
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    let mut helped = BTreeSet::new();
    let mut family = Family::default();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or("a HELP without a text")?;
            unescape(help, if open { "\\n\"" } else { "\\n" })?;
            if !helped.insert(name.to_owned()) {
                return Err(format!("a second HELP of {name}"));
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("a TYPE without a type")?;
            let known = ["counter", "gauge", "histogram", "summary"].contains(&kind)
                || (open && kind == "unknown");
            if !known || !is_name(name) || !helped.contains(name) {
                return Err(format!("a wrong TYPE: {line}"));
            }
            family = Family {
                name: name.to_owned(),
                kind: kind.to_owned(),
            };
            let earlier = scrape.types.insert(name.to_owned(), kind.to_owned());
            if earlier.is_some() {
                return Err(format!("a second TYPE of {name}"));
            }
        } else if line.starts_with('#') || line.is_empty() {
            return Err(format!("an unknown line: {line:?}"));
        } else {
            let (series, value) = sample(line, &family, open)?;
            if scrape.series.insert(series.clone(), value).is_some() {
                return Err(format!("{series} is there twice"));
            }
        }
    }
    histograms(&scrape)?;
    Ok(scrape)
}

fn sample(line: &str, family: &Family, open: bool) -> Result<(String, f64), String> {
    let wrong = |why: &str| format!("{why}: {line}");
    let (series, value) = line.rsplit_once(' ').ok_or_else(|| wrong("no value"))?;
    let value: f64 = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            number.parse().map_err(|_| wrong("no number"))?
        }
        _ => return Err(wrong("no number")),
    };
    let name = series.split('{').next().unwrap_or_default();
    let suffix = name.strip_prefix(&family.name);
    let suffix = suffix.ok_or_else(|| wrong("of another family"))?;
    let allowed: &[&str] = match (family.kind.as_str(), open) {
        ("counter", true) => &["_total"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        ("summary", _) => &["", "_sum", "_count"],
        _ => &[""],
    };
    if !allowed.contains(&suffix) {
        return Err(wrong("a wrong suffix"));
    }
    if family.kind == "counter" && !(value >= 0.0 && value.is_finite()) {
        return Err(wrong("no counter has this value"));
    }
    let labels = labels(series, name).ok_or_else(|| wrong("wrong labels"))?;
    let number = |wanted: &str| labels.iter().find(|(label, _)| label == wanted);
    if (suffix == "_bucket") != number("le").is_some() {
        return Err(wrong("a bucket has a bound, others have none"));
    }
    for label in ["le", "quantile"] {
        let Some((_, text)) = number(label) else {
            continue;
        };
        let is_number = text == "+Inf" || text.parse::<f64>().is_ok();
        if !is_number || (open && !text.contains(['.', 'e', 'I'])) {
            return Err(wrong("a wrong number in a label"));
        }
    }
    Ok((series.to_owned(), value))
}

fn labels(series: &str, name: &str) -> Option<Vec<(String, String)>> {
    let mut rest = series.strip_prefix(name)?;
    let mut labels = Vec::new();
    if rest.is_empty() {
        return Some(labels);
    }
    rest = rest.strip_prefix('{')?;
    loop {
        let (label, value) = rest.split_once("=\"")?;
        let mut escaped = false;
        let end = value.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        })?;
        let text = unescape(&value[..end], "\\n\"").ok()?;
        let is_new = labels.iter().all(|(known, _)| known != label);
        if !is_name(label) || label.contains(':') || !is_new {
            return None;
        }
        labels.push((label.to_owned(), text));
        match &value[end + 1..] {
            "}" => return Some(labels),
            more => rest = more.strip_prefix(',')?,
        }
    }
}

fn unescape(text: &str, known: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some(other) if known.contains(other) => plain.push(other),
            _ => return Err(format!("a wrong escape in {text:?}")),
        }
    }
    Ok(plain)
}

fn is_name(name: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    let goes_on = |c: char| starts(c) || c.is_ascii_digit();
    name.starts_with(starts) && name.chars().all(goes_on)
}

/// The buckets of a histogram never fall, and the last one holds everything.
fn histograms(scrape: &Scrape) -> Result<(), String> {
    let names = scrape.types.iter();
    for (name, _) in names.filter(|(_, kind)| *kind == "histogram") {
        let prefix = format!("{name}_bucket{{le=\"");
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for (series, count) in &scrape.series {
            let bound = series.strip_prefix(&prefix);
            let bound = bound.and_then(|rest| rest.strip_suffix("\"}"));
            let bound = bound.and_then(|text| text.replace('+', "").parse().ok());
            buckets.extend(bound.map(|bound| (bound, *count)));
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ascends = buckets.is_sorted_by(|a, b| a.1 <= b.1);
        let count = scrape.series.get(&format!("{name}_count"));
        let last = buckets.last().filter(|(bound, _)| bound.is_infinite());
        if !ascends || last.map(|(_, all)| all) != count {
            return Err(format!("the buckets of {name} are wrong: {buckets:?}"));
        }
    }
    Ok(())
}

#[test]
fn the_reader_refuses_what_is_wrong() {
    let head = "# HELP m h\n# TYPE m gauge\n";
    assert!(read(&format!("{head}m 1\nm{{a=\"b\\\"\\\\\\n\"}} NaN\n"), false).is_ok());
    assert!(read(&format!("{head}m 1\n# EOF\n"), true).is_ok());
    let histogram = "# HELP h x\n# TYPE h histogram\n";
    for (text, open) in [
        (format!("{head}m 1"), false),
        (format!("{head}m 1\n"), true),
        (format!("{head}m x\n"), false),
        (format!("{head}m inf\n"), false),
        (format!("{head}m 1\nm 2\n"), false),
        (format!("{head}n 1\n"), false),
        (format!("{head}{head}"), false),
        (format!("{head}m{{a=\"b\\x\"}} 1\n"), false),
        (format!("{head}m{{a=\"b\",a=\"c\"}} 1\n"), false),
        (format!("{head}m{{1=\"b\"}} 1\n"), false),
        (format!("{head}m{{a=\"b\"\n"), false),
        (format!("{head}m 1\n\n"), false),
        ("m 1\n".to_owned(), false),
        ("# HELP m h\n# TYPE m counter\nm -1\n".to_owned(), false),
        (
            "# HELP m h\n# TYPE m counter\nm 1\n# EOF\n".to_owned(),
            true,
        ),
        ("# HELP m h\n# TYPE m word\nm 1\n".to_owned(), false),
        (
            format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n"),
            false,
        ),
        (
            format!(
                "{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"
            ),
            false,
        ),
        (
            format!(
                "{histogram}h_bucket{{le=\"1\"}} 1\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n# EOF\n"
            ),
            true,
        ),
    ] {
        assert!(read(&text, open).is_err(), "{text}");
    }
}
