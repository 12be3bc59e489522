//! A world for the rules: a clock that is moved by hand, and processes that end when the test says so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::events::{
    Event, EventCode, Exit, JobId, PublicEvent, Run, RunId, RunKind, Signal, Source, StartFailure,
    StopReason,
};
use crate::jobs::{
    CheckSpec, Condition, Effect, Exec, HealthSpec, JobSpec, JobStatus, Jobs, Next, Note, Outcome,
    Probe, Restarts, Start, StopLimits, Verdict,
};
use crate::services::{Presence, ServiceSpec};

pub(super) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A job that runs something at startup, once.
pub(super) fn job(name: &str) -> JobSpec {
    JobSpec::new(name, Exec::new(vec!["/bin/true".to_owned()]))
}

pub(super) fn restarting(name: &str, restarts: Restarts) -> JobSpec {
    JobSpec {
        restarts,
        ..job(name)
    }
}

pub(super) fn unlimited(name: &str) -> JobSpec {
    restarting(name, Restarts::Unlimited)
}

pub(super) fn on(code: EventCode, job: u32) -> PublicEvent {
    PublicEvent::job(code, JobId(job))
}

pub(super) fn each(code: EventCode, job: u32) -> Start {
    Start::each(on(code, job))
}

pub(super) fn once(code: EventCode, job: u32) -> Start {
    Start::once(Condition::Once(on(code, job)))
}

#[allow(clippy::unnecessary_wraps)] // the type of the field that it fills
pub(super) fn checked(interval: Duration, timeout: Duration) -> Option<HealthSpec> {
    let check = check_spec(interval, timeout);
    Some(HealthSpec {
        checks: vec![check],
        interval,
        ttl: interval * 3,
    })
}

pub(super) fn check_spec(interval: Duration, timeout: Duration) -> CheckSpec {
    let exec = Exec::new(vec!["/bin/check".to_owned()]);
    CheckSpec {
        probe: Probe::Exec(exec.expect("one word")),
        interval,
        timeout: Some(timeout),
        raw: false,
        rise: 1,
        fall: 1,
        start_period: Duration::ZERO,
        restarts: false,
    }
}

pub(super) fn service(name: &str) -> ServiceSpec {
    ServiceSpec {
        plain_check_id: false,
        name: name.to_owned(),
        id: None,
        ordinal: 1,
        port: 80,
        address: None,
        static_address: None,
        interfaces: Vec::new(),
        initial_status: None,
        tags: Vec::new(),
        meta: BTreeMap::new(),
        weights: None,
        enable_tag_override: false,
        deregister_critical_after: None,
    }
}

/// Jobs with the number of their place.
pub(super) fn numbered(specs: Vec<JobSpec>) -> Vec<(JobId, JobSpec)> {
    (0..).map(JobId).zip(specs).collect()
}

/// A job with a service.
pub(super) fn served(name: &str) -> JobSpec {
    JobSpec {
        service: Some(service(name)),
        ..job(name)
    }
}

pub(super) struct World {
    pub(super) jobs: Jobs,
    pub(super) start: Instant,
    pub(super) now: Instant,
    /// Runs that were started and whose first process lives, with their last signal.
    pub(super) live: BTreeMap<Run, Option<Signal>>,
    /// Everything that was ordered, in order.
    pub(super) log: Vec<(Duration, Effect)>,
}

impl World {
    pub(super) fn new(specs: Vec<JobSpec>) -> World {
        World::with_limits(specs, StopLimits::default())
    }

    pub(super) fn with_limits(specs: Vec<JobSpec>, limits: StopLimits) -> World {
        World::numbered(numbered(specs), limits)
    }

    /// A world in which everything has started.
    pub(super) fn of(specs: Vec<(JobId, JobSpec)>) -> World {
        let mut world = World::numbered(specs, StopLimits::default());
        world.tell(&Event::Started);
        world
    }

    fn numbered(specs: Vec<(JobId, JobSpec)>, limits: StopLimits) -> World {
        let now = Instant::now();
        let jobs = Jobs::new(specs, limits, now, RunId(1), 7);
        World {
            jobs,
            start: now,
            now,
            live: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// A world in which everything has started.
    pub(super) fn started(specs: Vec<JobSpec>) -> World {
        let mut world = World::new(specs);
        world.tell(&Event::Started);
        world
    }

    pub(super) fn tell(&mut self, event: &Event) {
        let effects = self.jobs.on_event(event, self.now);
        self.take(effects);
    }

    pub(super) fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match &effect {
                Effect::Spawn { run, .. } => {
                    self.live.insert(*run, None);
                }
                Effect::Terminate(run) => self.mark(*run, Signal::TERM),
                Effect::Kill(run) => self.mark(*run, Signal::KILL),
                Effect::Signal(..)
                | Effect::Show(..)
                | Effect::Announce(_)
                | Effect::Report(..) => {}
            }
            self.log.push((self.now - self.start, effect));
        }
    }

    fn mark(&mut self, run: Run, signal: Signal) {
        if let Some(last) = self.live.get_mut(&run) {
            *last = Some(signal);
        }
    }

