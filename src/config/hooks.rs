//! Hooks on a job, translated to ordinary jobs.
//!
//! | key of job `app` | becomes | started by |
//! | --- | --- | --- |
//! | `preStart` | `app.preStart` | what `app` is started by; `app` itself then waits for it |
//! | `postStart` | `app.postStart` | the first `healthy` of `app`; without a check, that it runs |
//! | `preStop` | `app.preStop` | `stopping` of `app`, if it still runs then |
//! | `postStop` | `app.postStop` | `stopped` of `app` |
//! | `onChange: { db: … }` | `app.onChange.db` | each `changed` of `watch.db`, once `app.preStart` is done |
//!
//! What a hook does not say of its user, directory and environment is as for its job. The translation is pure, from tree
//! to tree, and what comes out is a configuration that says the same without hooks.

use std::ops::Range;

use super::keys;
use super::section::Section;
use super::tree::{Entry, Kind, Node};
use super::walk::{Field, Finding, Place, Walk, quoted, scalar_text};

const KEYS: [&str; 5] = ["preStart", "postStart", "preStop", "postStop", "onChange"];

/// Keys of a job that hold for its hooks as well.
const INHERITED: [&str; 10] = [
    "envFile",
    "env",
    "workdir",
    "user",
    "group",
    "umask",
    "limits",
    "nice",
    "noNewPrivileges",
    "logging",
];

/// Replaces every job that has hooks by itself and its hooks.
pub(super) fn expand(walk: &mut Walk<'_>, root: &mut Node) {
    let Kind::Object(entries) = &mut root.kind else {
        return;
    };
    let jobs = entries.iter_mut().find(|entry| entry.key == "jobs");
    let Some(Entry {
        value: Node {
            kind: Kind::Array(jobs),
            ..
        },
        ..
    }) = jobs
    else {
        return;
    };
    for job in jobs.iter_mut() {
        drop_absent(job);
    }
    if !jobs.iter().any(has_hooks) {
        return;
    }
    check_names(walk, jobs);
    let mut all = Vec::with_capacity(jobs.len());
    for (index, job) in std::mem::take(jobs).into_iter().enumerate() {
        // What follows moves in the list, not in the file.
        let path = job.origin.as_deref().map(str::to_owned);
        let path = path.unwrap_or_else(|| format!("jobs[{index}]"));
        if has_hooks(&job) {
            Expansion::new(walk, &path, job).run(&mut all);
        } else {
            all.push(job.with_origin(&path));
        }
    }
    *jobs = all;
}

/// Others find a hook and its job by their names, so these have to be their own.
fn check_names(walk: &mut Walk<'_>, jobs: &[Node]) {
    let name_of = |job: &Node| job.get("name").and_then(scalar_text).unwrap_or_default();
    let names: Vec<String> = jobs.iter().map(name_of).collect();
    for (index, (job, name)) in jobs.iter().zip(&names).enumerate() {
        let hook = |key: &&str| names.contains(&format!("{name}.{key}"));
        let taken = KEYS.iter().find(|key| job.get(key).is_some() && hook(key));
        let twice = has_hooks(job) && names.iter().filter(|other| *other == name).count() > 1;
        let message = match taken {
            Some(key) => format!("another job has the name of this one's hook, `{name}.{key}`"),
            None if twice => format!(
                "two jobs are called {}, and hooks are found by name",
                quoted(name)
            ),
            None => continue,
        };
        let place = Place {
            path: format!("jobs[{index}]"),
            range: job.range.clone(),
        };
        let finding = Finding::new(message);
        walk.error(
            &place.of(job),
            finding.help("give each job a name of its own"),
        );
    }
}

fn is_hook(entry: &Entry) -> bool {
    KEYS.iter().any(|key| entry.key.eq_ignore_ascii_case(key))
}

/// Null is as good as absent.
fn drop_absent(job: &mut Node) {
    if let Kind::Object(entries) = &mut job.kind {
        entries.retain(|entry| !is_hook(entry) || !matches!(entry.value.kind, Kind::Null));
    }
}

fn has_hooks(job: &Node) -> bool {
    job.entries().iter().any(is_hook)
}

/// The translation of one job.
struct Expansion<'w, 'a> {
    walk: &'w mut Walk<'a>,
    path: String,
    name: String,
    range: Range<usize>,
    /// The job without its hooks.
    job: Vec<Entry>,
    hooks: Vec<Entry>,
}

