//! The shell's part under any schedule, and what must always hold.

mod effects;
mod operator;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::world::*;
use crate::events::{
    Event, EventCode, Exit, JobId, Notice, Run, RunId, RunKind, Signal, Source, StartFailure,
    StopReason,
};
use crate::jobs::{Effect, Exec, JobSpec, Jobs, Leaf, Next, Operation, Outcome, StopLimits};

/// One step of a schedule; numbers choose among what is possible at that moment.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Wait(u64),
    Exit {
        pick: usize,
        code: i32,
        left: bool,
    },
    Gone(usize),
    FailSpawn(usize, StartFailure),
    Signal,
    /// The wall clock shows a time of a job's schedule.
    Tick(usize),
    Maintenance(bool),
    Stop(StopReason),
    /// A job says something of itself.
    Notice(usize, Notice),
    /// A service has left the catalogue.
    Left(usize, bool),
    /// An answer for a run that is over.
    Stale(usize),
    /// A reload in which the jobs of these bits run something else.
    Reload(u32),
    /// An operator asks something of a job.
    Operate(usize, Operation),
}

/// What the outside knows of a run.
#[derive(Debug)]
struct Seen {
    exited: bool,
    signalled: bool,
    killed: bool,
}

const LIMITS: StopLimits = StopLimits {
    stop_timeout: secs(5),
    shutdown_timeout: secs(30),
};

/// The shell's view, and the invariants over it.
pub(super) struct Checker {
    specs: Vec<JobSpec>,
    pub(super) jobs: Jobs,
    start: Instant,
    pub(super) now: Instant,
    live: BTreeMap<Run, Seen>,
    over: Vec<Run>,
    numbers: BTreeSet<RunId>,
    starts: BTreeMap<JobId, u32>,
    stopped: BTreeSet<JobId>,
    stopping: BTreeSet<JobId>,
    /// Jobs whose service is leaving, and all that ever did.
    leaving: BTreeSet<JobId>,
    left: BTreeSet<JobId>,
    pub(super) stop_asked: Option<Instant>,
    pub(super) trace: Vec<String>,
    /// What a reload is to bring, and how many there were.
    next: Option<Vec<JobSpec>>,
    reloads: u32,
    /// How often one has taken over.
    changes: u32,
    /// How often a job has begun anew for an operator.
    renewals: u32,
    /// The jobs that an operator has stopped and not asked for since.
    down: BTreeSet<JobId>,
    /// Starts that an operator has asked for, which no limit counts.
    asked: BTreeMap<JobId, u32>,
}

impl Checker {
    pub(super) fn new(specs: Vec<JobSpec>) -> Checker {
        let now = Instant::now();
        Checker {
            jobs: Jobs::new(numbered(specs.clone()), LIMITS, now, RunId(1), 3),
            specs,
            start: now,
            now,
            live: BTreeMap::new(),
            over: Vec::new(),
            numbers: BTreeSet::new(),
            starts: BTreeMap::new(),
            stopped: BTreeSet::new(),
            stopping: BTreeSet::new(),
            leaving: BTreeSet::new(),
            left: BTreeSet::new(),
            stop_asked: None,
            trace: Vec::new(),
            next: None,
            reloads: 0,
            changes: 0,
            renewals: 0,
            down: BTreeSet::new(),
            asked: BTreeMap::new(),
        }
    }

    pub(super) fn tell(&mut self, event: &Event) {
        let effects = self.jobs.on_event(event, self.now);
        self.perform(effects);
        self.call_if_due();
    }

    /// The shell also runs what is due by the clock in every turn.
    fn call_if_due(&mut self) {
        if self.jobs.next_deadline().is_some_and(|at| at <= self.now) {
            let effects = self.jobs.on_time(self.now);
            self.perform(effects);
        }
        while self.jobs.outcome() == Some(Outcome::Reload) {
            self.take_over();
        }
        self.deadline_is_in_the_future();
    }

