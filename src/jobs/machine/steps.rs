//! The steps that several facts lead to: a start, the choice after a run, the end.

use std::time::Duration;

use super::{Cause, Fate, Job, Phase, Step};
use crate::events::later;
use crate::events::{EventCode, Exit, RunKind, Signal, Source};
use crate::jobs::effect::{Effect, Note};
use crate::jobs::health::Checks;
use crate::jobs::run::LiveRun;
use crate::jobs::spec::Restarts;
use crate::jobs::turn::Turn;
use crate::services::Presence;

/// How long the end waits for the service to leave the catalogue: a small share of the whole (S08). A catalogue that works
/// takes milliseconds.
const LEAVING: Duration = Duration::from_secs(1);

impl Job {
    pub(super) fn begin(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        self.started = true;
        if let Some(check) = &mut self.check {
            check.on_start(turn);
        }
        if let Some(action) = self.spec.action {
            turn.actions.push(action);
            self.phase = Phase::Idle;
            if !self.may_start() && self.tick.is_none() {
                self.end(Exit::Code(0), turn);
            }
            return;
        }
        if self.spec.exec.is_none() {
            self.phase = Phase::Idle;
            return;
        }
        let run = turn.spawn(self.id, RunKind::Main, cause);
        let live = LiveRun::new(run, turn.now, self.spec.timeout, self.grace(turn));
        self.phase = Phase::Running {
            live,
            cause,
            again: None,
        };
    }

    /// A start that counts as a restart.
    pub(super) fn begin_again(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        match &mut self.restarts {
            Restarts::Unlimited | Restarts::OnFailure => {}
            Restarts::Limited(0) => return self.halt(turn),
            Restarts::Limited(left) => *left -= 1,
        }
        self.begin(cause, turn);
    }

    pub(super) fn grace(&self, turn: &Turn<'_>) -> Duration {
        self.spec.stop_timeout.unwrap_or(turn.limits.stop_timeout)
    }

    pub(super) fn announce_exit(&mut self, exit: Exit, turn: &mut Turn<'_>) {
        self.last_exit = Some(exit);
        let code = if self.spec.is_success(exit) {
            EventCode::ExitSuccess
        } else {
            EventCode::ExitFailed
        };
        turn.publish_job(code, self.id);
    }

    /// The run is over: what comes next?
    pub(super) fn on_run_over(&mut self, exit: Exit, turn: &mut Turn<'_>) {
        let (lived, cause, again) = match &mut self.phase {
            Phase::Running { live, cause, again } => {
                let lived = turn.now.saturating_duration_since(live.since);
                (lived, *cause, again.take())
            }
            Phase::Halting { live, .. } => {
                *live = None;
                return self.finish_halting(turn);
            }
            Phase::Waiting { .. }
            | Phase::Idle
            | Phase::Keeping { .. }
            | Phase::Backoff { .. }
            | Phase::Complete => return,
        };
        self.phase = Phase::Idle;
        let is_well = !std::mem::take(&mut self.unwell);
        if std::mem::take(&mut self.renewed) {
            return self.begin(cause, turn);
        }
        let is_over = match self.restarts {
            Restarts::Limited(left) => left == 0,
            Restarts::Unlimited => false,
            Restarts::OnFailure => is_well && exit.is_success(),
        };
        let repeats = self.spec.start.trigger.is_periodic();
        match again {
            _ if repeats && self.restarts == Restarts::Limited(0) => self.end(exit, turn),
            Some(cause) if repeats => self.begin_again(cause, turn),
            None if repeats => {}
            Some(cause) if self.may_start() => {
                if let Restarts::Limited(left) = &mut self.starts {
                    *left -= 1;
                }
                self.begin(cause, turn);
            }
            _ if !is_over => self.restart(exit, lived, cause, turn),
            // More start events may come; a hook whose source has ended is completed by the whole (S12).
            _ if self.may_start() => {}
            _ => self.end(exit, turn),
        }
    }

    pub(super) fn may_start(&self) -> bool {
        self.starts != Restarts::Limited(0)
    }

    /// Tries once more what the last run was started for, which is told again.
    fn restart(&mut self, exit: Exit, lived: Duration, cause: Cause, turn: &mut Turn<'_>) {
        if let Err(limit) = self.window.permits(turn.now) {
            turn.report(self.id, Note::GivenUp(limit));
            return self.give_up(Some(exit), turn);
        }
        let delay = self.backoff.after_run(lived, turn.jitter);
        if delay.is_zero() {
            return self.begin_again(cause, turn);
        }
        if let Restarts::Limited(left) = &mut self.restarts {
            *left -= 1;
        }
        turn.report(self.id, Note::BackingOff { delay });
        self.phase = Phase::Backoff {
            until: later(turn.now, delay),
            cause,
        };
    }

    /// It has failed for good: that is an event, and a final failure even where the last run ended well (J08).
    pub(super) fn give_up(&mut self, exit: Option<Exit>, turn: &mut Turn<'_>) {
        self.fate = Some(Fate::Failed);
        let failure = exit.filter(|exit| !exit.is_success());
        turn.publish_job(EventCode::Failed, self.id);
        turn.finals
            .push((self.id, Some(failure.unwrap_or(Exit::Code(1)))));
        self.halt(turn);
    }

