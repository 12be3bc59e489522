//! What a job that a watch starts is told of it (decision 18).

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::rc::Rc;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde_json::{Value, json};

use crate::events::JobId;
use crate::watches::{Entry, Found, Instance, WatchSpec};

/// A longer list is left out of the environment, which a start shares with everything else in it.
const LONGEST: usize = 64 * 1024;

/// What one start is told.
#[derive(Debug)]
pub(super) struct Facts {
    /// Names and values for the environment.
    pub(super) variables: Vec<(&'static str, String)>,
    /// The whole as JSON, which the child keeps open under its number; `None` where the system has no such file.
    pub(super) file: Option<OwnedFd>,
}

/// The facts of a watch for a job that was told `before` last.
pub(super) fn of_watch(spec: &WatchSpec, now: &Found, before: Option<&Found>) -> Facts {
    let present = words(now);
    let past = before.map(words).unwrap_or_default();
    let lists = [
        ("CONTAINERPILOT_WATCH_INSTANCES", join(present.iter())),
        (
            "CONTAINERPILOT_WATCH_ADDED",
            join(present.difference(&past)),
        ),
        (
            "CONTAINERPILOT_WATCH_REMOVED",
            join(past.difference(&present)),
        ),
    ];
    let mut variables = vec![("CONTAINERPILOT_WATCH", spec.name.clone())];
    let truncated = lists.iter().any(|(_, list)| list.len() > LONGEST);
    let short = lists.into_iter().filter(|(_, list)| list.len() <= LONGEST);
    variables.extend(short);
    if truncated {
        variables.push(("CONTAINERPILOT_WATCH_TRUNCATED", "1".to_owned()));
    }
    let file = match file(&document(spec, now, &present, &past)) {
        Ok(file) => {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            variables.push(("CONTAINERPILOT_WATCH_FILE", path));
            Some(file)
        }
        Err(error) => {
            tracing::warn!("cannot write down what watch {} found: {error}", spec.name);
            None
        }
    };
    Facts { variables, file }
}

/// What the lists have: `host:port` of each instance, or each key. A text with a blank or a control character in it would
/// make two of one, or worse; it is in the file alone.
fn words(found: &Found) -> BTreeSet<String> {
    let words: Vec<String> = match found {
        Found::Instances(instances) => instances.iter().map(place).collect(),
        Found::Entries(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
    };
    let plain = |word: &String| !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic());
    words.into_iter().filter(plain).collect()
}

fn place(instance: &Instance) -> String {
    let Instance { address, port, .. } = instance;
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

fn join<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let words: Vec<&str> = words.map(String::as_str).collect();
    words.join(" ")
}

fn document(
    spec: &WatchSpec,
    found: &Found,
    present: &BTreeSet<String>,
    past: &BTreeSet<String>,
) -> Value {
    let (what, list) = match found {
        Found::Instances(instances) => (
            "instances",
            instances.iter().map(of_instance).collect::<Vec<Value>>(),
        ),
        Found::Entries(entries) => ("entries", entries.iter().map(of_entry).collect()),
    };
    let added: Vec<&String> = present.difference(past).collect();
    let removed: Vec<&String> = past.difference(present).collect();
    json!({ "watch": spec.name, "added": added, "removed": removed, what: list })
}

fn of_instance(instance: &Instance) -> Value {
    json!({
        "id": instance.id,
        "address": instance.address,
        "port": instance.port,
        "tags": instance.tags,
        "health": instance.health.name(),
        "node": instance.node,
    })
}

/// The value as text; null where it is no text, or too large to be kept.
fn of_entry(entry: &Entry) -> Value {
    let value = entry
        .value
        .as_deref()
        .and_then(|value| str::from_utf8(value).ok());
    json!({ "key": entry.key, "flags": entry.flags, "value": value })
}

/// A file in memory, so that a read-only root is no hindrance. Nobody can change it any more.
fn file(document: &Value) -> io::Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = std::fs::File::from(memfd_create(c"watch", flags)?);
    let mut writer = io::BufWriter::new(&file);
    serde_json::to_writer(&mut writer, document)?;
    writer.write_all(b"\n")?;
    writer.flush()?;
    drop(writer);
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

/// What each job was told last.
#[derive(Debug, Default)]
pub(super) struct Told {
    by_job: HashMap<JobId, Rc<Found>>,
}

impl Told {
    /// Notes that a job was told this.
    pub(super) fn tell(&mut self, job: JobId, found: Rc<Found>) {
        self.by_job.insert(job, found);
    }

