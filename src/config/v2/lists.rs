//! `tasks[]` and `coprocesses[]`.

use std::time::Duration;

use crate::config::duration::{SignedDuration, parse_duration};
use crate::config::tree::Node;
use crate::config::walk::{DURATION_HELP, Field, Finding, Walk, quoted, scalar_text};

use super::keys::Keys;
use super::{Context, command, has_action};

/// Tasks run in an interval, the first time after one.
pub(super) fn tasks(walk: &mut Walk<'_>, context: &mut Context<'_>, tasks: &[Field<'_>]) {
    for (index, field) in tasks.iter().enumerate() {
        if let Some(job) = task(walk, context, index, field) {
            context.jobs.push(job);
        }
    }
}

fn task(
    walk: &mut Walk<'_>,
    context: &mut Context<'_>,
    index: usize,
    field: &Field<'_>,
) -> Option<Node> {
    let mut section = walk.older_section(field)?;
    let name = section.text(walk, "name");
    let exec = section.take(walk, "command");
    let frequency = section.take(walk, "frequency");
    let timeout = section.take(walk, "timeout");
    let all_known = section.finish(walk);
    let exec = required(walk, field, exec, "Task did not provide a command");
    let Some(frequency) = frequency else {
        let finding = Finding::new("`frequency` is missing: Unable to parse frequency");
        walk.error(&field.place, finding.help(DURATION_HELP));
        return None;
    };
    let is_right = at_least_a_millisecond(walk, &frequency);
    let exec = exec?;
    if !all_known || !is_right {
        return None;
    }
    let mut job = Keys::of(field);
    job.text("name", named(context, name, "task", index));
    job.node("exec", exec);
    job.node(
        "when",
        interval(context, &job, super::keys::moved(&frequency)),
    );
    if let Some(timeout) = timeout {
        job.field("timeout", &timeout);
    }
    Some(job.object())
}

/// Each interval, for the first time after one, and not before `preStart` is done.
pub(super) fn interval(context: &Context<'_>, job: &Keys, every: Node) -> Node {
    let mut when = Keys::new(job.range());
    when.node("interval", every);
    when.text("first", "interval");
    when.text("maintenance", "skip");
    if let Some(after) = context.pre_start_done(job.range()) {
        when.node("after", after);
    }
    when.object()
}

fn at_least_a_millisecond(walk: &mut Walk<'_>, field: &Field<'_>) -> bool {
    let Some(text) = scalar_text(field.node).filter(|text| !has_action(text)) else {
        // What is no text at all is for the readers.
        return true;
    };
    let wrong = match parse_duration(&text).map(SignedDuration::positive) {
        Ok(Some(length)) if length >= Duration::from_millis(1) => return true,
        Ok(_) => "cannot be less than 1ms".to_owned(),
        Err(error) => error.to_string(),
    };
    let finding = Finding::new(format!("cannot use {}: {wrong}", quoted(&text)));
    walk.error(&field.place, finding.help(DURATION_HELP));
    false
}

/// Coprocesses start once `preStart` is done, before the application.
pub(super) fn coprocesses(walk: &mut Walk<'_>, context: &mut Context<'_>, fields: &[Field<'_>]) {
    for (index, field) in fields.iter().enumerate() {
        if let Some(job) = coprocess(walk, context, index, field) {
            context.jobs.push(job);
        }
    }
}

fn coprocess(
    walk: &mut Walk<'_>,
    context: &mut Context<'_>,
    index: usize,
    field: &Field<'_>,
) -> Option<Node> {
    let mut section = walk.older_section(field)?;
    let name = section.text(walk, "name");
    let exec = section.take(walk, "command");
    let restarts = section.take(walk, "restarts");
    let all_known = section.finish(walk);
    let exec = required(walk, field, exec, "Coprocess did not provide a command")?;
    if !all_known {
        return None;
    }
    let mut job = Keys::of(field);
    job.text("name", named(context, name, "coprocess", index));
    job.node("exec", exec);
    if let Some(restarts) = restarts {
        job.field("restarts", &restarts);
    }
    if let Some(after) = context.pre_start_done(job.range()) {
        job.node("when", after);
    }
    Some(job.object())
}

fn named(context: &mut Context<'_>, name: Option<String>, kind: &str, index: usize) -> String {
    let name = name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("{kind}-{}", index + 1));
    context.claim(&name, || format!("{kind}-{}", index + 1))
}

fn required(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    exec: Option<Field<'_>>,
    missing: &str,
) -> Option<Node> {
    if let Some(exec) = exec {
        return command(walk, &exec);
    }
    let finding = Finding::new(format!("`command` is missing: {missing}"));
    walk.error(&field.place, finding.help("write the command to run"));
    None
}