/// A hook as it is written.
struct Hook {
    /// The keys of the job that it becomes.
    keys: Vec<Entry>,
    on_failure: OnFailure,
}

/// What a `preStart` that fails leads to.
#[derive(Clone, Copy)]
enum OnFailure {
    /// The container ends with its status.
    Abort,
    /// It is tried again.
    Retry,
    /// The job starts all the same.
    Ignore,
}

const ON_FAILURE: [(&str, OnFailure); 3] = [
    ("abort", OnFailure::Abort),
    ("retry", OnFailure::Retry),
    ("ignore", OnFailure::Ignore),
];

impl<'w, 'a> Expansion<'w, 'a> {
    fn new(walk: &'w mut Walk<'a>, path: &str, job: Node) -> Expansion<'w, 'a> {
        let name = job.get("name").and_then(scalar_text);
        let range = job.range.clone();
        let entries = match job.kind {
            Kind::Object(entries) => entries,
            // Has no hooks.
            _ => Vec::new(),
        };
        let (hooks, job) = entries.into_iter().partition(is_hook);
        Expansion {
            walk,
            path: path.to_owned(),
            name: name.unwrap_or_default(),
            range,
            job,
            hooks,
        }
    }

    fn run(mut self, all: &mut Vec<Node>) {
        let mut before = None;
        let mut after = Vec::new();
        for hook in std::mem::take(&mut self.hooks) {
            let place = Place {
                path: format!("{}.{}", self.path, hook.key),
                range: hook.value.range.clone(),
            };
            let place = place.of(&hook.value);
            let field = Field {
                place,
                node: &hook.value,
            };
            match hook.key.to_ascii_lowercase().as_str() {
                "prestart" => before = self.hook(&field, true),
                "onchange" => after.extend(self.on_change(&field)),
                _ => {
                    let key = KEYS.iter().find(|key| key.eq_ignore_ascii_case(&hook.key));
                    let key = key.copied().unwrap_or_default();
                    if let Some(hook) = self.hook(&field, false) {
                        let when = self.when_of(key);
                        after.push(self.make(key, &field.place, hook.keys, when));
                    }
                }
            }
        }
        if let Some((hook, place)) = before.map(|hook| (hook, self.place_of("preStart"))) {
            let done = self.after_pre_start(hook.on_failure);
            all.push(self.pre_start(hook, &place));
            for job in &mut after {
                hold_back(job, &done);
            }
        }
        let job = std::mem::take(&mut self.job);
        all.push(Node::new(Kind::Object(job), self.range.clone()).with_origin(&self.path));
        all.append(&mut after);
    }

    fn place_of(&self, key: &str) -> Place {
        Place {
            path: format!("{}.{key}", self.path),
            range: self.range.clone(),
        }
    }

    /// Reads a hook: a command, or an object with `exec`. `None` has been reported.
    fn hook(&mut self, field: &Field<'_>, is_pre_start: bool) -> Option<Hook> {
        let node = field.node;
        let is_command = !matches!(node.kind, Kind::Object(_)) || node.get("shell").is_some();
        if is_command {
            let exec = node.clone().with_origin(&field.place.path);
            return Some(Hook {
                keys: vec![Entry::new("exec", node.range.clone(), exec)],
                on_failure: OnFailure::Abort,
            });
        }
        let shape = if is_pre_start {
            &keys::PRE_START
        } else {
            &keys::HOOK
        };
        let mut section = self.walk.section(field, shape)?;
        let mut keys = Vec::new();
        for (key, name) in [
            ("exec", "exec"),
            ("timeout", "timeout"),
            ("env", "env"),
            ("signal", "stopSignal"),
        ] {
            if let Some(value) = section.take(self.walk, key) {
                let node = value.node.clone().with_origin(&value.place.path);
                keys.push(Entry::new(name, node.range.clone(), node));
            }
        }
        let on_failure = is_pre_start.then(|| section.take(self.walk, "onFailure"));
        let on_failure = on_failure.flatten();
        let on_failure = on_failure.and_then(|field| self.walk.choice(&field, &ON_FAILURE));
        self.finish(section, &keys).then_some(Hook {
            keys,
            on_failure: on_failure.unwrap_or(OnFailure::Abort),
        })
    }

