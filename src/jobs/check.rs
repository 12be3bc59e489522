//! One health check: when it runs, and what its results mean.

use std::time::{Duration, Instant};

use super::effect::{Effect, Note};
use super::health::Health;
use super::run::LiveRun;
use super::spec::CheckSpec;
use super::turn::Turn;
use crate::events::{
    EventCode, Exit, JobId, PublicEvent, Run, RunKind, Source, StartFailure, later,
};

/// One check: at most one run of it at a time (J01), at multiples of its interval counted from the load of the
/// configuration, missed ones skipped (D52).
#[derive(Debug)]
pub(super) struct Check {
    job: JobId,
    number: u16,
    spec: CheckSpec,
    /// The next tick; `None` while no check is to run (not started yet, maintenance, halting).
    next: Option<Instant>,
    live: Option<LiveRun>,
    /// The live check began before something that its result says nothing about: a maintenance, a restart by a check.
    void: bool,
    /// A check is to follow the void one at once.
    wanted: bool,
    /// What the last results say, by `rise` and `fall`.
    health: Health,
    /// The last result, and how many in a row were like it.
    last: Option<bool>,
    row: u32,
    /// Until then a failure says nothing, unless a check passes before (J04).
    lenient_until: Option<Instant>,
}

impl Check {
    pub(super) fn new(job: JobId, number: u16, spec: CheckSpec) -> Check {
        Check {
            job,
            number,
            spec,
            next: None,
            live: None,
            void: false,
            wanted: false,
            health: Health::Unknown,
            last: None,
            row: 0,
            lenient_until: None,
        }
    }

    /// Whether another one looks at the same, in the same way.
    pub(super) fn is_like(&self, other: &Check) -> bool {
        self.spec == other.spec
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }

    pub(super) fn health(&self) -> Health {
        self.health
    }

    /// Whether its last result was that it passed.
    pub(super) fn has_passed(&self) -> bool {
        self.last == Some(true)
    }

    /// Whether the job is to be restarted for it.
    pub(super) fn wants_restart(&self) -> bool {
        self.spec.restarts && self.health == Health::Unhealthy
    }

    pub(super) fn live(&self) -> Option<&LiveRun> {
        self.live.as_ref()
    }

    /// Whether a failure says nothing yet.
    pub(super) fn is_lenient(&self, now: Instant) -> bool {
        self.lenient_until.is_some_and(|until| now < until)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let limit = self.live.as_ref().and_then(LiveRun::deadline);
        [self.next, limit].into_iter().flatten().min()
    }

    fn forget(&mut self) {
        self.health = Health::Unknown;
        self.last = None;
        self.row = 0;
    }

    /// The job was started (again): what was known is about an earlier run.
    pub(super) fn on_start(&mut self, turn: &Turn<'_>) {
        self.forget();
        let period = self.spec.start_period;
        self.lenient_until = (!period.is_zero()).then(|| later(turn.now, period));
        // What was asked of the run before may not end this one.
        self.void |= self.spec.restarts && self.live.is_some();
        if self.next.is_none() && !turn.pauses_checks() && !turn.stopping {
            self.next = Some(turn.next_tick(turn.epoch, self.spec.interval));
        }
    }

    pub(super) fn on_maintenance(&mut self, wanted: bool, turn: &mut Turn<'_>) {
        self.forget();
        self.void = self.live.is_some();
        self.next = wanted.then(|| turn.next_tick(turn.epoch, self.spec.interval));
        // Whoever ends a maintenance wants the service back now and not an interval later (C05).
        self.wanted = wanted && self.live.is_some();
        if wanted && self.live.is_none() {
            self.begin(turn);
        }
    }

    /// The job has become ready: whether it is healthy is wanted now and not an interval later.
    pub(super) fn hasten(&mut self, turn: &mut Turn<'_>) {
        if self.next.is_some() && self.live.is_none() {
            self.begin(turn);
        }
    }

    /// What was left of the live check is gone.
    fn on_over(&mut self, turn: &mut Turn<'_>) {
        self.live = None;
        self.void = false;
        if std::mem::take(&mut self.wanted) && self.next.is_some() {
            self.begin(turn);
        }
    }

    /// No further check until the next start; a live one is killed, it has nothing to put away.
    pub(super) fn stop(&mut self, turn: &mut Turn<'_>) {
        self.next = None;
        self.void = true;
        self.wanted = false;
        self.kill(turn);
    }

