//! Numbers of jobs and watches that outlast a configuration: what has the same name after a reload has the same number
//! (decision 17), and no number is ever used twice.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::events::{JobId, WatchId};
use crate::jobs::{JobSpec, Next, Numbering};
use crate::watches::WatchSpec;

/// Who has which number.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    jobs: Register,
    watches: Register,
}

/// The numbers of one configuration's jobs and watches, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    jobs: Vec<JobId>,
    watches: Vec<WatchId>,
}

/// Of several with one name the first, the second and so on are told apart.
#[derive(Clone, Debug, Default)]
struct Register {
    known: BTreeMap<(String, usize), u32>,
    next: u32,
}

impl Numbers {
    /// Gives the jobs and watches of a configuration their numbers, and replaces the places in it, by which they name each
    /// other, by those.
    pub(super) fn number(&mut self, config: &mut Config) -> Ids {
        let jobs = config.jobs.iter().map(|job| job.name.as_str());
        let watches = config.watches.iter().map(|watch| watch.name.as_str());
        let ids = Ids {
            jobs: self.jobs.ids(jobs).into_iter().map(JobId).collect(),
            watches: self.watches.ids(watches).into_iter().map(WatchId).collect(),
        };
        for job in &mut config.jobs {
            job.renumber(&ids);
        }
        ids
    }

    /// Forgets all but the names of a configuration that has taken over: a name that comes back later is a new one.
    pub(super) fn settle(&mut self, ids: &Ids) {
        let jobs: Vec<u32> = ids.jobs.iter().map(|id| id.0).collect();
        let watches: Vec<u32> = ids.watches.iter().map(|id| id.0).collect();
        self.jobs.keep(&jobs);
        self.watches.keep(&watches);
    }
}

impl Register {
    fn ids<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Vec<u32> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut ids = Vec::new();
        for name in names {
            let nth = seen.entry(name).or_default();
            let next = &mut self.next;
            let id = self
                .known
                .entry((name.to_owned(), *nth))
                .or_insert_with(|| {
                    *next += 1;
                    *next - 1
                });
            ids.push(*id);
            *nth += 1;
        }
        ids
    }

    fn keep(&mut self, ids: &[u32]) {
        let ids: std::collections::BTreeSet<u32> = ids.iter().copied().collect();
        self.known.retain(|_, id| ids.contains(id));
    }
}

impl Ids {
    /// The jobs of the configuration that these are the numbers of.
    pub(super) fn jobs<'a>(
        &'a self,
        config: &'a Config,
    ) -> impl Iterator<Item = (JobId, &'a JobSpec)> {
        self.jobs.iter().copied().zip(&config.jobs)
    }

    /// Its watches.
    pub(super) fn watches<'a>(
        &'a self,
        config: &'a Config,
    ) -> impl Iterator<Item = (WatchId, &'a WatchSpec)> {
        self.watches.iter().copied().zip(&config.watches)
    }

    /// What the jobs are to become.
    pub(super) fn next(&self, config: &Config) -> Next {
        let jobs = self.jobs(config).map(|(id, spec)| (id, spec.clone()));
        Next {
            jobs: jobs.collect(),
            watches: self.watches.clone(),
            limits: config.stop,
        }
    }
}

impl Numbering for Ids {
    // A definition names only what is there: the configuration was checked.
    fn job(&self, place: JobId) -> JobId {
        self.jobs.get(place.0 as usize).copied().unwrap_or(place)
    }

    fn watch(&self, place: WatchId) -> WatchId {
        self.watches.get(place.0 as usize).copied().unwrap_or(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_and_no_number_comes_twice() {
        let mut register = Register::default();
        assert_eq!(register.ids(["a", "b", "a"].into_iter()), [0, 1, 2]);
        assert_eq!(register.ids(["c", "a", "a", "b"].into_iter()), [3, 0, 2, 1]);
        register.keep(&[3]);
        assert_eq!(register.ids(["a", "c"].into_iter()), [4, 3]);
    }
}
