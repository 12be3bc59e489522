//! Files of other versions, told apart by their top-level keys.

use super::settings::Dialect;
use super::tree::{Entry, Kind, Node};
use super::walk::{Finding, Place, Walk, quoted};

/// Keys that only version 2 and its forerunner know.
const OLDER: [&str; 9] = [
    "services",
    "backends",
    "coprocesses",
    "tasks",
    "preStart",
    "preStop",
    "postStop",
    "onStart",
    "etcd",
];

/// Keys that only version 3 knows.
const PRESENT: [&str; 3] = ["jobs", "watches", "control"];

/// The version that a file is written for, by its keys. A file without any of them is one of version 2 if an application
/// is given on the command line: version 3 has no use for one. `None` has been reported; the caller then stops, because
/// every key would be wrong.
pub(super) fn recognise(walk: &mut Walk<'_>, root: &Node, has_app: bool) -> Option<Dialect> {
    let Kind::Object(entries) = &root.kind else {
        return Some(Dialect::V3);
    };
    let older = entries.iter().find(|entry| is_older(entry));
    let present = entries.iter().find(|entry| is_present(entry));
    if let Some(entry) = entries.iter().find(|entry| entry.key == "pollTime") {
        let message = "this looks like a configuration from before ContainerPilot 1, as its key `pollTime` says: no \
                       release read it";
        refuse(
            walk,
            entry,
            message.to_owned(),
            "write it anew as a file of version 3, with `jobs`",
        );
        return None;
    }
    match (older, present) {
        (None, None) if has_app => Some(Dialect::V2),
        (None, _) => Some(Dialect::V3),
        (Some(older), Some(present)) => {
            let message = format!(
                "{} belongs to ContainerPilot 2 and {} to ContainerPilot 3: no release read both in one file",
                quoted(&older.key),
                quoted(&present.key)
            );
            let help = "`jobs` of version 3 takes the place of services, coprocesses, tasks and hooks; `pilothouse \
                        migrate` translates a file of version 2";
            refuse(walk, older, message, help);
            None
        }
        (Some(older), None) => match unreleased(older) {
            Some(key) => {
                let message = format!(
                    "a service with {} is of a forerunner of ContainerPilot 3 that no release read",
                    quoted(key)
                );
                refuse(
                    walk,
                    older,
                    message,
                    "write `jobs` for `services`, with the keys of version 3",
                );
                None
            }
            None => Some(Dialect::V2),
        },
    }
}

fn refuse(walk: &mut Walk<'_>, entry: &Entry, message: String, help: &str) {
    let place = Place {
        path: String::new(),
        range: entry.key_range.clone(),
    };
    walk.error(&place, Finding::new(message).help(help));
}

fn is_older(entry: &Entry) -> bool {
    OLDER.contains(&entry.key.as_str())
        || (entry.key == "telemetry" && entry.value.get("sensors").is_some())
}

fn is_present(entry: &Entry) -> bool {
    PRESENT.contains(&entry.key.as_str())
        || (entry.key == "telemetry" && entry.value.get("metrics").is_some())
}

/// What a service had while version 3 was being made, when jobs were still called so.
fn unreleased(services: &Entry) -> Option<&str> {
    if services.key != "services" {
        return None;
    }
    let keys = services.value.elements().iter().flat_map(Node::entries);
    let mut keys = keys.map(|entry| entry.key.as_str());
    keys.find(|key| ["exec", "restarts", "when"].contains(key))
}
