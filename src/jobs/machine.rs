//! The states of one job.
//!
//! ```text
//!               start event              exit, may start again
//!   Waiting ───────────────> Running ──────────────────────────> Backoff
//!      │  when.timeout        │  ^ ^                               │ │
//!      │                      │  │ └───────────── delay over ──────┘ │
//!      │                 exit │  │ event or tick                     │ stop
//!      │                      v  │                                   │
//!      │                     Idle ───────┐                           │
//!      │                      │ stop     │ stop, last exit           │
//!      v                      v          v                           v
//!   Halting: the service leaves the catalogue, `stopping` is published, its hooks work, the service drains (each of them
//!      │     bounded), then TERM … KILL, until nothing is left
//!      │
//!      v
//!   Complete: `stopped` was published
//! ```
//!
//! With `orphans: "keep"`, `Keeping` stands between the last exit and `Halting`: the processes that the command left are
//! the job now, and it ends with them (P12).
//!
//! A job is at most one live run of its command and at most one of its check. An answer that names another run changes
//! nothing. A run is over when nothing that it owned is left; only then does the next one start, so that two never meet
//! on one port (D2).

mod change;
mod operate;
mod questions;
mod starts;
mod steps;
mod vitals;

use std::time::{Duration, Instant};

pub(super) use self::operate::Standing;
use super::backoff::{Backoff, RestartWindow};
use super::condition::{Condition, Gate};
use super::effect::Note;
use super::health::Checks;
use super::run::LiveRun;
use super::spec::{JobSpec, Orphans, Restarts, Trigger, Wait};
use super::turn::Turn;
use crate::events::later;
use crate::events::{Exit, JobId, PublicEvent, Run, RunId, RunKind, StartFailure};
use crate::services::Presence;

/// One job: its rules, without the processes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: JobId,
    /// Runs before this one are of an earlier job of that number.
    pub(super) first_run: RunId,
    pub(super) spec: JobSpec,
    pub(super) phase: Phase,
    /// What it waits for, and whether that has come.
    gate: Gate,
    opened: bool,
    /// A trigger that came too early: it counts as soon as the gate is open.
    early: Option<PublicEvent>,
    /// It has been started at least once: its command was run, or it has none.
    started: bool,
    pub(super) check: Option<Checks>,
    /// Starts that may follow an own end.
    restarts: Restarts,
    /// How often the start event still counts.
    starts: Restarts,
    backoff: Backoff,
    window: RestartWindow,
    /// The next tick of an interval job, and the moment that its ticks are multiples from.
    tick: Option<Instant>,
    ticks_from: Instant,
    /// The run that is being ended is to be followed by another, whatever the limits say.
    renewed: bool,
    /// The present run was ended because a check failed for good: however it ends, that is no success.
    unwell: bool,
    /// Why it is complete, if not by its own end.
    fate: Option<Fate>,
    /// Everything stops but this, which others need until then (S06).
    held: bool,
    /// An operator has stopped it.
    put_down: bool,
    /// An operator has put it into maintenance.
    in_maintenance: bool,
    /// It is complete though something is left that KILL did not end.
    abandoned: bool,
    /// How the last run of the command ended.
    pub(super) last_exit: Option<Exit>,
    /// Runs that are over but for processes that the job keeps (`orphans: "keep"`); they end with the job. Each holds at
    /// least one live process, so the kernel's limit of processes bounds them.
    kept: Vec<LiveRun>,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// Waits for its first start event.
    Waiting { until: Option<(Instant, Wait)> },
    /// Was started; nothing runs, and it may be started again.
    Idle,
    /// Its command runs, or is being removed. `again`: another run was asked for meanwhile (J05: any number of
    /// requests is one).
    Running {
        live: LiveRun,
        cause: Cause,
        again: Option<Cause>,
    },
    /// Its command has ended for good; the processes that it keeps are the job now, and it ends with them (P12).
    Keeping { exit: Exit },
    /// Starts again at this time.
    Backoff { until: Instant, cause: Cause },
    /// On its way out.
    Halting { step: Step, live: Option<LiveRun> },
    /// At its end.
    Complete,
}

