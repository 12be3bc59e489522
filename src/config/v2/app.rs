//! The application and its hooks.

use std::ops::Range;

use crate::config::section::Section;
use crate::config::tree::Node;
use crate::config::walk::{Finding, Place, Walk};

use super::keys::Keys;
use super::{APP, App, Context, command, words};

const OWN_VARIABLES: &str = "in the environment its process is CONTAINERPILOT_APP_PRESTART_PID, _PRESTOP_PID or \
                             _POSTSTOP_PID, and only while it runs";

/// The commands around the application.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    pre_start: Option<Node>,
    pre_stop: Option<Node>,
    post_stop: Option<Node>,
}

impl Hooks {
    pub(super) fn take(walk: &mut Walk<'_>, top: &mut Section<'_>) -> Hooks {
        let given = top.take(walk, "preStart");
        if let Some(field) = top.take(walk, "onStart") {
            let finding = Finding::new(match given {
                Some(_) => "`onStart` is ignored beside `preStart`",
                None => "`onStart` is the old name of `preStart`",
            });
            walk.warning(&field.place, finding.help("write `preStart`"));
            let pre_start = given.unwrap_or(field);
            return Hooks {
                pre_start: command(walk, &pre_start),
                ..Hooks::take_ends(walk, top)
            };
        }
        Hooks {
            pre_start: given.and_then(|field| command(walk, &field)),
            ..Hooks::take_ends(walk, top)
        }
    }

    fn take_ends(walk: &mut Walk<'_>, top: &mut Section<'_>) -> Hooks {
        let mut take = |key| {
            let field = top.take(walk, key);
            field.and_then(|field| command(walk, &field))
        };
        Hooks {
            pre_start: None,
            pre_stop: take("preStop"),
            post_stop: take("postStop"),
        }
    }

    pub(super) fn has_pre_start(&self) -> bool {
        self.pre_start.is_some()
    }

    /// The job `app`, and those of its hooks that no key of it can say. `advertised` are the services' jobs.
    pub(super) fn jobs(
        self,
        walk: &mut Walk<'_>,
        context: &mut Context<'_>,
        range: &Range<usize>,
        advertised: &[String],
    ) {
        let is_there = !context.app.words().is_empty();
        if context.app.is_known_to_be_none() {
            let place = Place {
                path: String::new(),
                range: range.clone(),
            };
            let finding = Finding::new(
                "no application is given on the command line: only the file's own commands run",
            );
            walk.warning(
                &place,
                finding.help("write it after the flags: `containerpilot app args…`"),
            );
        }
        let mut app = Keys::new(range);
        app.text("name", APP);
        if is_there {
            app.node("exec", exec(context.app, range));
        }
        app.text("restarts", "never");
        if is_there {
            app.boolean("essential", true);
        }
        app.node("logging", raw(range));
        if let Some(pre_start) = self.pre_start {
            app.node("preStart", noted(pre_start));
        }
        let (own, apart) = match self.pre_stop {
            Some(pre_stop) if is_there => (Some(pre_stop), None),
            pre_stop => (None, pre_stop),
        };
        if let Some(pre_stop) = own {
            app.node("preStop", noted(pre_stop));
        }
        let mut app = app.object().with_origin(APP);
        if let App::Written(words) = context.app {
            app = app.noted(note(words));
        }
        context.jobs.push(app);
        if let Some(pre_stop) = apart {
            context
                .jobs
                .push(pre_stop_alone(pre_stop, range, advertised));
        }
        if let Some(post_stop) = self.post_stop {
            context.jobs.push(post_stop_job(post_stop, range));
        }
    }
}

fn note(words: &[String]) -> &'static str {
    if words.is_empty() {
        "no application was named: write it as `exec: [\"app\", \"args\"]` and add `essential: true`"
    } else {
        "TERM reaches the application's children as well; version 2 sent it to its first process alone"
    }
}

fn noted(hook: Node) -> Node {
    hook.noted(OWN_VARIABLES)
}

fn raw(range: &Range<usize>) -> Node {
    let mut logging = Keys::new(range);
    logging.boolean("raw", true);
    logging.object()
}

/// The words as they are: they are rendered once the addresses are known, except where they are written down.
fn exec(app: App<'_>, range: &Range<usize>) -> Node {
    if let App::Written(given) = app
        && let Some(script) = words::script(given)
    {
        let words = ["/bin/sh".to_owned(), "-c".to_owned(), script];
        let words = words.map(|word| Node::text(word, range));
        return Node::array(words.into(), range).noted(
            "addresses are in the environment of the application, and not in the templates of this file",
        );
    }
    let words = app.words().iter();
    let words = words.map(|word| Node::text(word.as_str(), range));
    Node::array(words.collect(), range)
}

/// Without an application nothing can have stopped before: the services have left the catalogue, then it runs.
fn pre_stop_alone(exec: Node, range: &Range<usize>, advertised: &[String]) -> Node {
    let stopping = |name: &str| {
        let once = Node::text("stopping", range);
        Node::object([("source", Node::text(name, range)), ("once", once)], range)
    };
    let when = match advertised {
        [] => stopping(APP),
        names => {
            let all = names.iter().map(|name| stopping(name)).collect();
            Node::object([("all", Node::array(all, range))], range)
        }
    };
    hook("preStop", exec, range, when, false)
}

/// Its failure is the container's when the application has ended by itself.
fn post_stop_job(exec: Node, range: &Range<usize>) -> Node {
    let once = Node::text("stopped", range);
    let when = Node::object([("source", Node::text(APP, range)), ("once", once)], range);
    hook("postStop", exec, range, when, true)
}

fn hook(key: &str, exec: Node, range: &Range<usize>, when: Node, decides: bool) -> Node {
    let mut job = Keys::new(range);
    job.text("name", format!("{APP}.{key}"));
    job.node("exec", exec);
    job.node("when", when);
    if decides {
        job.text("essential", "onFailure");
    }
    job.node("logging", raw(range));
    job.object().with_origin(key).noted(OWN_VARIABLES)
}
