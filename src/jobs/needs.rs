//! Who needs whom until its own end: the order in which jobs stop.
//!
//! A job that waits for another one to be healthy, to run or to have done its work depends on it, and stops before it
//! (S04). What is announced in the catalogue needs the agent that is a job itself (S06). A hook of a job's end belongs to
//! that end and depends on nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Is, Leaf};
use super::spec::JobSpec;
use crate::events::{EventCode, JobId, Source};

/// For each job those that need it. There is no circle in it: what would close one is left out.
pub(super) fn needed_by(jobs: &[(JobId, &JobSpec)]) -> BTreeMap<JobId, Vec<JobId>> {
    let mut needs: BTreeMap<JobId, BTreeSet<JobId>> = BTreeMap::new();
    for (job, spec) in jobs {
        needs.insert(*job, dependencies(*job, spec));
    }
    let agents: BTreeSet<JobId> = with(jobs, |spec| spec.agent);
    if !agents.is_empty() {
        for client in clients(jobs) {
            needs.entry(client).or_default().extend(&agents);
        }
    }
    let mut acyclic = Acyclic::default();
    for (job, _) in jobs {
        acyclic.visit(*job, &needs);
    }
    acyclic.needed_by
}

fn with(jobs: &[(JobId, &JobSpec)], is: impl Fn(&JobSpec) -> bool) -> BTreeSet<JobId> {
    let found = jobs.iter().filter(|(_, spec)| is(spec));
    found.map(|(job, _)| *job).collect()
}

fn dependencies(own: JobId, spec: &JobSpec) -> BTreeSet<JobId> {
    let mut found = BTreeSet::new();
    if spec.start.hook_of().is_some() {
        return found;
    }
    spec.start.after.for_each(&mut |leaf| {
        let source = match leaf {
            Leaf::Once(event) => match event.code {
                EventCode::Healthy | EventCode::ExitSuccess => event.source,
                _ => return,
            },
            Leaf::Is(state) if state.is != Is::Unhealthy => state.source,
            Leaf::Is(_) => return,
        };
        if let Source::Job(job) | Source::Check(job) = source
            && job != own
        {
            found.insert(job);
        }
    });
    found
}

/// What is announced, and the hooks of its end, as far as they are no agents themselves.
fn clients(jobs: &[(JobId, &JobSpec)]) -> BTreeSet<JobId> {
    let mut clients = with(jobs, |spec| spec.service.is_some() && !spec.agent);
    loop {
        let hooks = with(jobs, |spec| {
            let source = spec.start.hook_of().map(|(_, source)| source);
            source.is_some_and(|source| clients.contains(&source)) && !spec.agent
        });
        let before = clients.len();
        clients.extend(hooks);
        if clients.len() == before {
            return clients;
        }
    }
}

/// A walk in depth that leaves out what leads back to where it came from.
#[derive(Default)]
struct Acyclic {
    needed_by: BTreeMap<JobId, Vec<JobId>>,
    /// Jobs that the walk is below of, and those that it is done with.
    open: BTreeSet<JobId>,
    done: BTreeSet<JobId>,
}

impl Acyclic {
    fn visit(&mut self, start: JobId, needs: &BTreeMap<JobId, BTreeSet<JobId>>) {
        // Without recursion: a chain may be as long as the configuration.
        let none = BTreeSet::new();
        if self.done.contains(&start) {
            return;
        }
        self.open.insert(start);
        let mut path = vec![(start, needs.get(&start).unwrap_or(&none).iter())];
        while let Some((job, rest)) = path.last_mut() {
            let job = *job;
            match rest.next() {
                Some(needed) if self.open.contains(needed) => {}
                Some(needed) => {
                    self.needed_by.entry(*needed).or_default().push(job);
                    if !self.done.contains(needed) {
                        self.open.insert(*needed);
                        path.push((*needed, needs.get(needed).unwrap_or(&none).iter()));
                    }
                }
                None => {
                    self.open.remove(&job);
                    self.done.insert(job);
                    path.pop();
                }
            }
        }
    }
}