/// Why a job is complete that did not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// What it waited for could not happen any more, or did not in time.
    Skipped,
    /// It was given up.
    Failed,
}

/// What asked for a run.
pub(super) type Cause = Option<PublicEvent>;

#[derive(Debug)]
pub(super) enum Step {
    /// The service leaves the catalogue, which is waited for until this time. The command still runs (D32).
    Leaving { until: Instant, limit: Duration },
    /// `stopping` is out and its hooks work, at most until this time. The command still runs, at least until it is drained.
    Hooks {
        until: Option<(Instant, Duration)>,
        drained: Option<Instant>,
    },
    /// Nobody finds the service any more; who still has its address goes elsewhere until this time (S07).
    Draining { until: Instant },
    /// The command and everything that it left is being removed.
    Removing,
}

impl Job {
    pub(super) fn new(id: JobId, spec: JobSpec, epoch: Instant, first_run: RunId) -> Job {
        let starts = match spec.start.trigger {
            Trigger::Each(_) => Restarts::Unlimited,
            Trigger::Once | Trigger::Interval { .. } | Trigger::Cron { .. } => Restarts::Limited(1),
        };
        let until = spec.start.wait;
        let until = until.map(|wait| (later(epoch, wait.limit), wait));
        Job {
            id,
            first_run,
            phase: Phase::Waiting { until },
            opened: spec.start.after == Condition::always(),
            gate: Gate::new(spec.start.after.clone()),
            early: None,
            started: false,
            check: Checks::of(id, &spec),
            restarts: spec.restarts,
            starts,
            backoff: Backoff::new(spec.backoff),
            window: RestartWindow::new(spec.max_restarts),
            tick: None,
            ticks_from: epoch,
            renewed: false,
            unwell: false,
            fate: None,
            held: false,
            put_down: false,
            in_maintenance: false,
            abandoned: false,
            last_exit: None,
            kept: Vec::new(),
            spec,
        }
    }

    /// The first process of a run was collected.
    pub(super) fn on_exit(&mut self, run: Run, exit: Exit, left: bool, turn: &mut Turn<'_>) {
        match run.kind {
            RunKind::Main => self.on_main_exit(run, exit, left, turn),
            RunKind::Check(_) => {
                if let Some(check) = &mut self.check {
                    check.on_exit(run, exit, left, turn);
                }
            }
        }
        self.finish_halting(turn);
    }

    fn on_main_exit(&mut self, run: Run, exit: Exit, left: bool, turn: &mut Turn<'_>) {
        let (Phase::Running { live, .. }
        | Phase::Halting {
            live: Some(live), ..
        }) = &mut self.phase
        else {
            return;
        };
        if live.run != run || live.exit().is_some() {
            return;
        }
        let keeps = left && self.spec.orphans == Orphans::Keep && live.is_up();
        if keeps {
            self.kept.push(live.clone().into_kept(exit));
        } else if left {
            live.on_exit_with_leftovers(exit, turn.now, turn.effects);
        }
        self.announce_exit(exit, turn);
        if !left || keeps {
            self.on_run_over(exit, turn);
        }
    }

    /// Nothing that a run owned is left.
    pub(super) fn on_gone(&mut self, run: Run, turn: &mut Turn<'_>) {
        self.kept.retain(|kept| kept.run != run);
        match (&self.phase, run.kind) {
            (_, RunKind::Check(_)) => {
                if let Some(check) = &mut self.check {
                    check.on_gone(run, turn);
                }
            }
            (
                Phase::Running { live, .. }
                | Phase::Halting {
                    live: Some(live), ..
                },
                RunKind::Main,
            ) => {
                if live.run == run
                    && let Some(exit) = live.exit()
                {
                    self.on_run_over(exit, turn);
                }
            }
            (Phase::Keeping { .. }, RunKind::Main)
                if self.kept.is_empty() && std::mem::take(&mut self.renewed) =>
            {
                self.begin(None, turn);
            }
            (Phase::Keeping { exit }, RunKind::Main) if self.kept.is_empty() => {
                let exit = *exit;
                self.end(exit, turn);
            }
            (_, RunKind::Main) => {}
        }
        self.finish_halting(turn);
    }

