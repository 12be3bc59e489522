//! Other numbers for the jobs and watches that a definition names.

use super::condition::{Condition, State};
use super::spec::{Action, JobSpec, Trigger};
use crate::events::{JobId, Source, Subscription, WatchId};

/// Says which number a job or a watch of a configuration has, given its place there.
pub trait Numbering {
    fn job(&self, place: JobId) -> JobId;
    fn watch(&self, place: WatchId) -> WatchId;
}

impl JobSpec {
    /// Replaces the places in the configuration, which a definition names others by, by their numbers.
    pub fn renumber(&mut self, numbering: &impl Numbering) {
        self.start.after.renumber(numbering);
        if let Trigger::Each(events) = &mut self.start.trigger {
            for event in events {
                *event = renumbered(*event, numbering);
            }
        }
        match &mut self.action {
            Some(Action::Signal(job, _) | Action::Restart(job)) => *job = numbering.job(*job),
            None => {}
        }
    }
}

impl Condition {
    fn renumber(&mut self, numbering: &impl Numbering) {
        match self {
            Condition::Never => {}
            Condition::Once(event) => *event = renumbered(*event, numbering),
            Condition::Is(State { source, .. }) => *source = of_source(*source, numbering),
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    part.renumber(numbering);
                }
            }
        }
    }
}

fn renumbered(event: Subscription, numbering: &impl Numbering) -> Subscription {
    Subscription {
        source: of_source(event.source, numbering),
        ..event
    }
}

fn of_source(source: Source, numbering: &impl Numbering) -> Source {
    match source {
        Source::Job(job) => Source::Job(numbering.job(job)),
        Source::Check(job) => Source::Check(numbering.job(job)),
        Source::Watch(watch) => Source::Watch(numbering.watch(watch)),
        Source::Global | Source::Signal(_) | Source::Custom(_) => source,
    }
}
