//! Who has to do with whom: made from what the jobs are, anew for each configuration.

use std::collections::{BTreeMap, BTreeSet};

use crate::events::{EventCode, JobId, PublicEvent, Source};
use crate::jobs::condition::Leaf;
use crate::jobs::machine::Job;
use crate::jobs::needs;
use crate::jobs::spec::{JobSpec, Trigger};

/// The relations between the jobs of one configuration, each in config order.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Who hears which event (decision 14).
    pub(super) subscribers: BTreeMap<PublicEvent, Vec<JobId>>,
    /// Who waits for, or is triggered by, what becomes of each job.
    pub(super) dependents: BTreeMap<JobId, Vec<JobId>>,
    /// The jobs that wait for, or are triggered by, what becomes of others.
    pub(super) waiters: BTreeSet<JobId>,
    /// The jobs that are hooks of another one's end.
    pub(super) hooks: Vec<JobId>,
    /// The `stopping` hooks of each job that has any.
    pub(super) stopping_hooks: BTreeMap<JobId, Vec<JobId>>,
    /// The jobs that need each job until their own end (S04, S06).
    pub(super) needed_by: BTreeMap<JobId, Vec<JobId>>,
}

impl Index {
    pub(super) fn of<'a>(jobs: impl Iterator<Item = &'a Job> + Clone) -> Index {
        let mut index = Index::default();
        for job in jobs.clone() {
            for event in subscriptions(&job.spec) {
                index.subscribers.entry(event).or_default().push(job.id);
            }
            for source in sources(&job.spec) {
                index.dependents.entry(source).or_default().push(job.id);
                index.waiters.insert(job.id);
            }
            let Some((code, source)) = job.hook_of() else {
                continue;
            };
            index.hooks.push(job.id);
            if code == EventCode::Stopping {
                index.stopping_hooks.entry(source).or_default().push(job.id);
            }
        }
        let specs: Vec<(JobId, &JobSpec)> = jobs.map(|job| (job.id, &job.spec)).collect();
        index.needed_by = needs::needed_by(&specs);
        index
    }
}

/// The events that a job has to hear of, each once.
fn subscriptions(spec: &JobSpec) -> BTreeSet<PublicEvent> {
    let mut events = BTreeSet::new();
    spec.start.after.for_each(&mut |leaf| match leaf {
        Leaf::Once(event) => {
            events.insert(event);
        }
        Leaf::Is(state) => events.extend(state.begins()),
    });
    if let Trigger::Each(triggers) = &spec.start.trigger {
        events.extend(triggers);
    }
    events
}

/// The jobs that a job waits for, or is triggered by.
fn sources(spec: &JobSpec) -> BTreeSet<JobId> {
    let mut sources: Vec<Source> = Vec::new();
    spec.start.after.for_each(&mut |leaf| match leaf {
        Leaf::Once(event) => sources.push(event.source),
        Leaf::Is(state) => sources.push(state.source),
    });
    if let Trigger::Each(triggers) = &spec.start.trigger {
        sources.extend(triggers.iter().map(|event| event.source));
    }
    let jobs = sources.into_iter().filter_map(|source| match source {
        Source::Job(job) | Source::Check(job) => Some(job),
        Source::Global | Source::Watch(_) | Source::Signal(_) | Source::Custom(_) => None,
    });
    jobs.collect()
}
