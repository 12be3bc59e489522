//! How everything is at this moment, for clients.

use std::collections::HashMap;
use std::time::Instant;

use super::app::App;
use super::chronicle::millis;
use crate::control::{ConditionView, JobDetail, JobView, ServiceView, Status, VERSION, WatchView};
use crate::events::{JobId, RunId, RunKind};
use crate::jobs::{Health, Is, JobState, Leaf, Trigger};
use crate::watches::Target;

impl App {
    /// All of it. A job costs some hundred bytes and no search.
    pub(super) fn show_all(&self, now: Instant) -> Status {
        let pids = self.pids();
        let jobs = self.jobs.iter();
        let state = match () {
            () if self.jobs.is_ending() => "stopping",
            () if self.jobs.is_changing() => "reloading",
            () => "running",
        };
        Status {
            version: VERSION.to_owned(),
            pid: std::process::id(),
            state: state.to_owned(),
            maintenance: self.jobs.in_maintenance(),
            uptime_ms: millis(self.chronicle.uptime(now)),
            jobs: jobs
                .filter_map(|(id, _)| self.view(id, &pids, now))
                .collect(),
            watches: self.watch_views(),
            services: self.service_views(),
        }
    }

    /// One job, with what it waits for and why.
    pub(super) fn show_job(&self, id: JobId, now: Instant) -> Option<JobDetail> {
        let spec = self.jobs.spec(id)?;
        let (conditions, any) = self.jobs.conditions(id);
        let conditions = conditions.into_iter().map(|(leaf, met)| {
            let (event, source) = match leaf {
                Leaf::Once(event) => (event.code.name().to_owned(), event.source),
                Leaf::Is(state) => (format!("is {}", word(state.is)), state.source),
            };
            let source = self.names.source(source);
            ConditionView { event, source, met }
        });
        let command = spec.exec.as_ref().map(|exec| exec.program().to_owned());
        Some(JobDetail {
            job: self.view(id, &self.pids(), now)?,
            command,
            conditions: conditions.collect(),
            any,
            triggers: self.triggers(&spec.start.trigger),
            decisions: self.chronicle.decisions(id, &self.names),
        })
    }

    fn pids(&self) -> HashMap<RunId, i32> {
        let live = self.processes.live();
        let commands = live.filter(|(run, _)| run.kind == RunKind::Main);
        commands.map(|(run, pid)| (run.id, pid)).collect()
    }

    fn view(&self, id: JobId, pids: &HashMap<RunId, i32>, now: Instant) -> Option<JobView> {
        let status = self.jobs.status(id)?;
        let health = match status.health {
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
            Health::Unknown => "unknown",
        };
        let run = status.run.map(|(run, _)| run);
        let since = status.run.map(|(_, since)| since);
        let delayed = status.state == JobState::Backoff;
        let next = status.next.filter(|_| delayed);
        Some(JobView {
            name: self.names.job(id).to_owned(),
            state: status.state.name().to_owned(),
            health: status.is_checked.then(|| health.to_owned()),
            pid: run.and_then(|run| pids.get(&run).copied()),
            running_ms: since.map(|since| millis(now.saturating_duration_since(since))),
            runs: self.chronicle.runs(id),
            last_exit: status.last_exit.map(|exit| exit.to_string()),
            next_start_ms: next.map(|at| millis(at.saturating_duration_since(now))),
            checks_off: status.is_unchecked,
            maintenance: status.in_maintenance,
            starts_again: status.is_wanted,
        })
    }

    fn triggers(&self, trigger: &Trigger) -> Vec<String> {
        match trigger {
            Trigger::Once => Vec::new(),
            Trigger::Each(events) => {
                let text = |event: &crate::events::PublicEvent| {
                    let source = self.names.source(event.source);
                    format!("each {} of {source}", event.code.name())
                };
                events.iter().map(text).collect()
            }
            Trigger::Interval { every, .. } => {
                vec![format!("every {}", super::report::span(*every))]
            }
            Trigger::Cron { .. } => vec!["the times of its `when.cron`".to_owned()],
        }
    }

    fn watch_views(&self) -> Vec<WatchView> {
        let watches = self.ids.watches(&self.config);
        let view = |(id, spec): (_, &crate::watches::WatchSpec)| WatchView {
            name: spec.name.clone(),
            subject: match &spec.subject.target {
                Target::Service { name, .. } => format!("service {name}"),
                Target::Key(key) => format!("key {key}"),
                Target::Prefix(prefix) => format!("keys below {prefix}"),
            },
            found: self.discovery.instances(id),
        };
        watches.map(view).collect()
    }

    fn service_views(&self) -> Vec<ServiceView> {
        let view = |(id, _)| {
            let registration = self.discovery.registration(id)?;
            Some(ServiceView {
                name: registration.name.clone(),
                id: registration.id.clone(),
                job: self.names.job(id).to_owned(),
                address: registration.address.clone(),
                port: registration.port,
                registered: self.discovery.is_present(id),
            })
        };
        self.jobs.iter().filter_map(view).collect()
    }
}

fn word(is: Is) -> &'static str {
    match is {
        Is::Running => "running",
        Is::Healthy => "healthy",
        Is::Unhealthy => "unhealthy",
    }
}