    /// Forgets what these jobs were told: they begin anew.
    pub(super) fn forget(&mut self, jobs: impl Fn(JobId) -> bool) {
        self.by_job.retain(|job, _| !jobs(*job));
    }

    /// What a job was told last.
    pub(super) fn last(&self, job: JobId) -> Option<&Rc<Found>> {
        self.by_job.get(&job)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::services::CheckStatus;
    use crate::watches::{Subject, Target};

    fn spec() -> WatchSpec {
        WatchSpec {
            name: "backend".to_owned(),
            subject: Subject {
                target: Target::Key("k".to_owned()),
                dc: None,
            },
            interval: std::time::Duration::from_secs(1),
            debounce: None,
        }
    }

    fn instance(address: &str, port: u16) -> Instance {
        Instance {
            id: format!("i{port}"),
            address: address.to_owned(),
            port,
            tags: vec!["t".to_owned()],
            health: CheckStatus::Passing,
            node: "n".to_owned(),
        }
    }

    fn value<'a>(facts: &'a Facts, name: &str) -> Option<&'a str> {
        let found = facts.variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn lists_say_what_is_there_what_came_and_what_went() {
        let before = Found::Instances(vec![instance("10.0.0.1", 80), instance("10.0.0.2", 80)]);
        let now = Found::Instances(vec![instance("10.0.0.2", 80), instance("fd00::1", 81)]);
        let facts = of_watch(&spec(), &now, Some(&before));
        assert_eq!(value(&facts, "CONTAINERPILOT_WATCH"), Some("backend"));
        let list = |name: &str| value(&facts, &format!("CONTAINERPILOT_WATCH_{name}"));
        assert_eq!(list("INSTANCES"), Some("10.0.0.2:80 [fd00::1]:81"));
        assert_eq!(list("ADDED"), Some("[fd00::1]:81"));
        assert_eq!(list("REMOVED"), Some("10.0.0.1:80"));
        assert_eq!(list("TRUNCATED"), None);
        let mut text = String::new();
        let path = list("FILE").expect("a file");
        let mut file = std::fs::File::open(path).expect("open here too");
        file.read_to_string(&mut text).expect("JSON is text");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["instances"][1]["address"], "fd00::1");
        assert_eq!(document["added"][0], "[fd00::1]:81");
        // Sealed: not even we can write it.
        let kept = std::fs::File::from(facts.file.expect("a file"));
        assert!((&kept).write_all(b"x").is_err());
    }

    #[test]
    fn long_lists_are_left_out_and_that_is_said() {
        let many = (0..10_000).map(|number| instance("10.0.0.1", number));
        let facts = of_watch(&spec(), &Found::Instances(many.collect()), None);
        assert_eq!(value(&facts, "CONTAINERPILOT_WATCH_INSTANCES"), None);
        assert_eq!(value(&facts, "CONTAINERPILOT_WATCH_TRUNCATED"), Some("1"));
        assert_eq!(value(&facts, "CONTAINERPILOT_WATCH_REMOVED"), Some(""));
        assert!(value(&facts, "CONTAINERPILOT_WATCH_FILE").is_some());
    }

    #[test]
    fn no_foreign_text_makes_two_of_one() {
        let evil = Found::Instances(vec![instance("10.0.0.1:80 10.6.6.6", 80)]);
        let facts = of_watch(&spec(), &evil, None);
        assert_eq!(value(&facts, "CONTAINERPILOT_WATCH_INSTANCES"), Some(""));
    }

    #[test]
    fn keys_have_their_values_in_the_file() {
        let entry = |key: &str, value: &[u8]| Entry {
            key: key.to_owned(),
            flags: 3,
            digest: 0,
            value: Some(value.to_vec()),
        };
        let found = Found::Entries(vec![entry("a", b"text"), entry("b", &[0xff])]);
        let document = document(&spec(), &found, &words(&found), &BTreeSet::new());
        assert_eq!(document["entries"][0]["value"], "text");
        assert_eq!(document["entries"][1]["value"], Value::Null);
    }
}
