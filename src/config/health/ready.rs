//! `jobs[].ready` and `jobs[].watchdog`.

use std::time::Duration;

use crate::config::keys;
use crate::config::section::Section;
use crate::config::tree::Kind;
use crate::config::walk::{DURATION_HELP, Field, Finding, Walk};
use crate::jobs::Ready;

const HELP: &str = "write `\"health\"`, `\"notify\"` or `{ fd: 3 }`";

/// Descriptors beyond the standard ones, below the usual soft limit.
const DESCRIPTORS: std::ops::RangeInclusive<i64> = 3..=255;

/// Reads both keys. `has_exec`, `has_health`: what the job has that they need.
pub(in crate::config) fn read(
    walk: &mut Walk<'_>,
    section: &mut Section<'_>,
    has_exec: bool,
    has_health: bool,
) -> Option<Ready> {
    let field = section.take(walk, "ready");
    let watchdog_field = section.take(walk, "watchdog");
    let watchdog = watchdog_field
        .as_ref()
        .and_then(|field| read_watchdog(walk, field));
    let ready = field
        .as_ref()
        .and_then(|field| read_one(walk, field, watchdog));
    if let Some(field) = watchdog_field.filter(|_| !matches!(ready, Some(Ready::Notify { .. }))) {
        let finding = Finding::new("nobody would hear the heartbeats");
        walk.error(&field.place, finding.help("add `ready: \"notify\"`"));
    }
    let field = field?;
    match ready? {
        Ready::Health if !has_health => {
            let finding = Finding::new("the job has no health check to be ready by");
            walk.error(&field.place, finding.help("add `health`"));
        }
        Ready::Notify { .. } | Ready::Descriptor(_) if !has_exec => {
            let finding = Finding::new("a job without `exec` cannot say that it is ready");
            walk.error(&field.place, finding.help("remove the key"));
        }
        _ => {}
    }
    ready
}

fn read_one(walk: &mut Walk<'_>, field: &Field<'_>, watchdog: Option<Duration>) -> Option<Ready> {
    if let Kind::Object(_) = field.node.kind {
        let mut section = walk.section(field, &keys::READY)?;
        let fd = section.take(walk, "fd");
        let all_known = section.finish(walk);
        let Some(fd) = fd else {
            if all_known {
                walk.error(&field.place, Finding::new("`fd` is missing").help(HELP));
            }
            return None;
        };
        return read_descriptor(walk, &fd);
    }
    walk.choice(
        field,
        &[
            ("health", Ready::Health),
            ("notify", Ready::Notify { watchdog }),
        ],
    )
}

fn read_descriptor(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Ready> {
    let number = walk.integer(field)?;
    let number = Some(number).filter(|number| DESCRIPTORS.contains(number));
    let number = number.and_then(|number| i32::try_from(number).ok());
    if number.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!(
            "cannot use {shown}: not a descriptor from 3 to 255"
        ));
        walk.error(&field.place, finding.help(HELP));
    }
    number.map(Ready::Descriptor)
}

fn read_watchdog(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Duration> {
    let length = walk.duration(field)?.positive();
    let length = length.filter(|length| *length >= Duration::from_millis(1));
    if length.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!(
            "cannot use {shown}: must be at least 1 millisecond"
        ));
        walk.error(&field.place, finding.help(DURATION_HELP));
    }
    length
}
