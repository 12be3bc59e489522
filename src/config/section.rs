//! Objects: keys are taken one after the other, and what nobody takes is unknown.

use super::diagnostic::Severity;
use super::keys::Shape;
use super::tree::{Entry, Kind};
use super::walk::{Field, Finding, Place, Walk, quoted};

/// An object of which one key after the other is taken; what nobody takes is unknown.
#[derive(Debug)]
pub(super) struct Section<'n> {
    pub(super) place: Place,
    entries: &'n [Entry],
    taken: Vec<bool>,
    known: Known,
    case: Case,
}

/// Which keys there are.
#[derive(Debug)]
pub(super) enum Known {
    /// Those of the table.
    Table(&'static Shape),
    /// Those that were asked for: an older version has no table of its own.
    Asked(Vec<&'static str>),
}

/// Whether a key may be written in another case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// The top level.
    Exact,
    /// Everywhere else, with a warning (D54).
    Any,
}

impl<'n> Section<'n> {
    /// The object of a field; `None` if it is none.
    pub(super) fn new(field: &Field<'n>, known: Known, case: Case) -> Option<Section<'n>> {
        let Kind::Object(entries) = &field.node.kind else {
            return None;
        };
        Some(Section {
            place: field.place.clone(),
            entries,
            taken: vec![false; entries.len()],
            known,
            case,
        })
    }

    /// The value of a key; the exact key first, then one in another case. Null is as good as absent.
    pub(super) fn take(&mut self, walk: &mut Walk<'_>, key: &'static str) -> Option<Field<'n>> {
        match &mut self.known {
            Known::Table(shape) => {
                debug_assert!(shape.key(key).is_some(), "no `{key}` in {}", shape.name);
            }
            Known::Asked(keys) => keys.push(key),
        }
        let exact = self.entries.iter().position(|entry| entry.key == key);
        let index = match (exact, self.case) {
            (Some(index), _) => index,
            (None, Case::Exact) => return None,
            (None, Case::Any) => self.take_near(walk, key)?,
        };
        self.taken[index] = true;
        let node = &self.entries[index].value;
        let place = self.place.key(key, node.range.clone()).of(node);
        (!matches!(node.kind, Kind::Null)).then_some(Field { place, node })
    }

    fn take_near(&self, walk: &mut Walk<'_>, key: &str) -> Option<usize> {
        let mut entries = self.entries.iter();
        let index = entries.position(|entry| entry.key.eq_ignore_ascii_case(key))?;
        let entry = &self.entries[index];
        let place = self.place.key(&entry.key, entry.key_range.clone());
        let finding = Finding::new("the key is written in another case");
        walk.warning(&place, finding.help(format!("write `{key}`")));
        Some(index)
    }

    /// Keys that the original took without doing anything with them, and that stand in the table as such.
    pub(super) fn ignore(&mut self, walk: &mut Walk<'_>, help: &str) {
        if let Known::Table(shape) = self.known {
            self.ignore_these(walk, shape.ignored, help);
        }
    }

    pub(super) fn ignore_these(&mut self, walk: &mut Walk<'_>, keys: &[&str], help: &str) {
        for (entry, taken) in self.entries.iter().zip(&mut self.taken) {
            if !*taken && keys.iter().any(|key| entry.key.eq_ignore_ascii_case(key)) {
                *taken = true;
                let place = self.place.key(&entry.key, entry.key_range.clone());
                let finding = Finding::new("the key has no effect");
                walk.warning(&place, finding.help(help));
            }
        }
    }

    pub(super) fn text(&mut self, walk: &mut Walk<'_>, key: &'static str) -> Option<String> {
        let field = self.take(walk, key)?;
        walk.text(&field)
    }

    pub(super) fn boolean(&mut self, walk: &mut Walk<'_>, key: &'static str) -> Option<bool> {
        let field = self.take(walk, key)?;
        walk.boolean(&field)
    }

    pub(super) fn texts(&mut self, walk: &mut Walk<'_>, key: &'static str) -> Option<Vec<String>> {
        let field = self.take(walk, key)?;
        Some(walk.texts(&field))
    }

    pub(super) fn section(
        &mut self,
        walk: &mut Walk<'_>,
        key: &'static str,
    ) -> Option<Section<'n>> {
        let field = self.take(walk, key)?;
        match self.known {
            Known::Table(shape) => walk.section(&field, shape.object(key)?),
            Known::Asked(_) => walk.older_section(&field),
        }
    }

    /// The elements of an array; nothing if the key is absent.
    pub(super) fn list(&mut self, walk: &mut Walk<'_>, key: &'static str) -> Vec<Field<'n>> {
        let field = self.take(walk, key);
        field.map(|field| walk.list(&field)).unwrap_or_default()
    }

    /// Reports every key that nobody took, and says whether there was none. Keys that begin with `x-` are the user's own
    /// (decision 2).
    pub(super) fn finish(self, walk: &mut Walk<'_>) -> bool {
        let mut all_known = true;
        for (entry, taken) in self.entries.iter().zip(&self.taken) {
            if *taken || entry.key.starts_with("x-") {
                continue;
            }
            all_known = false;
            let place = Place {
                path: self.place.path.clone(),
                range: entry.key_range.clone(),
            };
            let finding = Finding::new(format!("unknown key {}", quoted(&entry.key)));
            if walk.has_room(Severity::Error) {
                let finding = match &self.known {
                    Known::Table(shape) => {
                        finding.suggest(&entry.key, shape.keys.iter().map(|key| key.name))
                    }
                    Known::Asked(keys) => finding.suggest(&entry.key, keys.iter().copied()),
                };
                walk.error(&place, finding);
            } else {
                walk.error(&place, finding);
            }
        }
        all_known
    }
}