    /// The jobs of these bits are to run something else.
    fn reload(&mut self, bits: u32) {
        let first = self.jobs.leaving().next().is_none();
        let mut specs = self.next.take().unwrap_or_else(|| self.specs.clone());
        self.reloads += 1;
        for (place, spec) in specs.iter_mut().enumerate() {
            if bits >> place & 1 == 1 && spec.exec.is_some() {
                spec.exec = Exec::new(vec![format!("/bin/{}", self.reloads)]);
            }
        }
        self.next = Some(specs.clone());
        let next = Next {
            jobs: numbered(specs),
            watches: Vec::new(),
            limits: LIMITS,
        };
        let effects = self.jobs.prepare(next, self.now);
        let leaving: BTreeSet<JobId> = self.jobs.leaving().collect();
        for effect in effects.iter().filter(|_| first) {
            if let Effect::Terminate(run) | Effect::Kill(run) | Effect::Spawn { run, .. } = effect {
                assert!(
                    leaving.contains(&run.job) || self.stopping.contains(&run.job),
                    "what stays is left in peace: {effect:?}"
                );
            }
        }
        self.perform(effects);
        self.call_if_due();
    }

    /// What a reload changes has ended.
    fn take_over(&mut self) {
        self.changes += 1;
        let leaving: BTreeSet<JobId> = self.jobs.leaving().collect();
        for job in &leaving {
            self.forget(*job);
            self.down.remove(job);
        }
        // Only what KILL does not end outlives its job.
        let lost = self.live.keys().filter(|run| leaving.contains(&run.job));
        let lost: Vec<Run> = lost.copied().collect();
        for run in lost {
            assert!(self.live[&run].killed, "nothing else outlives its job");
            self.bury(run);
        }
        self.specs = self.next.take().expect("a reload waits");
        let effects = self.jobs.change(self.now);
        let ended = |effect: &Effect| match effect {
            Effect::Terminate(run) | Effect::Kill(run) => {
                !leaving.contains(&run.job) && !self.stopping.contains(&run.job)
            }
            _ => false,
        };
        // Everything may end at once, for an essential job that waits in vain.
        let peace = self.jobs.is_ending() || !effects.iter().any(ended);
        assert!(peace, "what stays is left in peace");
        self.perform(effects);
    }

