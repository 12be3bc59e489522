//! What others may see of a job.

use super::Jobs;
use crate::events::{Exit, JobId};
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
    /// It did not run: what it waited for could not happen any more.
    Skipped,
    /// It was given up.
    Failed,
}

impl Jobs {
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
                    None => JobState::Complete,
                    Some(Fate::Skipped) => JobState::Skipped,
                    Some(Fate::Failed) => JobState::Failed,
                },
            },
            health: job.health(),
            is_checked: job.check.as_ref().is_some_and(Checks::is_checked),
            is_started: job.is_started(),
            last_exit: job.last_exit,
        })
    }
}
