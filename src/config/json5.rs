//! JSON5 (spec.json5.org) to a tree in which every value knows its place.
//!
//! The parser is `jsonc-parser` with its strictest options; what it lets pass and JSON5 does not is checked here: raw line
//! breaks and control characters inside strings, keys that are no identifiers, an empty text, and depth.

use std::collections::HashMap;
use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::tree::{Entry, Kind, Node};

/// How deep arrays and objects may be nested. No configuration needs ten; the parsers below recurse, and their stack
/// must not depend on the input.
pub(super) const MAX_DEPTH: usize = 64;

/// A text that was understood.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) root: Node,
    /// Keys that a later one of the same name replaces.
    pub(super) replaced: Vec<(String, Range<usize>)>,
    /// Values of keys called `token`, wherever they stand: nothing may show them (L12).
    pub(super) tokens: Vec<Range<usize>>,
}

/// A text that is not JSON5.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

impl Fault {
    fn new(range: Range<usize>, message: impl Into<String>) -> Fault {
        Fault {
            range,
            message: message.into(),
            help: None,
        }
    }

    fn with_help(self, help: &'static str) -> Fault {
        Fault {
            help: Some(help),
            ..self
        }
    }
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Parsed, Fault> {
    let shape = check_shape(text);
    if let Err(fault @ Shape::TooDeep(_)) = &shape {
        return Err(fault.describe());
    }
    let options = ParseOptions {
        allow_missing_commas: false,
        ..ParseOptions::default()
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options);
    // A string that is not closed swallows what follows, so the parser complains somewhere after it.
    if let Err(fault) = shape {
        let earlier = parsed
            .err()
            .filter(|error| error.range().start < fault.start());
        return Err(earlier.map_or_else(|| fault.describe(), |error| describe(&error, text)));
    }
    let value = parsed.map_err(|error| describe(&error, text))?.value;
    let Some(value) = value else {
        let end = text.trim_end().len();
        return Err(Fault::new(end..end, "the text has no value")
            .with_help("the smallest configuration is `{}`"));
    };
    let mut tree = Tree::default();
    let root = tree.node(value)?;
    Ok(Parsed {
        root,
        replaced: tree.replaced,
        tokens: tree.tokens,
    })
}

/// What a first look at the text finds, before the parser recurses into it.
enum Shape {
    TooDeep(usize),
    /// Starts at its quote and is still open at the end of its line.
    OpenString(Range<usize>),
    /// A control character inside a string.
    Control(usize, char),
}

impl Shape {
    fn start(&self) -> usize {
        match self {
            Shape::TooDeep(at) | Shape::Control(at, _) => *at,
            Shape::OpenString(range) => range.start,
        }
    }

    fn describe(&self) -> Fault {
        match self {
            Shape::TooDeep(at) => Fault::new(
                *at..*at + 1,
                format!("arrays and objects are nested deeper than {MAX_DEPTH} levels"),
            ),
            Shape::OpenString(range) => Fault::new(
                range.clone(),
                "the string is not closed at the end of its line (invalid character '\\n' in string literal)",
            )
            .with_help("close it, write `\\n` for a line break, or end the line with `\\` to go on in the next"),
            Shape::Control(at, character) => Fault::new(
                *at..*at + 1,
                format!("invalid character {character:?} in string literal"),
            )
            .with_help("write `\\t` for a tab, or `\\u00NN` for another control character"),
        }
    }
}

/// Walks over the text once, keeping track of comments and strings alone.
fn check_shape(text: &str) -> Result<(), Shape> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = skip_string(bytes, at)?;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..]
                    .iter()
                    .take_while(|byte| !b"\r\n".contains(byte))
                    .count();
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let rest = text.get(at + 2..).unwrap_or_default();
                at = rest.find("*/").map_or(bytes.len(), |end| at + 2 + end + 2);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Shape::TooDeep(at));
        }
        at += 1;
    }
    Ok(())
}

/// The offset after the string that starts at `start`; a string that the text ends in is the parser's to report.
fn skip_string(bytes: &[u8], start: usize) -> Result<usize, Shape> {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            _ if byte == quote => return Ok(at + 1),
            // The escaped character, which may be a line break: CR LF counts as one.
            b'\\' if bytes.get(at + 1) == Some(&b'\r') && bytes.get(at + 2) == Some(&b'\n') => {
                at += 3;
            }
            b'\\' => at += 2,
            b'\n' | b'\r' => return Err(Shape::OpenString(start..at)),
            0..0x20 => return Err(Shape::Control(at, char::from(byte))),
            _ => at += 1,
        }
    }
    Ok(bytes.len())
}

/// The parser's tree made into ours.
#[derive(Default)]
struct Tree {
    replaced: Vec<(String, Range<usize>)>,
    tokens: Vec<Range<usize>>,
}

