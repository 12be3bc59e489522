//! The health of one job: what its checks, its readiness and its watchdog say together.
//!
//! | | the job is |
//! | --- | --- |
//! | a check, or the watchdog, has failed | unhealthy |
//! | all have passed, and the job is ready if it says so itself | healthy |
//! | else | unknown |

use std::time::{Duration, Instant};

use super::check::Check;
use super::effect::Note;
use super::run::LiveRun;
use super::spec::{JobSpec, Ready};
use super::turn::Turn;
use crate::events::{EventCode, Exit, JobId, Notice, Run, RunKind, StartFailure, later};
use crate::services::Presence;

/// What is known of a job's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Not every check has ended since the job was started, since maintenance ended, or since one could not be started.
    #[default]
    Unknown,
    /// The checks passed.
    Healthy,
    /// A check failed.
    Unhealthy,
}

/// Everything that says how a job is.
#[derive(Debug)]
pub(super) struct Checks {
    job: JobId,
    all: Vec<Check>,
    /// The job has a service in the catalogue, which hears of every result.
    advertised: bool,
    /// An operator has switched everything here off: nothing is known.
    off: bool,
    /// How often an advertised service is to be heard of.
    interval: Option<Duration>,
    /// Without a check the service sends heartbeats, so often and next then.
    beat: Option<Duration>,
    next_beat: Option<Instant>,
    readiness: Readiness,
    watchdog: Option<Watchdog>,
}

/// Whether a job that says so itself is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    /// It says nothing.
    Unasked,
    Awaited,
    Ready,
}

/// The heartbeats of a job that are missed when they do not come.
#[derive(Debug)]
struct Watchdog {
    limit: Duration,
    /// When the next one is missed; `None` while the job is not ready.
    next: Option<Instant>,
    health: Health,
}

impl Checks {
    /// `None`: nothing will ever be known of the job's health.
    pub(super) fn of(job: JobId, spec: &JobSpec) -> Option<Checks> {
        let (readiness, watchdog) = match spec.ready {
            None | Some(Ready::Health) => (Readiness::Unasked, None),
            Some(Ready::Notify { watchdog }) => (Readiness::Awaited, watchdog),
            Some(Ready::Descriptor(_)) => (Readiness::Awaited, None),
        };
        if spec.health.is_none() && readiness == Readiness::Unasked {
            return None;
        }
        let specs = spec.health.iter().flat_map(|health| &health.checks);
        let numbered = (0..).zip(specs);
        let all: Vec<Check> = numbered
            .map(|(number, spec)| Check::new(job, number, spec.clone()))
            .collect();
        let advertised = spec.service.is_some();
        let health = spec.health.as_ref().filter(|_| advertised);
        let interval = health.map(|health| health.interval);
        Some(Checks {
            job,
            advertised,
            off: false,
            interval,
            beat: interval.filter(|_| all.is_empty()),
            next_beat: None,
            readiness,
            watchdog: watchdog.map(|limit| Watchdog {
                limit,
                next: None,
                health: Health::Unknown,
            }),
            all,
        })
    }

    pub(super) fn health(&self) -> Health {
        if self.off {
            return Health::Unknown;
        }
        let watchdog = self.watchdog.iter().map(|watchdog| watchdog.health);
        let parts: Vec<Health> = self.all.iter().map(Check::health).chain(watchdog).collect();
        let all = parts.iter().all(|health| *health == Health::Healthy);
        match self.readiness {
            _ if parts.contains(&Health::Unhealthy) => Health::Unhealthy,
            Readiness::Unasked if all && !parts.is_empty() => Health::Healthy,
            Readiness::Ready if all => Health::Healthy,
            Readiness::Unasked | Readiness::Awaited | Readiness::Ready => Health::Unknown,
        }
    }

    /// Whether there is a check, or a readiness to be waited for.
    pub(super) fn is_checked(&self) -> bool {
        !self.all.is_empty() || self.readiness != Readiness::Unasked
    }

    /// The check that the job is unhealthy for; `None` also for its watchdog.
    pub(super) fn failing(&self) -> Option<u16> {
        let mut failing = self
            .all
            .iter()
            .filter(|check| check.health() == Health::Unhealthy);
        failing.next().map(Check::number)
    }

    /// Whether a failure of this run of a check says nothing yet (J04).
    pub(super) fn is_lenient(&self, run: Run, now: Instant) -> bool {
        let RunKind::Check(number) = run.kind else {
            return false;
        };
        let check = self.all.get(usize::from(number));
        check.is_some_and(|check| check.is_lenient(now))
    }

    /// The live runs of the checks.
    pub(super) fn live(&self) -> impl Iterator<Item = &LiveRun> + Clone {
        self.all.iter().filter_map(Check::live)
    }

