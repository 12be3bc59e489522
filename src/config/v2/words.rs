//! The words of the command line: each is a template of its own, which knows what the file does not yet know.

use crate::config::job::Draft;
use crate::config::service::address_variable;
use crate::config::template::{self, Variables};
use crate::config::tree::Node;
use crate::config::walk::{Finding, Place, Walk};
use crate::jobs::Exec;

use super::APP;

/// Renders the words of `app`; one that cannot be rendered leaves all as they are, as in version 2.
pub(in crate::config) fn render(
    walk: &mut Walk<'_>,
    root: &Node,
    drafts: &mut [Draft],
    variables: &Variables,
) {
    let known = with_addresses(variables, drafts);
    let Some(draft) = drafts.iter_mut().find(|draft| draft.spec.name == APP) else {
        return;
    };
    let Some(exec) = &draft.spec.exec else {
        return;
    };
    let words = exec.argv().iter();
    let rendered: Result<Vec<String>, _> = words
        .map(|word| template::render(word, &known).map(|rendered| rendered.text))
        .collect();
    match rendered {
        Ok(words) => draft.spec.exec = Exec::new(words).or(draft.spec.exec.take()),
        Err(error) => {
            let place = Place {
                path: String::new(),
                range: root.range.start..root.range.start + 1,
            };
            let finding = Finding::new(format!(
                "Unable to render command arguments template: {}: the words are used as they are",
                error.message
            ));
            walk.warning(&place, finding);
        }
    }
}

/// The addresses of the services beside the environment.
fn with_addresses(variables: &Variables, drafts: &[Draft]) -> Variables {
    let mut known = variables.clone();
    for service in drafts
        .iter()
        .filter_map(|draft| draft.spec.service.as_ref())
    {
        let address = service.address.map(|address| address.to_string());
        if let Some(address) = address.or_else(|| service.static_address.clone()) {
            known.insert(address_variable(&service.name), address);
        }
    }
    known
}

/// A script that runs the words with the addresses of the environment, if any of them wants an address.
pub(super) fn script(words: &[String]) -> Option<String> {
    let quoted: Vec<(String, bool)> = words.iter().map(|word| quote(word)).collect();
    let wants = quoted.iter().any(|(_, wants)| *wants);
    let words: Vec<String> = quoted.into_iter().map(|(word, _)| word).collect();
    wants.then(|| format!("exec {}", words.join(" ")))
}

/// A word in quotes for the shell, and whether it asks for an address.
fn quote(word: &str) -> (String, bool) {
    let mut out = String::new();
    let mut wants = false;
    let mut rest = word;
    while let Some((before, variable, after)) = next_address(rest) {
        if !before.is_empty() {
            out.push_str(&single(before));
        }
        out.extend(["\"$", variable, "\""]);
        wants = true;
        rest = after;
    }
    if !rest.is_empty() || out.is_empty() {
        out.push_str(&single(rest));
    }
    (out, wants)
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The first `{{ .CONTAINERPILOT_<SERVICE>_IP }}`, with what is before and after it.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("{{") {
        let start = from + at;
        let end = start + text[start..].find("}}")?;
        let action = text[start + 2..end].trim_matches(['-', ' ', '\t']);
        let variable = action.strip_prefix('.');
        let variable = variable.filter(|name| {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            name.starts_with("CONTAINERPILOT_")
                && name.ends_with("_IP")
                && name.chars().all(is_word)
        });
        if let Some(variable) = variable {
            return Some((&text[..start], variable, &text[end + 2..]));
        }
        from = end + 2;
    }
    None
}
