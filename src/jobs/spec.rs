//! What a job is, after the configuration has been checked: no field here can hold a value that makes no sense.

use std::sync::Arc;
use std::time::Duration;

use super::attributes::Attributes;
use super::condition::Condition;
use crate::events::{EventCode, JobId, Signal, Subscription};
use crate::schedule::Schedule;
use crate::services::ServiceSpec;

/// One job of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// Unique within the configuration; the second of two equal names has become `name#2` (decision 1).
    pub name: String,
    /// What it runs. Without a command a job is only started, never running, and never ends by itself.
    pub exec: Option<Exec>,
    /// What it does to another job, instead of a command.
    pub action: Option<Action>,
    /// What starts it.
    pub start: Start,
    /// How often it may be started again after its own end (with [`Trigger::Interval`] and [`Trigger::Cron`]: at a tick).
    pub restarts: Restarts,
    /// How long restarts wait.
    pub backoff: BackoffSpec,
    /// When it is given up.
    pub max_restarts: Option<MaxRestarts>,
    /// The longest one run may last; then its whole process group is killed.
    pub timeout: Option<Duration>,
    /// Time from TERM to KILL, and the bound of the wait for `stopping` hooks; `None`: the program's (decision 8).
    pub stop_timeout: Option<Duration>,
    /// Its health checks.
    pub health: Option<HealthSpec>,
    /// What it is ready by; with it the job is healthy only from then on.
    pub ready: Option<Ready>,
    /// Whether its final exit ends the container with its status.
    pub essential: Essential,
    /// How its processes are connected.
    pub io: JobIo,
    /// It is a sensor: what a run writes to stdout is a value of the metric that is posted under this name.
    pub metric: Option<String>,
    /// Signals that the supervisor passes on to the job's process group (decision 20).
    pub forward: Vec<Signal>,
    /// What happens to processes that outlive the run's first one.
    pub orphans: Orphans,
    /// What is announced in the catalogue; present when the job has a `port`.
    pub service: Option<ServiceSpec>,
    /// From the service's leaving of the catalogue to TERM: time for those who still have its address (S07).
    pub drain: Option<Duration>,
    /// It is the agent of the catalogue: at the end of everything it stops after all that need it (S06).
    pub agent: bool,
    /// What its processes are beside what they run.
    pub attributes: Attributes,
}

impl JobSpec {
    /// A job that runs this once at startup, with the default of everything else.
    #[must_use]
    pub fn new(name: impl Into<String>, exec: Option<Exec>) -> JobSpec {
        JobSpec {
            name: name.into(),
            exec,
            action: None,
            start: Start::startup(),
            restarts: Restarts::Limited(0),
            backoff: BackoffSpec::default(),
            max_restarts: None,
            timeout: None,
            stop_timeout: None,
            health: None,
            ready: None,
            essential: Essential::No,
            io: JobIo::default(),
            metric: None,
            forward: Vec::new(),
            orphans: Orphans::default(),
            service: None,
            drain: None,
            agent: false,
            attributes: Attributes::default(),
        }
    }
}

/// A command: the executable and its arguments. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    argv: Vec<String>,
}

impl Exec {
    /// A command of these words; `None` if there are none.
    #[must_use]
    pub fn new(argv: Vec<String>) -> Option<Exec> {
        (!argv.is_empty()).then_some(Exec { argv })
    }

    /// The executable as written; searched in `PATH` at each start unless it contains a `/`.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.argv[0]
    }

    /// The executable and all arguments.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        &self.argv
    }
}

/// What starts a job, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// What must have come before.
    pub after: Condition,
    /// What starts it from then on.
    pub trigger: Trigger,
    /// The longest wait for its first start (`when.timeout`).
    pub wait: Option<Wait>,
    /// Ticks of its interval or schedule are skipped in maintenance.
    pub pauses: bool,
}

/// What starts a job whose condition has come true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// That.
    Once,
    /// Each of these events. Those that came before are one start as soon as the condition has come true.
    Each(Vec<Subscription>),
    /// Each multiple of `every`.
    Interval {
        every: Duration,
        overlap: Overlap,
        first: First,
    },
    /// Each [`crate::events::Event::Ticked`], which comes when the wall clock shows a time of the schedule. Those that come
    /// too early are none.
    Cron {
        schedule: Arc<Schedule>,
        overlap: Overlap,
    },
}

