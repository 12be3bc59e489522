//! The keys of health checks and readiness.

use super::starts::COMMAND;
use super::{Key, Kind, Shape, TEXTS, key};

/// Where something listens, whatever it speaks.
const SOCKET: Key = key(
    "socket",
    Kind::Text,
    "none",
    "the path of a unix socket, instead of host and port",
);
const HOST: Key = key("host", Kind::Text, "localhost", "");
const PORT: Key = key("port", Kind::Whole(1, 65535), "", "");

pub(in crate::config) static HEALTH: Shape = Shape {
    name: "health",
    required: &["interval"],
    ignored: &[],
    keys: &[
        key("exec", COMMAND, "none", "passes if it ends with 0"),
        key(
            "http",
            Kind::Either(&[Kind::Text, Kind::Object(&HTTP)]),
            "none",
            "passes if a GET of this URL is answered well",
        ),
        key(
            "tcp",
            Kind::Either(&[Kind::Text, Kind::Object(&TARGET)]),
            "none",
            "passes if somebody accepts the connection",
        ),
        key(
            "grpc",
            Kind::Either(&[Kind::Text, Kind::Object(&GRPC)]),
            "none",
            "passes if `grpc.health.v1.Health/Check` says SERVING",
        ),
        key(
            "file",
            Kind::Either(&[Kind::Text, Kind::Object(&FILE)]),
            "none",
            "passes if the file is there",
        ),
        key("interval", Kind::Duration, "", "between two checks"),
        key(
            "ttl",
            Kind::Duration,
            "three intervals; required beside exec alone",
            "how long the catalogue believes a passed check",
        ),
        key(
            "timeout",
            Kind::Duration,
            "the interval",
            "the longest a check may last",
        ),
        key(
            "logging",
            Kind::Object(&RAW),
            "",
            "how its output is written",
        ),
        key(
            "rise",
            Kind::Whole(1, 4_294_967_295),
            "1",
            "passes in a row that make the job healthy",
        ),
        key(
            "fall",
            Kind::Whole(1, 4_294_967_295),
            "1",
            "failures in a row that make it unhealthy",
        ),
        key(
            "startPeriod",
            Kind::Duration,
            "none",
            "so long after a start failures say nothing",
        ),
        key(
            "onFailure",
            Kind::Words(&["restart"]),
            "none",
            "what comes of a job that it made unhealthy",
        ),
    ],
};

pub(in crate::config) static HTTP: Shape = Shape {
    name: "http",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "url",
            Kind::Text,
            "",
            "`http://host:port/path`, instead of host, port and path",
        ),
        key("scheme", Kind::Words(&["http"]), "http", ""),
        key("method", Kind::Text, "GET", ""),
        key("path", Kind::Text, "/", ""),
        key(
            "status",
            TEXTS,
            "200-399",
            "what passes: a status, a range, or an array of them",
        ),
        key(
            "headers",
            Kind::Map(&Kind::Text),
            "none",
            "sent with the request",
        ),
        key("body", Kind::Text, "none", "what the answer must contain"),
        SOCKET,
        HOST,
        key("port", Kind::Whole(1, 65535), "80", ""),
    ],
};

pub(in crate::config) static TARGET: Shape = Shape {
    name: "target",
    required: &[],
    ignored: &[],
    keys: &[SOCKET, HOST, PORT],
};

pub(in crate::config) static GRPC: Shape = Shape {
    name: "grpc",
    required: &[],
    ignored: &[],
    keys: &[
        SOCKET,
        HOST,
        PORT,
        key(
            "service",
            Kind::Text,
            "the server itself",
            "the service that is asked for",
        ),
    ],
};

pub(in crate::config) static FILE: Shape = Shape {
    name: "file",
    required: &["path"],
    ignored: &[],
    keys: &[
        key("path", Kind::Text, "", "the file"),
        key(
            "maxAge",
            Kind::Duration,
            "none",
            "how long ago it may have been written",
        ),
    ],
};

pub(in crate::config) static READY: Shape = Shape {
    name: "ready",
    required: &["fd"],
    ignored: &[],
    keys: &[key(
        "fd",
        Kind::Whole(3, 255),
        "",
        "the job is ready when it writes a newline to this descriptor",
    )],
};

pub(in crate::config) static RAW: Shape = Shape {
    name: "jobLogging",
    required: &[],
    ignored: &[],
    keys: &[key(
        "raw",
        Kind::Boolean,
        "false",
        "written to our output itself: no prefix",
    )],
};
