//! The health rule of one job: when its check runs and what a result means.

use std::time::Instant;

use super::effect::Note;
use super::run::LiveRun;
use super::spec::HealthSpec;
use super::turn::Turn;
use crate::events::{EventCode, Exit, JobId, PublicEvent, Run, RunKind, Source, StartFailure};
use crate::services::Presence;

/// What is known of a job's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// No check has ended since the job was started, since maintenance ended, or since one could not be started.
    #[default]
    Unknown,
    /// The last check passed.
    Healthy,
    /// The last check failed.
    Unhealthy,
}

/// A job's check: at most one run of it at a time (J01), at multiples of its interval counted from the load of the
/// configuration, missed ones skipped (D52).
#[derive(Debug)]
pub(super) struct Check {
    job: JobId,
    spec: HealthSpec,
    /// The job has a service in the catalogue, which hears of every result.
    advertised: bool,
    /// The next tick; `None` while no check is to run (not started yet, maintenance, halting).
    next: Option<Instant>,
    live: Option<LiveRun>,
    /// The live check began before a maintenance: its result says nothing about now.
    void: bool,
    /// A check is to follow the void one at once.
    wanted: bool,
    health: Health,
}

impl Check {
    pub(super) fn new(job: JobId, spec: HealthSpec, advertised: bool) -> Check {
        Check {
            job,
            spec,
            advertised,
            next: None,
            live: None,
            void: false,
            wanted: false,
            health: Health::Unknown,
        }
    }

    /// Whether anything happens at a tick: a check, or a heartbeat of a service without one.
    fn ticks(&self) -> bool {
        self.is_checked() || self.advertised
    }

    pub(super) fn health(&self) -> Health {
        self.health
    }

    /// Whether there is a command to run.
    pub(super) fn is_checked(&self) -> bool {
        self.spec.exec.is_some()
    }

    pub(super) fn live(&self) -> Option<&LiveRun> {
        self.live.as_ref()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let limit = self.live.as_ref().and_then(LiveRun::deadline);
        [self.next, limit].into_iter().flatten().min()
    }

    /// The job was started (again): what was known is about an earlier run.
    pub(super) fn on_start(&mut self, turn: &mut Turn<'_>) {
        self.health = Health::Unknown;
        if self.next.is_none() && self.ticks() && !turn.maintenance && !turn.stopping {
            self.next = Some(turn.next_tick(turn.epoch, self.spec.interval));
        }
    }

    pub(super) fn on_maintenance(&mut self, on: bool, started: bool, turn: &mut Turn<'_>) {
        self.health = Health::Unknown;
        self.void = self.live.is_some();
        let wanted = !on && started && self.ticks() && !turn.stopping;
        self.next = wanted.then(|| turn.next_tick(turn.epoch, self.spec.interval));
        // Whoever ends a maintenance wants the service back now and not an interval later (C05).
        self.wanted = wanted && self.live.is_some();
        if wanted && self.live.is_none() {
            self.tick(turn);
        }
    }

    fn tick(&mut self, turn: &mut Turn<'_>) {
        if self.is_checked() {
            self.begin(turn);
        } else {
            turn.show(self.job, Presence::Passing);
        }
    }

    /// What was left of the live check is gone.
    fn on_over(&mut self, turn: &mut Turn<'_>) {
        self.live = None;
        if std::mem::take(&mut self.wanted) && self.next.is_some() {
            self.begin(turn);
        }
    }

    /// No further check until the next start; a live one is killed, it has nothing to put away.
    pub(super) fn stop(&mut self, turn: &mut Turn<'_>) {
        self.next = None;
        self.void = true;
        self.wanted = false;
        if let Some(live) = &mut self.live {
            live.kill(turn.now, turn.effects);
        }
    }

    pub(super) fn thaw(&mut self, by: std::time::Duration) {
        if let Some(live) = &mut self.live {
            live.thaw(by);
        }
    }

    /// `is_down`: the job's command is between two tries, so that a service without a check is not said to be well.
    pub(super) fn on_time(&mut self, is_down: bool, turn: &mut Turn<'_>) {
        if let Some(live) = &mut self.live {
            live.on_time(turn.now, turn.effects);
        }
        if self.next.is_some_and(|at| at <= turn.now) {
            self.next = Some(turn.next_tick(turn.epoch, self.spec.interval));
            let is_beat = !self.is_checked();
            if self.live.is_none() && !(is_beat && is_down) {
                self.tick(turn);
            }
        }
    }

    fn begin(&mut self, turn: &mut Turn<'_>) {
        let run = turn.spawn(self.job, RunKind::Check, None);
        self.void = false;
        // Without a grace: what a check leaves behind is killed at once, so that the next one runs on time (J02).
        self.live = Some(LiveRun::new(
            run,
            turn.now,
            self.spec.timeout,
            std::time::Duration::ZERO,
        ));
    }

    fn is_current(&self, run: Run) -> bool {
        self.live.as_ref().is_some_and(|live| live.run == run)
    }

    pub(super) fn on_spawn_failed(&mut self, run: Run, failure: StartFailure, turn: &mut Turn<'_>) {
        if !self.is_current(run) {
            return;
        }
        if failure == StartFailure::Exhausted {
            // That there was no process to be had says nothing about the job (X02).
            self.health = Health::Unknown;
            let delay = self.next.map_or(self.spec.interval, |at| {
                at.saturating_duration_since(turn.now)
            });
            turn.report(self.job, Note::Exhausted { delay });
        } else {
            self.on_result(failure.as_exit(), turn);
        }
        self.on_over(turn);
    }

    pub(super) fn on_exit(&mut self, run: Run, exit: Exit, left: bool, turn: &mut Turn<'_>) {
        if !self.is_current(run) {
            return;
        }
        self.on_result(exit, turn);
        match &mut self.live {
            Some(live) if left => live.on_exit_with_leftovers(exit, turn.now, turn.effects),
            _ => self.on_over(turn),
        }
    }

    pub(super) fn on_gone(&mut self, run: Run, turn: &mut Turn<'_>) {
        if self.is_current(run) {
            self.on_over(turn);
        }
    }

    /// Published at every result, not only at a change (decision 13).
    fn on_result(&mut self, exit: Exit, turn: &mut Turn<'_>) {
        let success = exit.is_success();
        let code = if success {
            EventCode::ExitSuccess
        } else {
            EventCode::ExitFailed
        };
        turn.publish(PublicEvent {
            code,
            source: Source::Check(self.job),
        });
        if self.void {
            return;
        }
        self.health = if success {
            Health::Healthy
        } else {
            Health::Unhealthy
        };
        let (code, presence) = if success {
            (EventCode::Healthy, Presence::Passing)
        } else {
            (EventCode::Unhealthy, Presence::Critical)
        };
        if self.advertised {
            turn.show(self.job, presence);
        }
        turn.publish_job(code, self.job);
    }

    pub(super) fn kill(&mut self, turn: &mut Turn<'_>) {
        if let Some(live) = &mut self.live {
            live.kill(turn.now, turn.effects);
        }
    }
}