impl Trigger {
    /// Whether it is time that starts the job, again and again.
    #[must_use]
    pub fn is_periodic(&self) -> bool {
        match self {
            Trigger::Interval { .. } | Trigger::Cron { .. } => true,
            Trigger::Once | Trigger::Each(_) => false,
        }
    }
}

/// When a job with an interval starts for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum First {
    /// As soon as it may; ticks count from the load of the configuration.
    #[default]
    Now,
    /// An interval later, as the tasks of version 2 do; ticks count from when it may.
    Interval,
}

/// A limit of the wait for a first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub limit: Duration,
    /// What happens then.
    pub then: Expiry,
}

/// What comes of a job that was not started in time (`when.onTimeout`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// It never runs.
    #[default]
    Skip,
    /// It has failed.
    Fail,
    /// It starts all the same.
    Start,
}

impl Start {
    /// Once, as soon as this has come true.
    #[must_use]
    pub fn once(after: Condition) -> Start {
        Start {
            after,
            trigger: Trigger::Once,
            wait: None,
            pauses: false,
        }
    }

    /// Once, when everything is set up (no `when`).
    #[must_use]
    pub fn startup() -> Start {
        Start::once(Condition::startup())
    }

    /// At each such event.
    #[must_use]
    pub fn each(on: Subscription) -> Start {
        Start {
            after: Condition::always(),
            trigger: Trigger::Each(vec![on]),
            wait: None,
            pauses: false,
        }
    }

    /// At startup, and then at each multiple of `every`.
    #[must_use]
    pub fn interval(every: Duration, overlap: Overlap) -> Start {
        Start {
            trigger: Trigger::Interval {
                every,
                overlap,
                first: First::Now,
            },
            ..Start::startup()
        }
    }

    /// Never: the `when` names nothing that can happen. Such a job waits for ever, as it did in the original (D34).
    #[must_use]
    pub fn never() -> Start {
        Start::once(Condition::Never)
    }

    /// At each time of a schedule from startup on.
    #[must_use]
    pub fn cron(schedule: Arc<Schedule>, overlap: Overlap) -> Start {
        Start {
            trigger: Trigger::Cron { schedule, overlap },
            ..Start::startup()
        }
    }

    /// The same with a limit of the wait.
    #[must_use]
    pub fn within(self, limit: Option<Duration>) -> Start {
        let then = Expiry::Skip;
        Start {
            wait: limit.map(|limit| Wait { limit, then }),
            ..self
        }
    }

    /// The job whose end this is a hook of, and whether of its `stopping` or its `stopped`.
    #[must_use]
    pub fn hook_of(&self) -> Option<(EventCode, JobId)> {
        match &self.trigger {
            Trigger::Each(events) => {
                let mut ends = events.iter();
                ends.find_map(|event| Condition::Once(*event).end_of())
            }
            Trigger::Once => self.after.end_of(),
            Trigger::Interval { .. } | Trigger::Cron { .. } => None,
        }
    }
}

/// What happens at a tick while the run of an earlier one is still there (decision 20).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// The tick is skipped.
    #[default]
    Skip,
    /// One run follows as soon as the present one has ended; further ticks add nothing.
    Queue,
    /// The present run is ended and a new one is started. [`Trigger::Interval`] kills it, as its time limit would;
    /// [`Trigger::Cron`] stops it: TERM, the grace, KILL.
    Kill,
}

/// How many starts follow the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    /// At most this many over the job's life.
    Limited(u32),
    /// No limit.
    Unlimited,
    /// No limit, and none at all after a success.
    OnFailure,
}

/// How long restarts wait (decision 10).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackoffSpec {
    /// Before the first restart in a row.
    pub first: Duration,
    /// Before the second; each later one waits `factor` times as long as the one before.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// At least 1.
    pub factor: f64,
    /// A run that lasted this long starts the row again.
    pub reset: Duration,
}

impl Default for BackoffSpec {
    fn default() -> BackoffSpec {
        BackoffSpec {
            first: Duration::ZERO,
            initial: Duration::from_millis(100),
            max: Duration::from_secs(30),
            factor: 2.0,
            reset: Duration::from_secs(10),
        }
    }
}

/// So many restarts within so long, and the job is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxRestarts {
    pub count: u32,
    pub within: Duration,
}