    /// Whether a time limit runs against somebody else.
    pub(super) fn limits_anybody(&self) -> bool {
        let watched = self.watchdog.as_ref().and_then(|watchdog| watchdog.next);
        watched.is_some() || self.live().any(|live| live.deadline().is_some())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let checks = self.all.iter().filter_map(Check::deadline);
        let watched = self.watchdog.as_ref().and_then(|watchdog| watchdog.next);
        checks.chain(self.next_beat).chain(watched).min()
    }

    /// The job was started (again): what was known is about an earlier run.
    pub(super) fn on_start(&mut self, turn: &mut Turn<'_>) {
        self.on_down();
        for check in &mut self.all {
            check.on_start(turn);
        }
        if self.next_beat.is_none() && !turn.maintenance && !turn.stopping {
            let every = self.beat_every();
            self.next_beat = every.map(|every| turn.next_tick(turn.epoch, every));
        }
    }

    /// Whether an operator has switched the checks off.
    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    /// They are off from the beginning.
    pub(super) fn be_off(&mut self) {
        self.off = true;
    }

    /// An operator switches the checks on or off. Who switches them off vouches for the job: its service goes on being
    /// said to be well, for as long as the job is up. `works`: the job was started.
    pub(super) fn set_enabled(&mut self, on: bool, works: bool, turn: &mut Turn<'_>) {
        self.off = !on;
        self.on_maintenance(turn.maintenance, works, turn);
    }

    fn beat_every(&self) -> Option<Duration> {
        if self.off { self.interval } else { self.beat }
    }

