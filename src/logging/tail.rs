//! The end of what a run wrote.

use std::sync::{Arc, Mutex, PoisonError};

/// How much is kept: what a reader of a failed check wants to see, and half of what a catalogue takes.
pub(super) const TAIL: usize = 2048;

/// The last bytes of one run's output. Clones are the same. Locked for the moment of a copy, never over an await.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Tail {
    pub(super) fn push(&self, new: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = &new[new.len().saturating_sub(TAIL)..];
        let surplus = (bytes.len() + new.len()).saturating_sub(TAIL);
        bytes.drain(..surplus);
        bytes.extend_from_slice(new);
    }

    /// As text, without the blanks around it; what was cut off in the middle of a character is left out.
    pub(super) fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_cut = bytes.len() == TAIL;
        let text = String::from_utf8_lossy(&bytes);
        let text = if is_cut {
            text.trim_start_matches(char::REPLACEMENT_CHARACTER)
        } else {
            &text
        };
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_no_more() {
        let tail = Tail::default();
        tail.push(b"lost ");
        tail.push("ü".repeat(TAIL).as_bytes());
        tail.push(b"end\n");
        let text = tail.text();
        assert!(text.len() <= TAIL && text.ends_with("üend"), "{text}");
        assert!(text.starts_with('ü'));
        let tail = Tail::default();
        assert_eq!(tail.text(), "");
        tail.push(b" a\nb \n");
        assert_eq!(tail.text(), "a\nb");
    }
}
