//! What one turn of the rules reads and writes beside the job itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::effect::{Effect, Note};
use super::spec::{Action, StopLimits};
use crate::events::{EventCode, Exit, Jitter, JobId, PublicEvent, Run, RunId, RunKind, later};
use crate::services::Presence;

/// The facts and the out-trays of one turn, lent to each job that acts in it.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    /// When this configuration was loaded: ticks count from here.
    pub(super) epoch: Instant,
    pub(super) limits: StopLimits,
    /// Everything is to stop.
    pub(super) stopping: bool,
    /// The whole is in maintenance, or this job.
    pub(super) maintenance: bool,
    /// An operator has switched this job's checks off.
    pub(super) unchecked: bool,
    pub(super) jitter: &'a mut Jitter,
    pub(super) next_run: &'a mut RunId,
    /// Orders for the shell.
    pub(super) effects: &'a mut Vec<Effect>,
    /// Events that were published and not yet delivered. Grows only within a turn, and each job can publish only a
    /// bounded number of events without an answer from outside, so it is bounded by the size of the configuration.
    pub(super) queue: &'a mut VecDeque<PublicEvent>,
    /// What jobs do to others. Each comes of a start, and starts nothing by itself.
    pub(super) actions: &'a mut Vec<Action>,
    /// Jobs whose own end was final in this turn, in that order.
    pub(super) finals: &'a mut Vec<(JobId, Option<Exit>)>,
}

impl Turn<'_> {
    /// Whether no check begins, and none has a result.
    pub(super) fn pauses_checks(&self) -> bool {
        self.maintenance || self.unchecked
    }

    pub(super) fn publish(&mut self, event: PublicEvent) {
        self.effects.push(Effect::Announce(event));
        self.queue.push_back(event);
    }

    pub(super) fn publish_job(&mut self, code: EventCode, job: JobId) {
        self.publish(PublicEvent::job(code, job));
    }

    pub(super) fn show(&mut self, job: JobId, presence: Presence) {
        self.effects.push(Effect::Show(job, presence));
    }

    pub(super) fn report(&mut self, job: JobId, note: Note) {
        self.effects.push(Effect::Report(job, note));
    }

    /// Numbers a new run and orders it.
    pub(super) fn spawn(&mut self, job: JobId, kind: RunKind, cause: Option<PublicEvent>) -> Run {
        let run = Run {
            id: *self.next_run,
            job,
            kind,
        };
        *self.next_run = RunId(self.next_run.0 + 1);
        self.effects.push(Effect::Spawn { run, cause });
        run
    }

    /// The first multiple of `every` since `from` that is after now. Missed ones are skipped (D52, X08).
    pub(super) fn next_tick(&self, from: Instant, every: Duration) -> Instant {
        let passed = self.now.saturating_duration_since(from);
        let every_ns = every.as_nanos().max(1);
        let ticks = passed.as_nanos() / every_ns + 1;
        // 2^64 ns are 584 years: no tick that anybody waits for is cut off.
        let offset = Duration::from_nanos(u64::try_from(ticks * every_ns).unwrap_or(u64::MAX));
        later(from, offset)
    }
}
