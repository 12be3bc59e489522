//! What a reload does or would do, in words.

use std::collections::HashMap;

use super::app::App;
use super::numbers::Ids;
use crate::config::Config;
use crate::control::{Planned, PlannedAction, ReloadPlan};
use crate::events::JobId;
use crate::jobs::{Reason, Verdict};

/// So many jobs are named in a log line.
const NAMED: usize = 10;

impl App {
    /// What it would mean if this configuration took over now.
    pub(super) fn outlook(&self, config: &Config, ids: &Ids) -> ReloadPlan {
        let difference = self.jobs.difference(&ids.next(config));
        let new = ids.jobs(config);
        let new: HashMap<JobId, &str> = new.map(|(id, job)| (id, job.name.as_str())).collect();
        let name = |job: JobId| {
            let name = new.get(&job).copied();
            name.unwrap_or_else(|| self.names.job(job)).to_owned()
        };
        let jobs = difference.jobs.iter().map(|(job, verdict)| {
            let (action, why) = match verdict {
                Verdict::Keep => (PlannedAction::Keep, String::new()),
                Verdict::Adjust(keys) => (PlannedAction::Adjust, changed(keys)),
                Verdict::Renew(Reason::Changed(keys)) => (PlannedAction::Restart, changed(keys)),
                Verdict::Renew(Reason::HookOf(other)) => (
                    PlannedAction::Restart,
                    format!("it belongs to {}", name(*other)),
                ),
                Verdict::Renew(Reason::SkippedFor(other)) => (
                    PlannedAction::Restart,
                    format!("it was skipped for what came of {}", name(*other)),
                ),
                Verdict::Renew(Reason::Leaving) => (
                    PlannedAction::Restart,
                    "an earlier reload stops it already".to_owned(),
                ),
                Verdict::Add => (PlannedAction::Start, String::new()),
                Verdict::Remove => (PlannedAction::Stop, String::new()),
            };
            let name = name(*job);
            Planned { name, action, why }
        });
        ReloadPlan {
            jobs: jobs.collect(),
            watches: self.watches_that_differ(config),
            settings: settings_that_differ(&self.config, config),
        }
    }

    fn watches_that_differ(&self, config: &Config) -> Vec<Planned> {
        let (old, new) = (&self.config.watches, &config.watches);
        let planned = |name: &str, action| Planned {
            name: name.to_owned(),
            action,
            why: String::new(),
        };
        let mut found = Vec::new();
        for watch in new.iter().filter(|watch| !old.contains(watch)) {
            let is_new = old.iter().all(|old| old.name != watch.name);
            let action = if is_new {
                PlannedAction::Start
            } else {
                PlannedAction::Adjust
            };
            found.push(planned(&watch.name, action));
        }
        let gone = old
            .iter()
            .filter(|old| new.iter().all(|new| new.name != old.name));
        found.extend(gone.map(|watch| planned(&watch.name, PlannedAction::Stop)));
        found
    }
}

fn changed(keys: &[&str]) -> String {
    let has = if keys.len() == 1 { "has" } else { "have" };
    format!("{} {has} changed", keys.join(", "))
}

fn settings_that_differ(old: &Config, new: &Config) -> Vec<String> {
    let found = [
        ("consul", old.consul != new.consul),
        ("control", old.control != new.control),
        ("logging", old.logging != new.logging),
        (
            "reloadOnChange",
            old.reload_on_change != new.reload_on_change,
        ),
        ("telemetry", old.telemetry != new.telemetry),
        (
            "stopTimeout",
            old.stop.stop_timeout != new.stop.stop_timeout,
        ),
        (
            "shutdownTimeout",
            old.stop.shutdown_timeout != new.stop.shutdown_timeout,
        ),
    ];
    let differ = found.into_iter().filter(|(_, differs)| *differs);
    differ.map(|(key, _)| key.to_owned()).collect()
}

/// What a reload did, in one line.
pub(super) fn in_one_line(plan: &ReloadPlan) -> String {
    let mut parts = Vec::new();
    for (action, done) in [
        (PlannedAction::Restart, "restarted"),
        (PlannedAction::Adjust, "adjusted"),
        (PlannedAction::Start, "new"),
        (PlannedAction::Stop, "removed"),
    ] {
        let jobs = plan.jobs.iter().filter(|job| job.action == action);
        let names: Vec<&str> = jobs.map(|job| job.name.as_str()).collect();
        if names.is_empty() {
            continue;
        }
        let more = names.len().saturating_sub(NAMED);
        let named = names[..names.len() - more].join(", ");
        parts.push(if more == 0 {
            format!("{done}: {named}")
        } else {
            format!("{done}: {named} and {more} more")
        });
    }
    if parts.is_empty() {
        parts.push("nothing to restart".to_owned());
    }
    parts.join("; ")
}