    /// A run's command could not be started.
    pub(super) fn on_spawn_failed(&mut self, run: Run, failure: StartFailure, turn: &mut Turn<'_>) {
        match run.kind {
            RunKind::Main => self.on_main_spawn_failed(run, failure, turn),
            RunKind::Check(_) => {
                if let Some(check) = &mut self.check {
                    check.on_spawn_failed(run, failure, turn);
                }
            }
        }
        self.finish_halting(turn);
    }

    fn on_main_spawn_failed(&mut self, run: Run, failure: StartFailure, turn: &mut Turn<'_>) {
        match &self.phase {
            // The command was not tried, so this is neither an exit nor a restart: the same start is tried again.
            Phase::Running { live, cause, .. }
                if live.run == run && failure == StartFailure::Exhausted && !self.held =>
            {
                let cause = *cause;
                let delay = self.backoff.after_exhaustion(turn.jitter);
                turn.report(self.id, Note::Exhausted { delay });
                self.phase = Phase::Backoff {
                    until: later(turn.now, delay),
                    cause,
                };
            }
            Phase::Running { live, .. }
            | Phase::Halting {
                live: Some(live), ..
            } if live.run == run => {
                self.announce_exit(failure.as_exit(), turn);
                self.on_run_over(failure.as_exit(), turn);
            }
            _ => {}
        }
    }

    pub(super) fn on_maintenance(&mut self, on: bool, turn: &mut Turn<'_>) {
        let alive = !self.is_halting() && !self.is_complete();
        let started = self.started && alive;
        if alive && self.spec.service.is_some() {
            let presence = if on {
                Presence::Absent
            } else {
                Presence::Initial
            };
            turn.show(self.id, presence);
        }
        if let Some(check) = &mut self.check {
            check.on_maintenance(on, started, turn);
        }
    }

    /// Everything is to stop: nothing starts any more but the hooks of jobs that are still to end (spec 4.4, rule 6).
    /// `is_hook`: this job is one.
    pub(super) fn on_shutdown(&mut self, is_hook: bool, turn: &mut Turn<'_>) {
        self.restarts = Restarts::Limited(0);
        self.renewed = false;
        self.tick = None;
        if let Some(check) = &mut self.check {
            check.stop(turn);
        }
        if matches!(self.phase, Phase::Backoff { .. }) {
            self.phase = Phase::Idle;
        }
        if self.starts == Restarts::Unlimited {
            self.starts = Restarts::Limited(1);
        }
        let grace = self.grace(turn);
        if let Phase::Halting {
            step: Step::Hooks { until, .. },
            ..
        } = &mut self.phase
        {
            // Its end began before: what its hooks still do gets the time of any other run.
            let now_at = (later(turn.now, grace), grace);
            *until = Some(until.map_or(now_at, |set| set.min(now_at)));
        }
        let is_done = self.is_at_rest() && !self.may_start();
        let is_kept = matches!(self.phase, Phase::Keeping { .. });
        if !is_hook || is_done || is_kept || self.spec.exec.is_none() {
            self.halt(turn);
        }
        // An end that began before may wait for what KILL cannot end: now nobody waits any more.
        self.finish_halting(turn);
    }

    /// Everything is to stop, and this job goes on until nobody needs it. It is not started again.
    pub(super) fn hold(&mut self, turn: &mut Turn<'_>) {
        if let Some(check) = &mut self.check {
            check.stop(turn);
        }
        self.held = true;
        self.renewed = false;
        self.restarts = Restarts::Limited(0);
        self.starts = Restarts::Limited(0);
        self.tick = None;
        if let Phase::Running { again, .. } = &mut self.phase {
            *again = None;
        }
    }

