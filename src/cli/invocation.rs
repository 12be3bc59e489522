//! What a command line means.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::completions::Shell;
use super::live::LiveAction;
use crate::jobs::{Exec, Restarts};

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// Supervise what a configuration says.
    Run {
        /// `-config` as written; see [`crate::supervisor::ConfigPlace::find`] for what it may be.
        config: Option<OsString>,
        /// `-socket`: replaces `control.socket`.
        socket: Option<PathBuf>,
        /// Words after the flags. A v3 configuration has no use for them: they are ignored with one warning.
        words: Vec<OsString>,
    },
    /// Supervise one command, without a configuration.
    RunCommand { options: RunOptions, command: Exec },
    /// Say what is wrong with a configuration.
    Check(CheckRequest),
    /// Print a configuration as it is rendered; with `expanded`, with every hook as the job that it is.
    Render { expanded: bool, file: PathBuf },
    /// Print a configuration of an older version in the form of version 3; `app` is the application of its command line.
    Migrate { file: PathBuf, app: Vec<String> },
    /// Render a configuration's template. `out` of `None` is stdout.
    Template {
        config: Option<OsString>,
        out: Option<PathBuf>,
    },
    /// Ask a running supervisor for something.
    Request {
        config: Option<OsString>,
        socket: Option<PathBuf>,
        action: Action,
    },
    /// Serve the embedded catalogue.
    Catalog(CatalogOptions),
    /// Print the JSON Schema of a configuration.
    Schema,
    /// Print what completes the command line in a shell.
    Completions(Shell),
    /// Print the man page.
    Man,
    /// Print the version.
    Version,
    /// Print the help.
    Help,
}

/// What is to be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckRequest {
    /// Warnings count as errors.
    pub strict: bool,
    /// What the jobs need is looked for here.
    pub image: bool,
    /// `--grace`: the time that the container's runtime leaves between TERM and KILL.
    pub grace: Option<Duration>,
    /// Findings are said as JSON.
    pub json: bool,
    /// The configuration.
    pub file: PathBuf,
}

/// Flags of `pilothouse catalog`. `None` is the default of [`crate::catalog::Settings`], for the node the host's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogOptions {
    /// `--bind`.
    pub bind: Option<SocketAddr>,
    /// `--datacenter`.
    pub datacenter: Option<String>,
    /// `--node`.
    pub node: Option<String>,
}

/// A request to a running supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-ping`.
    Ping,
    /// `-reload`, or `reload`.
    Reload,
    /// `reload --plan`: for people, or with `--json` for tools.
    ReloadPlan { json: bool },
    /// `-maintenance`: true for `enable`, false for any other word, as in the original.
    Maintenance(bool),
    /// `-putenv`, all of them.
    PutEnv(BTreeMap<String, String>),
    /// `-putmetric`, all of them.
    PutMetric(BTreeMap<String, String>),
    /// `healthy`: of a job, or of everything.
    Healthy(Option<String>),
    /// About what runs.
    Live(LiveAction),
}

/// Flags of `pilothouse run`. `None` is the default that a configuration without the key has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// `--name`: the job's name.
    pub name: Option<String>,
    /// `--restarts`.
    pub restarts: Option<Restarts>,
    /// `--stop-timeout`: from TERM to KILL.
    pub stop_timeout: Option<Duration>,
    /// `--socket`.
    pub socket: Option<PathBuf>,
}
