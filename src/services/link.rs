//! Whether the catalogue does its work, and what is to be said about it: one line for each change, not one for each try.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::events::Failure;

/// Failures in a row before the catalogue counts as away: a single lost answer is no news (C18).
const LOST_AFTER: u32 = 2;

/// What is known of the way to the catalogue.
#[derive(Debug, Default)]
pub struct Link {
    /// Outages in a row, and when the first of them was.
    outages: Option<(u32, Instant)>,
    /// What was refused, by subject; bounded by the number of subjects, which the callers' types bound.
    refused: BTreeMap<Subject, Refusal>,
}

/// What a call was about. The server permits or refuses each of them as a whole.
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
enum Refusal {
    Denied,
    Rejected,
    Unreadable,
}

/// What an operator wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkNote {
    /// The catalogue does not answer; everything is tried again.
    Lost(Failure),
    /// It answers again, after this time.
    Back(Duration),
    /// It refuses this.
    Refused(Subject, Failure),
    /// It does not refuse this any more.
    Accepted(Subject),
}

impl Link {
    /// Whether the catalogue is away.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.outages.is_some_and(|(count, _)| count >= LOST_AFTER)
    }

    /// Takes what came of a call; gives what is news.
    pub fn on_result(
        &mut self,
        subject: Subject,
        failure: Option<&Failure>,
        now: Instant,
    ) -> Vec<LinkNote> {
        match failure {
            Some(failure) if failure.is_outage() => self.on_outage(failure, now),
            // That reading is not permitted is no fault: it goes without.
            Some(failure) if subject != Subject::Inspection => {
                self.on_refusal(subject, failure, now)
            }
            _ => self.on_answer(subject, now),
        }
    }

    fn on_outage(&mut self, failure: &Failure, now: Instant) -> Vec<LinkNote> {
        let (count, _) = self.outages.get_or_insert((0, now));
        *count = count.saturating_add(1);
        let is_news = *count == LOST_AFTER;
        is_news
            .then(|| LinkNote::Lost(failure.clone()))
            .into_iter()
            .collect()
    }

    fn on_refusal(&mut self, subject: Subject, failure: &Failure, now: Instant) -> Vec<LinkNote> {
        let mut notes = self.on_return(now);
        let refusal = match failure {
            Failure::Denied(_) => Refusal::Denied,
            Failure::Rejected(_) => Refusal::Rejected,
            Failure::Unreadable(_) => Refusal::Unreadable,
            Failure::Unreachable(_) | Failure::Busy(_) | Failure::Unknown(_) => return notes,
        };
        if self.refused.insert(subject, refusal) != Some(refusal) {
            notes.push(LinkNote::Refused(subject, failure.clone()));
        }
        notes
    }

    fn on_answer(&mut self, subject: Subject, now: Instant) -> Vec<LinkNote> {
        let mut notes = self.on_return(now);
        if self.refused.remove(&subject).is_some() {
            notes.push(LinkNote::Accepted(subject));
        }
        notes
    }

    fn on_return(&mut self, now: Instant) -> Vec<LinkNote> {
        let lost = self.is_lost();
        let outages = self.outages.take().filter(|_| lost);
        outages
            .map(|(_, since)| LinkNote::Back(now.saturating_duration_since(since)))
            .into_iter()
            .collect()
    }
}