    /// What it waits for cannot come any more. A hook that is not needed ends without a word.
    pub(in crate::jobs) fn skip(&mut self, source: Source, turn: &mut Turn<'_>) {
        if !self.started && self.hook_of().is_none() {
            self.fate = Some(Fate::Skipped);
            turn.report(self.id, Note::Skipped { source });
            turn.finals.push((self.id, None));
        }
        self.halt(turn);
    }

    /// Ends the present run and starts another one, which counts as no restart. What does not run stays as it is.
    pub(in crate::jobs) fn renew(&mut self, turn: &mut Turn<'_>) {
        match &mut self.phase {
            Phase::Running { live, .. } if !self.held => {
                self.renewed = true;
                live.terminate(turn.now, turn.effects);
            }
            Phase::Keeping { .. } if !self.held => {
                self.renewed = true;
                for kept in &mut self.kept {
                    kept.terminate(turn.now, turn.effects);
                }
            }
            Phase::Backoff { cause, .. } => {
                let cause = *cause;
                self.begin(cause, turn);
            }
            _ => {}
        }
    }

    /// Passes a signal on to the run of its command.
    pub(in crate::jobs) fn signal(&mut self, signal: Signal, turn: &mut Turn<'_>) {
        if let Phase::Running { live, .. } = &self.phase
            && live.is_up()
        {
            turn.effects.push(Effect::Signal(live.run, signal));
        }
    }

    /// Its own end was final, once nothing that it keeps is left.
    pub(super) fn end(&mut self, exit: Exit, turn: &mut Turn<'_>) {
        if !self.kept.is_empty() {
            self.tick = None;
            self.phase = Phase::Keeping { exit };
            return;
        }
        turn.report(self.id, Note::Completed { exit: Some(exit) });
        turn.finals.push((self.id, Some(exit)));
        self.halt(turn);
    }

    /// Begins the end; asking twice changes nothing. The whole decides when the hooks are done.
    pub(in crate::jobs) fn halt(&mut self, turn: &mut Turn<'_>) {
        let live = match std::mem::replace(&mut self.phase, Phase::Complete) {
            halting @ (Phase::Halting { .. } | Phase::Complete) => {
                self.phase = halting;
                return;
            }
            Phase::Running { live, .. } => Some(live),
            Phase::Waiting { .. } | Phase::Idle | Phase::Keeping { .. } | Phase::Backoff { .. } => {
                None
            }
        };
        let limit = LEAVING.min(turn.limits.shutdown_timeout / 10);
        let until = later(turn.now, limit);
        self.phase = Phase::Halting {
            step: Step::Leaving { until, limit },
            live,
        };
        self.tick = None;
        if let Some(check) = &mut self.check {
            check.stop(turn);
        }
        if self.spec.service.is_some() {
            turn.show(self.id, Presence::Leaving);
        } else {
            self.begin_hooks(false, turn);
        }
    }

    /// Nobody finds the service any more: its hooks begin, and with `drains` the time for those who still have its address.
    pub(super) fn begin_hooks(&mut self, drains: bool, turn: &mut Turn<'_>) {
        let Phase::Halting { step, .. } = &mut self.phase else {
            return;
        };
        // Without a bound of its own a hook may take as long as it wants, unless everything is to stop (decision 8).
        let whole = turn.stopping.then_some(turn.limits.shutdown_timeout);
        let limit = self.spec.stop_timeout.or(whole);
        let drain = self.spec.drain.filter(|_| drains);
        *step = Step::Hooks {
            until: limit.map(|limit| (later(turn.now, limit), limit)),
            drained: drain.map(|drain| later(turn.now, drain)),
        };
        turn.publish_job(EventCode::Stopping, self.id);
    }

    pub(super) fn remove(&mut self, turn: &mut Turn<'_>) {
        if let Phase::Halting {
            live: Some(live), ..
        } = &mut self.phase
        {
            live.terminate(turn.now, turn.effects);
        }
        for kept in &mut self.kept {
            kept.terminate(turn.now, turn.effects);
        }
        self.finish_halting(turn);
    }

    /// Completes the end once nothing is left. What KILL cannot end is waited for, except when everything is to stop:
    /// then the job counts as complete without `stopped`, which would claim a proof that nobody has (S11).
    pub(super) fn finish_halting(&mut self, turn: &mut Turn<'_>) {
        if let Phase::Halting {
            step: step @ Step::Draining { .. },
            live: None,
        } = &mut self.phase
            && self.kept.is_empty()
        {
            // Nobody is left who could serve anybody.
            *step = Step::Removing;
        }
        let Phase::Halting {
            step: Step::Removing,
            live,
        } = &self.phase
        else {
            return;
        };
        let check = self.check.iter().flat_map(Checks::live);
        let left = live.iter().chain(&self.kept).chain(check);
        let (unkillable, others): (Vec<bool>, Vec<bool>) = left
            .map(LiveRun::is_unkillable)
            .partition(|hopeless| *hopeless);
        let unkillable = !unkillable.is_empty();
        if !others.is_empty() || (unkillable && !turn.stopping) {
            return;
        }
        self.phase = Phase::Complete;
        self.abandoned = unkillable;
        if !unkillable {
            turn.publish_job(EventCode::Stopped, self.id);
        }
    }
}
