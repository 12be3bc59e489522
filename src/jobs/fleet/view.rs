//! What the jobs see of each other.

use super::Jobs;
use crate::events::{EventCode, JobId, PublicEvent, Source};
use crate::jobs::condition::{Is, State, View};
use crate::jobs::health::Health;
use crate::jobs::machine::Job;

/// What one job's condition sees of the fleet.
pub(super) struct Seen<'a> {
    jobs: &'a Jobs,
    /// The job stays while others leave for a reload: nothing is so of those, and everything can come of those that follow.
    stays: bool,
    /// The job is a hook of this one's end, and has no use once that end has come.
    serves: Option<JobId>,
}

impl Jobs {
    /// What this job sees.
    pub(super) fn seen_by(&self, job: JobId) -> Seen<'_> {
        Seen {
            jobs: self,
            stays: self.change.is_some() && !self.is_leaving(job),
            serves: self.job(job).hook_of().map(|(_, source)| source),
        }
    }
}

impl Seen<'_> {
    fn is_of_the_past(&self, source: Source) -> bool {
        match source {
            Source::Job(job) | Source::Check(job) => self.stays && self.jobs.is_leaving(job),
            Source::Global | Source::Watch(_) | Source::Signal(_) | Source::Custom(_) => false,
        }
    }

    /// Whether an operator has stopped it and may start it again.
    fn may_return(&self, source: Source) -> bool {
        match source {
            Source::Job(job) | Source::Check(job) => {
                let returns = self.jobs.job(job).is_put_down() || self.jobs.wanted.contains(&job);
                returns && self.jobs.ending.is_none() && self.serves != Some(job)
            }
            Source::Global | Source::Watch(_) | Source::Signal(_) | Source::Custom(_) => false,
        }
    }
}

impl View for Seen<'_> {
    fn holds(&self, state: State) -> bool {
        let jobs = self.jobs;
        match (state.source, state.is) {
            (source, _) if self.is_of_the_past(source) => false,
            (Source::Job(job), Is::Running) => jobs.job(job).is_running(),
            (Source::Job(job), is) => {
                let wanted = if is == Is::Healthy {
                    Health::Healthy
                } else {
                    Health::Unhealthy
                };
                jobs.job(job).is_alive() && jobs.job(job).health() == wanted
            }
            (Source::Watch(watch), Is::Healthy) => jobs.watches.get(&watch) == Some(&true),
            (Source::Watch(watch), Is::Unhealthy) => jobs.watches.get(&watch) == Some(&false),
            _ => false,
        }
    }

    fn can_hold(&self, state: State) -> bool {
        let jobs = self.jobs;
        match (state.source, state.is) {
            (source, _) if self.is_of_the_past(source) || self.may_return(source) => true,
            (Source::Job(job), Is::Running) => {
                jobs.job(job).is_alive() || jobs.job(job).is_running()
            }
            (Source::Job(job), _) => jobs.job(job).is_alive(),
            _ => true,
        }
    }

    fn can_come(&self, event: PublicEvent) -> bool {
        let jobs = self.jobs;
        match event.source {
            source if self.is_of_the_past(source) || self.may_return(source) => true,
            Source::Job(job) if event.code == EventCode::Stopping => {
                !jobs.job(job).has_told_stopping()
            }
            Source::Job(job) | Source::Check(job) => !jobs.job(job).is_complete(),
            Source::Global | Source::Watch(_) | Source::Signal(_) | Source::Custom(_) => true,
        }
    }
}

/// What of a job others may wait for.
pub(super) fn outside(job: &Job) -> (bool, Health, bool, bool, bool) {
    (
        job.is_running(),
        job.health(),
        job.is_alive(),
        job.has_told_stopping(),
        job.is_complete(),
    )
}