    /// Moves the clock to `start + at`, calling the rules whenever they asked to be called.
    pub(super) fn advance_to(&mut self, at: Duration) {
        let end = self.start + at;
        for _ in 0..100_000 {
            match self.jobs.next_deadline() {
                Some(due) if due <= end => {
                    self.now = due.max(self.now);
                    let effects = self.jobs.on_time(self.now);
                    self.take(effects);
                }
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the rules never come to rest: {:?}", self.log.last());
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.advance_to(self.now - self.start + by);
    }

    /// The live run of a job's command.
    pub(super) fn main(&self, job: u32) -> Run {
        self.find(job, RunKind::Main)
            .unwrap_or_else(|| panic!("job {job} does not run: {:#?}", self.log))
    }

    pub(super) fn check(&self, job: u32) -> Run {
        self.find(job, RunKind::Check(0))
            .unwrap_or_else(|| panic!("no check of job {job} runs: {:#?}", self.log))
    }

    pub(super) fn find(&self, job: u32, kind: RunKind) -> Option<Run> {
        self.live
            .keys()
            .copied()
            .find(|run| run.job == JobId(job) && run.kind == kind)
    }

    pub(super) fn runs(&self, job: u32) -> bool {
        self.find(job, RunKind::Main).is_some()
    }

    /// Ends a run, leaving nothing behind.
    pub(super) fn end(&mut self, run: Run, exit: Exit) {
        self.live.remove(&run).expect("the run lives");
        self.tell(&Event::Exited {
            run,
            exit,
            left: false,
        });
    }

    pub(super) fn exit(&mut self, job: u32, code: i32) {
        self.end(self.main(job), Exit::Code(code));
    }

    /// Ends a run's first process; others stay.
    pub(super) fn leave(&mut self, run: Run, exit: Exit) {
        self.tell(&Event::Exited {
            run,
            exit,
            left: true,
        });
    }

    pub(super) fn gone(&mut self, run: Run) {
        self.live.remove(&run).expect("the run lives");
        self.tell(&Event::Gone(run));
    }

    pub(super) fn fail_spawn(&mut self, run: Run, failure: StartFailure) {
        self.live.remove(&run).expect("the run lives");
        self.tell(&Event::SpawnFailed(run, failure));
    }

    /// Prepares another configuration, in which jobs have the number of their place.
    pub(super) fn prepare(&mut self, specs: Vec<JobSpec>) {
        self.prepare_numbered(numbered(specs));
    }

    pub(super) fn prepare_numbered(&mut self, jobs: Vec<(JobId, JobSpec)>) {
        let next = next(jobs);
        let effects = self.jobs.prepare(next, self.now);
        self.take(effects);
    }

    /// Lets it take over, which it must be able to.
    pub(super) fn change(&mut self) {
        assert_eq!(self.outcome(), Some(Outcome::Reload));
        let effects = self.jobs.change(self.now);
        self.take(effects);
    }

    /// What another configuration would make of the jobs.
    pub(super) fn difference(&self, specs: Vec<JobSpec>) -> Vec<Verdict> {
        let difference = self.jobs.difference(&next(numbered(specs)));
        let verdicts = difference.jobs.into_iter().map(|(_, verdict)| verdict);
        verdicts.collect()
    }

    pub(super) fn stop(&mut self) {
        self.tell(&Event::StopRequested(StopReason::Requested));
    }

    /// How often a job's command was started so far.
    pub(super) fn starts(&self, job: u32) -> usize {
        self.count(|effect| matches!(effect, Effect::Spawn { run, .. } if is_main(*run, job)))
    }

    /// What the catalogue was to show of a job, in order.
    pub(super) fn shown(&self, job: u32) -> Vec<Presence> {
        let shown = self.log.iter().filter_map(|(_, effect)| match effect {
            Effect::Show(of, presence) if *of == JobId(job) => Some(*presence),
            _ => None,
        });
        shown.collect()
    }

    pub(super) fn left(&mut self, job: u32, was_there: bool) {
        let job = JobId(job);
        self.tell(&Event::Left { job, was_there });
    }

    pub(super) fn count(&self, what: impl Fn(&Effect) -> bool) -> usize {
        self.log.iter().filter(|(_, effect)| what(effect)).count()
    }

    pub(super) fn announced(&self, event: PublicEvent) -> usize {
        self.count(|effect| *effect == Effect::Announce(event))
    }

    pub(super) fn reported(&self, what: impl Fn(&Note) -> bool) -> usize {
        self.count(|effect| matches!(effect, Effect::Report(_, note) if what(note)))
    }

    /// The times at which a job's command was started.
    pub(super) fn start_times(&self, job: u32) -> Vec<Duration> {
        let starts = self
            .log
            .iter()
            .filter(|(_, e)| matches!(e, Effect::Spawn { run, .. } if is_main(*run, job)));
        starts.map(|(at, _)| *at).collect()
    }

    pub(super) fn status(&self, job: u32) -> JobStatus {
        self.jobs.status(JobId(job)).expect("it is there")
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.jobs.outcome()
    }
}

fn next(jobs: Vec<(JobId, JobSpec)>) -> Next {
    Next {
        jobs,
        watches: Vec::new(),
        limits: StopLimits::default(),
    }
}

fn is_main(run: Run, job: u32) -> bool {
    run.job == JobId(job) && run.kind == RunKind::Main
}

pub(super) fn signal_event(signal: Signal) -> PublicEvent {
    PublicEvent {
        code: EventCode::Signal,
        source: Source::Signal(signal),
    }
}
