//! The typed walk over the tree: values are read by key and type, and everything that is wrong is collected.
//!
//! A reader that finds a wrong value reports it and gives nothing, so that its caller goes on with the default and finds the
//! next fault. Types are as weak as in the original: a number will do for a text and the other way round.

use std::fmt::Display;
use std::ops::Range;

use super::diagnostic::{Diagnostic, Report, Severity};
use super::duration::{SignedDuration, parse_duration};
use super::keys::Shape;
use super::section::{Case, Known, Section};
use super::source::Source;
use super::tree::{Kind, Node};

/// How many characters of a value a message shows.
const SHOWN: usize = 60;

/// A value's path and place in the text.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) range: Range<usize>,
}

/// A value that is there and not null.
#[derive(Clone, Debug)]
pub(super) struct Field<'n> {
    pub(super) place: Place,
    pub(super) node: &'n Node,
}

/// What is wrong, and the way out.
#[derive(Debug)]
pub(super) struct Finding {
    message: String,
    help: Option<String>,
}

/// Collects what is found.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    source: Source<'a>,
    report: Report,
}

impl Place {
    pub(super) fn key(&self, key: &str, range: Range<usize>) -> Place {
        let path = match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        Place { path, range }
    }

    pub(super) fn index(&self, index: usize, range: Range<usize>) -> Place {
        Place {
            path: format!("{}[{index}]", self.path),
            range,
        }
    }

    /// The place of a value, which may have come from elsewhere.
    pub(super) fn of(self, node: &Node) -> Place {
        match &node.origin {
            Some(path) => Place {
                path: path.to_string(),
                range: self.range,
            },
            None => self,
        }
    }
}

impl Finding {
    pub(super) fn new(message: impl Display) -> Finding {
        Finding {
            message: message.to_string(),
            help: None,
        }
    }

    pub(super) fn help(self, help: impl Display) -> Finding {
        Finding {
            help: Some(help.to_string()),
            ..self
        }
    }

    /// Adds the nearest of the known names to the help, if one is near.
    pub(super) fn suggest<'k>(
        self,
        wrong: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Finding {
        match nearest(wrong, known) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

impl<T: Display> From<T> for Finding {
    fn from(message: T) -> Finding {
        Finding::new(message)
    }
}

/// A text in backticks, short and without control characters.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(plain).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A text in which nothing breaks the line or moves a cursor: it may quote a configuration that comes from a stranger.
pub(super) fn on_one_line(text: String) -> String {
    if text.contains(char::is_control) {
        text.chars().flat_map(plain).collect()
    } else {
        text
    }
}

fn plain(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_debug());
    let itself = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(itself)
}

/// The known name that a wrong one is closest to, if it is close enough to be meant. Of two, one that begins as it does:
/// `restart` means `restarts` rather than `preStart`.
pub(super) fn nearest<'k>(
    wrong: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    // The distance costs the product of both lengths.
    if wrong.len() > 64 {
        return None;
    }
    let wrong = wrong.to_lowercase();
    let near = known.into_iter().filter(|name| name.len() <= 64);
    let scored = near.map(|name| {
        let known = name.to_lowercase();
        let distance = strsim::damerau_levenshtein(&wrong, &known);
        (
            (distance, wrong.chars().next() != known.chars().next()),
            name,
        )
    });
    let (score, best) = scored.min_by_key(|(score, _)| *score)?;
    (score.0 <= (wrong.chars().count() / 3).max(1)).then_some(best)
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: Source<'a>, file: &str) -> Walk<'a> {
        Walk {
            source,
            report: Report::new(file),
        }
    }

