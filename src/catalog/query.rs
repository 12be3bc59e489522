//! The query of a request, and what it says about waiting.

use std::time::Duration;

use super::answer::Answer;
use super::limits::{LONGEST_WAIT, WAIT};
use super::wire;

/// The names and values after the `?`.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

/// What a reader asks for: the answer at once, or when the index has passed `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    No,
    Until { after: u64, at_most: Duration },
}

impl Query {
    pub(super) fn parse(text: &str) -> Query {
        let pairs = wire::query_pairs(text);
        Query { pairs }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(known, _)| known == name)
    }

    /// The first value; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        let pair = self.pairs.iter().find(|(known, _)| known == name);
        pair.map_or("", |(_, value)| value)
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.pairs.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// A number without a sign; `None` if the name is not there.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Answer> {
        let text = self.get(name);
        if !self.has(name) {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            Answer::failed(&format!(
                "strconv.ParseUint: parsing {text:?}: invalid syntax"
            ))
        })
    }

    /// Go's spellings of yes and no.
    pub(super) fn boolean(text: &str) -> Option<bool> {
        match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
            _ => None,
        }
    }

    pub(super) fn wait(&self) -> Result<Wait, Answer> {
        let wait = match self.get("wait") {
            "" => None,
            text => match wire::parse_duration(text) {
                Some(nanoseconds) => u64::try_from(nanoseconds).ok().map(Duration::from_nanos),
                None => return Err(Answer::bad_request("Invalid wait time")),
            },
        };
        let after = match self.get("index") {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| Answer::bad_request("Invalid index"))?,
        };
        if self.has("stale") && self.has("consistent") {
            let text = "Cannot specify ?stale with ?consistent, conflicting semantics.";
            return Err(Answer::bad_request(text));
        }
        if after == 0 {
            return Ok(Wait::No);
        }
        let asked = wait.filter(|wait| !wait.is_zero()).unwrap_or(WAIT);
        let at_most = asked.min(LONGEST_WAIT);
        Ok(Wait::Until { after, at_most })
    }

    /// All parameters as Go writes them again: sorted by name.
    pub(super) fn encoded(&self) -> String {
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_by_key(|(name, _)| name);
        let texts = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        texts.collect::<Vec<_>>().join("&")
    }
}
