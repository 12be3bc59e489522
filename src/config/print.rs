//! The tree as JSON5 text, for people: keys without quotes where they need none, short values on one line.

use std::fmt::Write as _;

use super::tree::{Kind, Node};
use super::walk::number_text;

/// Values that fit into so many columns stay on one line.
const WIDTH: usize = 100;

/// The text of a value, with a line break at its end.
pub(super) fn print(node: &Node) -> String {
    let mut text = String::new();
    put(&mut text, node, 0);
    text.push('\n');
    text
}

/// The same text for a file, which is a template again: what only looks like an action in it is none.
pub(super) fn literal(text: &str) -> String {
    text.replace("{{", "{\\u007b")
}

fn put(out: &mut String, node: &Node, depth: usize) {
    let flat = flat(node);
    let fits = depth * 2 + flat.chars().count() <= WIDTH;
    if depth > 0 && fits && !has_notes_inside(node) {
        out.push_str(&flat);
        return;
    }
    match &node.kind {
        Kind::Array(elements) if !elements.is_empty() => {
            out.push_str("[\n");
            for element in elements {
                comment(out, element, depth + 1);
                indent(out, depth + 1);
                put(out, element, depth + 1);
                out.push_str(",\n");
            }
            indent(out, depth);
            out.push(']');
        }
        Kind::Object(entries) if !entries.is_empty() => {
            out.push_str("{\n");
            for entry in entries {
                comment(out, &entry.value, depth + 1);
                indent(out, depth + 1);
                out.push_str(&key(&entry.key));
                out.push_str(": ");
                put(out, &entry.value, depth + 1);
                out.push_str(",\n");
            }
            indent(out, depth);
            out.push('}');
        }
        _ => out.push_str(&flat),
    }
}

/// What there is to say about a value, above it.
fn comment(out: &mut String, node: &Node, depth: usize) {
    if let Some(note) = &node.note {
        indent(out, depth);
        out.push_str("// ");
        out.push_str(note);
        out.push('\n');
    }
}

/// Whether a value is to be written on several lines, so that there is room for comments.
fn has_notes_inside(node: &Node) -> bool {
    let is_noted = |node: &Node| node.note.is_some() || has_notes_inside(node);
    let mut entries = node.entries().iter();
    entries.any(|entry| is_noted(&entry.value)) || node.elements().iter().any(is_noted)
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn flat(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number_literal(*number),
        Kind::String(text) => quoted(text),
        Kind::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(flat).collect();
            format!("[{}]", elements.join(", "))
        }
        Kind::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Kind::Object(entries) => {
            let entries = entries.iter();
            let pairs = entries.map(|entry| format!("{}: {}", key(&entry.key), flat(&entry.value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn number_literal(number: f64) -> String {
    match number_text(number).as_str() {
        "+Inf" => "Infinity".to_owned(),
        "-Inf" => "-Infinity".to_owned(),
        text => text.to_owned(),
    }
}

/// A key as JSON5 takes it: an identifier of ASCII needs no quotes.
pub(super) fn key(key: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let starts = key.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if starts && key.chars().all(is_word) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// A text in double quotes, which is the same in JSON and JSON5.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // JSON5 takes these two raw, editors and older parsers do not.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
