//! The keys of `limits`.

use super::{Kind, Shape, key};

/// A limit of a resource.
const AMOUNT: Kind = Kind::Either(&[
    Kind::Words(&["unlimited"]),
    Kind::Whole(0, i64::MAX),
    Kind::Object(&LIMIT),
]);

pub(in crate::config) static LIMITS: Shape = Shape {
    name: "limits",
    required: &[],
    ignored: &[],
    keys: &[
        key("cpu", AMOUNT, "", "seconds of CPU time"),
        key("fsize", AMOUNT, "", "bytes of a file"),
        key("data", AMOUNT, "", "bytes of data"),
        key("stack", AMOUNT, "", "bytes of the stack"),
        key("core", AMOUNT, "", "bytes of a core dump"),
        key("rss", AMOUNT, "", "of no effect on Linux"),
        key("nproc", AMOUNT, "", "processes of the user"),
        key("nofile", AMOUNT, "", "open files"),
        key("memlock", AMOUNT, "", "locked bytes"),
        key("as", AMOUNT, "", "bytes of address space"),
        key("locks", AMOUNT, "", "of no effect on Linux"),
        key("sigpending", AMOUNT, "", "pending signals of the user"),
        key(
            "msgqueue",
            AMOUNT,
            "",
            "bytes in message queues of the user",
        ),
        key("nice", AMOUNT, "", "20 less the lowest nice value"),
        key("rtprio", AMOUNT, "", "the highest real-time priority"),
    ],
};

pub(in crate::config) static LIMIT: Shape = Shape {
    name: "limit",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "soft",
            Kind::Either(&[Kind::Words(&["unlimited"]), Kind::Whole(0, i64::MAX)]),
            "as it is",
            "what holds",
        ),
        key(
            "hard",
            Kind::Either(&[Kind::Words(&["unlimited"]), Kind::Whole(0, i64::MAX)]),
            "as it is",
            "how far the job may raise it",
        ),
    ],
};
