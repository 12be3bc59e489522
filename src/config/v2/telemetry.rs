//! `telemetry`: a sensor becomes a metric, and a job whose output is its value.

use crate::config::section::Section;
use crate::config::tree::Node;
use crate::config::walk::{Field, Finding, Walk, scalar_text};

use super::keys::{Keys, moved};
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
    let mut section = walk.older_section(field)?;
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
    section.ignore_these(walk, &IGNORED, "remove it");
    section.finish(walk);
    let mut metrics = Vec::new();
    for sensor in sensors {
        metrics.extend(sensor_of(walk, context, &sensor));
    }
    if !metrics.is_empty() {
        let metrics = Node::array(metrics, telemetry.range());
        telemetry.node("metrics", metrics);
    }
    Some(telemetry.object())
}

/// The metric of a sensor, whose job is added; `None` has been reported. The value is taken the first time after one
/// period, as tasks are run. Version 2 did not apply the time limit and froze when a sensor did; here it is the period
/// where none is written.
fn sensor_of(walk: &mut Walk<'_>, context: &mut Context<'_>, field: &Field<'_>) -> Option<Node> {
    let mut section = walk.older_section(field)?;
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
    let exec = command(walk, &check)?;
    let poll = poll?;
    if !all_known {
        return None;
    }
    let full_name = parts.join("_");
    let name = format!("sensor-{full_name}");
    let mut job = Keys::of(field);
    job.text("name", context.claim(&name, || name.clone()));
    job.node("exec", exec);
    job.text("metric", full_name);
    job.node(
        "timeout",
        timeout.map_or_else(|| poll.clone(), |field| moved(&field)),
    );
    job.node("when", interval(context, &job, poll));
    context.jobs.push(job.object());
    Some(metric.object())
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
