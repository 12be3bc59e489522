//! Names of events that others publish.

use std::fmt;
use std::str::FromStr;

/// The longest name, in bytes.
const LONGEST: usize = 31;

/// The name of an event that a client publishes and a configuration calls `event.<name>`. It is kept in place, so that
/// events stay values that are copied and need no table of names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomName {
    /// Filled up with zeros.
    bytes: [u8; LONGEST],
}

/// What cannot be the name of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAName;

impl CustomName {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|byte| *byte == 0);
        // Only ASCII goes in.
        std::str::from_utf8(&self.bytes[..end.unwrap_or(LONGEST)]).unwrap_or_default()
    }
}

impl FromStr for CustomName {
    type Err = NotAName;

    /// 1 to 31 ASCII letters, digits, `-`, `_` and `.`.
    fn from_str(text: &str) -> Result<CustomName, NotAName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(fits) {
            return Err(NotAName);
        }
        let mut bytes = [0; LONGEST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(CustomName { bytes })
    }
}

impl fmt::Display for NotAName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "the name of an event has 1 to {LONGEST} letters, digits, `-`, `_` and `.`"
        )
    }
}

impl std::error::Error for NotAName {}

impl fmt::Display for CustomName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for CustomName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
