//! Every key of a configuration: its name, type and default, and what it is for.
//!
//! One table for all who have to know: a reader takes no key that is not here (`Section::take` asserts it), a key that no
//! reader takes is unknown to a test that tries each of them, a misspelt key is compared with these, and the JSON Schema for
//! editors is printed from it. What depends on more than one key, such as `ttl` beside `exec`, the readers know alone.

mod health;
mod jobs;
mod limits;
mod program;
mod starts;

pub use program::TOP;

pub(super) use health::{FILE, GRPC, HEALTH, HTTP, READY, TARGET};
pub(super) use jobs::{JOB, JOB_CONSUL};
pub(super) use limits::LIMIT;
#[cfg(test)]
pub(super) use limits::LIMITS;
pub(super) use program::{CONSUL, CONTROL, LOGGING, METRIC, TELEMETRY, TLS, WATCH};
pub(super) use starts::{ACTION, CONDITION, HOOK, PRE_START, REACTION, SHELL, WHEN};

/// An object of a configuration, with all of its keys.
#[derive(Debug)]
pub struct Shape {
    /// What it is called among the others.
    pub name: &'static str,
    /// What may stand in it. Keys that begin with `x-` may as well.
    pub keys: &'static [Key],
    /// Keys that must be there.
    pub required: &'static [&'static str],
    /// Keys that the original took without doing anything with them.
    pub ignored: &'static [&'static str],
}

/// A key.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What may be its value; null, which is as good as absent, always may.
    pub kind: Kind,
    /// What holds without it, in words or as it would be written; empty where that needs no word.
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// What a value may be.
#[derive(Debug)]
pub enum Kind {
    /// A text; a number or a boolean will do.
    Text,
    /// A whole number within bounds; a text with a number will do.
    Whole(i64, i64),
    /// A number, with or without a fraction.
    Number,
    /// True or false, or what the original took for that.
    Boolean,
    /// A whole number of seconds, or a text with units.
    Duration,
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words in any case.
    WordsInAnyCase(&'static [&'static str]),
    /// An object of ours.
    Object(&'static Shape),
    /// An array.
    List(&'static Kind),
    /// An object whose keys are the user's own.
    Map(&'static Kind),
    /// One of several.
    Either(&'static [Kind]),
    /// Looked at by nobody.
    Anything,
}

impl Shape {
    /// The key of this name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The shape of the object that stands under this key; `None` if there can be none.
    pub(super) fn object(&self, name: &str) -> Option<&'static Shape> {
        match self.key(name)?.kind {
            Kind::Object(shape) => Some(shape),
            _ => None,
        }
    }
}

const fn key(name: &'static str, kind: Kind, default: &'static str, about: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
        about,
    }
}

/// A text, or an array of texts.
const TEXTS: Kind = Kind::Either(&[Kind::Text, Kind::List(&Kind::Text)]);

const PORT: Kind = Kind::Whole(0, 65535);

const INTERFACES: &str = "which address: the first specification that matches one, such as `eth0`, `eth0:inet6`, `10.0.0.0/16`, `static:192.0.2.7`";
