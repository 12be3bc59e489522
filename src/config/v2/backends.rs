//! `backends[]`: what is looked at in the catalogue, and what runs when it changes.

use std::collections::HashSet;

use crate::config::tree::Node;
use crate::config::walk::{Field, Finding, Walk};

use super::keys::Keys;
use super::{Context, check_name, command, name, positive};

pub(super) fn translate(walk: &mut Walk<'_>, context: &mut Context<'_>, backends: &[Field<'_>]) {
    let mut taken = HashSet::new();
    for backend in backends {
        if let Some((watch, job)) = pair(walk, context, &mut taken, backend) {
            context.watches.push(watch);
            context.jobs.push(job);
        }
    }
}

/// The watch and its job; `None` has been reported.
fn pair(
    walk: &mut Walk<'_>,
    context: &mut Context<'_>,
    taken: &mut HashSet<String>,
    field: &Field<'_>,
) -> Option<(Node, Node)> {
    let mut section = walk.older_section(field)?;
    let named = name(walk, &mut section);
    let poll = positive(walk, &mut section, "poll");
    let on_change = section.take(walk, "onChange");
    let tag = section.take(walk, "tag");
    let timeout = section.take(walk, "timeout");
    let all_known = section.finish(walk);
    let Some(on_change) = on_change else {
        let finding = Finding::new("`onChange` is required");
        walk.error(
            &field.place,
            finding.help("write the command to run when the backend changes"),
        );
        return None;
    };
    let exec = command(walk, &on_change);
    let (service, place) = named?;
    let is_good = check_name(walk, &place, &service);
    let (poll, exec) = (poll?, exec?);
    if !all_known {
        return None;
    }
    let name = unique(taken, &service);
    let mut watch = Keys::of(field);
    watch.text("name", name.as_str());
    if !is_good || name != service {
        watch.text("service", service);
    }
    watch.node("interval", poll);
    if let Some(tag) = tag {
        watch.field("tag", &tag);
    }
    let mut job = Keys::of(field);
    let job_name = format!("onChange-{name}");
    job.text("name", context.claim(&job_name, || format!("{job_name}-2")));
    job.node("exec", exec);
    let mut when = Keys::new(job.range());
    when.text("source", format!("watch.{name}"));
    when.text("each", "changed");
    if let Some(after) = context.pre_start_done(job.range()) {
        when.node("after", after);
    }
    job.node("when", when.object());
    if let Some(timeout) = timeout {
        job.field("timeout", &timeout);
    }
    Some((watch.object(), job.object()))
}

/// Two backends of one name may look for different tags.
fn unique(taken: &mut HashSet<String>, service: &str) -> String {
    let mut name = service.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{service}-{number}");
        number += 1;
    }
    name
}
