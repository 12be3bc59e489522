//! Configurations of `ContainerPilot` 2 and 1, translated to the keys of version 3.
//!
//! | version 2 | becomes |
//! | --- | --- |
//! | the words of the command line | job `app`: essential, never restarted, writes to our output itself |
//! | `preStart`, `preStop` | hooks of `app` |
//! | `postStop` | job `app.postStop`, whose failure is that of the container |
//! | `services[]` | jobs without `exec`, up while `app` runs; they leave the catalogue before `preStop` |
//! | `backends[]` | `watches[]`, and a job `onChange-<name>` for each |
//! | `tasks[]`, `coprocesses[]` | jobs of their name, else `task-<n>`, `coprocess-<n>` |
//! | `telemetry.sensors[]` | `telemetry.metrics[]`, and a job `sensor-<name>` for each, whose output is the value |
//! | `consul`, `logging`, `stopTimeout` | the same |
//!
//! Nothing but `preStart` runs before `preStart` has succeeded. Version 1 is version 2 with `onStart` for `preStart` and with
//! `publicIp`.
//!
//! The translation is pure, from tree to tree. What is peculiar to version 2 is checked here; the readers of version 3 check
//! the rest and find each value where it stood. The texts may still have their template actions in them: no rule here
//! depends on what an action will come to.

mod app;
mod backends;
mod keys;
mod lists;
mod services;
mod telemetry;
mod words;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

use super::section::{Case, Known, Section};
use super::tree::{Kind, Node};
use super::walk::{Field, Finding, Place, Walk, scalar_text};

use keys::Keys;
pub(super) use words::render as render_words;

/// The name of the main job: it keeps the variable `CONTAINERPILOT_APP_PID`.
const APP: &str = "app";

/// The application of the command line.
#[derive(Clone, Copy, Debug)]
pub(super) enum App<'a> {
    /// Nobody knows: the file alone is looked at.
    Unknown,
    /// What is to run; without a word, nothing.
    Words(&'a [String]),
    /// As `Words`, for a file of version 3, whose templates do not know what only runs find.
    Written(&'a [String]),
}

/// What the parts of the translation need to know of each other.
struct Context<'a> {
    app: App<'a>,
    has_pre_start: bool,
    /// The names of jobs that are taken.
    taken: HashSet<String>,
    jobs: Vec<Node>,
    watches: Vec<Node>,
}

impl App<'_> {
    fn words(&self) -> &[String] {
        match self {
            App::Unknown => &[],
            App::Words(words) | App::Written(words) => words,
        }
    }

    fn is_known_to_be_none(self) -> bool {
        matches!(self, App::Words([]))
    }
}

impl Context<'_> {
    /// A name that no other job has: this one, or one made from it.
    fn claim(&mut self, name: &str, otherwise: impl FnOnce() -> String) -> String {
        let mut claimed = name.to_owned();
        if self.taken.contains(&claimed) {
            claimed = otherwise();
        }
        let base = claimed.clone();
        let mut number = 2;
        while self.taken.contains(&claimed) {
            claimed = format!("{base}-{number}");
            number += 1;
        }
        self.taken.insert(claimed.clone());
        claimed
    }

    /// What has to have happened before anything but `preStart` runs; `None`: nothing.
    fn pre_start_done(&self, range: &Range<usize>) -> Option<Node> {
        self.has_pre_start.then(|| {
            let source = Node::text(format!("{APP}.preStart"), range);
            let once = Node::text("exitSuccess", range);
            Node::object([("source", source), ("once", once)], range)
        })
    }
}

/// The tree of version 3 that says the same. What is wrong is reported, and left out.
pub(super) fn translate(walk: &mut Walk<'_>, root: &Node, app: App<'_>) -> Node {
    let range = root.range.start..root.range.start + 1;
    let place = Place {
        path: String::new(),
        range: range.clone(),
    };
    let field = Field { place, node: root };
    let Some(mut top) = Section::new(&field, Known::Asked(Vec::new()), Case::Exact) else {
        // The readers say what a configuration is.
        return root.clone();
    };
    let mut keys = Keys::new(&range);
    catalogue(walk, &mut top, &mut keys, &range);
    logging(walk, &mut top, &mut keys);
    stop_timeout(walk, &mut top, &mut keys);
    let hooks = app::Hooks::take(walk, &mut top);
    let mut context = Context {
        app,
        has_pre_start: hooks.has_pre_start(),
        taken: HashSet::from([APP.to_owned()]),
        jobs: Vec::new(),
        watches: Vec::new(),
    };
    let services = list(walk, &mut top, "services");
    let backends = list(walk, &mut top, "backends");
    let tasks = list(walk, &mut top, "tasks");
    let coprocesses = list(walk, &mut top, "coprocesses");
    let telemetry = top.take(walk, "telemetry");
    top.finish(walk);

    let advertised = services::names(&services);
    lists::coprocesses(walk, &mut context, &coprocesses);
    hooks.jobs(walk, &mut context, &range, &advertised);
    services::translate(walk, &mut context, &services);
    backends::translate(walk, &mut context, &backends);
    lists::tasks(walk, &mut context, &tasks);
    let telemetry = telemetry.and_then(|field| telemetry::translate(walk, &mut context, &field));
    keys.node("jobs", Node::array(context.jobs, &range));
    if !context.watches.is_empty() {
        keys.node("watches", Node::array(context.watches, &range));
    }
    if let Some(telemetry) = telemetry {
        keys.node("telemetry", telemetry);
    }
    keys.object()
}

