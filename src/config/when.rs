//! `jobs[].when`: what starts a job.
//!
//! Reading and resolving are two steps, because a source may be a job or a watch that comes later in the file.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::events::{EventCode, JobId, Signal, Source, Subscription};
use crate::jobs::{self, Condition, Expiry, First, Overlap, Start, Wait};
use crate::schedule::Schedule;

use super::cron;
use super::diagnostic::Severity;
use super::keys;
use super::names::Names;
use super::service::Surroundings;
use super::tree_of_events::Tree;
use super::walk::{Field, Finding, Place, Walk, nearest, quoted};

/// A `when` as it is written.
#[derive(Debug)]
pub(super) struct When {
    pub(super) place: Place,
    kind: Kind,
    after: Option<Tree>,
    /// `when.timeout` and `when.onTimeout`.
    pub(super) wait: Option<Wait>,
    /// Ticks in maintenance are skipped.
    pauses: bool,
}

/// What it names.
#[derive(Debug)]
enum Kind {
    Plain(Plain),
    Interval {
        every: Duration,
        overlap: Overlap,
        first: First,
    },
    Cron {
        schedule: Arc<Schedule>,
        overlap: Overlap,
    },
    Group(Tree),
}

/// `source` with `once` or `each`, as in the original: what cannot happen is only odd.
#[derive(Debug)]
struct Plain {
    place: Place,
    source: Option<(String, Place)>,
    trigger: Option<Trigger>,
}

/// `once` or `each`.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) place: Place,
    pub(super) name: String,
    /// `None`: a name of the original's own traffic that no job ever hears.
    pub(super) code: Option<EventCode>,
    is_each: bool,
}

/// Names that the original accepted and that no job can be started by.
const INTERNAL: [&str; 2] = ["error", "quit"];

const OVERLAP: [(&str, Overlap); 3] = [
    ("skip", Overlap::Skip),
    ("queue", Overlap::Queue),
    ("kill", Overlap::Kill),
];

const FIRST: [(&str, First); 2] = [("now", First::Now), ("interval", First::Interval)];

const MAINTENANCE: [(&str, bool); 2] = [("run", false), ("skip", true)];

const EXPIRY: [(&str, Expiry); 3] = [
    ("skip", Expiry::Skip),
    ("fail", Expiry::Fail),
    ("start", Expiry::Start),
];

