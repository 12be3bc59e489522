//! A text that is never shown (L12).

use std::fmt;

/// A token or a password. It has no `Display`, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    /// The text itself, to be sent.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// A text of somebody else's without this one in it.
    pub(super) fn scrub(&self, text: String) -> String {
        if self.0.is_empty() || !text.contains(&self.0) {
            return text;
        }
        text.replace(&self.0, "(hidden)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(hidden)")
    }
}
