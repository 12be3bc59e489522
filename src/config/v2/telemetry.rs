//! `telemetry`: sensors become metrics, and jobs whose output is the value.

use crate::config::section::Section;
use crate::config::tree::Node;
use crate::config::walk::{Field, Finding, Walk, scalar_text};

use super::keys::Keys;
use super::lists::interval;
use super::{Context, command, positive};

/// Keys that version 2 took though nobody was told of them.
const IGNORED: [&str; 4] = ["serviceName", "url", "ttl", "poll"];

/// `None` has been reported.
pub(super) fn translate(
    walk: &mut Walk<'_>,
    context: &mut Context<'_>,
    field: &Field<'_>,
) -> Option<Node> {
    let mut section = walk.section(field)?;
    let mut telemetry = Keys::of(field);
    let interfaces = section.take(walk, "interfaces");
    for key in ["port", "tags"] {
        if let Some(field) = section.take(walk, key) {
            telemetry.field(key, &field);
        }
    }
    if let Some(interfaces) = interfaces {
        telemetry.field("interfaces", &interfaces);
    } else {
        let default = Node::text("eth0:inet", telemetry.range());
        telemetry.node("interfaces", Node::array(vec![default], telemetry.range()));
    }
    let sensors = section.list(walk, "sensors");
    section.ignore(walk, &IGNORED, "remove it");
    section.finish(walk);
    let mut metrics = Vec::new();
    for sensor in sensors {
        if let Some((metric, job)) = pair(walk, context, &sensor) {
            metrics.push(metric);
            context.jobs.push(job);
        }
    }
    if !metrics.is_empty() {
        let metrics = Node::array(metrics, telemetry.range());
        telemetry.node("metrics", metrics);
    }
    Some(telemetry.object())
}

/// The metric and the job that measures it; `None` has been reported.
fn pair(walk: &mut Walk<'_>, context: &mut Context<'_>, field: &Field<'_>) -> Option<(Node, Node)> {
    let mut section = walk.section(field)?;
    let mut metric = Keys::of(field);
    let parts = name_parts(walk, &mut section, &mut metric);
    for key in ["help", "type"] {
        if let Some(field) = section.take(walk, key) {
            metric.field(key, &field);
        }
    }
    let poll = positive(walk, &mut section, "poll");
    let check = section.take(walk, "check");
    let timeout = section.take(walk, "timeout");
    let all_known = section.finish(walk);
    let Some(check) = check else {
        let finding = Finding::new("could not parse check: received zero-length argument");
        walk.error(
            &field.place,
            finding.help("write the command whose output is the value"),
        );
        return None;
    };
    let (exec, poll) = (command(walk, &check)?, poll?);
    if !all_known {
        return None;
    }
    let full_name = parts.join("_");
    let mut job = Keys::of(field);
    let name = format!("sensor-{full_name}");
    job.text("name", context.claim(&name, || format!("{name}-2")));
    job.node("exec", exec);
    job.text("metric", full_name);
    let poll = match scalar_text(&poll) {
        // Seconds, whatever a template makes of it.
        Some(_) => poll,
        None => return None,
    };
    job.node("when", interval(context, &job, poll));
    if let Some(timeout) = timeout {
        job.field("timeout", &timeout);
    }
    let note = "the time limit holds now; runs during maintenance as well";
    Some((metric.object(), job.object().noted(note)))
}

fn name_parts(walk: &mut Walk<'_>, section: &mut Section<'_>, metric: &mut Keys) -> Vec<String> {
    let mut parts = Vec::new();
    for key in ["namespace", "subsystem", "name"] {
        if let Some(field) = section.take(walk, key) {
            parts.extend(scalar_text(field.node).filter(|part| !part.is_empty()));
            metric.field(key, &field);
        }
    }
    parts
}