impl When {
    /// Reads the section; `None` has been reported.
    pub(super) fn read(
        walk: &mut Walk<'_>,
        field: &Field<'_>,
        around: Surroundings<'_>,
    ) -> Option<When> {
        let mut section = walk.section(field, &keys::WHEN)?;
        let cron = cron::Keys::take(walk, &mut section);
        let interval = section.take(walk, "interval");
        let overlap = section.take(walk, "overlap");
        let first = section.take(walk, "first");
        let maintenance = section.take(walk, "maintenance");
        let all = section.take(walk, "all");
        let any = section.take(walk, "any");
        let after = section.take(walk, "after");
        let source = section.take(walk, "source");
        let has_source = source.is_some();
        let source = source.and_then(|field| Some((walk.text(&field)?, field.place)));
        let once = section
            .take(walk, "once")
            .and_then(|field| Trigger::read(walk, &field, false));
        let each = section
            .take(walk, "each")
            .and_then(|field| Trigger::read(walk, &field, true));
        let timeout = section.take(walk, "timeout");
        let on_timeout = section.take(walk, "onTimeout");
        let place = section.place.clone();
        if !section.finish(walk) {
            // What a misspelt key was meant to say is not known.
            return None;
        }
        let place_of = |field: &Option<Field<'_>>| field.as_ref().map(|field| field.place.clone());
        let beside = [
            ("source", source.as_ref().map(|(_, place)| place.clone())),
            ("once", once.as_ref().map(|once| once.place.clone())),
            ("each", each.as_ref().map(|each| each.place.clone())),
            ("interval", place_of(&interval)),
            ("first", place_of(&first)),
            ("all", place_of(&all)),
            ("any", place_of(&any)),
            ("timeout", place_of(&timeout)),
            ("onTimeout", place_of(&on_timeout)),
        ];
        let is_alone = cron.stands_alone(walk, &beside);
        let schedule = cron.read(walk, around);
        if !is_alone || schedule.is_some() != cron.is_given() {
            return None;
        }
        let group = all.is_some() || any.is_some();
        let given = [interval.is_some(), once.is_some(), each.is_some()];
        let given = given.iter().filter(|given| **given).count();
        if given > 1 {
            let message = "when can have only one of 'interval', 'once', or 'each'";
            walk.error(&place, message);
            return None;
        }
        if group && (given > 0 || has_source || (all.is_some() && any.is_some())) {
            let finding = Finding::new("`all` or `any` says everything that the job waits for");
            let help = "put the other sources into the list, or into a list within it";
            walk.error(&place, finding.help(help));
            return None;
        }
        let wait = read_wait(walk, timeout.as_ref(), on_timeout.as_ref());
        let ticks = [
            (&overlap, "overlap", cron.is_given()),
            (&first, "first", false),
            (&maintenance, "maintenance", cron.is_given()),
        ];
        for (field, key, has_use) in ticks.iter().filter(|_| interval.is_none()) {
            if let (Some(field), false) = (field, has_use) {
                let finding = Finding::new(format!("`{key}` is for jobs with `interval`"));
                walk.error(&field.place, finding.help("remove it, or add `interval`"));
            }
        }
        let pauses = maintenance.and_then(|field| walk.choice(&field, &MAINTENANCE));
        let kind = if let Some(interval) = interval {
            for field in [
                source.as_ref().map(|(_, place)| place),
                timeout.as_ref().map(|field| &field.place),
            ]
            .into_iter()
            .flatten()
            {
                walk.warning(field, "the key has no effect beside `interval`");
            }
            let overlap = overlap.and_then(|field| walk.choice(&field, &OVERLAP));
            let first = first.and_then(|field| walk.choice(&field, &FIRST));
            Kind::Interval {
                every: at_least_a_millisecond(walk, &interval)?,
                overlap: overlap.unwrap_or_default(),
                first: first.unwrap_or_default(),
            }
        } else if let Some(schedule) = schedule {
            let overlap = overlap.and_then(|field| walk.choice(&field, &OVERLAP));
            Kind::Cron {
                schedule,
                overlap: overlap.unwrap_or_default(),
            }
        } else if group {
            Kind::Group(Tree::read_lists(walk, all.as_ref(), any.as_ref(), true)?)
        } else {
            Kind::Plain(Plain {
                place: place.clone(),
                source: source.filter(|(name, _)| !name.is_empty()),
                trigger: once.or(each),
            })
        };
        let after = match after {
            Some(field) => Some(Tree::read(walk, &field, true)?),
            None => None,
        };
        let wait = wait.filter(|_| !matches!(kind, Kind::Interval { .. }));
        Some(When {
            place,
            kind,
            after,
            wait,
            pauses: pauses.unwrap_or_default(),
        })
    }

    /// The period of `interval`.
    pub(super) fn interval(&self) -> Option<Duration> {
        match self.kind {
            Kind::Interval { every, .. } => Some(every),
            Kind::Plain(_) | Kind::Cron { .. } | Kind::Group(_) => None,
        }
    }

    /// Whether time starts the job, again and again.
    pub(super) fn is_periodic(&self) -> bool {
        matches!(self.kind, Kind::Interval { .. } | Kind::Cron { .. })
    }

    /// Whether the job may start any number of times because of `each`.
    pub(super) fn is_each(&self) -> bool {
        match &self.kind {
            Kind::Plain(plain) => plain.is_each(),
            Kind::Group(tree) => tree.is_each(),
            Kind::Interval { .. } | Kind::Cron { .. } => false,
        }
    }

    /// Whether it is written in a form that the original did not know: what can never happen is an error then
    /// (decision 1).
    pub(super) fn is_new(&self) -> bool {
        matches!(self.kind, Kind::Group(_)) || self.after.is_some()
    }

