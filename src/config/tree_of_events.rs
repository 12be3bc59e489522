//! `when.all`, `when.any` and `when.after`: several sources (decision 16).
//!
//! What the original did not know need not be as lenient as it was: a source that nothing emits is an error here.

use crate::events::{JobId, Subscription};
use crate::jobs::{Condition, Is, State};

use super::keys;
use super::names::Names;
use super::section::Section;
use super::walk::{Field, Finding, Place, Walk, nearest, quoted};
use super::when::{SOURCES, Trigger, alone};

/// A condition as it is written.
#[derive(Debug)]
pub(super) enum Tree {
    Leaf(Leaf),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

/// `{ source, once }`, `{ source, each }`, `{ source, is }`.
#[derive(Debug)]
pub(super) struct Leaf {
    place: Place,
    source: (String, Place),
    how: How,
}

#[derive(Debug)]
enum How {
    Once(Trigger),
    Each(Option<Trigger>),
    Is(Is),
}

const IS: [(&str, Is); 3] = [
    ("running", Is::Running),
    ("healthy", Is::Healthy),
    ("unhealthy", Is::Unhealthy),
];

impl Tree {
    /// Reads one source or one list; `may_nest`: a list is permitted. `None` has been reported.
    pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>, may_nest: bool) -> Option<Tree> {
        let mut section = walk.section(field, &keys::CONDITION)?;
        let all = section.take(walk, "all");
        let any = section.take(walk, "any");
        if all.is_none() && any.is_none() {
            return Leaf::read(walk, section).map(Tree::Leaf);
        }
        let place = section.place.clone();
        if !section.finish(walk) {
            return None;
        }
        if !may_nest {
            let finding = Finding::new("lists of sources are nested one level deep at most");
            let help =
                "let another job without `exec` wait for the inner list, and wait for that job";
            walk.error(&place, finding.help(help));
            return None;
        }
        Tree::read_lists(walk, all.as_ref(), any.as_ref(), false)
    }

    /// Reads the list of `all` or of `any`.
    pub(super) fn read_lists(
        walk: &mut Walk<'_>,
        all: Option<&Field<'_>>,
        any: Option<&Field<'_>>,
        may_nest: bool,
    ) -> Option<Tree> {
        let field = all.or(any)?;
        if let (Some(_), Some(any)) = (all, any) {
            walk.error(&any.place, "use one of `all` and `any`");
            return None;
        }
        let elements = walk.list(field);
        if elements.is_empty() {
            let finding = Finding::new("the list names no source");
            walk.error(
                &field.place,
                finding.help("write `{ source: \"…\", once: \"…\" }`"),
            );
            return None;
        }
        let parts: Vec<Option<Tree>> = elements
            .iter()
            .map(|element| Tree::read(walk, element, may_nest))
            .collect();
        let parts: Option<Vec<Tree>> = parts.into_iter().collect();
        let tree = if all.is_some() {
            Tree::All(parts?)
        } else {
            Tree::Any(parts?)
        };
        tree.check_each(walk, &field.place).then_some(tree)
    }

    /// `each` stands in a flat `any` beside its like only: what would the second start of an `all` be?
    fn check_each(&self, walk: &mut Walk<'_>, place: &Place) -> bool {
        let (Tree::All(parts) | Tree::Any(parts)) = self else {
            return true;
        };
        let has_each = parts.iter().any(Tree::has_each);
        if !has_each || self.is_each() {
            return true;
        }
        let finding = Finding::new("`each` stands in an `any` in which every source has it");
        walk.error(
            place,
            finding.help("write `once` or `is`, or use `after` for what must have come before"),
        );
        false
    }

    fn has_each(&self) -> bool {
        match self {
            Tree::Leaf(leaf) => matches!(leaf.how, How::Each(_)),
            Tree::All(parts) | Tree::Any(parts) => parts.iter().any(Tree::has_each),
        }
    }

    /// Whether each of these events starts the job.
    pub(super) fn is_each(&self) -> bool {
        let is_each =
            |part: &Tree| matches!(part, Tree::Leaf(leaf) if matches!(leaf.how, How::Each(_)));
        matches!(self, Tree::Any(parts) if parts.iter().all(is_each))
    }