    fn finish(&mut self, section: Section<'_>, keys: &[Entry]) -> bool {
        let place = section.place.clone();
        let all_known = section.finish(self.walk);
        let has_exec = keys.iter().any(|entry| entry.key == "exec");
        if !has_exec && all_known {
            let finding = Finding::new("`exec` is missing: a hook is a command");
            let help = "write a command, or `{ exec: \"…\", timeout: \"10s\" }`";
            self.walk.error(&place, finding.help(help));
        }
        has_exec && all_known
    }

    /// `app.<key>`, with what the job has and the hook does not say.
    fn make(&self, key: &str, place: &Place, keys: Vec<Entry>, when: Node) -> Node {
        let range = &place.range;
        let name = Node::text(format!("{}.{key}", self.name), range);
        let mut entries = vec![Entry::new("name", range.clone(), name)];
        let is_own = |key: &str| keys.iter().any(|own| own.key == key);
        let inherited = self.job.iter().filter(|entry| is_inherited(&entry.key));
        entries.extend(inherited.filter(|entry| !is_own(&entry.key)).cloned());
        let env = self.job.iter().find(|entry| entry.key == "env");
        for mut own in keys {
            if let ("env", Some(of_job)) = (own.key.as_str(), env) {
                own.value = merged(&of_job.value, own.value);
            }
            entries.push(own);
        }
        entries.push(Entry::new("when", range.clone(), when));
        Node::new(Kind::Object(entries), range.clone()).with_origin(&place.path)
    }

    /// What starts a hook of the job's own events.
    fn when_of(&self, key: &str) -> Node {
        let range = &self.range;
        let event = |how: &'static str, what: &str| {
            let source = Node::text(self.name.as_str(), range);
            Node::object([("source", source), (how, Node::text(what, range))], range)
        };
        match key {
            "postStart" if self.is_checked() => event("once", "healthy"),
            "postStart" => Node::object(
                [("all", Node::array(vec![event("is", "running")], range))],
                range,
            ),
            "preStop" => {
                let both = vec![event("once", "stopping"), event("is", "running")];
                Node::object([("all", Node::array(both, range))], range)
            }
            _ => event("once", "stopped"),
        }
    }

    /// Whether it becomes `healthy`: by a check, or by its own word.
    fn is_checked(&self) -> bool {
        let health = self
            .job
            .iter()
            .find(|entry| entry.key.eq_ignore_ascii_case("health"));
        let beats = |node: &Node| {
            let keys = node.entries();
            let checks = ["exec", "http", "tcp", "grpc", "file"];
            keys.iter().any(|entry| {
                checks
                    .iter()
                    .any(|check| entry.key.eq_ignore_ascii_case(check))
            })
        };
        let is_ready = |entry: &Entry| entry.key.eq_ignore_ascii_case("ready");
        self.job.iter().any(is_ready)
            || health.is_some_and(|entry| {
                beats(&entry.value) || entry.value.elements().iter().any(beats)
            })
    }

    /// The job that `preStart` becomes; the job itself waits for it from now on.
    fn pre_start(&mut self, hook: Hook, place: &Place) -> Node {
        let when = self
            .job
            .iter()
            .position(|entry| entry.key.eq_ignore_ascii_case("when"));
        let when = when.map(|index| self.job.remove(index));
        let done = self.after_pre_start(hook.on_failure);
        let mut keys = hook.keys;
        let word = |key: &str, value: &str| {
            Entry::new(key, place.range.clone(), Node::text(value, &place.range))
        };
        match hook.on_failure {
            OnFailure::Abort => keys.push(word("essential", "onFailure")),
            OnFailure::Retry => keys.push(word("restarts", "onFailure")),
            OnFailure::Ignore => {}
        }
        let (first, own) = match when {
            // What is started many times waits for its preparation once.
            Some(when) if repeats(&when.value) => {
                let mut kept = when.value;
                hold_back_when(&mut kept, &done);
                (None, kept)
            }
            when => (when.map(|when| when.value), done),
        };
        self.job.push(Entry::new("when", place.range.clone(), own));
        let startup = || {
            let pairs = [("source", "global"), ("once", "startup")];
            let pairs = pairs.map(|(key, value)| (key, Node::text(value, &place.range)));
            Node::object(pairs, &place.range)
        };
        self.make("preStart", place, keys, first.unwrap_or_else(startup))
    }

    fn after_pre_start(&self, on_failure: OnFailure) -> Node {
        match on_failure {
            OnFailure::Abort | OnFailure::Retry => self.of_pre_start("exitSuccess"),
            OnFailure::Ignore => {
                let ends = vec![
                    self.of_pre_start("exitSuccess"),
                    self.of_pre_start("exitFailed"),
                ];
                Node::object([("any", Node::array(ends, &self.range))], &self.range)
            }
        }
    }

    fn of_pre_start(&self, event: &str) -> Node {
        let source = Node::text(format!("{}.preStart", self.name), &self.range);
        Node::object(
            [("source", source), ("once", Node::text(event, &self.range))],
            &self.range,
        )
    }

    /// One job for each watch.
    fn on_change(&mut self, field: &Field<'_>) -> Vec<Node> {
        let mut jobs = Vec::new();
        for (watch, field) in self.walk.pairs(field) {
            let node = field.node;
            let has = |key| node.get(key).is_some();
            let keys = if (has("signal") || has("restart")) && !has("exec") {
                self.action(&field)
            } else {
                self.hook(&field, false).map(|hook| hook.keys)
            };
            let Some(keys) = keys else {
                continue;
            };
            let source = Node::text(format!("watch.{watch}"), &field.place.range);
            let each = Node::text("changed", &field.place.range);
            let when = Node::object([("source", source), ("each", each)], &field.place.range);
            jobs.push(self.make(&format!("onChange.{watch}"), &field.place, keys, when));
        }
        jobs
    }

    /// `{ signal: "HUP" }` and `{ restart: true }` act on the job itself. `None` has been reported, or is `restart: false`.
    fn action(&mut self, field: &Field<'_>) -> Option<Vec<Entry>> {
        let mut section = self.walk.section(field, &keys::REACTION)?;
        let signal = section.take(self.walk, "signal");
        let restart = section.take(self.walk, "restart");
        let all_known = section.finish(self.walk);
        if signal.is_some() && restart.is_some() {
            let finding = Finding::new("a job that is restarted has no use for a signal");
            self.walk
                .error(&field.place, finding.help("remove `signal` or `restart`"));
            return None;
        }
        let range = &field.place.range;
        let job = Node::text(self.name.as_str(), range);
        let pairs = match (signal, restart) {
            (Some(signal), _) => {
                let node = signal.node.clone().with_origin(&signal.place.path);
                vec![("signal", node), ("job", job)]
            }
            (None, Some(restart)) if self.walk.boolean(&restart)? => vec![("restart", job)],
            _ => return None,
        };
        let action = Node::object(pairs, range).with_origin(&field.place.path);
        all_known.then(|| vec![Entry::new("action", range.clone(), action)])
    }
}