    /// All `stopping` hooks are complete, or their time is over.
    pub(super) fn on_hooks_done(&mut self, turn: &mut Turn<'_>) {
        let Phase::Halting {
            step: step @ Step::Hooks { .. },
            live,
        } = &mut self.phase
        else {
            return;
        };
        let Step::Hooks { drained, .. } = step else {
            return;
        };
        let lives = live.is_some() || !self.kept.is_empty();
        if let Some(until) = drained.filter(|at| lives && *at > turn.now) {
            *step = Step::Draining { until };
        } else {
            *step = Step::Removing;
            self.remove(turn);
        }
    }

    /// The service has left the catalogue; `was_there`: others may still have its address.
    pub(super) fn on_left(&mut self, was_there: bool, turn: &mut Turn<'_>) {
        if let Phase::Halting {
            step: Step::Leaving { .. },
            ..
        } = &self.phase
        {
            self.begin_hooks(was_there, turn);
        }
    }

    /// The limit of the whole stop is over: no hook, no grace.
    pub(super) fn on_stop_deadline(&mut self, turn: &mut Turn<'_>) {
        self.halt(turn);
        self.on_left(false, turn);
        if let Phase::Halting {
            step: step @ (Step::Hooks { .. } | Step::Draining { .. }),
            ..
        } = &mut self.phase
        {
            *step = Step::Removing;
            self.remove(turn);
        }
        if let Phase::Halting {
            live: Some(live), ..
        } = &mut self.phase
        {
            live.kill(turn.now, turn.effects);
        }
        for kept in &mut self.kept {
            kept.kill(turn.now, turn.effects);
        }
        if let Some(check) = &mut self.check {
            check.kill(turn);
        }
    }

    /// The program was frozen for `by`: what limits others, who were frozen too, moves on. Ticks do not (X08).
    pub(super) fn thaw(&mut self, by: Duration) {
        match &mut self.phase {
            Phase::Waiting {
                until: Some((at, _)),
            }
            | Phase::Halting {
                step:
                    Step::Hooks {
                        until: Some((at, _)),
                        ..
                    },
                ..
            } => *at = later(*at, by),
            _ => {}
        }
        if let Phase::Running { live, .. }
        | Phase::Halting {
            live: Some(live), ..
        } = &mut self.phase
        {
            live.thaw(by);
        }
        for kept in &mut self.kept {
            kept.thaw(by);
        }
        if let Some(check) = &mut self.check {
            check.thaw(by);
        }
    }

    pub(super) fn on_time(&mut self, turn: &mut Turn<'_>) {
        match &mut self.phase {
            Phase::Waiting {
                until: Some((at, wait)),
            } if *at <= turn.now => {
                let wait = *wait;
                self.on_wait_expired(wait, turn);
            }
            Phase::Running { live, .. }
            | Phase::Halting {
                live: Some(live), ..
            } => {
                live.on_time(turn.now, turn.effects);
            }
            Phase::Backoff { until, cause } if *until <= turn.now => {
                let cause = *cause;
                self.begin(cause, turn);
            }
            _ => {}
        }
        for kept in &mut self.kept {
            kept.on_time(turn.now, turn.effects);
        }
        let is_down = matches!(self.phase, Phase::Backoff { .. });
        if let Some(check) = &mut self.check {
            check.on_time(is_down, turn);
        }
        self.on_step_time(turn);
        if self.tick.is_some_and(|at| at <= turn.now) {
            self.on_tick(turn);
        }
        self.finish_halting(turn);
    }

    /// The time of a step of the end is over; that of the hooks is the whole's to judge.
    fn on_step_time(&mut self, turn: &mut Turn<'_>) {
        let Phase::Halting { step, .. } = &mut self.phase else {
            return;
        };
        match step {
            // It may still stand there, so it is drained as if it had left now (S08).
            Step::Leaving { until, limit } if *until <= turn.now => {
                let limit = *limit;
                turn.report(self.id, Note::LeavingTimedOut { limit });
                self.on_left(true, turn);
            }
            Step::Draining { until } if *until <= turn.now => {
                *step = Step::Removing;
                self.remove(turn);
            }
            Step::Leaving { .. } | Step::Hooks { .. } | Step::Draining { .. } | Step::Removing => {}
        }
    }
}
