//! Commands: a string, an array of words, or `{ shell: "…" }`.

use crate::jobs::Exec;

use super::keys;
use super::tree::{Kind, Node};
use super::walk::{Field, Finding, Walk, number_text, quoted, scalar_text};

/// The command of a field; `None` has been reported.
pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Exec> {
    let argv = match &field.node.kind {
        Kind::String(text) => split(walk, field, text),
        Kind::Array(elements) => words(walk, field, elements),
        Kind::Object(_) => shell(walk, field)?,
        _ => Vec::new(),
    };
    let exec = Exec::new(argv).filter(|exec| !exec.program().is_empty());
    if exec.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!("cannot run {shown}: received zero-length argument"));
        walk.error(&field.place, finding.help(HELP));
    }
    exec
}

const HELP: &str = "write a command such as `\"/bin/app --port 80\"`, an array of words, or `{ shell: \"…\" }`; \
                    leave `exec` out for a job without a command";

/// A string is split at every single space, as in the original: no quotes, no escapes, no variables (D38).
fn split(walk: &mut Walk<'_>, field: &Field<'_>, text: &str) -> Vec<String> {
    let argv: Vec<String> = text.trim().split(' ').map(str::to_owned).collect();
    if let Some(sign) = shell_sign(&argv).filter(|_| !text.trim().is_empty()) {
        let finding = Finding::new(format!(
            "{sign} has no meaning here: the string is split at single spaces and no shell reads it"
        ));
        let help = "write `exec: { shell: \"…\" }` for a shell command, or an array of words";
        walk.warning(&field.place, finding.help(help));
    }
    argv
}

/// An array is taken word by word; what is no text becomes one.
fn words(walk: &mut Walk<'_>, field: &Field<'_>, elements: &[Node]) -> Vec<String> {
    let mut argv = Vec::with_capacity(elements.len());
    for element in elements {
        if !matches!(element.kind, Kind::String(_) | Kind::Number(_)) {
            let shown = walk.shown(element);
            let text = quoted(&go_text(element));
            let finding = Finding::new(format!("{shown} becomes the argument {text}"));
            let mut place = field.place.clone();
            place.range = element.range.clone();
            walk.warning(&place, finding.help("put the argument in quotes"));
        }
        argv.push(go_text(element));
    }
    argv
}

/// A value as Go prints it with `%v`; only numbers of seven digits and more are written out, without an exponent.
fn go_text(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "<nil>".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number_text(*number),
        Kind::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(go_text).collect();
            format!("[{}]", elements.join(" "))
        }
        Kind::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            let pairs = entries
                .iter()
                .map(|entry| format!("{}:{}", entry.key, go_text(&entry.value)));
            format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
        }
        Kind::String(_) => scalar_text(node).unwrap_or_default(),
    }
}

/// `{ shell: "…" }` is run by `/bin/sh -c`. `None` has been reported.
fn shell(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Vec<String>> {
    let mut section = walk.section(field, &keys::SHELL)?;
    let given = section.take(walk, "shell");
    let text = match &given {
        Some(text) => walk.text(text)?,
        None => String::new(),
    };
    let all_known = section.finish(walk);
    if given.is_none() && !all_known {
        return None;
    }
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), text])
}

/// What in these words only a shell would understand.
fn shell_sign(argv: &[String]) -> Option<&'static str> {
    argv.iter().find_map(|word| sign_in(word))
}

fn sign_in(word: &str) -> Option<&'static str> {
    let unnumbered = word.trim_start_matches(|c: char| c.is_ascii_digit());
    match word {
        "" => Some("a double space"),
        "|" | "||" | "&&" | "&" | ";" => Some("a pipe or a list of commands"),
        _ if word.ends_with(';') => Some("a list of commands"),
        _ if word.contains(['"', '\'']) => Some("a quote"),
        _ if word.contains('`') || has_variable(word) => Some("a variable or a substitution"),
        _ if unnumbered.starts_with(['<', '>']) => Some("a redirection"),
        _ if word.contains(['\t', '\n', '\r']) => Some("a tab or a line break"),
        _ => None,
    }
}

/// `$NAME`, `${…}`, `$(…)`, `$1`, `$?`, `$@`, `$*`.
fn has_variable(word: &str) -> bool {
    let after = word
        .match_indices('$')
        .filter_map(|(at, _)| word[at + 1..].chars().next());
    let mut after = after;
    after.any(|c| c.is_ascii_alphanumeric() || "_{(?@*".contains(c))
}
