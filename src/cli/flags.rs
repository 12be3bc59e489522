//! Go's flag syntax.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::table;
use super::usage::UsageError;

/// The words that are not read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    rest: &'a [OsString],
    /// Those that there are; the help has its own.
    flags: &'a [&'static [table::Flag]],
}

/// A word that is a flag: `-name`, `--name`, `-name=value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag<'a> {
    name: &'a str,
    value: Option<&'a OsStr>,
}

impl<'a> Words<'a> {
    pub(super) fn new(rest: &'a [OsString], flags: &'a [&'static [table::Flag]]) -> Words<'a> {
        Words { rest, flags }
    }

    /// The next word, whatever it is.
    pub(super) fn next_word(&mut self) -> Option<&'a OsStr> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// What is left.
    pub(super) fn rest(self) -> &'a [OsString] {
        self.rest
    }

    /// The next flag. `None` at the first word that is no flag, at a lone `-`, and after `--`, which is consumed.
    pub(super) fn next_flag(&mut self) -> Result<Option<Flag<'a>>, UsageError> {
        let Some(word) = self.rest.first() else {
            return Ok(None);
        };
        let bytes = word.as_bytes();
        let Some(one) = bytes.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            return Ok(None);
        };
        self.next_word();
        let body = one.strip_prefix(b"-").unwrap_or(one);
        if body.is_empty() {
            return Ok(None);
        }
        let bad = || UsageError::new(format!("bad flag syntax: {}", word.display()));
        if matches!(body[0], b'-' | b'=') {
            return Err(bad());
        }
        let equals = body.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(at) => (&body[..at], Some(OsStr::from_bytes(&body[at + 1..]))),
            None => (body, None),
        };
        let name = std::str::from_utf8(name).map_err(|_| bad())?;
        let flag = Flag { name, value };
        let mut known = self.flags.iter().flat_map(|flags| flags.iter());
        if known.any(|known| known.name == name) || matches!(name, "h" | "help") {
            Ok(Some(flag))
        } else {
            Err(flag.unknown())
        }
    }
}

impl<'a> Flag<'a> {
    /// Without dashes.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// The flag's value: after its `=`, or the next word whatever that looks like.
    pub(super) fn value(&self, words: &mut Words<'a>) -> Result<&'a OsStr, UsageError> {
        let value = self.value.or_else(|| words.next_word());
        value.ok_or_else(|| UsageError::new(format!("flag needs an argument: -{}", self.name)))
    }

    /// The flag's value as text.
    pub(super) fn text(&self, words: &mut Words<'a>) -> Result<&'a str, UsageError> {
        let value = self.value(words)?;
        let text = value.to_str();
        text.ok_or_else(|| self.invalid(value, "it is not UTF-8"))
    }

    /// The flag as a switch: on by its mere presence; a value only after `=`, in Go's spellings.
    pub(super) fn switch(&self) -> Result<bool, UsageError> {
        match self.value.map(OsStr::as_bytes) {
            None | Some(b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True") => Ok(true),
            Some(b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False") => Ok(false),
            Some(other) => {
                let value = OsStr::from_bytes(other).display();
                let name = self.name;
                Err(UsageError::new(format!(
                    "invalid boolean value \"{value}\" for -{name}: write `true` or `false`"
                )))
            }
        }
    }

    /// A value that the flag does not take.
    pub(super) fn invalid(&self, value: &OsStr, reason: &str) -> UsageError {
        UsageError::new(format!(
            "invalid value \"{}\" for flag -{}: {reason}",
            value.display(),
            self.name
        ))
    }

    /// A flag that does not exist here.
    pub(super) fn unknown(&self) -> UsageError {
        UsageError::new(format!("flag provided but not defined: -{}", self.name))
    }
}
