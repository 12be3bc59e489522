//! Bytes on their way out.

use memchr::{memchr_iter, memrchr};

use super::buffer::Buffer;

/// A buffer that is given back when it is empty and larger than this.
const KEEP: usize = 512 * 1024;

/// The lines that have not been written yet. Knows where the line begins that is being written, so that it can be written
/// again from its start when it has to go elsewhere.
#[derive(Debug, Default)]
pub(super) struct Queue {
    bytes: Buffer,
    /// The start of the first line that is not written whole.
    head: usize,
    /// What is written; `head` or behind it.
    sent: usize,
}

impl Queue {
    /// Where lines are appended. Only whole lines may be.
    pub(super) fn tail(&mut self) -> &mut Buffer {
        &mut self.bytes
    }

    /// Bytes that are kept.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Whether everything is written.
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// What is to be written next.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.bytes.as_slice()[self.sent..]
    }

    /// Whether the next byte begins a line.
    pub(super) fn at_line_start(&self) -> bool {
        self.sent == self.head
    }

    /// Forgets everything behind the first `len` kept bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(self.head + len);
    }

    /// So many bytes have been written.
    pub(super) fn advance(&mut self, count: usize) {
        self.sent += count;
        if self.sent == self.bytes.len() {
            self.clear();
            return;
        }
        if let Some(newline) = memrchr(b'\n', &self.bytes.as_slice()[self.head..self.sent]) {
            self.head += newline + 1;
        }
        // Moving the rest forward costs no more than writing what is before it did.
        if self.head >= self.bytes.len() - self.head {
            self.bytes.remove_front(self.head);
            self.sent -= self.head;
            self.head = 0;
        }
    }

    /// The line that is being written is to be written again from its start. Returns whether part of it is out already.
    pub(super) fn rewind(&mut self) -> bool {
        let torn = self.sent > self.head;
        self.sent = self.head;
        torn
    }

    /// Gives everything up. Returns the number of lines that were not written whole.
    pub(super) fn discard(&mut self) -> u64 {
        let lines = memchr_iter(b'\n', &self.bytes.as_slice()[self.head..]).count();
        self.clear();
        lines as u64
    }

    fn clear(&mut self) {
        if self.bytes.capacity() > KEEP {
            self.bytes = Buffer::default();
        }
        self.bytes.truncate(0);
        self.head = 0;
        self.sent = 0;
    }
}
