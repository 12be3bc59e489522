//! What a job's processes are, beside what they run: environment, user, directory, limits.

use std::fmt;

use super::spec::JobSpec;
use crate::events::{Exit, Signal};

/// The attributes of a job's command, its checks and its hooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// What a stop sends first; `None`: TERM. For the command alone: a check knows no signals.
    pub stop_signal: Option<Signal>,
    /// The statuses that count as success, a death by signal n as 128 + n. Empty: 0 alone. For the command alone.
    pub success: Vec<u8>,
    /// Set, or with `None` unset, over everything else.
    pub env: Vec<Variable>,
    /// Files of variables, read at each start; a later one replaces what an earlier one says.
    pub env_files: Vec<String>,
    /// Where it runs: an absolute path. `None`: where we do.
    pub workdir: Option<String>,
    /// Who it runs as.
    pub user: Option<Who>,
    /// With which group; `None`: that of `user`.
    pub group: Option<Who>,
    /// The mode bits that its files do not get.
    pub umask: Option<u32>,
    /// -20 to 19.
    pub nice: Option<i8>,
    /// Each resource at most once.
    pub limits: Vec<(Resource, Limit)>,
    /// An exec gives no right that it did not have (`no_new_privs`).
    pub no_new_privileges: bool,
}

impl Attributes {
    /// Nothing is said.
    pub const NONE: Attributes = Attributes {
        stop_signal: None,
        success: Vec::new(),
        env: Vec::new(),
        env_files: Vec::new(),
        workdir: None,
        user: None,
        group: None,
        umask: None,
        nice: None,
        limits: Vec::new(),
        no_new_privileges: false,
    };
}

/// A variable of the environment.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// Neither empty nor with `=` or NUL.
    pub name: String,
    /// `None` unsets. Without NUL.
    pub value: Option<String>,
}

impl fmt::Debug for Variable {
    /// A value may be a secret (L12).
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.as_ref().map_or("null", |_| "(hidden)");
        write!(out, "{}={value}", self.name)
    }
}

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// To be found in the image's own files.
    Name(String),
    /// Needs no entry anywhere (P17).
    Number(u32),
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Name(name) => write!(out, "{}", name.escape_debug()),
            Who::Number(number) => write!(out, "{number}"),
        }
    }
}

/// A limit; `None` leaves that half as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

impl Limit {
    /// No limit, as the kernel writes it.
    pub const UNLIMITED: u64 = u64::MAX;
}

/// What can be limited (getrlimit(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource(usize);

/// The names of a configuration, at the kernel's numbers; x86 and ARM agree on them.
const RESOURCES: [&str; 15] = [
    "cpu",
    "fsize",
    "data",
    "stack",
    "core",
    "rss",
    "nproc",
    "nofile",
    "memlock",
    "as",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
];

impl Resource {
    pub const NOFILE: Resource = Resource(7);

    /// Every name that a configuration may use.
    pub fn names() -> impl Iterator<Item = &'static str> {
        RESOURCES.into_iter()
    }

    /// The resource that a configuration calls `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Resource> {
        let found = RESOURCES.iter().position(|known| *known == name);
        found.map(Resource)
    }

    /// The resource of this number of the kernel's.
    #[must_use]
    pub fn from_number(number: usize) -> Option<Resource> {
        (number < RESOURCES.len()).then_some(Resource(number))
    }

    /// The kernel's number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }

    /// The name in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        RESOURCES[self.0]
    }
}

impl JobSpec {
    /// Whether an end of the command is one that its job calls a success.
    #[must_use]
    pub fn is_success(&self, exit: Exit) -> bool {
        match self.attributes.success.as_slice() {
            [] => exit.is_success(),
            success => success.contains(&exit.status()),
        }
    }

    /// The end as the world is to see it: what counts as a success is status 0, and a 0 that does not is 1.
    #[must_use]
    pub fn judged(&self, exit: Exit) -> Exit {
        match (self.is_success(exit), exit) {
            (true, _) => Exit::Code(0),
            (false, Exit::Code(0)) => Exit::Code(1),
            (false, exit) => exit,
        }
    }
}
