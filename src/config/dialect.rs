//! Files of other versions, told apart by their top-level keys.

use super::tree::{Entry, Kind, Node};
use super::walk::{Finding, Place, Walk, quoted};

/// Keys that only version 2 and its forerunner know.
const OLDER: [&str; 10] = [
    "services",
    "backends",
    "coprocesses",
    "tasks",
    "preStart",
    "preStop",
    "postStop",
    "onStart",
    "pollTime",
    "etcd",
];

/// Keys that only version 3 knows.
const PRESENT: [&str; 3] = ["jobs", "watches", "control"];

/// Reports a file of another version; the caller then stops, because every key would be wrong.
pub(super) fn is_other(walk: &mut Walk<'_>, root: &Node) -> bool {
    let Kind::Object(entries) = &root.kind else {
        return false;
    };
    let has = |keys: &[&str]| {
        entries
            .iter()
            .find(|entry| keys.contains(&entry.key.as_str()))
    };
    let Some(older) = has(&OLDER) else {
        return false;
    };
    let key = quoted(&older.key);
    let message = match (has(&PRESENT), is_first(entries)) {
        (Some(present), _) => format!(
            "{key} belongs to ContainerPilot 2 and {} to ContainerPilot 3: no release read both in one file",
            quoted(&present.key)
        ),
        (None, true) => {
            format!("this is a configuration of ContainerPilot 1, as its key {key} says")
        }
        (None, false) => {
            format!("this is a configuration of ContainerPilot 2, as its key {key} says")
        }
    };
    let place = Place {
        path: String::new(),
        range: older.key_range.clone(),
    };
    let help = "configurations of ContainerPilot 3 are read: `jobs` takes the place of services, coprocesses, tasks and hooks";
    walk.error(&place, Finding::new(message).help(help));
    true
}

/// `onStart`, and `publicIp` of a service, are from before the second version.
fn is_first(entries: &[Entry]) -> bool {
    let services = entries
        .iter()
        .filter(|entry| entry.key == "services" || entry.key == "backends");
    let mut elements = services.flat_map(|entry| match &entry.value.kind {
        Kind::Array(elements) => elements.as_slice(),
        _ => &[],
    });
    let on_start = entries.iter().any(|entry| entry.key == "onStart");
    on_start || elements.any(|element| has_exactly(element, "publicIp"))
}

fn has_exactly(node: &Node, key: &str) -> bool {
    matches!(&node.kind, Kind::Object(entries) if entries.iter().any(|entry| entry.key == key))
}