    pub(super) fn wait(&mut self, by: Duration) {
        let end = self.now + by;
        for round in 0.. {
            assert!(round < 100_000, "the rules never come to rest");
            match self.jobs.next_deadline() {
                Some(due) if due <= end => {
                    self.now = due.max(self.now);
                    self.call_if_due();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn pick(&self, pick: usize, filter: impl Fn(&Seen) -> bool) -> Option<Run> {
        let runs: Vec<Run> = self
            .live
            .iter()
            .filter(|(_, seen)| filter(seen))
            .map(|(run, _)| *run)
            .collect();
        (!runs.is_empty()).then(|| runs[pick % runs.len()])
    }

    fn bury(&mut self, run: Run) {
        self.live.remove(&run);
        self.over.push(run);
    }

    fn exit(&mut self, run: Run, exit: Exit, left: bool) {
        if left {
            self.live.get_mut(&run).expect("lives").exited = true;
        } else {
            self.bury(run);
        }
        self.tell(&Event::Exited { run, exit, left });
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.trace
            .push(format!("{:?} -> {step:?}", self.now - self.start));
        match *step {
            Step::Wait(by) => self.wait(ms(by)),
            Step::Tick(pick) => {
                let job = JobId(u32::try_from(pick % self.specs.len()).expect("few jobs"));
                self.tell(&Event::Ticked(job));
            }
            Step::Exit { pick, code, left } => {
                if let Some(run) = self.pick(pick, |seen| !seen.exited) {
                    self.exit(run, Exit::Code(code), left);
                }
            }
            Step::Gone(pick) => {
                if let Some(run) = self.pick(pick, |seen| seen.exited) {
                    self.bury(run);
                    self.tell(&Event::Gone(run));
                }
            }
            Step::FailSpawn(pick, failure) => {
                // Only a run that nothing has happened to can turn out not to have started.
                if let Some(run) = self.pick(pick, |seen| !seen.exited && !seen.killed) {
                    self.bury(run);
                    if failure == StartFailure::Exhausted && run.kind == RunKind::Main {
                        // Tried again, which is no restart.
                        *self.starts.entry(run.job).or_default() -= 1;
                    }
                    self.tell(&Event::SpawnFailed(run, failure));
                }
            }
            Step::Notice(pick, notice) => {
                if let Some(run) = self.pick(pick, |_| true) {
                    self.tell(&Event::Notified(run, notice));
                }
            }
            Step::Signal => self.tell(&Event::signal(Signal::HUP)),
            Step::Maintenance(enable) => self.tell(&Event::Maintenance(enable)),
            Step::Stop(reason) => self.stop(reason),
            Step::Left(pick, was_there) => self.answer_leaving(pick, was_there),
            Step::Stale(pick) => self.stale(pick),
            Step::Reload(bits) => self.reload(bits),
            Step::Operate(pick, operation) => self.operate(pick, operation),
        }
    }

    fn answer_leaving(&mut self, pick: usize, was_there: bool) {
        let waiting: Vec<JobId> = self.leaving.iter().copied().collect();
        if waiting.is_empty() {
            return;
        }
        let job = waiting[pick % waiting.len()];
        self.leaving.remove(&job);
        let changes = self.changes + self.renewals;
        self.tell(&Event::Left { job, was_there });
        assert!(
            self.stopping.contains(&job) || self.changes + self.renewals > changes,
            "its hooks begin when it has left"
        );
    }

    pub(super) fn stop(&mut self, reason: StopReason) {
        let first = !self.jobs.is_ending();
        self.stop_asked.get_or_insert(self.now);
        let ended = self.stopped.clone();
        self.tell(&Event::StopRequested(reason));
        for (run, seen) in self.live.iter().filter(|_| first) {
            let waits_for_hooks = self.has_hook(run.job);
            let spec = &self.specs[run.job.0 as usize];
            let served = self.leaving.contains(&run.job) || spec.drain.is_some() || spec.agent;
            let served = served || self.is_needed(run.job);
            let spared = served || waits_for_hooks || self.is_hook_of_more_than(run.job, &ended);
            assert!(
                spared || seen.signalled || seen.exited,
                "a stop reaches every run: {run:?}"
            );
        }
    }

    fn has_hook(&self, job: JobId) -> bool {
        let hooks = self.specs.iter().filter_map(|spec| spec.start.hook_of());
        let mut hooks = hooks.filter(|(code, _)| *code == EventCode::Stopping);
        hooks.any(|(_, source)| source == job)
    }

    /// Whether a job waits, or has waited, for this one.
    fn is_needed(&self, job: JobId) -> bool {
        self.specs.iter().any(|spec| {
            let mut found = false;
            spec.start.after.for_each(&mut |leaf| {
                let source = match leaf {
                    Leaf::Once(event) => event.source,
                    Leaf::Is(state) => state.source,
                };
                found |= source == Source::Job(job);
            });
            found
        })
    }

    /// Whether the job is a hook of an end that was not over.
    fn is_hook_of_more_than(&self, job: JobId, ended: &BTreeSet<JobId>) -> bool {
        let hook = self.specs[job.0 as usize].start.hook_of();
        hook.is_some_and(|(_, source)| !ended.contains(&source))
    }

    fn stale(&mut self, pick: usize) {
        if self.over.is_empty() {
            return;
        }
        let run = self.over[pick % self.over.len()];
        let before = format!("{:?}", self.jobs);
        for event in [
            Event::Exited {
                run,
                exit: Exit::Code(0),
                left: false,
            },
            Event::Gone(run),
            Event::Notified(run, Notice::Ready),
            Event::SpawnFailed(run, StartFailure::NotFound),
        ] {
            let effects = self.jobs.on_event(&event, self.now);
            assert!(
                effects.is_empty(),
                "a stale run changes nothing: {effects:?}"
            );
        }
        assert_eq!(
            format!("{:?}", self.jobs),
            before,
            "a stale run changes nothing"
        );
    }

    /// A stop, obedient processes and time: everything ends.
    pub(super) fn wind_up(&mut self) {
        self.stop(StopReason::Requested);
        for _ in 0..10_000 {
            if self.jobs.outcome().is_some() {
                break;
            }
            if let Some(run) = self.pick(0, |seen| seen.exited) {
                self.bury(run);
                self.tell(&Event::Gone(run));
            } else if let Some(run) = self.pick(0, |_| true) {
                self.exit(run, Exit::Signal(Signal::TERM), false);
            } else {
                self.wait(ms(100));
            }
        }
        assert!(
            self.jobs.outcome().is_some(),
            "a stop, exits and time always end everything"
        );
        assert!(self.now - self.stop_asked.expect("asked") < secs(3_600));
        let complete = self
            .jobs
            .machines()
            .all(super::super::machine::Job::is_complete);
        assert!(complete || self.live.is_empty() || self.jobs.gave_up_on_any());
    }
}
