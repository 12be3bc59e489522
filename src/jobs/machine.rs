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

mod steps;
mod vitals;

use std::time::{Duration, Instant};

use super::backoff::{Backoff, RestartWindow};
use super::condition::{Condition, Gate, View};
use super::effect::Note;
use super::health::{Checks, Health};
use super::run::LiveRun;
use super::spec::{Expiry, First, JobSpec, Orphans, Overlap, Restarts, Trigger, Wait};
use super::turn::Turn;
use crate::events::later;
use crate::events::{EventCode, Exit, JobId, PublicEvent, Run, RunKind, StartFailure};
use crate::services::Presence;

/// One job: its rules, without the processes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: JobId,
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
    pub(super) fn new(id: JobId, spec: JobSpec, epoch: Instant) -> Job {
        let starts = match spec.start.trigger {
            Trigger::Each(_) => Restarts::Unlimited,
            Trigger::Once | Trigger::Interval { .. } => Restarts::Limited(1),
        };
        let until = spec.start.wait;
        let until = until.map(|wait| (later(epoch, wait.limit), wait));
        Job {
            id,
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
            abandoned: false,
            last_exit: None,
            kept: Vec::new(),
            spec,
        }
    }

    /// The job whose end it is a hook of, and whether of `stopping` or `stopped`.
    pub(super) fn hook_of(&self) -> Option<(EventCode, JobId)> {
        self.spec.start.hook_of().filter(|(_, job)| *job != self.id)
    }

    /// Whether it waits for what has come true by now.
    pub(super) fn may_open(&self, view: &impl View) -> bool {
        !self.opened && matches!(self.phase, Phase::Waiting { .. }) && self.gate.is_open(view)
    }

    /// Whether nothing that it waits for can come any more.
    pub(super) fn is_spent(&self, view: &impl View) -> bool {
        if !self.is_at_rest() {
            return false;
        }
        match &self.spec.start.trigger {
            _ if !self.opened => self.gate.is_hopeless(view),
            Trigger::Each(events) => !events.iter().any(|event| view.can_come(*event)),
            Trigger::Once | Trigger::Interval { .. } => false,
        }
    }

    /// Whether its command runs at this moment; of a job without one, whether it was started.
    pub(super) fn is_running(&self) -> bool {
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
    pub(super) fn is_alive(&self) -> bool {
        !self.is_halting() && !self.is_complete()
    }

    pub(super) fn fate(&self) -> Option<Fate> {
        self.fate
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Complete)
    }

    pub(super) fn is_halting(&self) -> bool {
        matches!(self.phase, Phase::Halting { .. })
    }

    /// Whether its `stopping` was published.
    pub(super) fn has_told_stopping(&self) -> bool {
        match &self.phase {
            Phase::Halting { step, .. } => !matches!(step, Step::Leaving { .. }),
            Phase::Complete => true,
            _ => false,
        }
    }

    pub(super) fn waits_for_hooks(&self) -> bool {
        matches!(
            self.phase,
            Phase::Halting {
                step: Step::Hooks { .. },
                ..
            }
        )
    }

    /// Nothing runs and nothing is about to.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. } | Phase::Idle)
    }

    /// Nothing of it runs, and it will not start by itself.
    pub(super) fn is_lifeless(&self) -> bool {
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

    /// Whether it is at its end though something that KILL did not end is still there.
    pub(super) fn gave_up(&self) -> bool {
        self.abandoned
    }

    /// Whether a time limit of this job runs against somebody else: a run, a hook, the event it waits for.
    pub(super) fn limits_anybody(&self) -> bool {
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

    pub(super) fn is_started(&self) -> bool {
        self.started
    }

    pub(super) fn health(&self) -> Health {
        self.check.as_ref().map_or(Health::Unknown, Checks::health)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
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

    /// An event that this job waits for, or is triggered by, was published.
    pub(super) fn on_subscribed(&mut self, event: PublicEvent, turn: &mut Turn<'_>) {
        if !self.opened {
            self.gate.on_event(event);
        }
        let Trigger::Each(events) = &self.spec.start.trigger else {
            return;
        };
        if !events.contains(&event) {
        } else if self.opened {
            self.start(Some(event), turn);
        } else {
            self.early = Some(event);
        }
    }

    /// What it waits for has come true; `cause` is the event that made it so.
    pub(super) fn open(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        self.opened = true;
        match self.spec.start.trigger {
            Trigger::Once => self.start(cause, turn),
            Trigger::Each(_) => {
                if let Some(event) = self.early.take() {
                    self.start(Some(event), turn);
                }
            }
            Trigger::Interval { every, first, .. } => {
                if first == First::Interval {
                    self.ticks_from = turn.now;
                    self.phase = Phase::Idle;
                } else {
                    self.start(cause, turn);
                }
                self.tick = Some(turn.next_tick(self.ticks_from, every));
            }
        }
    }

    /// A start is asked for.
    fn start(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        if !self.may_start() {
            return;
        }
        match &mut self.phase {
            Phase::Running { again, .. } => *again = again.or(Some(cause)),
            // One run is to come already; it is told of the later event.
            Phase::Backoff { cause: told, .. } => *told = cause,
            Phase::Keeping { .. } | Phase::Halting { .. } | Phase::Complete => {}
            Phase::Waiting { .. } | Phase::Idle => {
                if let Restarts::Limited(left) = &mut self.starts {
                    *left -= 1;
                }
                let cause = cause.filter(|event| event.code != EventCode::Startup);
                self.begin(cause, turn);
            }
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

    /// Whether its command, or what that left on purpose, runs.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Running { .. } | Phase::Keeping { .. })
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

    /// Whether its hooks' time is over, with the time that they had.
    pub(super) fn hooks_overdue(&self, now: Instant) -> Option<Duration> {
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

    fn on_wait_expired(&mut self, wait: Wait, turn: &mut Turn<'_>) {
        let Wait { limit, then } = wait;
        turn.report(self.id, Note::WaitExpired { limit, then });
        turn.publish_job(EventCode::TimerExpired, self.id);
        match then {
            Expiry::Skip => {
                self.fate = Some(Fate::Skipped);
                turn.finals.push((self.id, None));
                self.halt(turn);
            }
            Expiry::Fail => self.give_up(None, turn),
            Expiry::Start => {
                self.phase = Phase::Waiting { until: None };
                self.open(None, turn);
                if matches!(self.phase, Phase::Waiting { .. }) {
                    self.start(None, turn);
                }
            }
        }
    }

    fn on_tick(&mut self, turn: &mut Turn<'_>) {
        let Trigger::Interval { every, overlap, .. } = self.spec.start.trigger else {
            return;
        };
        let next = turn.next_tick(self.ticks_from, every);
        self.tick = Some(next);
        let half_way = turn.now + (next - turn.now) / 2;
        match &mut self.phase {
            Phase::Idle if !self.started => self.begin(None, turn),
            Phase::Idle => self.begin_again(None, turn),
            Phase::Running { live, again, .. } => {
                // A run that is ending, or that its own time limit is about to end, makes room for this tick.
                if !live.is_up() || live.times_out_before(half_way) || overlap == Overlap::Queue {
                    *again = Some(None);
                } else if overlap == Overlap::Kill {
                    live.kill(turn.now, turn.effects);
                    *again = Some(None);
                } else {
                    turn.report(self.id, Note::TickSkipped);
                }
            }
            Phase::Waiting { .. }
            | Phase::Keeping { .. }
            | Phase::Backoff { .. }
            | Phase::Halting { .. }
            | Phase::Complete => {}
        }
    }
}
