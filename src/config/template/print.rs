//! Where values become text: a buffer that stops at its limit, and Go's `print` and `println`.

use super::format::Formatter;
use super::value::Value;

/// Bytes up to a limit. What goes past it is dropped and remembered, so that a long width costs nothing.
#[derive(Debug)]
pub(super) struct Sink {
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Sink {
    pub(super) fn new(limit: usize) -> Sink {
        Sink {
            bytes: Vec::new(),
            limit,
            full: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = self.limit - self.bytes.len();
        if bytes.len() > room {
            self.full = true;
        }
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Adds a byte `count` times.
    pub(super) fn fill(&mut self, byte: u8, count: usize) {
        let room = self.limit - self.bytes.len();
        if count > room {
            self.full = true;
        }
        let length = self.bytes.len() + count.min(room);
        self.bytes.resize(length, byte);
    }

    /// Adds a value as `{{ . }}` prints it.
    pub(super) fn value(&mut self, value: &Value) {
        Formatter::new(self).argument(value, 'v');
    }

    /// Go's `fmt.Sprint`: a space between two operands when neither is a string.
    pub(super) fn print(&mut self, values: &[Value]) {
        let mut after_text = true; // nothing stands before the first
        for value in values {
            let is_text = matches!(value, Value::Text(_));
            if !is_text && !after_text {
                self.push(b" ");
            }
            self.value(value);
            after_text = is_text;
        }
    }

    /// Go's `fmt.Sprintln`: a space between all operands and a newline behind the last.
    pub(super) fn print_line(&mut self, values: &[Value]) {
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.push(b" ");
            }
            self.value(value);
        }
        self.push(b"\n");
    }

    /// Whether something did not fit.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
