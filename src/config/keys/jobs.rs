//! The keys of a job.

use super::health::{HEALTH, RAW, READY};
use super::limits::LIMITS;
use super::starts::{ACTION, COMMAND, HOOK, HOOKED, PRE_START, REACTION, SHELL, SIGNAL, WHEN};
use super::{INTERFACES, Kind, PORT, Shape, TEXTS, key};

pub(in crate::config) static JOB: Shape = Shape {
    name: "job",
    required: &["name"],
    ignored: &[
        "ttl",
        "execTimeout",
        "restartLimit",
        "freqInterval",
        "heartbeatInterval",
        "stoppingTimeout",
        "whenEvent",
        "whenTimeout",
        "whenStartsLimit",
        "stoppingWaitEvent",
        "serviceDefinition",
        "healthCheckExec",
    ],
    keys: &[
        key(
            "name",
            Kind::Text,
            "",
            "others refer to it in `when.source`",
        ),
        key(
            "exec",
            COMMAND,
            "none",
            "its command; a job without one is only started",
        ),
        key("when", Kind::Object(&WHEN), "at startup", "what starts it"),
        key(
            "action",
            Kind::Object(&ACTION),
            "none",
            "what it does to another job, instead of a command",
        ),
        key(
            "preStart",
            Kind::Either(&[
                Kind::Text,
                Kind::List(&Kind::Anything),
                Kind::Object(&SHELL),
                Kind::Object(&PRE_START),
            ]),
            "none",
            "runs to its end before the job starts",
        ),
        key(
            "postStart",
            HOOKED,
            "none",
            "runs when the job is healthy for the first time",
        ),
        key(
            "preStop",
            HOOKED,
            "none",
            "runs when the job is to stop, before TERM",
        ),
        key(
            "postStop",
            HOOKED,
            "none",
            "runs when the job and all that it left has ended",
        ),
        key(
            "onChange",
            Kind::Map(&Kind::Either(&[
                Kind::Text,
                Kind::List(&Kind::Anything),
                Kind::Object(&SHELL),
                Kind::Object(&HOOK),
                Kind::Object(&REACTION),
            ])),
            "none",
            "what each change of a watch runs, by the watch's name",
        ),
        key(
            "restarts",
            Kind::Either(&[
                Kind::Words(&["never", "unlimited", "onFailure"]),
                Kind::Whole(0, i64::MAX),
            ]),
            "never; with when.interval and when.cron: unlimited",
            "how many starts follow the first",
        ),
        key(
            "backoff",
            Kind::Object(&BACKOFF),
            "no wait, then 100 ms doubling to 30 s",
            "how long restarts wait",
        ),
        key(
            "maxRestarts",
            Kind::Object(&MAX_RESTARTS),
            "none",
            "with one restart more within the time the job has failed",
        ),
        key(
            "timeout",
            Kind::Duration,
            "none; with when.interval: the interval",
            "the longest a run may last",
        ),
        key(
            "stopTimeout",
            Kind::Duration,
            "the top-level one",
            "from TERM to KILL; also the longest wait for the job's `stopping` hooks",
        ),
        key(
            "health",
            Kind::Either(&[Kind::Object(&HEALTH), Kind::List(&Kind::Object(&HEALTH))]),
            "none",
            "its checks; required beside `port`",
        ),
        key(
            "ready",
            Kind::Either(&[Kind::Words(&["health", "notify"]), Kind::Object(&READY)]),
            "none",
            "what the job is ready by",
        ),
        key(
            "watchdog",
            Kind::Duration,
            "none",
            "with `ready: \"notify\"`: a job that sends no heartbeat for so long is unhealthy",
        ),
        key(
            "essential",
            Kind::Either(&[Kind::Words(&["onFailure"]), Kind::Boolean]),
            "false",
            "its final exit, or final failure, ends the container with its status",
        ),
        key(
            "logging",
            Kind::Object(&RAW),
            "",
            "how its output is written",
        ),
        key(
            "forward",
            Kind::Either(&[SIGNAL, Kind::List(&SIGNAL)]),
            "none",
            "signals that are passed on to it, such as `WINCH`",
        ),
        key(
            "stdin",
            Kind::Words(&["null", "inherit"]),
            "null",
            "what it reads from",
        ),
        key(
            "tty",
            Kind::Boolean,
            "false",
            "it owns the terminal and reads from it",
        ),
        key(
            "agent",
            Kind::Boolean,
            "true for a command `consul agent …`",
            "it is the agent of the catalogue, and stops after all that is advertised",
        ),
        key(
            "orphans",
            Kind::Words(&["sweep", "keep"]),
            "sweep",
            "what happens to processes that outlive the run's first one",
        ),
        key(
            "metric",
            Kind::Text,
            "none",
            "what it writes is the value of this metric",
        ),
        key("stopSignal", SIGNAL, "TERM", "what a stop sends first"),
        key(
            "successExitCodes",
            Kind::Either(&[Kind::Whole(0, 255), Kind::List(&Kind::Whole(0, 255))]),
            "[0]",
            "the statuses that count as success; a death by signal n is 128 + n",
        ),
        key(
            "env",
            Kind::Map(&Kind::Text),
            "none",
            "variables; null unsets one",
        ),
        key(
            "envFile",
            TEXTS,
            "none",
            "files of variables, read at each start",
        ),
        key(
            "workdir",
            Kind::Text,
            "ours",
            "where it runs: an absolute path",
        ),
        key(
            "user",
            Kind::Text,
            "ours",
            "who it runs as, by name or number",
        ),
        key(
            "group",
            Kind::Text,
            "the user's, else ours",
            "with which group",
        ),
        key(
            "umask",
            Kind::Text,
            "ours",
            "octal digits in a string, such as `022`",
        ),
        key("nice", Kind::Whole(-20, 19), "ours", "its priority"),
        key(
            "limits",
            Kind::Object(&LIMITS),
            "ours",
            "limits of resources (setrlimit(2))",
        ),
        key(
            "noNewPrivileges",
            Kind::Boolean,
            "false",
            "no exec, not even of a setuid file, gives further rights",
        ),
        key(
            "port",
            PORT,
            "none",
            "what is advertised in the catalogue; 0 is none",
        ),
        key("interfaces", TEXTS, "eth0:inet, inet", INTERFACES),
        key("tags", TEXTS, "none", "tags in the catalogue"),
        key(
            "initial_status",
            Kind::Words(&["", "passing", "warning", "critical"]),
            "none",
            "registers the service with this status before it has run",
        ),
        key(
            "initialStatus",
            Kind::Words(&["", "passing", "warning", "critical"]),
            "none",
            "the same as `initial_status`",
        ),
        key(
            "drain",
            Kind::Duration,
            "none",
            "from leaving the catalogue to TERM",
        ),
        key(
            "consul",
            Kind::Object(&JOB_CONSUL),
            "",
            "how the catalogue knows it",
        ),
    ],
};