    pub(super) fn thaw(&mut self, by: Duration) {
        if let Some(live) = &mut self.live {
            live.thaw(by);
        }
        if let Some(until) = &mut self.lenient_until {
            *until = later(*until, by);
        }
    }

    pub(super) fn on_time(&mut self, turn: &mut Turn<'_>) {
        let lenient = self.is_lenient(turn.now);
        if let Some(live) = &mut self.live {
            let before = turn.effects.len();
            live.on_time(turn.now, turn.effects);
            if lenient {
                let told = turn.effects.split_off(before);
                let orders = told.into_iter().filter(|effect| !is_timeout(effect));
                turn.effects.extend(orders);
            }
        }
        if self.next.is_some_and(|at| at <= turn.now) {
            self.next = Some(turn.next_tick(turn.epoch, self.spec.interval));
            if self.live.is_none() {
                self.begin(turn);
            }
        }
    }

    fn begin(&mut self, turn: &mut Turn<'_>) {
        let run = turn.spawn(self.job, RunKind::Check(self.number), None);
        self.void = false;
        // Without a grace: what a check leaves behind is killed at once, so that the next one runs on time (J02).
        self.live = Some(LiveRun::new(
            run,
            turn.now,
            self.spec.timeout,
            Duration::ZERO,
        ));
    }

    fn is_current(&self, run: Run) -> bool {
        self.live.as_ref().is_some_and(|live| live.run == run)
    }

    /// Says whether the check passed, if that says anything.
    pub(super) fn on_spawn_failed(
        &mut self,
        run: Run,
        failure: StartFailure,
        turn: &mut Turn<'_>,
    ) -> Option<bool> {
        if !self.is_current(run) {
            return None;
        }
        let result = if failure == StartFailure::Exhausted {
            // That there was no process to be had says nothing about the job (X02).
            self.forget();
            let delay = self.next.map_or(self.spec.interval, |at| {
                at.saturating_duration_since(turn.now)
            });
            turn.report(self.job, Note::Exhausted { delay });
            None
        } else if failure == StartFailure::Withdrawn {
            None
        } else {
            self.on_result(failure.as_exit(), turn)
        };
        self.on_over(turn);
        result
    }

    /// Says whether the check passed, if that says anything.
    pub(super) fn on_exit(
        &mut self,
        run: Run,
        exit: Exit,
        left: bool,
        turn: &mut Turn<'_>,
    ) -> Option<bool> {
        if !self.is_current(run) {
            return None;
        }
        let result = self.on_result(exit, turn);
        match &mut self.live {
            Some(live) if left => live.on_exit_with_leftovers(exit, turn.now, turn.effects),
            _ => self.on_over(turn),
        }
        result
    }

    pub(super) fn on_gone(&mut self, run: Run, turn: &mut Turn<'_>) {
        if self.is_current(run) {
            self.on_over(turn);
        }
    }

    fn on_result(&mut self, exit: Exit, turn: &mut Turn<'_>) -> Option<bool> {
        let passed = exit.is_success();
        if !passed && !self.void && self.is_lenient(turn.now) {
            return None;
        }
        let code = if passed {
            EventCode::ExitSuccess
        } else {
            EventCode::ExitFailed
        };
        turn.publish(PublicEvent {
            code,
            source: Source::Check(self.job),
        });
        if self.void {
            return None;
        }
        self.count(passed);
        Some(passed)
    }

    /// The state changes when enough results in a row say so.
    fn count(&mut self, passed: bool) {
        self.row = if self.last == Some(passed) {
            self.row.saturating_add(1)
        } else {
            1
        };
        self.last = Some(passed);
        if passed {
            self.lenient_until = None;
            if self.row >= self.spec.rise {
                self.health = Health::Healthy;
            }
        } else if self.row >= self.spec.fall {
            self.health = Health::Unhealthy;
        }
    }

    pub(super) fn kill(&mut self, turn: &mut Turn<'_>) {
        if let Some(live) = &mut self.live {
            live.kill(turn.now, turn.effects);
        }
    }
}

fn is_timeout(effect: &Effect) -> bool {
    matches!(effect, Effect::Report(_, Note::TimedOut { .. }))
}
