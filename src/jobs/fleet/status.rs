//! What others may see of a job.

use std::time::Instant;

use super::Jobs;
use crate::events::{Exit, JobId, RunId};
use crate::jobs::condition::Leaf;
use crate::jobs::health::{Checks, Health};
use crate::jobs::machine::{Fate, Phase};

/// What others may see of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobStatus {
    /// Where it stands.
    pub state: JobState,
    /// Its health; unknown for a job without a check.
    pub health: Health,
    /// It has a check with a command.
    pub is_checked: bool,
    /// It has been started at least once.
    pub is_started: bool,
    /// How its last run ended.
    pub last_exit: Option<Exit>,
    /// The live run of its command, and since when.
    pub run: Option<(RunId, Instant)>,
    /// When it wants to be called next: the end of a delay, a tick, a time limit.
    pub next: Option<Instant>,
    /// An operator has switched its checks off.
    pub is_unchecked: bool,
    /// It is in maintenance by itself, whatever the whole is.
    pub in_maintenance: bool,
    /// It begins anew once it is at its end.
    pub is_wanted: bool,
}

impl JobState {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::Idle => "idle",
            JobState::Running => "running",
            JobState::Backoff => "backoff",
            JobState::Stopping => "stopping",
            JobState::Complete => "complete",
            JobState::Stopped => "stopped",
            JobState::Skipped => "skipped",
            JobState::Failed => "failed",
        }
    }
}

/// Where a job stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Waiting,
    Idle,
    Running,
    Backoff,
    Stopping,
    Complete,
    /// At its end because an operator wants it so.
    Stopped,
    /// It did not run: what it waited for could not happen any more.
    Skipped,
    /// It was given up.
    Failed,
}

impl Jobs {
    /// What a job waits for, or has waited for before its first start, each with whether it has come or is so; and whether
    /// one of them is enough.
    #[must_use]
    pub fn conditions(&self, job: JobId) -> (Vec<(Leaf, bool)>, bool) {
        let found = self.all.get(&job);
        found.map_or((Vec::new(), false), |found| {
            found.conditions(&self.seen_by(job))
        })
    }

    /// What others may see of a job; `None` if there is no such job (any more).
    #[must_use]
    pub fn status(&self, job: JobId) -> Option<JobStatus> {
        let job = self.all.get(&job)?;
        Some(JobStatus {
            state: match job.phase {
                Phase::Waiting { .. } => JobState::Waiting,
                Phase::Idle => JobState::Idle,
                Phase::Running { .. } | Phase::Keeping { .. } => JobState::Running,
                Phase::Backoff { .. } => JobState::Backoff,
                Phase::Halting { .. } => JobState::Stopping,
                Phase::Complete => match job.fate() {
                    None if job.is_put_down() => JobState::Stopped,
                    None => JobState::Complete,
                    Some(Fate::Skipped) => JobState::Skipped,
                    Some(Fate::Failed) => JobState::Failed,
                },
            },
            health: job.health(),
            is_checked: job.check.as_ref().is_some_and(Checks::is_checked),
            is_started: job.is_started(),
            last_exit: job.last_exit,
            run: job.run(),
            next: job.deadline(),
            is_unchecked: job.is_unchecked(),
            in_maintenance: job.is_in_maintenance(),
            is_wanted: self.wanted.contains(&job.id),
        })
    }
}
