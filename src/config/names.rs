//! What the sources in a `when` can mean, and which events each of them has.

use std::collections::HashMap;

use crate::events::{EventCode, JobId, Source, WatchId};
use crate::jobs::Is;

/// What a source's name can mean.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) jobs: HashMap<String, JobId>,
    pub(super) watches: HashMap<String, WatchId>,
    /// What each job can emit, by its number.
    pub(super) facts: Vec<Facts>,
}

/// Which events a job can have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) has_exec: bool,
    pub(super) has_check: bool,
    pub(super) has_wait: bool,
    pub(super) may_fail: bool,
}

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<Source> {
        if name == "global" {
            return Some(Source::Global);
        }
        if let Some(job) = self.jobs.get(name) {
            return Some(Source::Job(*job));
        }
        let check = name
            .strip_prefix("check.")
            .and_then(|job| self.jobs.get(job));
        let watch = || {
            name.strip_prefix("watch.")
                .and_then(|watch| self.watches.get(watch))
        };
        let check = check.map(|job| Source::Check(*job));
        check.or_else(|| watch().map(|watch| Source::Watch(*watch)))
    }

    /// Every name a source may have, as far as a person can have mistyped one of them.
    pub(super) fn all(&self) -> Vec<String> {
        let jobs = self.jobs.keys().cloned();
        let watches = self.watches.keys().map(|name| format!("watch.{name}"));
        let fixed = ["global", "SIGHUP", "SIGUSR2"].map(str::to_owned);
        jobs.chain(watches).take(2000).chain(fixed).collect()
    }

    /// Why this event never comes from this source to this job; `None` if it can.
    pub(super) fn why_never(&self, code: EventCode, source: Source, own: JobId) -> Option<String> {
        use EventCode as Code;
        let other = format!("{code} is not an event of this source");
        match source {
            Source::Global => match code {
                Code::Startup | Code::EnterMaintenance | Code::ExitMaintenance => None,
                Code::Shutdown => {
                    Some("`shutdown` starts nothing; use `stopping` of a job".to_owned())
                }
                _ => Some(other),
            },
            Source::Job(job) | Source::Check(job) if job == own => {
                Some("a job does not hear its own events".to_owned())
            }
            Source::Job(job) => self
                .why_never_of_job(code, job)
                .or_else(|| (!is_of_job(code)).then_some(other)),
            Source::Check(job) => match code {
                Code::ExitSuccess | Code::ExitFailed if self.facts_of(job).has_check => None,
                Code::ExitSuccess | Code::ExitFailed => {
                    Some("that job has no health check".to_owned())
                }
                _ => Some(other),
            },
            Source::Watch(_) => match code {
                Code::Changed | Code::Healthy | Code::Unhealthy => None,
                _ => Some(other),
            },
            // Resolved before.
            Source::Signal(_) | Source::Custom(_) => None,
        }
    }

    /// Why this is never so; `None` if it can be.
    pub(super) fn why_never_is(&self, is: Is, source: Source, own: JobId) -> Option<String> {
        let has_health = |job| self.facts_of(job).has_check;
        match (source, is) {
            (Source::Job(job), _) if job == own => {
                Some("a job does not wait for itself".to_owned())
            }
            (Source::Job(job), is) if is != Is::Running && !has_health(job) => {
                Some("that job has no health check".to_owned())
            }
            (Source::Job(_), _) | (Source::Watch(_), Is::Healthy | Is::Unhealthy) => None,
            _ => Some("only jobs run, and only jobs and watches are healthy".to_owned()),
        }
    }

    fn why_never_of_job(&self, code: EventCode, job: JobId) -> Option<String> {
        use EventCode as Code;
        let facts = self.facts_of(job);
        let lacks = match code {
            Code::ExitSuccess | Code::ExitFailed if !facts.has_exec => "`exec`",
            Code::Healthy | Code::Unhealthy if !facts.has_check => "`health.exec`",
            Code::TimerExpired if !facts.has_wait => "`when.timeout`",
            Code::Failed if !facts.may_fail => "`maxRestarts`",
            _ => return None,
        };
        Some(format!("that job has no {lacks}"))
    }

    fn facts_of(&self, job: JobId) -> Facts {
        let index = usize::try_from(job.0).unwrap_or(usize::MAX);
        self.facts.get(index).copied().unwrap_or_default()
    }
}

fn is_of_job(code: EventCode) -> bool {
    matches!(
        code,
        EventCode::ExitSuccess
            | EventCode::ExitFailed
            | EventCode::Stopping
            | EventCode::Stopped
            | EventCode::Healthy
            | EventCode::Unhealthy
            | EventCode::TimerExpired
            | EventCode::Failed
    )
}
