//! What goes wrong, with its place in the template.

use thiserror::Error;

use super::super::walk::on_one_line;

/// A template that cannot be parsed or rendered.
///
/// The words of the message follow Go's where Go has any, so that a search for them finds Go's manual.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {}", on_one_line(message.clone()))]
pub struct TemplateError {
    /// The line of the template, from 1.
    pub line: usize,
    /// The column in that line, from 1, in characters.
    pub column: usize,
    /// What is wrong, without a final period. It may quote a line break of the template; as it is displayed it has none.
    pub message: String,
    /// A way out, where there is an obvious one.
    pub help: Option<String>,
}

impl TemplateError {
    /// An error at byte `offset` of `source`. A message that quotes too much of it is cut.
    pub(super) fn at(source: &str, offset: usize, message: impl Into<String>) -> TemplateError {
        let bytes = source.as_bytes();
        let before = &bytes[..offset.min(bytes.len())];
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let characters = before[start..]
            .iter()
            .filter(|byte| !is_continuation(**byte))
            .count();
        TemplateError {
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            column: 1 + characters,
            message: shortened(message.into()),
            help: None,
        }
    }

    /// The same error with a way out.
    pub(super) fn with_help(mut self, help: impl Into<String>) -> TemplateError {
        self.help = Some(help.into());
        self
    }
}

/// The longest message, in characters.
const MAX_MESSAGE: usize = 400;

fn shortened(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => message[..end].to_owned() + "…",
        None => message,
    }
}

/// Whether a byte of UTF-8 goes on with a character that began before it.
fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}
