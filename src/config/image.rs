//! What jobs need and the image lacks. Who looks is outside of this room; here it becomes warnings with their places: what is
//! missing now may be made by another job before it is needed.

use super::job::Draft;
use super::tree::Node;
use super::walk::{Finding, Place, Walk};
use crate::jobs::JobSpec;

/// Says what a job needs and the image lacks.
pub type Look<'a> = &'a dyn Fn(&JobSpec) -> Vec<Missing>;

/// Something that a job needs and the image lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The key of the job that asks for it.
    pub key: &'static str,
    /// For `health`: the number of the check, from 0.
    pub check: Option<usize>,
    /// What is wrong; no place, no way out.
    pub message: String,
    /// The way out.
    pub help: &'static str,
}

/// Warns of all that `look` does not find.
pub(super) fn check(walk: &mut Walk<'_>, root: &Node, drafts: &[Draft], look: Look<'_>) {
    let jobs = root.get("jobs").map(Node::elements).unwrap_or_default();
    // A hook has user and files of its job: what is said of them is said once.
    let mut said = Vec::new();
    for draft in drafts {
        // Drafts are those of the elements that are jobs.
        let job = jobs.iter().find(|job| job.range == draft.place.range);
        for missing in look(&draft.spec) {
            let place = place_of(&missing, &draft.place, job);
            let about = (place.range.start, missing.message.clone());
            if said.contains(&about) {
                continue;
            }
            said.push(about);
            walk.warning(&place, Finding::new(missing.message).help(missing.help));
        }
    }
}

fn place_of(missing: &Missing, job_place: &Place, job: Option<&Node>) -> Place {
    let Some((key, node)) = job.and_then(|job| child(job, missing.key)) else {
        return job_place.clone();
    };
    let place = job_place.key(key, node.range.clone()).of(node);
    let Some(index) = missing.check else {
        return place;
    };
    // One check alone is no array.
    let (place, node) = match node.elements().get(index) {
        Some(element) => (place.index(index, element.range.clone()), element),
        None => (place, node),
    };
    match child(node, "exec") {
        Some((key, node)) => place.key(key, node.range.clone()).of(node),
        None => place,
    }
}

/// The value of a key in any case, with the key as it is written.
fn child<'n>(node: &'n Node, key: &str) -> Option<(&'n str, &'n Node)> {
    let mut entries = node.entries().iter();
    let entry = entries.find(|entry| entry.key.eq_ignore_ascii_case(key))?;
    Some((&entry.key, &entry.value))
}
