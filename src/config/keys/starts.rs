//! The keys of commands, hooks and what starts a job.

use super::{Key, Kind, Shape, key};

/// A command.
pub(super) const COMMAND: Kind = Kind::Either(&[
    Kind::Text,
    Kind::List(&Kind::Anything),
    Kind::Object(&SHELL),
]);

/// What a hook may be.
pub(super) const HOOKED: Kind = Kind::Either(&[
    Kind::Text,
    Kind::List(&Kind::Anything),
    Kind::Object(&SHELL),
    Kind::Object(&HOOK),
]);

/// A signal: its name or its number.
pub(super) const SIGNAL: Kind = Kind::Text;

pub(in crate::config) static ACTION: Shape = Shape {
    name: "action",
    required: &[],
    ignored: &[],
    keys: &[
        key("signal", SIGNAL, "", "is sent to the job that `job` names"),
        key("job", Kind::Text, "", "the job that gets the signal"),
        key("restart", Kind::Text, "", "the job that is restarted"),
    ],
};

pub(in crate::config) static SHELL: Shape = Shape {
    name: "shell",
    required: &["shell"],
    ignored: &[],
    keys: &[key("shell", Kind::Text, "", "run by `/bin/sh -c`")],
};

/// What all hooks have.
const EXEC: Key = key("exec", COMMAND, "", "its command");
const TIMEOUT: Key = key("timeout", Kind::Duration, "none", "the longest it may last");
const ENV: Key = key(
    "env",
    Kind::Map(&Kind::Text),
    "the job's",
    "variables; null unsets one",
);

pub(in crate::config) static HOOK: Shape = Shape {
    name: "hook",
    required: &["exec"],
    ignored: &[],
    keys: &[
        EXEC,
        TIMEOUT,
        ENV,
        key("signal", SIGNAL, "TERM", "what stops it"),
    ],
};

pub(in crate::config) static PRE_START: Shape = Shape {
    name: "preStart",
    required: &["exec"],
    ignored: &[],
    keys: &[
        EXEC,
        TIMEOUT,
        ENV,
        key("signal", SIGNAL, "TERM", "what stops it"),
        key(
            "onFailure",
            Kind::Words(&["abort", "retry", "ignore"]),
            "abort",
            "what its failure leads to: the container ends, it is tried again, or the job starts",
        ),
    ],
};

pub(in crate::config) static REACTION: Shape = Shape {
    name: "reaction",
    required: &[],
    ignored: &[],
    keys: &[
        key("signal", SIGNAL, "", "is sent to the job"),
        key("restart", Kind::Boolean, "", "the job is restarted"),
    ],
};

pub(in crate::config) static WHEN: Shape = Shape {
    name: "when",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "interval",
            Kind::Duration,
            "none",
            "at startup, then at each multiple",
        ),
        key(
            "first",
            Kind::Words(&["now", "interval"]),
            "now",
            "beside `interval`: when the first run comes",
        ),
        key(
            "maintenance",
            Kind::Words(&["run", "skip"]),
            "run",
            "beside `interval` and `cron`: with `skip` times in maintenance are skipped",
        ),
        key(
            "cron",
            Kind::Text,
            "none",
            "the times at which it starts: five fields, or six",
        ),
        key(
            "timezone",
            Kind::Text,
            "the local one",
            "of `cron`: a name of the image's zones",
        ),
        key(
            "overlap",
            Kind::Words(&["skip", "queue", "kill"]),
            "skip",
            "what a tick does while the last run is still there",
        ),
        key(
            "all",
            Kind::List(&Kind::Object(&CONDITION)),
            "none",
            "all of these must hold",
        ),
        key(
            "any",
            Kind::List(&Kind::Object(&CONDITION)),
            "none",
            "one of these must hold",
        ),
        key(
            "after",
            Kind::Object(&CONDITION),
            "none",
            "what must have come before anything starts the job",
        ),
        key("once", Kind::Text, "none", "the first such event starts it"),
        key("each", Kind::Text, "none", "each such event starts it"),
        key("source", Kind::Text, "global", "who the event is of"),
        key(
            "timeout",
            Kind::Duration,
            "none",
            "the longest wait for the first start",
        ),
        key(
            "onTimeout",
            Kind::Words(&["skip", "fail", "start"]),
            "skip",
            "what comes of it then",
        ),
    ],
};

pub(in crate::config) static CONDITION: Shape = Shape {
    name: "condition",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "all",
            Kind::List(&Kind::Object(&CONDITION)),
            "",
            "all of these must hold",
        ),
        key(
            "any",
            Kind::List(&Kind::Object(&CONDITION)),
            "",
            "one of these must hold",
        ),
        key("source", Kind::Text, "", "who the event is of"),
        key("once", Kind::Text, "", "an event that has happened"),
        key(
            "each",
            Kind::Text,
            "",
            "an event that starts the job each time",
        ),
        key(
            "is",
            Kind::Words(&["running", "healthy", "unhealthy"]),
            "",
            "what the source is at the moment of the start",
        ),
    ],
};
