//! The keys of the program: everything outside of `jobs`.

use super::jobs::JOB;
use super::{INTERFACES, Kind, PORT, Shape, TEXTS, key};

/// The whole file.
pub static TOP: Shape = Shape {
    name: "configuration",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "$schema",
            Kind::Text,
            "none",
            "for editors; nobody else reads it",
        ),
        key(
            "jobs",
            Kind::List(&Kind::Object(&JOB)),
            "none",
            "what is run",
        ),
        key(
            "watches",
            Kind::Either(&[Kind::List(&Kind::Object(&WATCH)), Kind::Anything]),
            "none",
            "what is watched in the catalogue; anything but an array is ignored",
        ),
        key(
            "consul",
            Kind::Either(&[Kind::Text, Kind::Object(&CONSUL)]),
            "none: nothing is registered",
            "the catalogue: its address, or an object",
        ),
        key(
            "control",
            Kind::Object(&CONTROL),
            "a socket",
            "the control socket",
        ),
        key(
            "telemetry",
            Kind::Object(&TELEMETRY),
            "off",
            "metrics and status over HTTP",
        ),
        key(
            "logging",
            Kind::Object(&LOGGING),
            "",
            "our messages and the jobs' output",
        ),
        key(
            "stopTimeout",
            Kind::Duration,
            "5",
            "from TERM to KILL of each run whose job says nothing of its own; 0 is the default, less than 0 no wait",
        ),
        key(
            "shutdownTimeout",
            Kind::Duration,
            "5m",
            "the limit of the whole stop, and of any hook without a bound of its own",
        ),
        key(
            "reloadOnChange",
            Kind::Either(&[Kind::Boolean, Kind::Duration]),
            "false",
            "the file is read again when it changes; a duration says how often it is looked at",
        ),
    ],
};

pub(in crate::config) static WATCH: Shape = Shape {
    name: "watch",
    required: &["name", "interval"],
    ignored: &["serviceName", "discoveryService"],
    keys: &[
        key(
            "name",
            Kind::Text,
            "",
            "its events come from `watch.` and this name",
        ),
        key(
            "interval",
            Kind::Duration,
            "",
            "the longest time without news of the catalogue",
        ),
        key(
            "service",
            Kind::Text,
            "the watch's name",
            "the service to watch",
        ),
        key("tag", Kind::Text, "none", "only instances that have it"),
        key(
            "tags",
            TEXTS,
            "none",
            "only instances that have all of them",
        ),
        key(
            "passingOnly",
            Kind::Boolean,
            "true",
            "only instances whose checks pass; with false their health counts as a change",
        ),
        key(
            "dc",
            Kind::Text,
            "that of consul.datacenter",
            "the datacenter to ask in",
        ),
        key(
            "kv",
            Kind::Text,
            "none",
            "watches a key instead, or every key below a folder, `config/`",
        ),
        key(
            "debounce",
            Kind::Object(&DEBOUNCE),
            "none",
            "holds a restless target down",
        ),
    ],
};

pub(in crate::config) static DEBOUNCE: Shape = Shape {
    name: "debounce",
    required: &["min"],
    ignored: &[],
    keys: &[
        key(
            "min",
            Kind::Duration,
            "",
            "a change is told after so long without another one",
        ),
        key(
            "max",
            Kind::Duration,
            "ten times min",
            "and after so long at the latest",
        ),
    ],
};

pub(in crate::config) static CONSUL: Shape = Shape {
    name: "consul",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "address",
            Kind::Text,
            "CONSUL_HTTP_ADDR, else 127.0.0.1:8500",
            "`host:port`, or `unix:///path`",
        ),
        key("scheme", Kind::Words(&["", "http", "https"]), "http", ""),
        key(
            "token",
            Kind::Text,
            "CONSUL_HTTP_TOKEN replaces it",
            "the ACL token; never shown in a message",
        ),
        key(
            "tokenFile",
            Kind::Text,
            "CONSUL_HTTP_TOKEN_FILE replaces it",
            "a file with the token, read again when it changes",
        ),
        key(
            "tls",
            Kind::Object(&TLS),
            "",
            "certificates; files are read again when they change",
        ),
        key(
            "datacenter",
            Kind::Text,
            "the agent's",
            "for watches without `dc`",
        ),
        key("namespace", Kind::Text, "none", "of Consul Enterprise"),
        key("partition", Kind::Text, "none", "of Consul Enterprise"),
        key(
            "maxConnections",
            Kind::Whole(1, 10000),
            "100",
            "how many blocking queries stand at once",
        ),
        key(
            "embedded",
            Kind::Boolean,
            "false",
            "serves a catalogue in memory at this address",
        ),
    ],
};

