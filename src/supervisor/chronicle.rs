//! What has happened last: the events of everybody, the decisions about each job; and who follows the events.
//!
//! All of it is small values in rings. Words are made when somebody asks.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use super::app::App;
use super::report::{Names, span};
use crate::control::{Decision, EventView, Feed};
use crate::events::{EventCode, JobId, PublicEvent, Run, RunKind, Source};
use crate::jobs::{Effect, Note, Operation};

/// Events that are kept.
const EVENTS: usize = 256;

/// Decisions that are kept of each job.
const DECISIONS: usize = 16;

/// The last of everything.
#[derive(Debug)]
pub(super) struct Chronicle {
    /// When the program started.
    since: Instant,
    events: VecDeque<(SystemTime, PublicEvent)>,
    jobs: HashMap<JobId, Past>,
    /// The server bounds their number.
    followers: Vec<Feed>,
}

/// What is known of one job.
#[derive(Debug, Default)]
struct Past {
    runs: u64,
    decisions: VecDeque<(Instant, What)>,
}

#[derive(Debug)]
enum What {
    Event(EventCode),
    Started,
    Noted(Note),
    Asked(Operation),
}

impl Chronicle {
    pub(super) fn new(now: Instant) -> Chronicle {
        Chronicle {
            since: now,
            events: VecDeque::new(),
            jobs: HashMap::new(),
            followers: Vec::new(),
        }
    }

    pub(super) fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Runs of a job's command so far.
    pub(super) fn runs(&self, job: JobId) -> u64 {
        self.jobs.get(&job).map_or(0, |past| past.runs)
    }

    /// An operator asked for something.
    pub(super) fn asked(&mut self, job: JobId, operation: Operation) {
        self.decided(job, What::Asked(operation));
    }

    fn decided(&mut self, job: JobId, what: What) {
        let past = self.jobs.entry(job).or_default();
        if past.decisions.len() == DECISIONS {
            past.decisions.pop_front();
        }
        past.decisions.push_back((Instant::now(), what));
    }

    fn published(&mut self, event: PublicEvent, names: &Names) {
        let now = SystemTime::now();
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back((now, event));
        if self.followers.is_empty() {
            return;
        }
        // A view has text keys only, the one thing that this can fail on.
        let text = serde_json::to_string(&view(now, event, names)).unwrap_or_default();
        self.followers.retain(|feed| feed.message(text.clone()));
    }

    /// The events that are kept, oldest first; `feed` gets those that follow.
    pub(super) fn events(&mut self, feed: Option<Feed>, names: &Names) -> Vec<EventView> {
        if feed.is_some() {
            // Without an event nobody hears that a follower has gone.
            self.followers.retain(Feed::is_heard);
        }
        self.followers.extend(feed);
        let events = self.events.iter();
        events.map(|(at, event)| view(*at, *event, names)).collect()
    }

    /// What was decided about a job, oldest first.
    pub(super) fn decisions(&self, job: JobId, names: &Names) -> Vec<Decision> {
        let past = self.jobs.get(&job);
        let decisions = past.into_iter().flat_map(|past| &past.decisions);
        let decision = |(at, what): &(Instant, What)| Decision {
            ago_ms: millis(at.elapsed()),
            what: words(what, names),
        };
        decisions.map(decision).collect()
    }

    /// Nobody is told anything more.
    pub(super) fn end_following(&mut self) {
        self.followers.clear();
    }

    fn keep(&mut self, is_kept: impl Fn(JobId) -> bool) {
        self.jobs.retain(|job, _| is_kept(*job));
    }
}

impl App {
    /// Remembers what is ordered.
    pub(super) fn chronicle(&mut self, effect: &Effect) {
        match effect {
            Effect::Announce(event) => {
                self.chronicle.published(*event, &self.names);
                if let Source::Job(job) = event.source {
                    self.chronicle.decided(job, What::Event(event.code));
                }
            }
            Effect::Report(job, note) => self.chronicle.decided(*job, What::Noted(note.clone())),
            Effect::Spawn { .. }
            | Effect::Terminate(_)
            | Effect::Kill(_)
            | Effect::Signal(..)
            | Effect::Show(..) => {}
        }
    }