pub(in crate::config) static JOB_CONSUL: Shape = Shape {
    name: "jobConsul",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "name",
            Kind::Text,
            "the job's name",
            "what the catalogue calls the service",
        ),
        key(
            "id",
            Kind::Text,
            "the name and the host's name",
            "the id of the service",
        ),
        key(
            "plainCheckId",
            Kind::Boolean,
            "false",
            "the check's id is the service's, as in ContainerPilot 2",
        ),
        key(
            "address",
            Kind::Text,
            "chosen by interfaces",
            "advertised as it is",
        ),
        key("meta", Kind::Map(&Kind::Text), "none", "at most 64 pairs"),
        key("weights", Kind::Object(&WEIGHTS), "1 and 1", ""),
        key("enableTagOverride", Kind::Boolean, "false", ""),
        key(
            "deregisterCriticalServiceAfter",
            Kind::Text,
            "none",
            "a duration with a unit",
        ),
    ],
};

pub(in crate::config) static WEIGHTS: Shape = Shape {
    name: "weights",
    required: &[],
    ignored: &[],
    keys: &[
        key("passing", Kind::Whole(1, 65535), "1", ""),
        key("warning", Kind::Whole(0, 65535), "1", ""),
    ],
};

pub(in crate::config) static BACKOFF: Shape = Shape {
    name: "backoff",
    required: &[],
    ignored: &[],
    keys: &[
        key(
            "initial",
            Kind::Duration,
            "100ms",
            "the first wait; with it the first restart waits as well",
        ),
        key("max", Kind::Duration, "30s", "the longest wait"),
        key(
            "factor",
            Kind::Number,
            "2",
            "1 to 100: how much longer the next wait is",
        ),
        key(
            "reset",
            Kind::Duration,
            "10s",
            "the run that starts the row again",
        ),
    ],
};

pub(in crate::config) static MAX_RESTARTS: Shape = Shape {
    name: "maxRestarts",
    required: &["count", "within"],
    ignored: &[],
    keys: &[
        key(
            "count",
            Kind::Whole(1, 10000),
            "",
            "so many restarts are permitted",
        ),
        key("within", Kind::Duration, "", "in so much time"),
    ],
};