impl Tree {
    /// Recursion is bounded by [`MAX_DEPTH`].
    fn node(&mut self, value: Value<'_>) -> Result<Node, Fault> {
        let range = to_range(&value);
        let kind = match value {
            Value::NullKeyword(_) => Kind::Null,
            Value::BooleanLit(literal) => Kind::Bool(literal.value),
            Value::NumberLit(literal) => Kind::Number(number(literal.value)),
            Value::StringLit(literal) => Kind::String(literal.value.into_owned()),
            Value::Array(array) => {
                let elements = array.elements.into_iter();
                Kind::Array(
                    elements
                        .map(|element| self.node(element))
                        .collect::<Result<_, _>>()?,
                )
            }
            Value::Object(object) => Kind::Object(self.entries(object)?),
        };
        Ok(Node::new(kind, range))
    }

    fn entries(&mut self, object: Object<'_>) -> Result<Vec<Entry>, Fault> {
        let mut entries: Vec<Entry> = Vec::with_capacity(object.properties.len());
        let mut places: HashMap<String, usize> = HashMap::new();
        for property in object.properties {
            let key_range = to_range(&property.name);
            let key = key_of(property.name, &key_range)?;
            let value = self.node(property.value)?;
            if key.eq_ignore_ascii_case("token") {
                self.tokens.push(value.range.clone());
            }
            let entry = Entry {
                key: key.clone(),
                key_range,
                value,
            };
            if let Some(&place) = places.get(&key) {
                let old = std::mem::replace(&mut entries[place], entry);
                self.replaced.push((old.key, old.key_range));
            } else {
                places.insert(key, entries.len());
                entries.push(entry);
            }
        }
        Ok(entries)
    }
}

fn to_range(node: &impl Ranged) -> Range<usize> {
    let range = node.range();
    range.start..range.end
}

/// A key; without quotes it must be an identifier of ECMAScript 5.1, which the parser does not insist on.
fn key_of(name: ObjectPropName<'_>, range: &Range<usize>) -> Result<String, Fault> {
    let word = match name {
        ObjectPropName::String(literal) => return Ok(literal.value.into_owned()),
        ObjectPropName::Word(word) => word.value,
    };
    let starts = |c: char| c.is_alphabetic() || c == '_' || c == '$';
    let goes_on = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    if word.starts_with(starts) && word.chars().all(goes_on) {
        return Ok(word.to_owned());
    }
    let odd = word.chars().find(|c| !goes_on(*c));
    let odd = odd.or_else(|| word.chars().next()).unwrap_or(' ');
    Err(Fault::new(
        range.clone(),
        format!("invalid character '{odd}' in key literal"),
    )
    .with_help("put the key in quotes"))
}

/// The value of a number that the parser accepted.
fn number(text: &str) -> f64 {
    let digits = text.trim_start_matches(['+', '-']);
    let magnitude = match digits.get(..2) {
        Some("0x" | "0X") => hexadecimal(&digits[2..]),
        _ => digits.parse().unwrap_or(f64::NAN),
    };
    if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    }
}

fn hexadecimal(digits: &str) -> f64 {
    let values = digits.chars().filter_map(|digit| digit.to_digit(16));
    values.fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit))
}

/// The parser's complaint in our words.
fn describe(error: &ParseError, text: &str) -> Fault {
    let range = error.range();
    let range = range.start..range.end.max(range.start);
    let found = text.get(range.start..).and_then(|rest| rest.chars().next());
    let found = match found {
        Some(character) => format!("invalid character {character:?}"),
        None => "unexpected end of the text".to_owned(),
    };
    let (what, help) = expectation(error.kind());
    let message = match error.kind() {
        ParseErrorKind::String(kind) => kind.to_string().to_lowercase(),
        ParseErrorKind::ExpectedComma => "expected a comma after this value".to_owned(),
        ParseErrorKind::UnterminatedCommentBlock => "the comment is not closed".to_owned(),
        ParseErrorKind::UnterminatedArray => {
            "the array is not closed: unexpected end of the text".to_owned()
        }
        ParseErrorKind::UnterminatedObject => {
            "the object is not closed: unexpected end of the text".to_owned()
        }
        _ => format!("{found} {what}"),
    };
    let at_start = matches!(
        error.kind(),
        ParseErrorKind::UnterminatedArray
            | ParseErrorKind::UnterminatedObject
            | ParseErrorKind::UnterminatedCommentBlock
    );
    let first = if at_start {
        range.start..range.start + 1
    } else {
        range
    };
    Fault {
        help,
        ..Fault::new(first, message)
    }
}

/// What stood in the way, in the wording that people know from the original, and what to do about it.
fn expectation(kind: &ParseErrorKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ParseErrorKind::ExpectedColonAfterObjectKey => (
            "after object key",
            Some("write `:` between a key and its value"),
        ),
        ParseErrorKind::UnexpectedTokenInObject => ("looking for beginning of object key", None),
        ParseErrorKind::MultipleRootJsonValues => (
            "after top-level value",
            Some("the text must end with the object that it begins with"),
        ),
        ParseErrorKind::ExpectedDigit
        | ParseErrorKind::ExpectedDigitFollowingNegativeSign
        | ParseErrorKind::ExpectedPlusMinusOrDigitInNumberLiteral => ("in numeric literal", None),
        ParseErrorKind::UnexpectedWord => {
            ("looking for beginning of value", Some("put text in quotes"))
        }
        ParseErrorKind::UnexpectedComma => (
            "looking for beginning of value",
            Some("is there a comma too many?"),
        ),
        _ => ("looking for beginning of value", None),
    }
}
