//! What operators read: events and notes of the rules as log lines.

use std::collections::HashMap;
use std::time::Duration;

use super::numbers::Ids;
use super::telemetry::{OWN, SERVICE};
use crate::config::Config;
use crate::events::{Exit, JobId, PublicEvent, Run, RunKind, Source, WatchId};
use crate::jobs::{Expiry, MaxRestarts, Note, Orphans};

/// The names of one configuration.
#[derive(Debug)]
pub(super) struct Names {
    jobs: HashMap<JobId, String>,
    watches: HashMap<WatchId, String>,
}

impl Names {
    pub(super) fn new(config: &Config, ids: &Ids) -> Names {
        let jobs = ids.jobs(config);
        let watches = ids.watches(config);
        Names {
            jobs: jobs.map(|(id, job)| (id, job.name.clone())).collect(),
            watches: watches
                .map(|(id, watch)| (id, watch.name.clone()))
                .collect(),
        }
    }

    /// Takes over from others the names of these, which are not of this configuration any more.
    pub(super) fn keep(
        &mut self,
        other: &Names,
        jobs: impl Iterator<Item = JobId>,
        watches: impl Iterator<Item = WatchId>,
    ) {
        for job in jobs {
            let name = || other.job(job).to_owned();
            self.jobs.entry(job).or_insert_with(name);
        }
        for watch in watches {
            let name = || other.watch(watch).to_owned();
            self.watches.entry(watch).or_insert_with(name);
        }
    }

    fn watch(&self, watch: WatchId) -> &str {
        self.watches.get(&watch).map_or("?", String::as_str)
    }

    pub(super) fn job(&self, job: JobId) -> &str {
        if job == OWN {
            return SERVICE;
        }
        self.jobs.get(&job).map_or("?", String::as_str)
    }

    /// The job's name, or `check.<job>`.
    pub(super) fn run(&self, run: Run) -> String {
        match run.kind {
            RunKind::Main => self.job(run.job).to_owned(),
            RunKind::Check(_) => format!("check.{}", self.job(run.job)),
        }
    }

    /// A source as a configuration writes it.
    pub(super) fn source(&self, source: Source) -> String {
        match source {
            Source::Global => "global".to_owned(),
            Source::Job(job) => self.job(job).to_owned(),
            Source::Check(job) => format!("check.{}", self.job(job)),
            Source::Watch(watch) => format!("watch.{}", self.watch(watch)),
            Source::Signal(signal) => signal.to_string(),
            Source::Custom(name) => format!("event.{name}"),
        }
    }

    pub(super) fn announce(&self, event: PublicEvent) {
        // Formatting the source is only worth it when somebody reads it: a flood of events is common, debug is not.
        if tracing::enabled!(tracing::Level::DEBUG) {
            let source = self.source(event.source);
            tracing::debug!("event: {{{} {source}}}", event.code.label());
        }
    }

    /// The end of a run's first process. `left`: what becomes of those that it left behind, if it did.
    pub(super) fn exited(
        &self,
        run: Run,
        pid: i32,
        exit: Exit,
        left: Option<Orphans>,
        is_good: bool,
    ) {
        let name = self.run(run);
        let job = self.job(run.job);
        let rest = match left {
            None => "",
            Some(Orphans::Sweep) => "; ending what it left behind",
            Some(Orphans::Keep) => "; what it left behind stays",
        };
        match (run.kind, is_good) {
            (RunKind::Main, true) => tracing::info!(job, pid, "{name} exited: {exit}{rest}"),
            (RunKind::Main, false) => {
                tracing::error!(job, pid, "{name} exited with error: {exit}{rest}");
            }
            // Every result is an event; a failing check would write a line per interval for as long as it lasts.
            (RunKind::Check(_), _) => tracing::debug!(job, pid, "{name} exited: {exit}{rest}"),
        }
    }

    pub(super) fn note(&self, job: JobId, note: &Note, command: &str) {
        let name = self.job(job);
        match note {
            Note::TimedOut { run, limit } => {
                let run = self.run(*run);
                tracing::warn!(
                    job = name,
                    "{run} timeout after {}: '{command}'",
                    span(*limit)
                );
            }
            Note::StopTimedOut { run, limit } => {
                let run = self.run(*run);
                tracing::warn!(
                    job = name,
                    "{run} did not stop within {}: killing it",
                    span(*limit)
                );
            }
            Note::Unkillable { run } => {
                let run = self.run(*run);
                tracing::error!(
                    job = name,
                    "{run} does not end after KILL: it waits in the kernel"
                );
            }
            Note::BackingOff { delay } => {
                tracing::info!(
                    job = name,
                    "{name} ended soon after its start: next start in {}",
                    span(*delay)
                );
            }
            Note::Exhausted { delay } => {
                tracing::error!(
                    job = name,
                    "cannot start {name} for want of resources: tried again in {}",
                    span(*delay)
                );
            }
            Note::WaitExpired { limit, then } => {
                let then = match then {
                    Expiry::Skip => "it will not run",
                    Expiry::Fail => "it has failed",
                    Expiry::Start => "starting it without",
                };
                tracing::warn!(
                    job = name,
                    "{name} was not started within its when.timeout of {}: {then}",
                    span(*limit)
                );
            }
            Note::Skipped { source } => {
                let source = self.source(*source);
                tracing::warn!(
                    job = name,
                    "{name} is skipped: it waits for {source}, which is over without that"
                );
            }
            Note::GivenUp(MaxRestarts { count, within }) => tracing::error!(
                job = name,
                "{name} has failed: more than {count} restarts within {}",
                span(*within)
            ),
            Note::TickSkipped => {
                tracing::warn!(job = name, "{name} still runs at its next tick: skipped");
            }
            Note::HookTimedOut { hook, limit } => {
                let hook = self.job(*hook);
                tracing::warn!(
                    job = name,
                    hook,
                    "{hook} did not end within {} of the stop of {name}: stopping it",
                    span(*limit)
                );
            }
            Note::LeavingTimedOut { limit } => tracing::warn!(
                job = name,
                "{name} did not leave the catalogue within {}: the stop goes on",
                span(*limit)
            ),
            Note::Restarting => tracing::warn!(job = name, "{name} is unhealthy: restarting it"),
            Note::HeartbeatMissed { limit } => tracing::warn!(
                job = name,
                "{name} sent no heartbeat within {}",
                span(*limit)
            ),
            Note::Anew => tracing::info!(job = name, "{name} begins anew"),
            Note::Completed { exit } => {
                let exit = exit.map_or_else(String::new, |exit| exit.to_string());
                tracing::debug!(
                    job = name,
                    exit,
                    "job exited but restart not permitted: {name}"
                );
            }
        }
    }
}

/// The kernel killed somebody, who need not be a run's first process: what a shell has started, or a worker (X03).
pub(super) fn out_of_memory(killed: u64) {
    let processes = if killed == 1 { "process" } else { "processes" };
    tracing::error!("the kernel killed {killed} {processes} of this container for want of memory");
}

/// In milliseconds: nobody reads further.
pub(super) fn span(duration: Duration) -> humantime::FormattedDuration {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    humantime::format_duration(Duration::from_millis(millis))
}
