//! The limits of a stop: `stopTimeout`, `shutdownTimeout`, and what they add up to (decision 8).

use std::time::Duration;

use crate::events::{EventCode, JobId};
use crate::jobs::{JobSpec, StopLimits};

use super::health::seconds_or_duration;
use super::job::Draft;
use super::section::Section;
use super::walk::{DURATION_HELP, Field, Finding, Place, Walk};

/// The time that container runtimes wait between TERM and KILL unless they are told otherwise.
const USUAL_GRACE: Duration = Duration::from_secs(10);

/// The limits, and where the file says them.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) values: StopLimits,
    stop_place: Option<Place>,
    shutdown_place: Option<Place>,
}

impl Limits {
    pub(super) fn read(walk: &mut Walk<'_>, top: &mut Section<'_>) -> Limits {
        let mut read = Limits::default();
        if let Some(field) = top.take(walk, "stopTimeout") {
            read.stop_timeout(walk, &field);
        }
        if let Some(field) = top.take(walk, "shutdownTimeout") {
            read.shutdown_timeout(walk, &field);
        }
        read
    }

    /// As in the original 0 means the default; less than 0, no wait before KILL.
    fn stop_timeout(&mut self, walk: &mut Walk<'_>, field: &Field<'_>) {
        let Some((length, _)) = seconds_or_duration(walk, field) else {
            return;
        };
        if length.nanos() == 0 {
            let finding = Finding::new("0 means the default of 5 seconds");
            walk.warning(
                &field.place,
                finding.help("write `-1` for no wait before KILL, or leave the key out"),
            );
            return;
        }
        self.values.stop_timeout = length.or_zero();
        self.stop_place = Some(field.place.clone());
    }

    fn shutdown_timeout(&mut self, walk: &mut Walk<'_>, field: &Field<'_>) {
        let Some(length) = walk.duration(field) else {
            return;
        };
        let Some(length) = length.positive() else {
            let shown = walk.shown(field.node);
            let finding = Finding::new(format!("cannot use {shown}: must be more than nothing"));
            walk.error(&field.place, finding.help(DURATION_HELP));
            return;
        };
        self.values.shutdown_timeout = length;
        self.shutdown_place = Some(field.place.clone());
    }

    /// Warns when times that the file states add up to more than a container runtime waits.
    /// With a known `grace` those of the defaults count as well.
    pub(super) fn check(&self, walk: &mut Walk<'_>, drafts: &[Draft], grace: Option<Duration>) {
        if let Some(place) = &self.shutdown_place
            && self.values.shutdown_timeout < self.values.stop_timeout
        {
            walk.warning(
                place,
                "the whole stop may last less than `stopTimeout` allows one job",
            );
        }
        let hooks = longest_hooks(drafts);
        let jobs = hooks.iter().zip(drafts);
        let budgets = jobs.filter_map(|(hook, draft)| {
            let (length, place) = self.of_job(*hook, draft);
            // What has no command stops at once.
            let by_default = grace.filter(|_| draft.spec.exec.is_some());
            let place = place.or_else(|| by_default.map(|_| draft.place.clone()));
            Some((length, place?))
        });
        let longest = budgets.max_by_key(|(length, _)| *length);
        let limit = grace.unwrap_or(USUAL_GRACE);
        let Some((length, place)) = longest.filter(|(length, _)| *length > limit) else {
            return;
        };
        let length = humantime::format_duration(length);
        let shown = humantime::format_duration(limit);
        let killer = match grace {
            Some(_) => "the container's runtime kills",
            None => "container runtimes usually kill",
        };
        let finding = Finding::new(format!(
            "a stop may take {length}, and {killer} everything after {shown}"
        ));
        let help = "give the runtime more time (`docker stop -t`), or shorten the timeouts";
        walk.warning(&place, finding.help(help));
    }

    /// The longest stop of one job, from its hooks to KILL, with the place that decides it, unless that is a default.
    fn of_job(&self, hook: Hook, draft: &Draft) -> (Duration, Option<Place>) {
        let own = draft.spec.stop_timeout;
        let stop = own.unwrap_or(self.values.stop_timeout);
        let wait = match (hook, own) {
            (Hook::None, _) => None,
            (_, Some(own)) => Some((own, draft.stop_place.clone())),
            (Hook::Bounded(length), None) => Some((length, Some(draft.place.clone()))),
            // It lasts as long as the whole stop may, which is a default unless the file says it.
            (Hook::Unbounded, None) => {
                let limit = self.values.shutdown_timeout;
                self.shutdown_place
                    .clone()
                    .map(|place| (limit, Some(place)))
            }
        };
        // The hooks work while the service drains.
        let drain = draft.spec.drain.zip(Some(draft.drain_place.clone()));
        let wait = [wait, drain]
            .into_iter()
            .flatten()
            .max_by_key(|(length, _)| *length);
        let (wait, place) = wait.unwrap_or_default();
        let place = place.or_else(|| draft.stop_place.clone());
        let place = place.or_else(|| self.stop_place.clone());
        let total = wait.saturating_add(stop);
        (total.min(self.values.shutdown_timeout), place)
    }
}

/// The longest of the hooks that a job waits for when it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hook {
    None,
    /// It ends by its own `timeout`.
    Bounded(Duration),
    Unbounded,
}

/// For each job the longest of its `stopping` hooks.
fn longest_hooks(drafts: &[Draft]) -> Vec<Hook> {
    let mut longest = vec![Hook::None; drafts.len()];
    for hook in drafts.iter().map(|draft| &draft.spec) {
        let Some(JobId(number)) = awaited_by(hook) else {
            continue;
        };
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(slot) = longest.get_mut(index) {
            let length = hook.timeout.map_or(Hook::Unbounded, Hook::Bounded);
            *slot = length.max(*slot);
        }
    }
    longest
}

/// The job whose `stopping` starts this one.
fn awaited_by(hook: &JobSpec) -> Option<JobId> {
    match hook.start.hook_of() {
        Some((EventCode::Stopping, job)) => Some(job),
        _ => None,
    }
}
