//! Events by their code.

use super::exposition::{Family, whole};
use crate::events::EventCode;

/// How often each code was published by one source. There are few codes, and most sources have only some.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Vec<(EventCode, u64)>);

impl Tally {
    pub(super) fn count(&mut self, code: EventCode) {
        match self.0.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => self.0.push((code, 1)),
        }
    }

    pub(super) fn write(&self, family: &mut Family<'_>, source: &str) {
        for (code, count) in &self.0 {
            let labels = [("code", code.label()), ("source", source)];
            family.sample(&labels, whole(*count));
        }
    }
}