    /// The condition, now that all names are known.
    pub(super) fn condition(&self, walk: &mut Walk<'_>, own: JobId, names: &Names) -> Condition {
        match self {
            Tree::Leaf(leaf) => leaf.condition(walk, own, names),
            Tree::All(parts) => Condition::All(conditions(parts, walk, own, names)),
            Tree::Any(parts) => Condition::Any(conditions(parts, walk, own, names)),
        }
    }

    /// The events of a list in which every source has `each`.
    pub(super) fn events(
        &self,
        walk: &mut Walk<'_>,
        own: JobId,
        names: &Names,
    ) -> Vec<Subscription> {
        let condition = self.condition(walk, own, names);
        let mut events = Vec::new();
        condition.for_each(&mut |leaf| {
            if let crate::jobs::Leaf::Once(event) = leaf {
                events.push(event);
            }
        });
        events
    }
}

fn conditions(parts: &[Tree], walk: &mut Walk<'_>, own: JobId, names: &Names) -> Vec<Condition> {
    let parts = parts.iter();
    parts.map(|part| part.condition(walk, own, names)).collect()
}

impl Leaf {
    fn read(walk: &mut Walk<'_>, mut section: Section<'_>) -> Option<Leaf> {
        let place = section.place.clone();
        let source = section.take(walk, "source");
        let once = section.take(walk, "once");
        let each = section.take(walk, "each");
        let is = section.take(walk, "is");
        if !section.finish(walk) {
            return None;
        }
        let source = source.and_then(|field| Some((walk.text(&field)?, field.place)));
        let Some(source) = source.filter(|(name, _)| !name.is_empty()) else {
            let finding = Finding::new("`source` is missing or empty");
            walk.error(&place, finding.help(SOURCES));
            return None;
        };
        let how = match (once, each, is) {
            (Some(once), None, None) => How::Once(Trigger::read(walk, &once, false)?),
            (None, Some(each), None) => How::Each(Some(Trigger::read(walk, &each, true)?)),
            (None, None, Some(is)) => How::Is(walk.choice(&is, &IS)?),
            (None, None, None) if alone(&source.0).is_some() => How::Each(None),
            _ => {
                let finding = Finding::new("a source has one of `once`, `each` and `is`");
                let help =
                    "`once`: it has happened; `is`: it is so now; `each`: every time, in an `any`";
                walk.error(&place, finding.help(help));
                return None;
            }
        };
        Some(Leaf { place, source, how })
    }

    fn condition(&self, walk: &mut Walk<'_>, own: JobId, names: &Names) -> Condition {
        let condition = self.try_condition(own, names);
        condition.unwrap_or_else(|(place, finding)| {
            walk.error(&place, finding);
            Condition::Never
        })
    }

    fn try_condition(&self, own: JobId, names: &Names) -> Result<Condition, (Place, Finding)> {
        let (name, source_place) = &self.source;
        if let (Some(event), How::Each(None)) = (alone(name), &self.how) {
            return Ok(Condition::Once(event));
        }
        let Some(source) = names.find(name) else {
            let finding = Finding::new(format!("nothing emits events as {}", quoted(name)));
            let known = names.all();
            let finding = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(SOURCES),
            };
            return Err((source_place.clone(), finding));
        };
        let never = |place: &Place, why: String| {
            let finding = Finding::new(format!("this can never happen: {why}"));
            Err((place.clone(), finding.help(SOURCES)))
        };
        match &self.how {
            How::Once(trigger) | How::Each(Some(trigger)) => {
                let Some(code) = trigger.code else {
                    let why = format!("{} is never heard by a job", quoted(&trigger.name));
                    return never(&trigger.place, why);
                };
                match names.why_never(code, source, own) {
                    Some(why) => never(&trigger.place, why),
                    None => Ok(Condition::Once(Subscription { code, source })),
                }
            }
            How::Each(None) => never(&self.place, "it names no event".to_owned()),
            How::Is(is) => match names.why_never_is(*is, source, own) {
                Some(why) => never(&self.place, why),
                None => Ok(Condition::Is(State { source, is: *is })),
            },
        }
    }
}
