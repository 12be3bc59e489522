//! What is checked across jobs: names, ids, the terminal.

use std::collections::HashMap;

use super::Draft;
use crate::config::walk::{Finding, Walk, quoted};

/// The second of two equal names becomes `name#2` (D35, decision 1).
pub(super) fn number_duplicates(walk: &mut Walk<'_>, drafts: &mut [Draft]) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for draft in drafts.iter() {
        seen.entry(draft.spec.name.clone()).or_insert(0);
    }
    for draft in drafts {
        let name = draft.spec.name.clone();
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 {
            continue;
        }
        let mut number = *count;
        let mut unique = format!("{name}#{number}");
        while seen.contains_key(&unique) {
            number += 1;
            unique = format!("{name}#{number}");
        }
        seen.insert(name.clone(), number);
        seen.insert(unique.clone(), 1);
        if !name.is_empty() {
            let finding = Finding::new(format!(
                "two jobs are called {}; this one is {} to others",
                quoted(&name),
                quoted(&unique)
            ));
            walk.warning(&draft.name_place, finding.help("give it a name of its own"));
        }
        if let Some(service) = &mut draft.spec.service {
            service.ordinal = number;
        }
        draft.spec.name = unique;
    }
}

/// Two services under one id would take turns in the catalogue. The second of two jobs with one name has an id of its
/// own; ids that are written are the file's matter.
pub(in crate::config) fn check_ids(walk: &mut Walk<'_>, drafts: &[Draft]) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for draft in drafts {
        let service = draft.spec.service.as_ref();
        let Some(id) = service.and_then(|service| service.id.as_deref()) else {
            continue;
        };
        if let Some(first) = seen.insert(id, &draft.spec.name) {
            let finding = Finding::new(format!(
                "two services have the id {}: this one and {}",
                quoted(id),
                quoted(first)
            ));
            walk.error(&draft.place, finding.help("give each an id of its own"));
        }
    }
}

/// One terminal and one input: who has them must be clear.
pub(super) fn check_terminal(walk: &mut Walk<'_>, drafts: &[Draft]) {
    let mut owner: Option<&str> = None;
    let mut reader: Option<&str> = None;
    for draft in drafts {
        let Some(place) = &draft.input_place else {
            continue;
        };
        let name = draft.spec.name.as_str();
        if let (true, Some(owner)) = (draft.spec.io.tty, owner) {
            let finding = format!(
                "{} has the terminal already: one job owns it",
                quoted(owner)
            );
            walk.error(place, finding);
        } else if let Some(reader) = reader {
            let finding = format!(
                "{} reads the same input: which of them gets a line is chance",
                quoted(reader)
            );
            walk.warning(place, finding);
        }
        if draft.spec.io.tty {
            owner = owner.or(Some(name));
        }
        reader = reader.or(Some(name));
    }
}
