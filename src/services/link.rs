//! Whether the catalogue does its work, and what is to be said about it: one line for each change, not one for each try.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::events::Failure;

/// Failures in a row before the catalogue counts as away: a single lost answer is no news (C18).
const LOST_AFTER: u32 = 2;

/// Failures in a row of one matter, while the catalogue answers others, before that is news.
const FAILING_AFTER: u32 = 3;

/// What is known of the way to the catalogue.
#[derive(Debug, Default)]
pub struct Link {
    /// Outages in a row, and when the first of them was.
    outages: Option<(u32, Instant)>,
    /// When it was back last.
    back: Option<Instant>,
    /// Matters that do not go well. Bounded by the services and watches of a configuration.
    troubles: BTreeMap<Matter, Trouble>,
}

/// What a call was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matter {
    pub subject: Subject,
    /// The service or the watch; empty for what is about neither.
    pub name: String,
}

/// The kind of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    Registration,
    HealthUpdate,
    Deregistration,
    Inspection,
    Watch,
    Pulse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Denied,
    Rejected,
    Unreadable,
    /// So many outages in a row.
    Failing(u32),
}

/// What an operator wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkNote {
    /// The catalogue does not answer; everything is tried again.
    Lost(Failure),
    /// It answers again, after this time.
    Back(Duration),
    /// It refuses this. `others`: how many matters of the kind are in trouble already, which may have one cause.
    Refused {
        matter: Matter,
        failure: Failure,
        others: usize,
    },
    /// This goes well again.
    Accepted(Matter),
}

impl Link {
    /// Whether the catalogue is away.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.outages.is_some_and(|(count, _)| count >= LOST_AFTER)
    }

    /// Whether it was away until a moment ago, so that what is missing there now is no news.
    #[must_use]
    pub fn is_just_back(&self, now: Instant) -> bool {
        const A_MOMENT: Duration = Duration::from_secs(30);
        let back = self.back.map(|at| now.saturating_duration_since(at));
        self.is_lost() || back.is_some_and(|since| since < A_MOMENT)
    }

    /// Takes what came of a call; gives what is news.
    pub fn on_result(
        &mut self,
        matter: Matter,
        failure: Option<&Failure>,
        now: Instant,
    ) -> Vec<LinkNote> {
        let Some(failure) = failure else {
            return self.on_answer(&matter, now);
        };
        let trouble = match failure {
            Failure::Denied(_) => Trouble::Denied,
            Failure::Rejected(_) => Trouble::Rejected,
            Failure::Unreadable(_) => Trouble::Unreadable,
            Failure::Unreachable(_) | Failure::Busy(_) | Failure::Crowded(_) => {
                return self.on_outage(matter, failure, now);
            }
            Failure::Unknown(_) => return self.on_answer(&matter, now),
        };
        // That reading is not permitted is no fault: it goes without.
        if matter.subject == Subject::Inspection {
            return self.on_return(now);
        }
        let mut notes = self.on_return(now);
        if self.troubles.get(&matter) != Some(&trouble) {
            notes.push(self.refused(matter.clone(), failure));
        }
        self.troubles.insert(matter, trouble);
        notes
    }

    fn on_outage(&mut self, matter: Matter, failure: &Failure, now: Instant) -> Vec<LinkNote> {
        let (count, _) = self.outages.get_or_insert((0, now));
        *count = count.saturating_add(1);
        if *count == LOST_AFTER {
            return vec![LinkNote::Lost(failure.clone())];
        }
        // A catalogue that is away is told of; what fails while it answers others is a matter of its own.
        if *count > LOST_AFTER || matter.subject == Subject::Pulse {
            return Vec::new();
        }
        let before = match self.troubles.get(&matter) {
            Some(Trouble::Failing(count)) => *count,
            _ => 0,
        };
        let count = before.saturating_add(1);
        let note = (count == FAILING_AFTER).then(|| self.refused(matter.clone(), failure));
        self.troubles.insert(matter, Trouble::Failing(count));
        note.into_iter().collect()
    }

    fn refused(&self, matter: Matter, failure: &Failure) -> LinkNote {
        let same = |known: &&Matter| known.subject == matter.subject && **known != matter;
        LinkNote::Refused {
            others: self.troubles.keys().filter(same).count(),
            matter,
            failure: failure.clone(),
        }
    }

    fn on_answer(&mut self, matter: &Matter, now: Instant) -> Vec<LinkNote> {
        let mut notes = self.on_return(now);
        let told = match self.troubles.remove(matter) {
            Some(Trouble::Failing(count)) => count >= FAILING_AFTER,
            Some(_) => true,
            None => false,
        };
        if told {
            notes.push(LinkNote::Accepted(matter.clone()));
        }
        notes
    }

    fn on_return(&mut self, now: Instant) -> Vec<LinkNote> {
        let lost = self.is_lost();
        let outages = self.outages.take().filter(|_| lost);
        if lost {
            self.back = Some(now);
        }
        outages
            .map(|(_, since)| LinkNote::Back(now.saturating_duration_since(since)))
            .into_iter()
            .collect()
    }
}
