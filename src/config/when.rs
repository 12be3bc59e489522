//! `jobs[].when`: what starts a job.
//!
//! Reading and resolving are two steps, because a source may be a job or a watch that comes later in the file.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use crate::events::{EventCode, JobId, Signal, Source, Subscription, WatchId};
use crate::jobs::{Overlap, Start};

use super::diagnostic::Severity;
use super::duration::SignedDuration;
use super::walk::{Field, Finding, Place, Walk, nearest, quoted};

/// A `when` as it is written.
#[derive(Debug)]
pub(super) struct When {
    place: Place,
    interval: Option<Duration>,
    overlap: Overlap,
    source: Option<(String, Place)>,
    trigger: Option<Trigger>,
    /// `when.timeout`.
    pub(super) wait: Option<Duration>,
}

/// `once` or `each`.
#[derive(Debug)]
struct Trigger {
    place: Place,
    name: String,
    /// `None`: a name of the original's own traffic that no job ever hears.
    code: Option<EventCode>,
    is_each: bool,
}

/// What a source's name can mean.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) jobs: HashMap<String, JobId>,
    pub(super) watches: HashMap<String, WatchId>,
    /// What each job can emit, by its number.
    pub(super) facts: Vec<Facts>,
}

/// Which events a job can have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) has_exec: bool,
    pub(super) has_check: bool,
    pub(super) has_wait: bool,
}

/// Names that the original accepted and that no job can be started by.
const INTERNAL: [&str; 2] = ["error", "quit"];

const OVERLAP: [(&str, Overlap); 3] = [
    ("skip", Overlap::Skip),
    ("queue", Overlap::Queue),
    ("kill", Overlap::Kill),
];

impl When {
    /// Reads the section; `None` has been reported.
    pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<When> {
        let mut section = walk.section(field)?;
        let interval = section.take(walk, "interval");
        let has_interval = interval.is_some();
        let interval = interval.and_then(|field| at_least_a_millisecond(walk, &field));
        let overlap = section.take(walk, "overlap");
        let source = section.take(walk, "source");
        let source = source.and_then(|field| Some((walk.text(&field)?, field.place)));
        let once = section
            .take(walk, "once")
            .and_then(|field| Trigger::read(walk, &field, false));
        let each = section
            .take(walk, "each")
            .and_then(|field| Trigger::read(walk, &field, true));
        let timeout = section.take(walk, "timeout");
        let wait = timeout.as_ref().and_then(|field| walk.duration(field));
        let place = section.place.clone();
        if !section.finish(walk) {
            // What a misspelt key was meant to say is not known.
            return None;
        }

        let given = [interval.is_some(), once.is_some(), each.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            walk.error(
                &place,
                "when can have only one of 'interval', 'once', or 'each'",
            );
            return None;
        }
        let overlap = read_overlap(walk, overlap.as_ref(), has_interval);
        let when = When {
            place,
            interval,
            overlap,
            source: source.filter(|(name, _)| !name.is_empty()),
            trigger: once.or(each),
            wait: wait.map(SignedDuration::or_zero),
        };
        if interval.is_some() {
            when.warn_of_what_interval_ignores(walk, timeout.as_ref());
        }
        Some(when)
    }

    /// The period of `interval`.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// Whether the job may start any number of times because of `each`.
    pub(super) fn is_each(&self) -> bool {
        self.trigger.as_ref().is_some_and(|trigger| trigger.is_each)
    }

    fn warn_of_what_interval_ignores(&self, walk: &mut Walk<'_>, timeout: Option<&Field<'_>>) {
        let source = self.source.as_ref().map(|(_, place)| place);
        for place in [source, timeout.map(|field| &field.place)]
            .into_iter()
            .flatten()
        {
            walk.warning(place, "the key has no effect beside `interval`");
        }
    }

    /// What starts the job, now that all names are known.
    pub(super) fn resolve(&self, walk: &mut Walk<'_>, own: JobId, names: &Names) -> Start {
        if let Some(every) = self.interval {
            return Start::Interval {
                every,
                overlap: self.overlap,
            };
        }
        let wait = self.wait;
        if let Some(signal) = self.signal() {
            let on = Subscription {
                code: EventCode::Signal,
                source: Source::Signal(signal),
            };
            return Start::Each { on, wait };
        }
        let searches = walk.has_room(Severity::Warning);
        let heard = self.heard(own, names, searches);
        if let Some((place, finding)) = heard.odd {
            walk.warning(place, finding);
        }
        match (heard.on, self.is_each()) {
            (Some(on), true) => Start::Each { on, wait },
            (Some(on), false) => Start::Once { on, wait },
            (None, _) => Start::Never { wait },
        }
    }