    /// What starts the job, now that all names are known.
    pub(super) fn resolve(&self, walk: &mut Walk<'_>, own: JobId, names: &Names) -> Start {
        let after = self.after.as_ref();
        let after = after.map(|tree| tree.condition(walk, own, names));
        let start = match &self.kind {
            Kind::Interval {
                every,
                overlap,
                first,
            } => Start {
                trigger: jobs::Trigger::Interval {
                    every: *every,
                    overlap: *overlap,
                    first: *first,
                },
                ..Start::startup()
            },
            Kind::Cron { schedule, overlap } => Start::cron(Arc::clone(schedule), *overlap),
            Kind::Plain(plain) => plain.resolve(walk, own, names),
            Kind::Group(tree) if tree.is_each() => Start {
                trigger: jobs::Trigger::Each(tree.events(walk, own, names)),
                ..Start::once(Condition::always())
            },
            Kind::Group(tree) => Start::once(tree.condition(walk, own, names)),
        };
        let after = match (after, start.after) {
            (None, own) => own,
            // What comes after another job comes after the start of everything.
            (Some(after), own) if own == Condition::startup() || own == Condition::always() => {
                after
            }
            (Some(after), own) => Condition::All(vec![after, own]),
        };
        Start {
            after,
            wait: self.wait,
            pauses: self.pauses,
            ..start
        }
    }
}

fn read_wait(
    walk: &mut Walk<'_>,
    timeout: Option<&Field<'_>>,
    on_timeout: Option<&Field<'_>>,
) -> Option<Wait> {
    let then = on_timeout.and_then(|field| walk.choice(field, &EXPIRY));
    let limit = timeout.and_then(|field| walk.duration(field));
    if let (Some(field), None) = (on_timeout, timeout) {
        let finding = Finding::new("`onTimeout` is for jobs with `timeout`");
        walk.error(&field.place, finding.help("remove it, or add `timeout`"));
    }
    Some(Wait {
        limit: limit?.or_zero(),
        then: then.unwrap_or_default(),
    })
}

impl Plain {
    fn is_each(&self) -> bool {
        self.trigger.as_ref().is_some_and(|trigger| trigger.is_each)
    }

    fn resolve(&self, walk: &mut Walk<'_>, own: JobId, names: &Names) -> Start {
        if let Some(event) = self.alone() {
            return Start::each(event);
        }
        let searches = walk.has_room(Severity::Warning);
        let heard = self.heard(own, names, searches);
        if let Some((place, finding)) = heard.odd {
            walk.warning(place, finding);
        }
        match (heard.on, self.is_each()) {
            (Some(on), true) => Start::each(on),
            (Some(on), false) => Start::once(Condition::Once(on)),
            (None, _) => Start::never(),
        }
    }

    fn alone(&self) -> Option<Subscription> {
        let event = alone(&self.source.as_ref()?.0)?;
        // With an event it is the name of a job.
        let is_signal = matches!(event.source, Source::Signal(_));
        (is_signal || self.trigger.is_none()).then_some(event)
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

pub(super) const SOURCES: &str = "a source is the name of a job, `check.` and a job, `watch.` and a watch, `global`, `SIGHUP`, \
                       `SIGUSR2` or `event.` and a name; config/README.md lists the events of each";

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
    pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>, is_each: bool) -> Option<Trigger> {
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

/// The event of a source that has only one, so that it needs no name: a signal that jobs may be started by, or what a
/// client publishes.
pub(super) fn alone(name: &str) -> Option<Subscription> {
    let signal = match name {
        "SIGHUP" => Some(Signal::HUP),
        "SIGUSR2" => Some(Signal::USR2),
        _ => None,
    };
    if let Some(signal) = signal {
        return Some(Subscription {
            code: EventCode::Signal,
            source: Source::Signal(signal),
        });
    }
    let custom = name.strip_prefix("event.")?.parse().ok()?;
    Some(Subscription {
        code: EventCode::Custom,
        source: Source::Custom(custom),
    })
}
