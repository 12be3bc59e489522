//! What is asked of a job; nothing here changes it.

use std::time::{Duration, Instant};

use super::{Fate, Job, Phase, Step};
use crate::events::{EventCode, JobId, RunId, Source};
use crate::jobs::condition::{Leaf, View};
use crate::jobs::health::{Checks, Health};
use crate::jobs::run::LiveRun;
use crate::jobs::spec::Trigger;

impl Job {
    /// The job whose end it is a hook of, and whether of `stopping` or `stopped`.
    pub(in crate::jobs) fn hook_of(&self) -> Option<(EventCode, JobId)> {
        self.spec.start.hook_of().filter(|(_, job)| *job != self.id)
    }

    /// What it waits for, or has waited for, each with whether it has come, and whether one of them is enough.
    pub(in crate::jobs) fn conditions(&self, view: &impl View) -> (Vec<(Leaf, bool)>, bool) {
        let (mut parts, any) = self.gate.parts(view);
        for (_, met) in parts.iter_mut().filter(|_| self.opened) {
            *met = true;
        }
        (parts, any)
    }

    /// Whether it waits for what has come true by now.
    pub(in crate::jobs) fn may_open(&self, view: &impl View) -> bool {
        !self.opened && matches!(self.phase, Phase::Waiting { .. }) && self.gate.is_open(view)
    }

    /// Whose fault it is that nothing that it waits for can come any more; `None` if something can, or it does not wait.
    pub(in crate::jobs) fn waits_in_vain_for(&self, view: &impl View) -> Option<Source> {
        if !self.is_at_rest() {
            return None;
        }
        match &self.spec.start.trigger {
            _ if !self.opened => self.gate.hopeless(view),
            Trigger::Each(events) if events.iter().all(|event| !view.can_come(*event)) => {
                events.first().map(|event| event.source)
            }
            Trigger::Each(_) | Trigger::Once | Trigger::Interval { .. } | Trigger::Cron { .. } => {
                None
            }
        }
    }

    /// Whether its command runs at this moment; of a job without one, whether it was started.
    pub(in crate::jobs) fn is_running(&self) -> bool {
        match &self.phase {
            Phase::Running { live, .. }
            | Phase::Halting {
                live: Some(live), ..
            } => live.exit().is_none(),
            Phase::Keeping { .. } => true,
            Phase::Idle => self.spec.exec.is_none() && self.started,
            _ => false,
        }
    }

    /// It has not begun its end.
    pub(in crate::jobs) fn is_alive(&self) -> bool {
        !self.is_halting() && !self.is_complete()
    }

    pub(in crate::jobs) fn fate(&self) -> Option<Fate> {
        self.fate
    }

    pub(in crate::jobs) fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Complete)
    }

    pub(in crate::jobs) fn is_halting(&self) -> bool {
        matches!(self.phase, Phase::Halting { .. })
    }

    /// Whether its `stopping` was published.
    pub(in crate::jobs) fn has_told_stopping(&self) -> bool {
        match &self.phase {
            Phase::Halting { step, .. } => !matches!(step, Step::Leaving { .. }),
            Phase::Complete => true,
            _ => false,
        }
    }

    pub(in crate::jobs) fn waits_for_hooks(&self) -> bool {
        matches!(
            self.phase,
            Phase::Halting {
                step: Step::Hooks { .. },
                ..
            }
        )
    }

    /// Nothing runs and nothing is about to.
    pub(in crate::jobs) fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. } | Phase::Idle)
    }

    /// Nothing of it runs, and it will not start by itself.
    pub(in crate::jobs) fn is_lifeless(&self) -> bool {
        let at_rest = match &self.phase {
            Phase::Waiting { .. } | Phase::Idle | Phase::Complete => true,
            Phase::Halting {
                step: Step::Hooks { .. } | Step::Removing,
                live,
            } => live.is_none(),
            // A step of the end that time ends goes on by itself.
            Phase::Halting { .. }
            | Phase::Running { .. }
            | Phase::Keeping { .. }
            | Phase::Backoff { .. } => false,
        };
        at_rest
            && self.kept.is_empty()
            && self
                .check
                .as_ref()
                .is_none_or(|check| check.live().next().is_none())
    }

    /// Whether it has nothing more to do as a hook. One that hears of every end has no end of its own as long as there may be
    /// another one.
    pub(in crate::jobs) fn has_served(&self) -> bool {
        let hears_each = matches!(self.spec.start.trigger, Trigger::Each(_));
        self.is_complete() || (hears_each && self.is_at_rest())
    }

    /// Whether it is at its end though something that KILL did not end is still there.
    pub(in crate::jobs) fn gave_up(&self) -> bool {
        self.abandoned
    }

    /// Whether a time limit of this job runs against somebody else: a run, a hook, the event it waits for.
    pub(in crate::jobs) fn limits_anybody(&self) -> bool {
        let limited = |live: &LiveRun| live.deadline().is_some();
        let phase = match &self.phase {
            Phase::Waiting { until } => until.is_some(),
            Phase::Running { live, .. } => limited(live),
            Phase::Halting { .. } => true,
            Phase::Idle | Phase::Keeping { .. } | Phase::Backoff { .. } | Phase::Complete => false,
        };
        phase
            || self.kept.iter().any(limited)
            || self.check.as_ref().is_some_and(Checks::limits_anybody)
    }

    pub(in crate::jobs) fn is_started(&self) -> bool {
        self.started
    }

    pub(in crate::jobs) fn health(&self) -> Health {
        self.check.as_ref().map_or(Health::Unknown, Checks::health)
    }

    pub(in crate::jobs) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Waiting { until } => until.map(|(at, _)| at),
            Phase::Idle | Phase::Keeping { .. } | Phase::Complete => None,
            Phase::Running { live, .. } => live.deadline(),
            Phase::Backoff { until, .. } => Some(*until),
            Phase::Halting { step, live } => {
                let step = match step {
                    Step::Leaving { until, .. } | Step::Draining { until } => Some(*until),
                    Step::Hooks { until, .. } => until.map(|(at, _)| at),
                    Step::Removing => None,
                };
                [step, live.as_ref().and_then(LiveRun::deadline)]
                    .into_iter()
                    .flatten()
                    .min()
            }
        };
        let check = self.check.as_ref().and_then(Checks::deadline);
        let kept = self.kept.iter().filter_map(LiveRun::deadline).min();
        [phase, check, self.tick, kept].into_iter().flatten().min()
    }

    /// The live run of its command, and since when.
    pub(in crate::jobs) fn run(&self) -> Option<(RunId, Instant)> {
        let (Phase::Running { live, .. }
        | Phase::Halting {
            live: Some(live), ..
        }) = &self.phase
        else {
            return None;
        };
        live.exit().is_none().then_some((live.run.id, live.since))
    }

    /// Whether its command, or what that left on purpose, runs.
    pub(in crate::jobs) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Running { .. } | Phase::Keeping { .. })
    }

    /// Whether its hooks' time is over, with the time that they had.
    pub(in crate::jobs) fn hooks_overdue(&self, now: Instant) -> Option<Duration> {
        match self.phase {
            Phase::Halting {
                step:
                    Step::Hooks {
                        until: Some((at, limit)),
                        ..
                    },
                ..
            } if at <= now => Some(limit),
            _ => None,
        }
    }
}