    fn signal(&self) -> Option<Signal> {
        match self.source.as_ref()?.0.as_str() {
            "SIGHUP" => Some(Signal::HUP),
            "SIGUSR2" => Some(Signal::USR2),
            _ => None,
        }
    }

    /// The event that is waited for; `searches` for a name that may have been meant.
    fn heard(&self, own: JobId, names: &Names, searches: bool) -> Heard<'_> {
        let Some(trigger) = &self.trigger else {
            let help =
                "write `once`, `each` or `interval`; without `when` the job starts at startup";
            return Heard::never(&self.place, "`when` names no event").help(help);
        };
        let Some(code) = trigger.code else {
            let why = format!("{} is never heard by a job", quoted(&trigger.name));
            return Heard::never(&trigger.place, why);
        };
        let Some((name, place)) = &self.source else {
            return self.heard_without_source(trigger, code);
        };
        let Some(source) = names.find(name) else {
            let why = format!("nothing emits events as {}", quoted(name));
            let known = if searches { names.all() } else { Vec::new() };
            return match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => Heard::never(place, why).help(format!("did you mean `{near}`?")),
                None => Heard::never(place, why).help(SOURCES),
            };
        };
        match names.why_never(code, source, own) {
            Some(why) => Heard::never(&trigger.place, why).help(SOURCES),
            None => Heard::event(Subscription { code, source }),
        }
    }

    /// Events of the program itself need no source (D34); others do.
    fn heard_without_source<'w>(&'w self, trigger: &'w Trigger, code: EventCode) -> Heard<'w> {
        match code {
            EventCode::Startup | EventCode::EnterMaintenance | EventCode::ExitMaintenance => {
                let finding = Finding::new("`source` is missing: `global` is taken");
                Heard {
                    on: Some(Subscription::global(code)),
                    odd: Some((&self.place, finding.help("write `source: \"global\"`"))),
                }
            }
            EventCode::Signal => Heard::never(&trigger.place, "a signal is a source, not an event")
                .help(format!("write `source: \"{}\"`", trigger.name)),
            _ => Heard::never(&self.place, "`source` is missing or empty").help(SOURCES),
        }
    }
}

/// What a `when` comes to.
#[derive(Debug)]
struct Heard<'w> {
    /// `None`: nothing that can happen.
    on: Option<Subscription>,
    /// What is to be said of it.
    odd: Option<(&'w Place, Finding)>,
}

const SOURCES: &str = "a source is the name of a job, `check.` and a job, `watch.` and a watch, `global`, `SIGHUP` or \
                       `SIGUSR2`; config/README.md lists the events of each";

impl<'w> Heard<'w> {
    fn event(on: Subscription) -> Heard<'w> {
        Heard {
            on: Some(on),
            odd: None,
        }
    }

    fn never(place: &'w Place, why: impl Display) -> Heard<'w> {
        let finding = Finding::new(format!("the job never starts: {why}"));
        Heard {
            on: None,
            odd: Some((place, finding)),
        }
    }

    fn help(self, help: impl Display) -> Heard<'w> {
        let odd = self.odd.map(|(place, finding)| (place, finding.help(help)));
        Heard { odd, ..self }
    }
}

impl Trigger {
    fn read(walk: &mut Walk<'_>, field: &Field<'_>, is_each: bool) -> Option<Trigger> {
        let name = walk.text(field)?;
        if name.is_empty() {
            return None;
        }
        let code = match name.as_str() {
            "SIGHUP" | "SIGUSR2" => Some(EventCode::Signal),
            name => EventCode::from_name(name),
        };
        if code.is_none() && !INTERNAL.contains(&name.as_str()) {
            let finding = Finding::new(format!("{} is not a valid event code", quoted(&name)));
            let known = EventCode::NAMED.iter().map(|(name, _)| *name);
            let finding = match nearest(&name, known.clone()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!(
                    "the events are {}",
                    known.collect::<Vec<_>>().join(", ")
                )),
            };
            walk.error(&field.place, finding);
            return None;
        }
        Some(Trigger {
            place: field.place.clone(),
            name,
            code,
            is_each,
        })
    }
}