    /// Remembers that a run's turn has come.
    pub(super) fn remember_start(&mut self, run: Run) {
        if run.kind == RunKind::Main {
            self.chronicle.jobs.entry(run.job).or_default().runs += 1;
            self.chronicle.decided(run.job, What::Started);
        }
    }

    /// After a reload: what is no more is forgotten.
    pub(super) fn forget_past_jobs(&mut self) {
        let jobs = &self.jobs;
        self.chronicle.keep(|job| jobs.spec(job).is_some());
        let names: std::collections::HashSet<&str> =
            jobs.iter().map(|(_, spec)| spec.name.as_str()).collect();
        self.logging.keep_lines(|name| names.contains(name));
    }
}

fn view(at: SystemTime, event: PublicEvent, names: &Names) -> EventView {
    EventView {
        time: humantime::format_rfc3339_millis(at).to_string(),
        event: event.code.name().to_owned(),
        source: names.source(event.source),
    }
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn words(what: &What, names: &Names) -> String {
    match what {
        What::Event(code) => format!("event {}", code.name()),
        What::Started => "started".to_owned(),
        What::Asked(operation) => match operation {
            Operation::Start => "an operator starts it".to_owned(),
            Operation::Stop => "an operator stops it".to_owned(),
            Operation::Restart => "an operator restarts it".to_owned(),
            Operation::Signal(signal) => format!("an operator sends {signal}"),
            Operation::Check(true) => "an operator switches its checks on".to_owned(),
            Operation::Check(false) => "an operator switches its checks off".to_owned(),
            Operation::Maintenance(true) => "an operator puts it into maintenance".to_owned(),
            Operation::Maintenance(false) => "an operator takes it out of maintenance".to_owned(),
        },
        What::Noted(note) => noted(note, names),
    }
}

fn noted(note: &Note, names: &Names) -> String {
    match note {
        Note::TimedOut { run, limit } => {
            format!(
                "{} took longer than {}: killed",
                names.run(*run),
                span(*limit)
            )
        }
        Note::StopTimedOut { run, limit } => {
            let run = names.run(*run);
            format!("{run} did not stop within {}: killed", span(*limit))
        }
        Note::Unkillable { run } => format!("{} does not end after KILL", names.run(*run)),
        Note::BackingOff { delay } => format!("ended too soon: next start in {}", span(*delay)),
        Note::Exhausted { delay } => {
            format!("no resources for a start: tried again in {}", span(*delay))
        }
        Note::WaitExpired { limit, .. } => format!("its when.timeout of {} is over", span(*limit)),
        Note::Skipped { source } => {
            format!(
                "skipped: what it waits for from {} cannot come",
                names.source(*source)
            )
        }
        Note::GivenUp(limit) => format!(
            "given up: more than {} restarts within {}",
            limit.count,
            span(limit.within)
        ),
        Note::TickSkipped => "still runs at its next tick: skipped".to_owned(),
        Note::HookTimedOut { hook, limit } => {
            format!(
                "its hook {} took longer than {}",
                names.job(*hook),
                span(*limit)
            )
        }
        Note::LeavingTimedOut { limit } => {
            format!("did not leave the catalogue within {}", span(*limit))
        }
        Note::Restarting => "unhealthy: restarted".to_owned(),
        Note::HeartbeatMissed { limit } => format!("no heartbeat within {}", span(*limit)),
        Note::Anew => "begins anew".to_owned(),
        Note::Completed { exit: Some(exit) } => format!("complete: {exit}"),
        Note::Completed { exit: None } => "complete".to_owned(),
    }
}