    /// The job's command does not run: it is neither ready nor has it to send heartbeats.
    pub(super) fn on_down(&mut self) {
        if self.readiness == Readiness::Ready {
            self.readiness = Readiness::Awaited;
        }
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.next = None;
            watchdog.health = Health::Unknown;
        }
    }

    pub(super) fn on_maintenance(&mut self, on: bool, started: bool, turn: &mut Turn<'_>) {
        let wanted = !on && started && !turn.stopping;
        for check in &mut self.all {
            check.on_maintenance(wanted && !self.off, turn);
        }
        self.next_beat = self
            .beat_every()
            .filter(|_| wanted)
            .map(|every| turn.next_tick(turn.epoch, every));
        if self.next_beat.is_some() {
            self.send_beat(turn);
        }
    }

    /// What a service without a check says of itself at an interval: that it is well, unless the job knows better.
    fn send_beat(&mut self, turn: &mut Turn<'_>) {
        if self.off || self.readiness == Readiness::Unasked {
            turn.show(self.job, Presence::Passing);
        } else {
            self.show(turn);
        }
    }

    /// No further check until the next start.
    pub(super) fn stop(&mut self, turn: &mut Turn<'_>) {
        self.next_beat = None;
        self.on_down();
        for check in &mut self.all {
            check.stop(turn);
        }
    }

    pub(super) fn thaw(&mut self, by: Duration) {
        for check in &mut self.all {
            check.thaw(by);
        }
        let watched = self.watchdog.as_mut();
        if let Some(next) = watched.and_then(|watchdog| watchdog.next.as_mut()) {
            *next = later(*next, by);
        }
    }

    /// `is_down`: the job's command is between two tries, so that a service without a check is not said to be well.
    pub(super) fn on_time(&mut self, is_down: bool, turn: &mut Turn<'_>) {
        for check in &mut self.all {
            check.on_time(turn);
        }
        if let (Some(at), Some(every)) = (self.next_beat, self.beat_every())
            && at <= turn.now
        {
            self.next_beat = Some(turn.next_tick(turn.epoch, every));
            if !is_down {
                self.send_beat(turn);
            }
        }
        self.watch(turn);
    }

    /// A heartbeat that did not come is a check that failed, and fails again for as long as none comes.
    fn watch(&mut self, turn: &mut Turn<'_>) {
        let Some(watchdog) = &mut self.watchdog else {
            return;
        };
        if watchdog.next.is_none_or(|at| at > turn.now) {
            return;
        }
        let limit = watchdog.limit;
        watchdog.next = Some(later(turn.now, limit));
        if self.off {
            return;
        }
        if watchdog.health != Health::Unhealthy {
            turn.report(self.job, Note::HeartbeatMissed { limit });
        }
        watchdog.health = Health::Unhealthy;
        if !turn.maintenance {
            self.tell(false, turn);
        }
    }

    pub(super) fn on_spawn_failed(&mut self, run: Run, failure: StartFailure, turn: &mut Turn<'_>) {
        let check = self.check(run);
        let result = check.and_then(|check| check.on_spawn_failed(run, failure, turn));
        self.on_result(result, turn);
    }

    pub(super) fn on_exit(&mut self, run: Run, exit: Exit, left: bool, turn: &mut Turn<'_>) {
        let check = self.check(run);
        let result = check.and_then(|check| check.on_exit(run, exit, left, turn));
        self.on_result(result, turn);
    }

    pub(super) fn on_gone(&mut self, run: Run, turn: &mut Turn<'_>) {
        if let Some(check) = self.check(run) {
            check.on_gone(run, turn);
        }
    }

    fn check(&mut self, run: Run) -> Option<&mut Check> {
        match run.kind {
            RunKind::Check(number) => self.all.get_mut(usize::from(number)),
            RunKind::Main => None,
        }
    }

    fn on_result(&mut self, result: Option<bool>, turn: &mut Turn<'_>) {
        if let Some(passed) = result {
            self.tell(passed, turn);
        }
    }

    /// Published at every result, not only at a change (decision 13): a failure is the job's, a pass only if nothing else
    /// speaks against it. The catalogue is shown the state.
    fn tell(&mut self, passed: bool, turn: &mut Turn<'_>) {
        self.show(turn);
        if !passed {
            turn.publish_job(EventCode::Unhealthy, self.job);
        } else if self.last_results_are_good() {
            turn.publish_job(EventCode::Healthy, self.job);
        }
    }

    fn last_results_are_good(&self) -> bool {
        let watchdog = self.watchdog.as_ref();
        self.readiness != Readiness::Awaited
            && self.all.iter().all(Check::has_passed)
            && watchdog.is_none_or(|watchdog| watchdog.health == Health::Healthy)
    }

    fn show(&self, turn: &mut Turn<'_>) {
        let presence = match self.health() {
            Health::Healthy => Presence::Passing,
            Health::Unhealthy => Presence::Critical,
            Health::Unknown => return,
        };
        if self.advertised {
            turn.show(self.job, presence);
        }
    }

    /// The job says something of itself.
    pub(super) fn on_notice(&mut self, notice: Notice, turn: &mut Turn<'_>) {
        match notice {
            Notice::Ready if self.readiness == Readiness::Awaited => self.on_ready(turn),
            Notice::Alive if self.readiness == Readiness::Ready => self.on_alive(turn),
            Notice::Stopping if self.readiness == Readiness::Ready => self.on_down(),
            Notice::Ready | Notice::Alive | Notice::Stopping => {}
        }
    }

    fn on_ready(&mut self, turn: &mut Turn<'_>) {
        self.readiness = Readiness::Ready;
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.next = Some(later(turn.now, watchdog.limit));
            watchdog.health = Health::Healthy;
        }
        if turn.maintenance || self.off || turn.stopping {
            return;
        }
        if self.last_results_are_good() {
            self.tell(true, turn);
        }
        for check in &mut self.all {
            check.hasten(turn);
        }
    }

    /// Only the end of a failure is a result: whoever sends a heartbeat every millisecond does not start jobs so often.
    fn on_alive(&mut self, turn: &mut Turn<'_>) {
        let Some(watchdog) = &mut self.watchdog else {
            return;
        };
        watchdog.next = Some(later(turn.now, watchdog.limit));
        if watchdog.health == Health::Healthy {
            return;
        }
        watchdog.health = Health::Healthy;
        if !turn.maintenance && !self.off {
            self.tell(true, turn);
        }
    }

    /// Takes the place of the checks that were there `before`: those that are as they were go on, others begin. `works`:
    /// the job was started.
    pub(super) fn follow(&mut self, before: Option<Checks>, works: bool, turn: &mut Turn<'_>) {
        let mut old = Vec::new();
        let mut next_beat = None;
        if let Some(before) = before {
            let every = before.beat_every();
            old = before.all;
            self.readiness = before.readiness;
            self.off = before.off;
            self.watchdog = before.watchdog;
            next_beat = before.next_beat.filter(|_| every == self.beat_every());
        }
        for (number, check) in self.all.iter_mut().enumerate() {
            match old.get_mut(number) {
                Some(same) if same.is_like(check) => std::mem::swap(same, check),
                _ if works => check.on_start(turn),
                _ => {}
            }
        }
        // By now these are such as have not begun, or are no more.
        for mut check in old {
            check.stop(turn);
        }
        let wanted = works && !turn.maintenance && !turn.stopping;
        let anew = self.beat_every().filter(|_| wanted);
        self.next_beat = next_beat.or_else(|| anew.map(|every| turn.next_tick(turn.epoch, every)));
    }

    /// Whether the job is to be restarted for a check that has failed (J09).
    pub(super) fn wants_restart(&self) -> bool {
        self.all.iter().any(Check::wants_restart)
    }

    pub(super) fn kill(&mut self, turn: &mut Turn<'_>) {
        for check in &mut self.all {
            check.kill(turn);
        }
    }
}