pub(in crate::config) static TLS: Shape = Shape {
    name: "tls",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "cafile",
            Kind::Text,
            "none",
            "certificates that are trusted",
        ),
        key("capath", Kind::Text, "none", "a folder of such"),
        key("clientcert", Kind::Text, "none", "our certificate"),
        key("clientkey", Kind::Text, "none", "its key"),
        key(
            "servername",
            Kind::Text,
            "the host of the address",
            "the name in the catalogue's certificate",
        ),
        key(
            "verify",
            Kind::Boolean,
            "true",
            "whether that certificate is verified",
        ),
    ],
};

pub(in crate::config) static CONTROL: Shape = Shape {
    name: "control",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "socket",
            Kind::Text,
            "/var/run/containerpilot.socket",
            "its path, up to 107 bytes",
        ),
        key(
            "mode",
            Kind::Text,
            "0600",
            "its permissions: octal digits in a string",
        ),
        key(
            "owner",
            Kind::Text,
            "ours",
            "`user`, `user:group` or `:group`",
        ),
        key(
            "readers",
            TEXTS,
            "everybody who can connect",
            "users and `:group`s that may ask for what changes nothing; we and root always may",
        ),
        key(
            "writers",
            TEXTS,
            "everybody who may read",
            "users and `:group`s that may change things; we and root always may",
        ),
        key(
            "required",
            Kind::Boolean,
            "false",
            "a socket that cannot be made ends the start",
        ),
    ],
};

pub(in crate::config) static LOGGING: Shape = Shape {
    name: "logging",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "level",
            Kind::WordsInAnyCase(&[
                "panic", "fatal", "error", "warn", "warning", "info", "debug",
            ]),
            "info",
            "the least severe of our own messages that is written; a job's output does not depend on it",
        ),
        key(
            "format",
            Kind::WordsInAnyCase(&["default", "text", "json"]),
            "default",
            "how a line looks",
        ),
        key(
            "output",
            Kind::Text,
            "stdout",
            "`stdout`, `stderr`, or the path of a file",
        ),
        key(
            "overflow",
            Kind::Words(&["block", "drop"]),
            "block",
            "what happens to a job's output while nobody reads ours",
        ),
        key(
            "flightRecorder",
            Kind::Text,
            "none",
            "a file for the last events and decisions, written anew when the container ends badly",
        ),
    ],
};

pub(in crate::config) static TELEMETRY: Shape = Shape {
    name: "telemetry",
    required: &[],
    ignored: &["addr", "MetricConfigs", "JobConfig"],
    keys: &[
        key("port", PORT, "9090", "where metrics and status are served"),
        key("interfaces", TEXTS, "eth0:inet, inet", INTERFACES),
        key(
            "tags",
            TEXTS,
            "none",
            "of the service that stands for the program",
        ),
        key(
            "metrics",
            Kind::List(&Kind::Object(&METRIC)),
            "none",
            "metrics that others record",
        ),
    ],
};

pub(in crate::config) static METRIC: Shape = Shape {
    name: "metric",
    required: &["type", "help"],
    ignored: &["fullName", "metricType", "collector"],
    keys: &[
        key("namespace", Kind::Text, "", "the first part of its name"),
        key("subsystem", Kind::Text, "", "the second part"),
        key("name", Kind::Text, "", "the last part"),
        key("help", Kind::Text, "", "what it measures"),
        key(
            "type",
            Kind::Words(&["counter", "gauge", "histogram", "summary"]),
            "",
            "",
        ),
        key(
            "buckets",
            Kind::List(&Kind::Number),
            "0.005 to 10",
            "of a histogram: the upper bounds in ascending order",
        ),
        key(
            "quantiles",
            Kind::List(&Kind::Number),
            "0.5, 0.9, 0.99",
            "of a summary: shares in ascending order",
        ),
    ],
};
