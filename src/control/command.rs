//! What the socket asks of the supervisor.

use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::live::Live;
use super::plan::ReloadPlan;

/// Done, or why it was refused. The refusal reaches the client as it is, with the status 422.
pub type Outcome = Result<(), String>;

/// A request that was read and found well-formed. A `reply` that is dropped tells the client 503.
pub enum Command {
    /// Read the configuration again. Answer when it is known to be good or bad, not when the last old job has ended:
    /// the client may be one of them (K07).
    Reload { reply: oneshot::Sender<Outcome> },
    /// Say what a reload would do. Read like the reload itself, and as long.
    ReloadPlan {
        reply: oneshot::Sender<Result<ReloadPlan, String>>,
    },
    /// Change the environment of later runs; `None` unsets (decision 19). Names are not empty and without `=`;
    /// names and values are without NUL. All changes or none.
    Environ {
        changes: Vec<(String, Option<String>)>,
        reply: oneshot::Sender<Outcome>,
    },
    /// Record values; each is finite. All or none.
    Metric {
        values: Vec<(String, f64)>,
        reply: oneshot::Sender<Outcome>,
    },
    /// Enter or leave maintenance.
    Maintenance {
        enable: bool,
        reply: oneshot::Sender<Outcome>,
    },
    /// How is this job, or everything? `None` when there is no such job.
    Health {
        job: Option<String>,
        reply: oneshot::Sender<Option<HealthAnswer>>,
    },
    /// Show or change what runs.
    Live(Live),
}

/// What `health` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthAnswer {
    /// The verdict: HTTP 200 or 503, and the exit status of `pilothouse healthy`.
    pub healthy: bool,
    /// In one line, why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl fmt::Debug for Command {
    /// Values of variables are secrets (L12).
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Reload { .. } => out.write_str("Reload"),
            Command::ReloadPlan { .. } => out.write_str("ReloadPlan"),
            Command::Environ { changes, .. } => {
                let names: Vec<&str> = changes.iter().map(|(name, _)| name.as_str()).collect();
                out.debug_tuple("Environ").field(&names).finish()
            }
            Command::Metric { values, .. } => out.debug_tuple("Metric").field(values).finish(),
            Command::Maintenance { enable, .. } => {
                out.debug_tuple("Maintenance").field(enable).finish()
            }
            Command::Live(live) => live.fmt(out),
            Command::Health { job, .. } => out.debug_tuple("Health").field(job).finish(),
        }
    }
}
