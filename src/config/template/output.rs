//! The rendered text, and from which line of the template each of its lines came.

/// From a line of the rendered text to the line of the template that it came from.
///
/// Errors in a rendered configuration are shown with the line that its author wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    lines: Vec<Origin>,
}

/// Where a rendered line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    /// From 1. The source is far shorter than what fits.
    line: u32,
    verbatim: bool,
}

impl SourceMap {
    /// The line of the template (from 1) that a rendered line (from 1) began in. A line past the end gives the last one.
    #[must_use]
    pub fn source_line(&self, rendered_line: usize) -> usize {
        self.origin(rendered_line)
            .map_or(1, |origin| origin.line as usize)
    }

    /// Whether the line was copied from the template unchanged, so that its columns agree as well.
    #[must_use]
    pub fn is_verbatim(&self, rendered_line: usize) -> bool {
        rendered_line <= self.lines.len()
            && self
                .origin(rendered_line)
                .is_some_and(|origin| origin.verbatim)
    }

    fn origin(&self, rendered_line: usize) -> Option<&Origin> {
        let last = self.lines.len().checked_sub(1)?;
        self.lines.get(rendered_line.saturating_sub(1).min(last))
    }
}

/// Collects the rendered text.
#[derive(Debug)]
pub(super) struct Output<'s> {
    source: &'s str,
    /// Where each line of the source begins.
    line_starts: Vec<usize>,
    bytes: Vec<u8>,
    limit: usize,
    lines: Vec<Origin>,
    /// The line in work: where it came from, and the place of the source that would go on with it unchanged.
    current: Option<(Origin, Option<usize>)>,
}

/// The text has reached its limit.
#[derive(Debug)]
pub(super) struct Full;

impl<'s> Output<'s> {
    pub(super) fn new(source: &'s str, limit: usize) -> Output<'s> {
        let newlines = source.match_indices('\n').map(|(index, _)| index + 1);
        Output {
            source,
            line_starts: std::iter::once(0).chain(newlines).collect(),
            bytes: Vec::with_capacity(source.len().min(limit)),
            limit,
            lines: Vec::new(),
            current: None,
        }
    }

    /// Copies a part of the source.
    pub(super) fn copy(&mut self, start: usize, end: usize) -> Result<(), Full> {
        let source = self.source;
        self.append(&source.as_bytes()[start..end])?;
        let mut position = start;
        for line in source[start..end].split_inclusive('\n') {
            let next = position + line.len();
            let continues = match self.current {
                None => self.line_starts.binary_search(&position).is_ok(),
                Some((_, expected)) => expected == Some(position),
            };
            let number = self.line_of(position);
            let (origin, expected) = self.current.get_or_insert((
                Origin {
                    line: number,
                    verbatim: false,
                },
                None,
            ));
            *expected = continues.then_some(next);
            origin.verbatim = false;
            if line.ends_with('\n') {
                origin.verbatim = continues;
                self.finish_line();
            }
            position = next;
        }
        Ok(())
    }

    /// Adds what an action at `place` of the source printed.
    pub(super) fn print(&mut self, bytes: &[u8], place: usize) -> Result<(), Full> {
        self.append(bytes)?;
        let line = self.line_of(place);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (_, expected) = self.current.get_or_insert((
                Origin {
                    line,
                    verbatim: false,
                },
                None,
            ));
            *expected = None;
            if piece.ends_with(b"\n") {
                self.finish_line();
            }
        }
        Ok(())
    }

    /// The text and the map. A byte that belongs to no character becomes U+FFFD, as in Go's reading of JSON.
    pub(super) fn finish(mut self) -> (String, SourceMap) {
        if let Some((origin, expected)) = &mut self.current {
            origin.verbatim = *expected == Some(self.source.len());
            self.finish_line();
        }
        let text = String::from_utf8(self.bytes)
            .unwrap_or_else(|error| replace_broken(&error.into_bytes()));
        (text, SourceMap { lines: self.lines })
    }

    fn finish_line(&mut self) {
        if let Some((origin, _)) = self.current.take() {
            self.lines.push(origin);
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if bytes.len() > self.limit - self.bytes.len() {
            return Err(Full);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn line_of(&self, place: usize) -> u32 {
        let line = self.line_starts.partition_point(|start| *start <= place);
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

/// One U+FFFD for every broken byte.
fn replace_broken(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
