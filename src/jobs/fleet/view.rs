//! What the jobs see of each other.

use super::Jobs;
use crate::events::{EventCode, PublicEvent, Source};
use crate::jobs::condition::{Is, State, View};
use crate::jobs::health::Health;
use crate::jobs::machine::Job;

/// What conditions ask of the fleet.
impl View for Jobs {
    fn holds(&self, state: State) -> bool {
        match (state.source, state.is) {
            (Source::Job(job), Is::Running) => self.job(job).is_running(),
            (Source::Job(job), is) => {
                let wanted = if is == Is::Healthy {
                    Health::Healthy
                } else {
                    Health::Unhealthy
                };
                self.job(job).is_alive() && self.job(job).health() == wanted
            }
            (Source::Watch(watch), Is::Healthy) => self.watches.get(&watch) == Some(&true),
            (Source::Watch(watch), Is::Unhealthy) => self.watches.get(&watch) == Some(&false),
            _ => false,
        }
    }

    fn can_hold(&self, state: State) -> bool {
        match (state.source, state.is) {
            (Source::Job(job), Is::Running) => {
                self.job(job).is_alive() || self.job(job).is_running()
            }
            (Source::Job(job), _) => self.job(job).is_alive(),
            _ => true,
        }
    }

    fn can_come(&self, event: PublicEvent) -> bool {
        match event.source {
            Source::Job(job) if event.code == EventCode::Stopping => {
                !self.job(job).has_told_stopping()
            }
            Source::Job(job) | Source::Check(job) => !self.job(job).is_complete(),
            Source::Global | Source::Watch(_) | Source::Signal(_) => true,
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
