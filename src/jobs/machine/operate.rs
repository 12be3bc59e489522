//! What an operator does to one job.

use super::{Job, Phase, Restarts};
use crate::events::{RunId, Signal};
use crate::jobs::effect::Effect;
use crate::jobs::health::Checks;
use crate::jobs::spec::Trigger;
use crate::jobs::turn::Turn;
use crate::services::Presence;

/// What a start has to do with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jobs) enum Standing {
    /// Nothing of it runs: it can be started at once.
    AtRest,
    /// It runs, or is, for a job without a command.
    Up,
    /// It comes to its end.
    Ending,
    /// It is at its end.
    Over,
}

impl Job {
    pub(in crate::jobs) fn standing(&self) -> Standing {
        match &self.phase {
            Phase::Idle
                if self.spec.exec.is_none() && self.spec.action.is_none() && self.started =>
            {
                Standing::Up
            }
            Phase::Waiting { .. } | Phase::Idle | Phase::Backoff { .. } => Standing::AtRest,
            Phase::Running { .. } | Phase::Keeping { .. } => Standing::Up,
            Phase::Halting { .. } => Standing::Ending,
            Phase::Complete => Standing::Over,
        }
    }

    /// Whether it is at its end, or on its way there, because an operator wants it so.
    pub(in crate::jobs) fn is_put_down(&self) -> bool {
        self.put_down
    }

    /// An operator stops it.
    pub(in crate::jobs) fn put_down(&mut self, turn: &mut Turn<'_>) {
        self.put_down = true;
        self.halt(turn);
    }

    /// An operator starts it: what it waits for, and a delay before a restart, do not count.
    pub(in crate::jobs) fn start_now(&mut self, turn: &mut Turn<'_>) {
        if let Phase::Backoff { cause, .. } = &self.phase {
            let cause = *cause;
            return self.begin(cause, turn);
        }
        if !self.opened {
            self.phase = Phase::Waiting { until: None };
            self.open(None, turn);
        }
        if self.standing() != Standing::AtRest {
            return;
        }
        if !self.spec.start.trigger.is_periodic()
            && let Restarts::Limited(left) = &mut self.starts
        {
            *left = left.saturating_sub(1);
        }
        self.begin(None, turn);
        if let Trigger::Interval { every, .. } = self.spec.start.trigger
            && self.tick.is_none()
        {
            self.tick = Some(turn.next_tick(self.ticks_from, every));
        }
    }

    /// The same job from its beginning. What an operator has switched off for it stays off.
    pub(in crate::jobs) fn anew(&self, turn: &Turn<'_>) -> Job {
        let first_run: RunId = *turn.next_run;
        let mut job = Job::new(self.id, self.spec.clone(), turn.now, first_run);
        job.in_maintenance = self.in_maintenance;
        if let Some(check) = job.check.as_mut().filter(|_| self.is_unchecked()) {
            check.be_off();
        }
        job
    }

    /// Sends a signal to the run of its command, whatever becomes of that. Says whether there is one.
    pub(in crate::jobs) fn pass(&mut self, signal: Signal, turn: &mut Turn<'_>) -> bool {
        let (Phase::Running { live, .. }
        | Phase::Halting {
            live: Some(live), ..
        }) = &self.phase
        else {
            return false;
        };
        if live.exit().is_some() {
            return false;
        }
        turn.effects.push(Effect::Signal(live.run, signal));
        true
    }

    /// Whether an operator has switched its checks off.
    pub(in crate::jobs) fn is_unchecked(&self) -> bool {
        self.check.as_ref().is_some_and(Checks::is_off)
    }

    /// Whether there is anything to switch off.
    pub(in crate::jobs) fn has_checks(&self) -> bool {
        self.check.as_ref().is_some_and(Checks::is_checked)
    }

    /// Switches its checks.
    pub(in crate::jobs) fn set_checked(&mut self, on: bool, turn: &mut Turn<'_>) {
        let works = self.started && self.is_alive() && !self.held;
        if let Some(check) = &mut self.check {
            check.set_enabled(on, works, turn);
        }
    }

    /// Whether an operator has put this one job into maintenance.
    pub(in crate::jobs) fn is_in_maintenance(&self) -> bool {
        self.in_maintenance
    }

    /// Puts it into maintenance, or takes it out. While the whole is in maintenance that shows afterwards.
    pub(in crate::jobs) fn set_maintenance(&mut self, on: bool, of_all: bool, turn: &mut Turn<'_>) {
        self.in_maintenance = on;
        if !of_all {
            self.on_maintenance(on, turn);
        }
    }

    /// Its service may stand in the catalogue again: the job has begun anew.
    pub(in crate::jobs) fn come_back(&mut self, turn: &mut Turn<'_>) {
        if self.spec.service.is_some() {
            turn.show(self.id, Presence::Back);
        }
    }
}
