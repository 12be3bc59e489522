//! Somebody's configuration, made to run here: its commands become recorders, its catalogue ours.
//!
//! What stays is what decides the order: the jobs with their `when`, `restarts` and ports, the hooks, the watches. What
//! goes is what this machine cannot have: other programs, interfaces, a port for metrics, a log file, hours between two
//! runs. Intervals become short where a run has to be waited for, and so long that they never come where the first run is
//! at the start.

use std::path::Path;

use serde_json::{Value, json};

use super::rules::Mode;
use super::tree::{list, list_mut, text};

/// Between two checks.
const OFTEN: &str = "100ms";

/// More than a run lasts.
const LONG: &str = "1m";
const NEVER: &str = "1h";

/// Where the recorder is, and the catalogue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The directory with `recorder` and, which is the same, `consul`.
    pub(super) programs: &'a Path,
    pub(super) catalogue: &'a str,
}

impl Place<'_> {
    /// The recorder's words in the place of a command. The agent of a catalogue is known by its words, so it keeps those.
    fn words(self, command: &Value, mode: &str, tag: &str) -> Value {
        let program = |name| self.programs.join(name).display().to_string();
        if is_agent(command) {
            json!([program("consul"), "agent", mode, tag])
        } else {
            json!([program("recorder"), mode, tag])
        }
    }

    fn replace(self, object: &mut Value, key: &str, mode: Mode, tag: &str) {
        if let Some(command) = object.get(key).filter(|value| !value.is_null()) {
            object[key] = self.words(command, mode.word(), tag);
        }
    }

    fn check(self, object: &mut Value, key: &str, tag: &str) {
        if let Some(command) = object.get(key).filter(|value| !value.is_null()) {
            object[key] = self.words(command, "check", tag);
        }
    }

    /// The application of a file of version 2.
    pub(super) fn application(self) -> Vec<String> {
        let words = self.words(&Value::Null, Mode::Serve.word(), "app");
        let words = words.as_array().into_iter().flatten();
        words
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    }
}

fn is_agent(command: &Value) -> bool {
    let words: Vec<&str> = match command {
        Value::String(text) => text.split(' ').collect(),
        _ => command
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    };
    let program = words.first().and_then(|word| word.rsplit('/').next());
    program == Some("consul") && words.iter().skip(1).any(|word| *word == "agent")
}

/// What is asked of the catalogue: the service, and the tag that it must have.
pub(super) fn watched(tree: &Value) -> Vec<(String, Option<String>)> {
    let watches = list(tree, "watches").iter().chain(list(tree, "backends"));
    let asked = watches.filter_map(|watch| {
        let service = text(watch, "service").or_else(|| text(watch, "name"))?;
        Some((service.to_owned(), text(watch, "tag").map(str::to_owned)))
    });
    asked.collect()
}

/// A file of version 3, expanded.
pub(super) fn version_3(tree: &mut Value, place: Place<'_>) {
    common(tree, place);
    tree["shutdownTimeout"] = json!("9s");
    let before = list(tree, "jobs").to_vec();
    let names = tags(&before);
    for (index, job) in list_mut(tree, "jobs").iter_mut().enumerate() {
        let tag = &names[index];
        place.replace(job, "exec", mode(&before, index), tag);
        if let Some(check) = job.get_mut("health") {
            place.check(check, "exec", tag);
            period(check, "interval");
            check["ttl"] = json!(LONG);
            forget(check, "timeout");
        }
        if job.get("timeout").is_some() {
            job["timeout"] = json!(LONG);
        }
        if job.get("port").is_some() {
            job["interfaces"] = json!("static:127.0.0.1");
        }
        if let Some(when) = job.get_mut("when") {
            for (key, value) in [("interval", NEVER), ("timeout", LONG)] {
                if when.get(key).is_some() {
                    when[key] = json!(value);
                }
            }
        }
    }
    for watch in list_mut(tree, "watches") {
        watch["interval"] = json!(1);
        forget(watch, "dc");
    }
}

/// A file of version 2 or 1, rendered. Tags are places in the file.
pub(super) fn version_2(tree: &mut Value, place: Place<'_>) {
    common(tree, place);
    for hook in ["preStart", "onStart", "preStop", "postStop"] {
        place.replace(tree, hook, Mode::Task, hook);
    }
    for (index, service) in list_mut(tree, "services").iter_mut().enumerate() {
        place.check(service, "health", &format!("services[{index}]"));
        period(service, "poll");
        service["ttl"] = json!(60);
        forget(service, "timeout");
        forget(service, "publicIp");
        service["interfaces"] = json!(["static:127.0.0.1"]);
    }
    for (index, backend) in list_mut(tree, "backends").iter_mut().enumerate() {
        place.replace(
            backend,
            "onChange",
            Mode::Task,
            &format!("backends[{index}]"),
        );
        backend["poll"] = json!(1);
        forget(backend, "timeout");
    }
    for (index, task) in list_mut(tree, "tasks").iter_mut().enumerate() {
        place.replace(task, "command", Mode::Task, &format!("tasks[{index}]"));
        period(task, "frequency");
        task["timeout"] = json!(LONG);
    }
    for (index, other) in list_mut(tree, "coprocesses").iter_mut().enumerate() {
        place.replace(
            other,
            "command",
            Mode::Serve,
            &format!("coprocesses[{index}]"),
        );
    }
}

fn common(tree: &mut Value, place: Place<'_>) {
    for key in ["telemetry", "control"] {
        forget(tree, key);
    }
    if let Some(logging) = tree.get_mut("logging") {
        forget(logging, "output");
    }
    tree["consul"] = json!(place.catalogue);
    tree["stopTimeout"] = json!(5);
}

fn period(object: &mut Value, key: &str) {
    object[key] = json!(OFTEN);
}

fn forget(object: &mut Value, key: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(key);
    }
}

/// A name for each job that no other one has.
fn tags(jobs: &[Value]) -> Vec<String> {
    let name = |index: usize| text(&jobs[index], "name").unwrap_or_default();
    let number = |index: usize| {
        (0..index)
            .filter(|other| name(*other) == name(index))
            .count()
    };
    let all = (0..jobs.len()).map(|index| match number(index) {
        0 => name(index).to_owned(),
        earlier => format!("{}#{}", name(index), earlier + 1),
    });
    all.collect()
}

/// What the command of a job most likely is, judged by what others expect of it.
fn mode(jobs: &[Value], index: usize) -> Mode {
    let job = &jobs[index];
    let when = &job["when"];
    let awaited = |code: &str| {
        let is_source = |when: &Value| text(when, "source") == text(job, "name");
        let is_code = |when: &Value| [&when["once"], &when["each"]].contains(&&json!(code));
        jobs.iter()
            .any(|other| is_source(&other["when"]) && is_code(&other["when"]))
    };
    let restarts = text(job, "restarts").is_some_and(|word| word != "never");
    let looks_long = !job["port"].is_null() || !job["health"].is_null() || restarts;
    if !when["each"].is_null() || !when["interval"].is_null() || awaited("exitSuccess") {
        Mode::Task
    } else if awaited("exitFailed") {
        Mode::Fail
    } else if looks_long || when.is_null() || awaited("stopping") {
        Mode::Serve
    } else {
        Mode::Task
    }
}