    pub(super) fn source_mut(&mut self) -> &mut Source<'a> {
        &mut self.source
    }

    pub(super) fn error(&mut self, place: &Place, finding: impl Into<Finding>) {
        self.add(
            Severity::Error,
            Some(&place.path),
            &place.range,
            finding.into(),
        );
    }

    pub(super) fn warning(&mut self, place: &Place, finding: impl Into<Finding>) {
        self.add(
            Severity::Warning,
            Some(&place.path),
            &place.range,
            finding.into(),
        );
    }

    /// Whether one more finding would be shown: what is only counted needs no search for a suggestion.
    pub(super) fn has_room(&self, severity: Severity) -> bool {
        self.report.has_room(severity)
    }

    /// How many errors there are so far.
    pub(super) fn errors(&self) -> usize {
        self.report.errors()
    }

    pub(super) fn has_errors(&self) -> bool {
        self.report.errors() > 0
    }

    /// What was found, in the order of the file.
    pub(super) fn finish(mut self) -> Report {
        self.report.sort();
        self.report
    }

    fn add(
        &mut self,
        severity: Severity,
        path: Option<&str>,
        range: &Range<usize>,
        finding: Finding,
    ) {
        if !self.report.has_room(severity) {
            self.report.count_one(severity);
            return;
        }
        let path = path.filter(|path| !path.is_empty());
        self.report.push(Diagnostic {
            severity,
            message: self.source.scrub(finding.message),
            path: path.map(|path| self.source.scrub(path.to_owned())),
            position: Some(self.source.position(range.start)),
            excerpt: self.source.excerpt(range),
            help: finding.help.map(|help| self.source.scrub(help)),
        });
    }

    /// A value as a message shows it: as it is written, or what it is when that is long.
    pub(super) fn shown(&self, node: &Node) -> String {
        match node.kind {
            Kind::Array(_) | Kind::Object(_) => node.kind_name().to_owned(),
            _ => quoted(self.source.slice(&node.range).trim_matches(['"', '\''])),
        }
    }

    fn mismatch(&mut self, field: &Field<'_>, expected: &str) {
        let shown = self.shown(field.node);
        self.error(
            &field.place,
            format!("cannot use {shown}: expected {expected}"),
        );
    }

    /// A text; numbers and booleans are written out as the original did (`true` is `1`).
    pub(super) fn text(&mut self, field: &Field<'_>) -> Option<String> {
        let text = scalar_text(field.node);
        if text.is_none() {
            self.mismatch(field, "a string");
        }
        text
    }

    /// A whole number; fractions are dropped, texts are read with the prefixes of C.
    pub(super) fn integer(&mut self, field: &Field<'_>) -> Option<i64> {
        match &field.node.kind {
            Kind::Number(number) if number.is_finite() => Some(self.truncated(field, *number)),
            Kind::Bool(value) => Some(i64::from(*value)),
            Kind::String(text) => {
                let number = parse_integer(text);
                if number.is_none() {
                    self.mismatch(field, "a whole number");
                }
                number
            }
            _ => {
                self.mismatch(field, "a whole number");
                None
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, and every reader checks its range"
    )]
    fn truncated(&mut self, field: &Field<'_>, number: f64) -> i64 {
        if number.fract() != 0.0 {
            let shown = self.shown(field.node);
            let whole = number.trunc();
            self.warning(
                &field.place,
                format!("the fraction of {shown} is dropped: {whole} is used"),
            );
        }
        number as i64
    }

    pub(super) fn boolean(&mut self, field: &Field<'_>) -> Option<bool> {
        let value = match &field.node.kind {
            Kind::Bool(value) => Some(*value),
            Kind::Number(number) => Some(*number != 0.0),
            Kind::String(text) => parse_boolean(text),
            _ => None,
        };
        if value.is_none() {
            self.mismatch(field, "true or false");
        }
        value
    }

    /// The elements of an array that are not null; like the original, an empty object is an empty array.
    pub(super) fn list<'n>(&mut self, field: &Field<'n>) -> Vec<Field<'n>> {
        let elements: &[Node] = match &field.node.kind {
            Kind::Array(elements) => elements,
            Kind::Object(entries) if entries.is_empty() => &[],
            _ => {
                self.mismatch(field, "an array");
                &[]
            }
        };
        let mut fields = Vec::with_capacity(elements.len());
        for (index, node) in elements.iter().enumerate() {
            let place = field.place.index(index, node.range.clone()).of(node);
            if matches!(node.kind, Kind::Null) {
                self.warning(&place, Finding::new("null is skipped").help("remove it"));
            } else {
                fields.push(Field { place, node });
            }
        }
        fields
    }

    /// An array of texts; one text alone will do (D37).
    pub(super) fn texts(&mut self, field: &Field<'_>) -> Vec<String> {
        if let Kind::String(text) = &field.node.kind {
            return vec![text.clone()];
        }
        let elements = self.list(field);
        elements
            .iter()
            .filter_map(|element| self.text(element))
            .collect()
    }

    /// The pairs of an object whose keys are the user's own; null is as good as absent.
    pub(super) fn pairs<'n>(&mut self, field: &Field<'n>) -> Vec<(String, Field<'n>)> {
        let Kind::Object(entries) = &field.node.kind else {
            self.mismatch(field, "an object");
            return Vec::new();
        };
        let there = entries
            .iter()
            .filter(|entry| !matches!(entry.value.kind, Kind::Null));
        there
            .map(|entry| {
                let place = field.place.key(&entry.key, entry.value.range.clone());
                let place = place.of(&entry.value);
                let node = &entry.value;
                (entry.key.clone(), Field { place, node })
            })
            .collect()
    }

    /// An object of this shape.
    pub(super) fn section<'n>(
        &mut self,
        field: &Field<'n>,
        shape: &'static Shape,
    ) -> Option<Section<'n>> {
        self.section_of(field, Known::Table(shape))
    }

    /// An object of an older version.
    pub(super) fn older_section<'n>(&mut self, field: &Field<'n>) -> Option<Section<'n>> {
        self.section_of(field, Known::Asked(Vec::new()))
    }

    fn section_of<'n>(&mut self, field: &Field<'n>, known: Known) -> Option<Section<'n>> {
        let section = Section::new(field, known, Case::Any);
        if section.is_none() {
            self.mismatch(field, "an object");
        }
        section
    }

    /// A length of time; an empty text is none.
    pub(super) fn duration(&mut self, field: &Field<'_>) -> Option<SignedDuration> {
        let text = self.text(field)?;
        if text.is_empty() {
            return None;
        }
        match parse_duration(&text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                let finding = Finding::new(format!("cannot use {}: {error}", quoted(&text)));
                self.error(&field.place, finding.help(DURATION_HELP));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        field: &Field<'_>,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(field)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names = choices.iter().filter(|(name, _)| !name.is_empty());
            let names: Vec<String> = names.map(|(name, _)| format!("`{name}`")).collect();
            let finding = Finding::new(format!(
                "cannot use {}: expected one of {}",
                quoted(&text),
                names.join(", ")
            ));
            self.error(
                &field.place,
                finding.suggest(&text, choices.iter().map(|(name, _)| *name)),
            );
        }
        found.map(|(_, value)| *value)
    }
}

pub(super) const DURATION_HELP: &str =
    "write for example `500ms`, `5s` or `1m30s`, or a whole number of seconds";

/// The text of a scalar, as the original converts it.
pub(super) fn scalar_text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Number(number) => Some(number_text(*number)),
        Kind::Bool(value) => Some(i32::from(*value).to_string()),
        _ => None,
    }
}

/// A number in decimal digits without an exponent.
pub(super) fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        number.to_string()
    }
}

/// Go's `ParseInt` with base 0 as of the original's day: `0x` is hexadecimal, a leading `0` octal.
fn parse_integer(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    // `from_str_radix` would take a second sign.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Go's `ParseBool`; nothing is false.
fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