fn catalogue(walk: &mut Walk<'_>, top: &mut Section<'_>, keys: &mut Keys, range: &Range<usize>) {
    let consul = top.take(walk, "consul");
    if let Some(etcd) = top.take(walk, "etcd") {
        let finding = Finding::new("etcd is not supported: the catalogue is Consul");
        let help = "write `consul: \"localhost:8500\"`; the embedded catalogue of version 3 needs no server at all";
        walk.error(&etcd.place, finding.help(help));
        if consul.is_some() {
            walk.error(&etcd.place, "more than one discovery backend defined");
        }
    } else if consul.is_none() {
        let place = Place {
            path: String::new(),
            range: range.clone(),
        };
        let finding =
            Finding::new("no discovery backend defined: nothing is registered or watched");
        walk.warning(
            &place,
            finding.help("write `\"consul\": \"localhost:8500\"`"),
        );
    }
    if let Some(consul) = consul {
        keys.field("consul", &consul);
    }
}

/// Version 2 knew no log file.
fn logging(walk: &mut Walk<'_>, top: &mut Section<'_>, keys: &mut Keys) {
    let Some(field) = top.take(walk, "logging") else {
        return;
    };
    let Some(mut section) = walk.older_section(&field) else {
        return;
    };
    let mut logging = Keys::of(&field);
    for key in ["level", "format"] {
        if let Some(field) = section.take(walk, key) {
            logging.field(key, &field);
        }
    }
    if let Some(output) = section.take(walk, "output") {
        let text = scalar_text(output.node);
        let is_known = text
            .as_deref()
            .is_none_or(|text| ["stdout", "stderr"].contains(&text) || has_action(text));
        if is_known {
            logging.field("output", &output);
        } else {
            let shown = walk.shown(output.node);
            let finding = Finding::new(format!("cannot use {shown}: Unknown output type"));
            walk.error(&output.place, finding.help("write `stdout` or `stderr`"));
        }
    }
    section.finish(walk);
    keys.node("logging", logging.object());
}

/// A number of seconds; 0 is the default.
fn stop_timeout(walk: &mut Walk<'_>, top: &mut Section<'_>, keys: &mut Keys) {
    let field = top.take(walk, "stopTimeout");
    let is_default = |field: &Field<'_>| match &field.node.kind {
        Kind::Number(number) => number.trunc() == 0.0,
        Kind::String(text) => text == "0",
        _ => false,
    };
    if let Some(field) = field.filter(|field| !is_default(field)) {
        keys.field("stopTimeout", &field);
    }
}

/// The elements of a list; what is no array was ignored.
fn list<'n>(walk: &mut Walk<'_>, top: &mut Section<'n>, key: &'static str) -> Vec<Field<'n>> {
    let Some(field) = top.take(walk, key) else {
        return Vec::new();
    };
    if !matches!(field.node.kind, Kind::Array(_)) {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!("{shown} is no array and is ignored"));
        walk.warning(
            &field.place,
            finding.help(format!("write `\"{key}\": [ … ]`")),
        );
        return Vec::new();
    }
    walk.list(&field)
}

/// A command: a string or an array. `None` has been reported.
fn command(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Node> {
    if matches!(field.node.kind, Kind::String(_) | Kind::Array(_)) {
        return Some(keys::moved(field));
    }
    let shown = walk.shown(field.node);
    let finding = Finding::new(format!("cannot run {shown}: received zero-length argument"));
    walk.error(
        &field.place,
        finding.help("write a command such as `\"/bin/app --port 80\"`, or an array of words"),
    );
    None
}

/// Whether a text will become another one: nothing can be said about it yet.
fn has_action(text: &str) -> bool {
    text.contains("{{")
}

/// A number that version 2 refused because it is less than 1; what is no number is for the readers.
fn is_below_one(node: &Node) -> bool {
    match &node.kind {
        Kind::Number(number) => *number < 1.0,
        Kind::String(text) => text.parse::<i64>().is_ok_and(|number| number < 1),
        Kind::Bool(value) => !value,
        _ => false,
    }
}

/// A required number above 0 under its name in version 3. `None` has been reported.
fn positive(walk: &mut Walk<'_>, section: &mut Section<'_>, key: &'static str) -> Option<Node> {
    let Some(field) = section.take(walk, key) else {
        let finding = Finding::new(format!("`{key}` is missing: `{key}` must be > 0"));
        walk.error(
            &section.place,
            finding.help(format!("write for example `\"{key}\": 10`")),
        );
        return None;
    };
    if is_below_one(field.node) {
        let shown = walk.shown(field.node);
        walk.error(
            &field.place,
            format!("cannot use {shown}: `{key}` must be > 0"),
        );
        return None;
    }
    Some(keys::moved(&field))
}

/// A required name with its place. `None` has been reported.
fn name(walk: &mut Walk<'_>, section: &mut Section<'_>) -> Option<(String, Place)> {
    let field = section.take(walk, "name");
    let place = field
        .as_ref()
        .map_or_else(|| section.place.clone(), |field| field.place.clone());
    let name = match &field {
        Some(field) => walk.text(field)?,
        None => String::new(),
    };
    if name.is_empty() {
        walk.error(&place, "`name` must not be blank");
        return None;
    }
    Some((name, place))
}

/// Whether the catalogue's names of version 3 include this one; version 2 only warned.
fn check_name(walk: &mut Walk<'_>, place: &Place, name: &str) -> bool {
    let is_right = has_action(name) || super::service::is_name(name);
    if !is_right {
        let shown = super::walk::quoted(name);
        let finding = Finding::new(format!(
            "{shown} is no good name for a service: others may not find it by DNS"
        ));
        walk.warning(
            place,
            finding.help("begin with a small letter; use at least two of a-z, A-Z, 0-9 and `-`"),
        );
    }
    is_right
}
