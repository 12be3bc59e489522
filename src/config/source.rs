//! The text of a configuration and the places in it.

use std::ops::Range;

use super::diagnostic::{Excerpt, Position};
use super::secrets::Secrets;
use super::template::SourceMap;

/// How many characters of a long line an excerpt shows.
const WINDOW: usize = 100;

/// How many lines before one are near it.
const NEAR: usize = 3;

/// A text in which positions are byte ranges, with what it takes to say where they stand in the file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    text: &'a str,
    /// Which line of the template a line came from; `None` when the text is the file itself.
    map: Option<&'a SourceMap>,
    /// The byte offset at which each line begins.
    starts: Vec<usize>,
    /// Lines (from 0) that hold a secret.
    hidden: Vec<Range<usize>>,
    secrets: Secrets,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, map: Option<&'a SourceMap>, secrets: Secrets) -> Source<'a> {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(offset, _)| offset + 1));
        Source {
            text,
            map,
            starts: starts.collect(),
            hidden: Vec::new(),
            secrets,
        }
    }

    /// The text of a range; empty if the range is none.
    pub(super) fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Keeps the lines of this range, and any other that contains `text`, out of excerpts.
    pub(super) fn hide(&mut self, range: &Range<usize>, text: &str) {
        let lines = self.line_of(range.start)..self.line_of(range.end) + 1;
        self.hidden.push(lines);
        self.secrets.add(text);
    }

    /// The message without secrets.
    pub(super) fn scrub(&self, message: String) -> String {
        self.secrets.scrub(message)
    }

    /// Where a byte offset stands.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.line_of(offset);
        let column = self.column_of(line, offset) + 1;
        let number = line + 1;
        match self.map {
            Some(map) if map.is_verbatim(number) => Position {
                line: map.source_line(number),
                column,
                rendered_line: None,
            },
            Some(map) => Position {
                line: map.source_line(number),
                column,
                rendered_line: Some(number),
            },
            None => Position {
                line: number,
                column,
                rendered_line: None,
            },
        }
    }

    /// The byte offset of a line and column, both from 1; the nearest one if there is none.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let line = line.clamp(1, self.starts.len()) - 1;
        let mut characters = self.line_text(line).char_indices();
        let found = characters.nth(column.saturating_sub(1));
        let within = found.map_or(self.line_text(line).len(), |(offset, _)| offset);
        self.starts[line] + within
    }

    /// The line in which a range begins; `None` where it could show a secret.
    pub(super) fn excerpt(&self, range: &Range<usize>) -> Option<Excerpt> {
        let line = self.line_of(range.start);
        let text = self.line_text(line);
        if self.hidden.iter().any(|lines| lines.contains(&line)) || self.secrets.are_in(text) {
            return None;
        }
        let start = self.column_of(line, range.start);
        let end = self.starts[line] + text.len();
        let marked = self.slice(&(range.start..range.end.min(end)));
        let position = self.position(range.start);
        let number = position.rendered_line.unwrap_or(position.line);
        Some(windowed(number, text, start, marked.chars().count().max(1)))
    }

    /// Whether this line or one of the few before it has the word: a syntax error leaves no tree that would tell a token's
    /// value from another.
    pub(super) fn is_near_word(&self, offset: usize, word: &str) -> bool {
        let line = self.line_of(offset);
        let before = (0..line).rev().map(|line| self.line_text(line));
        let before = before.filter(|text| !text.trim().is_empty()).take(NEAR);
        let mut texts = std::iter::once(self.line_text(line)).chain(before);
        texts.any(|text| {
            text.to_ascii_lowercase()
                .contains(&word.to_ascii_lowercase())
        })
    }

    /// The line, counted from 0, of a byte offset.
    fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    fn line_text(&self, line: usize) -> &'a str {
        let start = self.starts[line];
        let end = self
            .starts
            .get(line + 1)
            .map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(start..end).unwrap_or_default();
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// Characters between the start of the line and the offset.
    fn column_of(&self, line: usize, offset: usize) -> usize {
        self.slice(&(self.starts[line]..offset)).chars().count()
    }
}

/// The part of a line around the marked characters, with every character one cell wide.
fn windowed(number: usize, line: &str, start: usize, width: usize) -> Excerpt {
    let cut = start.saturating_sub(WINDOW / 2);
    let from = if line.chars().count() > WINDOW {
        cut
    } else {
        0
    };
    let shown = line.chars().skip(from).take(WINDOW);
    let text: String = shown.map(visible).collect();
    let room = WINDOW - (start - from).min(WINDOW - 1);
    Excerpt {
        number,
        text: text.trim_end().to_owned(),
        start: start - from,
        width: width.min(room),
    }
}

/// A character that moves no cursor: a configuration may come from a stranger, and its excerpt goes to a terminal.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        other if other.is_control() => '\u{fffd}',
        other => other,
    }
}