fn is_inherited(key: &str) -> bool {
    INHERITED
        .iter()
        .any(|inherited| inherited.eq_ignore_ascii_case(key))
}

/// Whether a `when` starts its job more than once.
fn repeats(when: &Node) -> bool {
    ["each", "interval", "cron"]
        .iter()
        .any(|key| when.get(key).is_some())
}

/// Lets a job that is triggered by watches wait for the preparation.
fn hold_back(job: &mut Node, done: &Node) {
    let Kind::Object(entries) = &mut job.kind else {
        return;
    };
    let when = entries.iter_mut().find(|entry| entry.key == "when");
    if let Some(when) = when.filter(|when| repeats(&when.value)) {
        hold_back_when(&mut when.value, done);
    }
}

fn hold_back_when(when: &mut Node, done: &Node) {
    let range = when.range.clone();
    if let Kind::Object(entries) = &mut when.kind
        && !entries
            .iter()
            .any(|entry| entry.key.eq_ignore_ascii_case("after"))
    {
        entries.push(Entry::new("after", range, done.clone()));
    }
}

/// The environment of the job, and what the hook says instead.
fn merged(of_job: &Node, mut own: Node) -> Node {
    if let Kind::Object(entries) = &mut own.kind {
        let is_own = |key: &str| entries.iter().any(|entry| entry.key == key);
        let others = of_job.entries().iter();
        let others: Vec<Entry> = others
            .filter(|entry| !is_own(&entry.key))
            .cloned()
            .collect();
        entries.splice(0..0, others);
    }
    own
}
