//! What version 2 promises of the order, read from the file of version 2 itself: preStart, then everything else; at a stop
//! preStop, the application's TERM, postStop.

use serde_json::Value;

use super::rules::STOP;
use super::tree::list;

/// What is wrong with a record of such a file whose commands are recorders.
pub(super) fn problems(tree: &Value, lines: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let (found, expected) = (chain(lines), expected(tree));
    if found != expected {
        problems.push(format!("the application and its hooks: {found:?}"));
    }
    let begun = lines.iter().position(|line| *line == before_all(tree));
    let begun = begun.map_or(0, |at| at + 1);
    for tag in others(tree) {
        let is_of_it = |line: &String| line.split_once(' ').is_some_and(|(_, it)| it == tag);
        match lines.iter().position(is_of_it) {
            None => problems.push(format!("{tag} did not run")),
            Some(at) if at < begun => problems.push(format!("{tag} did not wait for preStart")),
            Some(_) => {}
        }
    }
    problems
}

/// What precedes everything but itself; without a preStart nothing does.
fn before_all(tree: &Value) -> String {
    match pre_start(tree) {
        Some(tag) => format!("end {tag}"),
        None => String::new(),
    }
}

/// The key that is used: `onStart` is ignored beside `preStart`.
fn pre_start(tree: &Value) -> Option<&'static str> {
    let mut keys = ["preStart", "onStart"].into_iter();
    keys.find(|key| !tree[key].is_null())
}

fn expected(tree: &Value) -> Vec<String> {
    let both = |tag: &str| [format!("start {tag}"), format!("end {tag}")];
    let hook = |tag| {
        (!tree[tag].is_null())
            .then(|| both(tag))
            .into_iter()
            .flatten()
    };
    let [start, end] = both("app");
    let begin = pre_start(tree).into_iter().flat_map(both);
    let begin = begin.chain([start, STOP.to_owned()]);
    let begin = begin.chain(hook("preStop")).chain([end]);
    begin.chain(hook("postStop")).collect()
}

/// The lines of the application and its hooks, which never run side by side.
fn chain(lines: &[String]) -> Vec<String> {
    let tags = ["app", "preStart", "onStart", "preStop", "postStop"];
    let is_of_it = |line: &&String| match line.split_once(' ') {
        Some((_, tag)) => tags.contains(&tag),
        None => true,
    };
    lines.iter().filter(is_of_it).cloned().collect()
}

/// The tags of what else has a command.
fn others(tree: &Value) -> Vec<String> {
    let keys = [
        ("services", "health"),
        ("backends", "onChange"),
        ("tasks", "command"),
        ("coprocesses", "command"),
    ];
    let tags = keys.into_iter().flat_map(|(key, command)| {
        let elements = list(tree, key).iter().enumerate();
        let commands = elements.filter(move |(_, element)| !element[command].is_null());
        commands.map(move |(index, _)| format!("{key}[{index}]"))
    });
    tags.collect()
}
