//! What is asked of the jobs as they run, and what is answered: the types of `/api/v1/` that both ends share.

use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::feed::Feed;
use crate::jobs::{Operation, Progress, Refused};

/// A request about jobs, watches, services or events. None is waited for longer than one turn of the loop.
pub enum Live {
    /// Everything that runs, at this moment.
    Status { reply: oneshot::Sender<Status> },
    /// One job, with what it waits for and why. `None`: there is no such job.
    Job {
        name: String,
        reply: oneshot::Sender<Option<JobDetail>>,
    },
    /// Do something to a job.
    Operate {
        job: String,
        operation: Operation,
        reply: oneshot::Sender<Result<Progress, OperateError>>,
    },
    /// Publish an event of this name. Answered with the number of jobs that are triggered by it, or why there is none.
    Publish {
        event: String,
        reply: oneshot::Sender<Result<usize, String>>,
    },
    /// The last events; with a feed, also those that come.
    Events {
        feed: Option<Feed>,
        reply: oneshot::Sender<Vec<EventView>>,
    },
    /// The last lines of a job; with a feed, also those that come. `None`: there is no such job.
    Lines {
        job: String,
        feed: Option<Feed>,
        reply: oneshot::Sender<Option<Vec<String>>>,
    },
}

impl fmt::Debug for Live {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Live::Status { .. } => out.write_str("Status"),
            Live::Job { name, .. } => out.debug_tuple("Job").field(name).finish(),
            Live::Operate { job, operation, .. } => out
                .debug_tuple("Operate")
                .field(job)
                .field(operation)
                .finish(),
            Live::Publish { event, .. } => out.debug_tuple("Publish").field(event).finish(),
            Live::Events { feed, .. } => out.debug_tuple("Events").field(&feed.is_some()).finish(),
            Live::Lines { job, feed, .. } => out
                .debug_tuple("Lines")
                .field(job)
                .field(&feed.is_some())
                .finish(),
        }
    }
}

/// Why a job was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperateError {
    /// There is no job of that name.
    Unknown,
    /// The rules refuse it.
    Refused(Refused),
}

/// Everything that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub version: String,
    pub pid: u32,
    /// `running`, `reloading` or `stopping`.
    pub state: String,
    pub maintenance: bool,
    /// Since the start of the program, in milliseconds.
    pub uptime_ms: u64,
    pub jobs: Vec<JobView>,
    pub watches: Vec<WatchView>,
    pub services: Vec<ServiceView>,
}

/// One job at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    pub name: String,
    /// `waiting`, `idle`, `running`, `backoff`, `stopping`, `complete`, `stopped` (by an operator), `skipped`, `failed`.
    pub state: String,
    /// `healthy`, `unhealthy` or `unknown`; absent for a job without a check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// How long its present run has lasted, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_ms: Option<u64>,
    /// Runs of its command so far.
    pub runs: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<String>,
    /// In `backoff`: how long until its next start, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_start_ms: Option<u64>,
    /// An operator has switched its checks off.
    pub checks_off: bool,
    /// It is in maintenance by itself.
    pub maintenance: bool,
    /// It begins anew once it has come to its end.
    pub starts_again: bool,
}

/// One job and why it is as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobDetail {
    #[serde(flatten)]
    pub job: JobView,
    /// The first word of its command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What has to be so before its first start. All of it has, unless `any` is set.
    pub conditions: Vec<ConditionView>,
    /// Of its conditions some are enough.
    pub any: bool,
    /// What starts it, each time.
    pub triggers: Vec<String>,
    /// The last that was decided about it, oldest first.
    pub decisions: Vec<Decision>,
}

/// A part of what a job waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionView {
    /// `healthy`, `exitSuccess`, … of the source; `is healthy` for what has to be so at the moment of the start.
    pub event: String,
    pub source: String,
    /// It has come, or is so.
    pub met: bool,
}

/// Something that was decided, or that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// How long ago, in milliseconds.
    pub ago_ms: u64,
    pub what: String,
}

/// One watch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchView {
    pub name: String,
    /// What it looks at.
    pub subject: String,
    /// How many instances or keys it has found; absent before the first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<usize>,
}

/// One service of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceView {
    pub name: String,
    pub id: String,
    pub job: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub port: u16,
    /// It stands in the catalogue, as far as is known.
    pub registered: bool,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// RFC 3339, in UTC.
    pub time: String,
    pub event: String,
    pub source: String,
}
