//! What has to have happened before a job starts (decision 16).
//!
//! A `once` is remembered: it counts from its first time on. An `is` has to hold at the very moment. A condition that
//! cannot come true any more is hopeless, and its job is skipped instead of waiting for ever (J07).

use std::collections::BTreeSet;

use crate::events::{EventCode, JobId, PublicEvent, Source, Subscription};

/// A condition; [`Condition::always`] is the one of a job that waits for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Names nothing that can happen. As in the original its job waits for ever (D34).
    Never,
    /// The event has come at least once.
    Once(Subscription),
    /// It is so now.
    Is(State),
    /// All of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
}

/// What can be so now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// A job or a watch.
    pub source: Source,
    /// What it is.
    pub is: Is,
}

/// A state that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Is {
    /// Its command runs; of a job without a command: it was started.
    Running,
    /// Its last check passed; of a watch: it has instances.
    Healthy,
    /// Its last check failed; of a watch: it has no instance.
    Unhealthy,
}

impl State {
    /// The event at which it begins, if there is one.
    pub(super) fn begins(self) -> Option<Subscription> {
        let code = match self.is {
            Is::Running => return None,
            Is::Healthy => EventCode::Healthy,
            Is::Unhealthy => EventCode::Unhealthy,
        };
        let source = self.source;
        Some(Subscription { code, source })
    }
}

impl Condition {
    /// Waits for nothing.
    #[must_use]
    pub fn always() -> Condition {
        Condition::All(Vec::new())
    }

    /// The program has started.
    #[must_use]
    pub fn startup() -> Condition {
        Condition::Once(PublicEvent::global(EventCode::Startup))
    }

    /// Calls `visit` for every event and state in it.
    pub fn for_each(&self, visit: &mut impl FnMut(Leaf)) {
        match self {
            Condition::Never => {}
            Condition::Once(event) => visit(Leaf::Once(*event)),
            Condition::Is(state) => visit(Leaf::Is(*state)),
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    part.for_each(visit);
                }
            }
        }
    }

    /// The job whose end this waits for, and whether for its `stopping` or its `stopped`.
    pub(super) fn end_of(&self) -> Option<(EventCode, JobId)> {
        match self {
            Condition::Once(Subscription {
                code: code @ (EventCode::Stopping | EventCode::Stopped),
                source: Source::Job(job),
            }) => Some((*code, *job)),
            Condition::All(parts) => parts.iter().find_map(Condition::end_of),
            _ => None,
        }
    }
}

/// One part of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// See [`Condition::Once`].
    Once(Subscription),
    /// See [`Condition::Is`].
    Is(State),
}

/// What a condition asks of the world.
pub(super) trait View {
    /// Whether this is so now.
    fn holds(&self, state: State) -> bool;
    /// Whether this can ever be so.
    fn can_hold(&self, state: State) -> bool;
    /// Whether this event can still come.
    fn can_come(&self, event: Subscription) -> bool;
}

/// A condition, and what of it has come.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    condition: Condition,
    seen: BTreeSet<Subscription>,
}

impl Gate {
    pub(super) fn new(condition: Condition) -> Gate {
        Gate {
            condition,
            seen: BTreeSet::new(),
        }
    }

    /// Remembers an event that is part of it.
    pub(super) fn on_event(&mut self, event: Subscription) {
        let seen = &mut self.seen;
        self.condition.for_each(&mut |leaf| {
            if leaf == Leaf::Once(event) {
                seen.insert(event);
            }
        });
    }

    /// The events in it.
    pub(super) fn events(&self) -> Vec<Subscription> {
        let mut events = Vec::new();
        self.condition.for_each(&mut |leaf| {
            if let Leaf::Once(event) = leaf {
                events.push(event);
            }
        });
        events
    }

    /// Its parts, each with whether it has come or is so, and whether one of them is enough.
    pub(super) fn parts(&self, view: &impl View) -> (Vec<(Leaf, bool)>, bool) {
        let mut parts = Vec::new();
        self.condition.for_each(&mut |leaf| {
            let met = match leaf {
                Leaf::Once(event) => self.seen.contains(&event),
                Leaf::Is(state) => view.holds(state),
            };
            parts.push((leaf, met));
        });
        (parts, matches!(self.condition, Condition::Any(_)))
    }

    /// Forgets what came of these jobs.
    pub(super) fn forget(&mut self, jobs: &BTreeSet<JobId>) {
        self.seen.retain(|event| match event.source {
            Source::Job(job) | Source::Check(job) => !jobs.contains(&job),
            Source::Global | Source::Watch(_) | Source::Signal(_) | Source::Custom(_) => true,
        });
    }

    pub(super) fn is_open(&self, view: &impl View) -> bool {
        self.opens(&self.condition, view)
    }

    fn opens(&self, condition: &Condition, view: &impl View) -> bool {
        match condition {
            Condition::Never => false,
            Condition::Once(event) => self.seen.contains(event),
            Condition::Is(state) => view.holds(*state),
            Condition::All(parts) => parts.iter().all(|part| self.opens(part, view)),
            Condition::Any(parts) => parts.iter().any(|part| self.opens(part, view)),
        }
    }

    /// Whose fault it is that this cannot come true any more; `None` if it can.
    pub(super) fn hopeless(&self, view: &impl View) -> Option<Source> {
        self.fails(&self.condition, view)
    }

    fn fails(&self, condition: &Condition, view: &impl View) -> Option<Source> {
        let mut parts = match condition {
            Condition::Never => return None,
            Condition::Once(event) => {
                let lost = !self.seen.contains(event) && !view.can_come(*event);
                return lost.then_some(event.source);
            }
            Condition::Is(state) => return (!view.can_hold(*state)).then_some(state.source),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().map(|part| self.fails(part, view))
            }
        };
        match condition {
            Condition::Any(_) => parts.try_fold(None, |_, failed| failed.map(Some)).flatten(),
            _ => parts.flatten().next(),
        }
    }
}
