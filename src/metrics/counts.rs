//! What the program counts of itself. Labels are names of the configuration, codes and words of ours: their number does
//! not grow with what happens (D50).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::histogram::Histogram;
use super::job::JobCounts;
use super::tally::Tally;
use crate::events::{Event, Failure, JobId, PublicEvent, Run, Signal, Source, WatchId};
use crate::jobs::Note;
use crate::services::Subject;

/// Bounds of the loop's times, in seconds. A turn that starts a process takes a millisecond.
const TIMES: [f64; 10] = [
    0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0,
];

/// Counts since telemetry was switched on.
#[derive(Debug)]
pub struct Counts {
    pub(super) jobs: BTreeMap<JobId, JobCounts>,
    /// Several watches may have one name, and then are one source.
    pub(super) watches: BTreeMap<String, Tally>,
    watch_names: BTreeMap<WatchId, String>,
    pub(super) global: Tally,
    pub(super) signals: BTreeMap<Signal, Tally>,
    pub(super) calls: BTreeMap<(Subject, &'static str), u64>,
    /// Of calls that are answered at once.
    pub(super) call_times: BTreeMap<Subject, (Duration, u64)>,
    pub(super) reloads: (u64, u64),
    pub(super) last_reload_failed: bool,
    /// Values of metrics that were refused.
    pub(super) refused: u64,
    pub(super) turns: Histogram,
    pub(super) delays: Histogram,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            jobs: BTreeMap::new(),
            watches: BTreeMap::new(),
            watch_names: BTreeMap::new(),
            global: Tally::default(),
            signals: BTreeMap::new(),
            calls: BTreeMap::new(),
            call_times: BTreeMap::new(),
            reloads: (0, 0),
            last_reload_failed: false,
            refused: 0,
            turns: Histogram::new(&TIMES),
            delays: Histogram::new(&TIMES),
        }
    }
}

impl Counts {
    /// Follows another configuration: what has a name goes on under it, what has none any more goes.
    pub fn follow<'n>(
        &mut self,
        jobs: impl Iterator<Item = (JobId, &'n str)>,
        watches: impl Iterator<Item = (WatchId, &'n str)>,
    ) {
        let old = std::mem::take(&mut self.jobs).into_values();
        let mut old: BTreeMap<String, JobCounts> =
            old.map(|counts| (counts.name.clone(), counts)).collect();
        let jobs = jobs.map(|(id, name)| {
            let counts = old.remove(name);
            (id, counts.unwrap_or_else(|| JobCounts::new(name)))
        });
        self.jobs = jobs.collect();
        let watches = watches.map(|(id, name)| (id, name.to_owned()));
        self.watch_names = watches.collect();
        let mut old = std::mem::take(&mut self.watches);
        for name in self.watch_names.values() {
            let tally = || old.remove(name).unwrap_or_default();
            self.watches.entry(name.clone()).or_insert_with(tally);
        }
    }

    /// Something was published.
    pub fn on_published(&mut self, event: PublicEvent) {
        let tally = match event.source {
            // Who publishes is free to choose names: all are one.
            Source::Global | Source::Custom(_) => Some(&mut self.global),
            Source::Signal(signal) => Some(self.signals.entry(signal).or_default()),
            Source::Job(job) => self.jobs.get_mut(&job).map(|counts| &mut counts.events),
            Source::Check(job) => {
                let counts = self.jobs.get_mut(&job);
                counts.map(|counts| &mut counts.check_events)
            }
            Source::Watch(watch) => {
                let name = self.watch_names.get(&watch);
                name.and_then(|name| self.watches.get_mut(name))
            }
        };
        if let Some(tally) = tally {
            tally.count(event.code);
        }
    }

    /// A run has begun.
    pub fn on_started(&mut self, run: Run, now: Instant) {
        if let Some(counts) = self.jobs.get_mut(&run.job) {
            counts.on_started(run, now);
        }
    }

    /// The loop is told a fact; what is of no interest here is passed over.
    pub fn on_event(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Exited { run, exit, .. } => {
                if let Some(counts) = self.jobs.get_mut(&run.job) {
                    counts.on_ended(*run, *exit, now);
                }
            }
            Event::SpawnFailed(run, failure) => {
                if let Some(counts) = self.jobs.get_mut(&run.job) {
                    counts.on_not_started(*run, *failure);
                }
            }
            _ => {}
        }
    }

    /// The operator is told something of a job.
    pub fn on_note(&mut self, job: JobId, note: &Note) {
        if let Note::TimedOut { run, .. } = note
            && let Some(counts) = self.jobs.get_mut(&job)
        {
            counts.on_timed_out(*run);
        }
    }

    /// A call to the catalogue has ended. `took`: how long, where the server is not asked to hold its answer back.
    pub fn on_call(&mut self, subject: Subject, failure: Option<&Failure>, took: Option<Duration>) {
        *self.calls.entry((subject, result(failure))).or_default() += 1;
        if let Some(took) = took {
            let (time, count) = self.call_times.entry(subject).or_default();
            *time = time.saturating_add(took);
            *count += 1;
        }
    }

    /// A reload was asked for, and its configuration is good or not (R01).
    pub fn on_reload(&mut self, is_good: bool) {
        let (good, bad) = &mut self.reloads;
        *if is_good { good } else { bad } += 1;
        self.last_reload_failed = !is_good;
    }

    /// Values for metrics were refused.
    pub fn on_refused(&mut self) {
        self.refused += 1;
    }

    /// A turn of the loop took this long.
    pub fn on_turn(&mut self, took: Duration) {
        self.turns.observe(took.as_secs_f64());
    }

    /// The loop came this much after a deadline.
    pub fn on_delay(&mut self, delay: Duration) {
        self.delays.observe(delay.as_secs_f64());
    }
}

fn result(failure: Option<&Failure>) -> &'static str {
    match failure {
        None => "ok",
        Some(Failure::Unreachable(_)) => "unreachable",
        Some(Failure::Busy(_)) => "busy",
        Some(Failure::Crowded(_)) => "crowded",
        Some(Failure::Denied(_)) => "denied",
        Some(Failure::Rejected(_)) => "rejected",
        Some(Failure::Unknown(_)) => "unknown",
        Some(Failure::Unreadable(_)) => "unreadable",
    }
}
