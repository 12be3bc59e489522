//! A text in which the template's actions are set aside, so that it can be read and written without being rendered.

use super::print::literal;

/// What stands for an action: it looks like one to whoever must not judge a value that a template makes, and no file has
/// these characters, which Unicode leaves to private use.
const OPEN: &str = "{{\u{e000}";
const CLOSE: &str = "\u{e001}}}";

/// Words that begin an action which makes more or less than one value.
const BLOCKS: [&str; 8] = [
    "if", "else", "end", "range", "with", "define", "template", "block",
];

/// The text, and its actions in their order.
#[derive(Debug)]
pub(super) struct Kept {
    text: String,
    actions: Vec<Action>,
}

#[derive(Debug)]
struct Action {
    raw: String,
    /// It is a whole value and not part of a string.
    is_value: bool,
}

impl Kept {
    /// `None` where an action is more than a value, or is not closed.
    pub(super) fn of(text: &str) -> Option<Kept> {
        let mut kept = Kept {
            text: String::with_capacity(text.len()),
            actions: Vec::new(),
        };
        let mut in_string = false;
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if rest.starts_with("{{") {
                let length = rest.find("}}")? + 2;
                kept.set_aside(&rest[..length], !in_string)?;
                rest = &rest[length..];
                continue;
            }
            let length = match next {
                '\\' if in_string => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                _ => next.len_utf8(),
            };
            in_string ^= next == '"';
            kept.text.push_str(&rest[..length]);
            rest = &rest[length..];
        }
        Some(kept)
    }

    fn set_aside(&mut self, raw: &str, is_value: bool) -> Option<()> {
        let inner = raw
            .trim_start_matches('{')
            .trim_start_matches('-')
            .trim_start();
        let word: String = inner
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        if BLOCKS.contains(&word.as_str()) || inner.starts_with('$') || inner.starts_with("/*") {
            return None;
        }
        let mark = format!("{OPEN}{}{CLOSE}", self.actions.len());
        let quote = if is_value { "\"" } else { "" };
        self.text.extend([quote, &mark, quote]);
        self.actions.push(Action {
            raw: raw.to_owned(),
            is_value,
        });
        Some(())
    }

    /// The text with marks in place of actions.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Another text that was made of it, [literal] or not, with its actions instead of the marks.
    pub(super) fn put_back(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (number, action) in self.actions.iter().enumerate() {
            let mark = format!("{OPEN}{number}{CLOSE}");
            for mark in [literal(&mark), mark] {
                if action.is_value {
                    text = text.replace(&format!("\"{mark}\""), &action.raw);
                }
                text = text.replace(&mark, &action.raw);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_in_strings_and_as_values_come_back_as_they_were() {
        let text = r#"{ "a": "{{ .A | default "x" }}:1", "p": {{ .PORT }}, "q": "\"{{ .Q }}" }"#;
        let kept = Kept::of(text).unwrap();
        assert!(!kept.text().contains("PORT"), "{}", kept.text());
        assert!(super::super::json5::parse(kept.text()).is_ok());
        assert_eq!(kept.put_back(kept.text()), text);
        assert_eq!(kept.put_back(&literal(kept.text())), text);
    }

    #[test]
    fn what_is_more_than_a_value_is_not_kept() {
        for text in [
            "{{ if .A }} {} {{ end }}",
            "{{- range .A }}{{ end }}",
            "{{ $x := 1 }}",
            "{{ .A",
        ] {
            assert!(Kept::of(text).is_none(), "{text}");
        }
    }
}
