//! From bytes to lines.

use memchr::{memchr, memchr_iter};

/// The longest line that is passed on in one piece, in bytes without its newline.
///
/// A longer one becomes pieces of this size, each but the last marked as `partial`; a piece is a little shorter where the
/// cut would split a UTF-8 character. Together the pieces are the line (D11, L01).
pub const MAX_LINE: usize = 16 * 1024;

/// A buffer of this size is kept for the next half line; a larger one is given back.
const KEEP: usize = 256;

/// Whether to go on after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Go,
    /// This line was taken, the next is not wanted yet.
    Stop,
}

/// Splits one stream into lines and holds the unfinished one back.
#[derive(Debug, Default)]
pub(super) struct Framer {
    /// The beginning of a line whose newline has not come; at most [`MAX_LINE`] bytes between calls.
    held: Vec<u8>,
}

impl Framer {
    /// Calls `emit` with each line of `input`, without its newline and one `\r` before it, and whether it is a piece of a
    /// line that goes on. Returns how much of `input` was used up: all of it unless `emit` said stop.
    ///
    /// How the stream is cut into inputs makes no difference to the lines.
    pub(super) fn feed(
        &mut self,
        input: &[u8],
        mut emit: impl FnMut(&[u8], bool) -> Flow,
    ) -> usize {
        let mut start = 0;
        while !self.held.is_empty() && start < input.len() {
            let (used, flow) = self.feed_held(&input[start..], &mut emit);
            start += used;
            if flow == Flow::Stop {
                return start;
            }
        }
        let base = start;
        for at in memchr_iter(b'\n', &input[base..]) {
            let newline = base + at;
            while newline - start > MAX_LINE {
                let piece = &input[start..];
                let end = cut(piece);
                start += end;
                if emit(&piece[..end], true) == Flow::Stop {
                    return start;
                }
            }
            let line = &input[start..newline];
            start = newline + 1;
            if emit(trim(line), false) == Flow::Stop {
                return start;
            }
        }
        while input.len() - start > MAX_LINE {
            let piece = &input[start..];
            let end = cut(piece);
            start += end;
            if emit(&piece[..end], true) == Flow::Stop {
                return start;
            }
        }
        self.held.extend_from_slice(&input[start..]);
        input.len()
    }

    /// Goes on with a line that an earlier input began; the second value is what the last `emit` said.
    fn feed_held(
        &mut self,
        input: &[u8],
        emit: &mut impl FnMut(&[u8], bool) -> Flow,
    ) -> (usize, Flow) {
        let window = &input[..input.len().min(MAX_LINE + 1 - self.held.len())];
        if let Some(newline) = memchr(b'\n', window) {
            self.held.extend_from_slice(&window[..newline]);
            let flow = emit(trim(&self.held), false);
            self.clear();
            return (newline + 1, flow);
        }
        self.held.extend_from_slice(window);
        if self.held.len() <= MAX_LINE {
            return (window.len(), Flow::Go);
        }
        let end = cut(&self.held);
        let flow = emit(&self.held[..end], true);
        self.held.drain(..end);
        (window.len(), flow)
    }

    /// The stream has ended: what is held back is its last line (D22, L02).
    pub(super) fn finish(&mut self, mut emit: impl FnMut(&[u8], bool) -> Flow) {
        if !self.held.is_empty() {
            emit(trim(&self.held), false);
            self.held = Vec::new();
        }
    }

    /// Whether no line is held back.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn clear(&mut self) {
        if self.held.capacity() > KEEP {
            self.held = Vec::new();
        } else {
            self.held.clear();
        }
    }
}

/// One `\r` before the newline belongs to the line's end.
fn trim(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where to end a piece of a line that is longer than [`MAX_LINE`]: there, or before the character that would be split.
fn cut(line: &[u8]) -> usize {
    for back in 1..=3 {
        let width = match line[MAX_LINE - back] {
            0x80..0xc0 => continue,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            _ => 1,
        };
        return MAX_LINE - if width > back { back } else { 0 };
    }
    MAX_LINE
}