/// Whether a job's end is the container's (decision 9b).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Essential {
    #[default]
    No,
    /// Its final exit is.
    Yes,
    /// Its final failure is.
    OnFailure,
}

/// What a job does instead of running a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends a signal to the processes of a job that runs.
    Signal(JobId, Signal),
    /// Ends a job's run and starts it anew, which is no restart that counts.
    Restart(JobId),
}

/// How a job's health is found out.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthSpec {
    /// All must pass; without any an advertised job only sends heartbeats.
    pub checks: Vec<CheckSpec>,
    /// Time between two heartbeats, or the shortest between two checks. At least 1 ms.
    pub interval: Duration,
    /// How long the catalogue believes a passed check.
    pub ttl: Duration,
}

/// One health check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSpec {
    /// What it looks at.
    pub probe: Probe,
    /// Time between two checks, counted from the load of the configuration. At least 1 ms.
    pub interval: Duration,
    /// The longest a check may last; `None`: no limit (an explicit `0`, for commands alone).
    pub timeout: Option<Duration>,
    /// The output of a command goes to our own output as it is.
    pub raw: bool,
    /// Results in a row that make the job healthy, and unhealthy. At least 1.
    pub rise: u32,
    pub fall: u32,
    /// So long after a start a failure says nothing, until a check has passed (J04).
    pub start_period: Duration,
    /// When it has made the job unhealthy, the job is restarted (J09).
    pub restarts: bool,
}

/// What a health check looks at. All but a command need no program in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A command that ends with 0.
    Exec(Exec),
    /// An answer over HTTP.
    Http(HttpProbe),
    /// Somebody accepts a connection.
    Tcp(Target),
    /// `SERVING` of the standard health service, over HTTP/2 without TLS. An empty service is the whole server.
    Grpc { target: Target, service: String },
    /// A file that is there, and was written within this time.
    File {
        path: String,
        max_age: Option<Duration>,
    },
}

impl Probe {
    /// The command, if it is one.
    #[must_use]
    pub fn exec(&self) -> Option<&Exec> {
        match self {
            Probe::Exec(exec) => Some(exec),
            Probe::Http(_) | Probe::Tcp(_) | Probe::Grpc { .. } | Probe::File { .. } => None,
        }
    }
}

/// Where a check connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A literal address or `localhost` (others: where the build can look names up), and a port.
    Port { host: String, port: u16 },
    /// A socket in the file system; with `@` in front, an abstract one.
    Socket(String),
}

/// One request and what its answer must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    pub target: Target,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names and values in the order of the file; `Host` and `User-Agent` are there unless the file says others.
    pub headers: Vec<(String, String)>,
    /// Ranges of statuses that pass, both ends included.
    pub status: Vec<(u16, u16)>,
    /// What the body must have in it.
    pub body: Option<String>,
}

/// How a job says that it is ready to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// By its health check, which says it of any job.
    Health,
    /// By `READY=1` to the socket in `NOTIFY_SOCKET`, as for systemd; then, with a watchdog, by `WATCHDOG=1` at least so
    /// often.
    Notify { watchdog: Option<Duration> },
    /// By a newline on this descriptor, as for s6.
    Descriptor(i32),
}

/// How a job's processes are connected to the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobIo {
    /// The job inherits our stdout and stderr: no prefix, no copy (`logging.raw`).
    pub raw: bool,
    /// Where its stdin comes from.
    pub stdin: Stdin,
    /// The job owns the terminal: its process group is the foreground one. At most one job does.
    pub tty: bool,
}

/// Where a job's stdin comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`, as in the original.
    #[default]
    Null,
    /// Ours.
    Inherit,
}

/// What happens to what a run leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orphans {
    /// They get TERM, and KILL after `stopTimeout`, before the run counts as gone.
    #[default]
    Sweep,
    /// They stay: for commands that daemonise. Swept with the job, not with the run.
    Keep,
}

/// The limits of a stop (decision 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopLimits {
    /// Top-level `stopTimeout`: from TERM to KILL of a run whose job says nothing of its own.
    pub stop_timeout: Duration,
    /// `shutdownTimeout`: the limit of the whole stop, and of any wait for a hook without a bound of its own.
    pub shutdown_timeout: Duration,
}

impl Default for StopLimits {
    fn default() -> StopLimits {
        StopLimits {
            stop_timeout: Duration::from_secs(5),
            shutdown_timeout: Duration::from_mins(5),
        }
    }
}