/// A duration of at least a millisecond; an empty text is none.
pub(super) fn at_least_a_millisecond(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Duration> {
    let length = walk.duration(field)?;
    let length = length
        .positive()
        .filter(|length| *length >= Duration::from_millis(1));
    if length.is_none() {
        let shown = walk.shown(field.node);
        walk.error(
            &field.place,
            format!("cannot use {shown}: cannot be less than 1ms"),
        );
    }
    length
}

fn read_overlap(walk: &mut Walk<'_>, field: Option<&Field<'_>>, has_interval: bool) -> Overlap {
    let Some(field) = field else {
        return Overlap::default();
    };
    if !has_interval {
        let finding = Finding::new("`overlap` is for jobs with `interval`");
        walk.error(&field.place, finding.help("remove it, or add `interval`"));
    }
    walk.choice(field, &OVERLAP).unwrap_or_default()
}

impl Names {
    fn find(&self, name: &str) -> Option<Source> {
        if name == "global" {
            return Some(Source::Global);
        }
        if let Some(job) = self.jobs.get(name) {
            return Some(Source::Job(*job));
        }
        let check = name
            .strip_prefix("check.")
            .and_then(|job| self.jobs.get(job));
        let watch = || {
            name.strip_prefix("watch.")
                .and_then(|watch| self.watches.get(watch))
        };
        let check = check.map(|job| Source::Check(*job));
        check.or_else(|| watch().map(|watch| Source::Watch(*watch)))
    }

    /// Every name a source may have, as far as a person can have mistyped one of them.
    fn all(&self) -> Vec<String> {
        let jobs = self.jobs.keys().cloned();
        let watches = self.watches.keys().map(|name| format!("watch.{name}"));
        let fixed = ["global", "SIGHUP", "SIGUSR2"].map(str::to_owned);
        jobs.chain(watches).take(2000).chain(fixed).collect()
    }

    /// Why this event never comes from this source to this job; `None` if it can.
    fn why_never(&self, code: EventCode, source: Source, own: JobId) -> Option<String> {
        use EventCode as Code;
        let other = format!("{code} is not an event of this source");
        match source {
            Source::Global => match code {
                Code::Startup | Code::EnterMaintenance | Code::ExitMaintenance => None,
                Code::Shutdown => {
                    Some("`shutdown` starts nothing; use `stopping` of a job".to_owned())
                }
                _ => Some(other),
            },
            Source::Job(job) | Source::Check(job) if job == own => {
                Some("a job does not hear its own events".to_owned())
            }
            Source::Job(job) => self
                .why_never_of_job(code, job)
                .or_else(|| (!is_of_job(code)).then_some(other)),
            Source::Check(job) => match code {
                Code::ExitSuccess | Code::ExitFailed if self.facts_of(job).has_check => None,
                Code::ExitSuccess | Code::ExitFailed => {
                    Some("that job has no health check".to_owned())
                }
                _ => Some(other),
            },
            Source::Watch(_) => match code {
                Code::Changed | Code::Healthy | Code::Unhealthy => None,
                _ => Some(other),
            },
            // Resolved before.
            Source::Signal(_) => None,
        }
    }

    fn why_never_of_job(&self, code: EventCode, job: JobId) -> Option<String> {
        use EventCode as Code;
        let facts = self.facts_of(job);
        let lacks = match code {
            Code::ExitSuccess | Code::ExitFailed if !facts.has_exec => "`exec`",
            Code::Healthy | Code::Unhealthy if !facts.has_check => "`health.exec`",
            Code::TimerExpired if !facts.has_wait => "`when.timeout`",
            _ => return None,
        };
        Some(format!("that job has no {lacks}"))
    }

    fn facts_of(&self, job: JobId) -> Facts {
        let index = usize::try_from(job.0).unwrap_or(usize::MAX);
        self.facts.get(index).copied().unwrap_or_default()
    }
}

fn is_of_job(code: EventCode) -> bool {
    matches!(
        code,
        EventCode::ExitSuccess
            | EventCode::ExitFailed
            | EventCode::Stopping
            | EventCode::Stopped
            | EventCode::Healthy
            | EventCode::Unhealthy
            | EventCode::TimerExpired
    )
}
