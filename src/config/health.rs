//! `jobs[].health`.

use std::time::Duration;

use crate::jobs::HealthSpec;

use super::duration::SignedDuration;
use super::exec;
use super::section::Section;
use super::tree::Kind;
use super::walk::{DURATION_HELP, Field, Finding, Place, Walk, quoted};

/// Reads the section; `None` has been reported.
pub(super) fn read(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    is_advertised: bool,
) -> Option<HealthSpec> {
    let mut section = walk.section(field)?;
    let exec = section
        .take(walk, "exec")
        .and_then(|exec| exec::read(walk, &exec));
    let interval = section.take(walk, "interval");
    let interval = required(walk, &section, "interval", interval.as_ref());
    let ttl_field = section.take(walk, "ttl");
    let ttl = required(walk, &section, "ttl", ttl_field.as_ref());
    let timeout = section
        .take(walk, "timeout")
        .and_then(|timeout| walk.duration(&timeout));
    let raw = raw_logging(walk, &mut section).unwrap_or_default();
    section.finish(walk);
    let (interval, ttl) = (interval?, ttl?);
    if let Some(field) = ttl_field.filter(|_| is_advertised) {
        warn_of_short_ttl(walk, &field.place, interval, ttl);
    }
    // An explicit 0, or less, is no limit (since 3.8.0 the interval is the default).
    let timeout = timeout.map_or(Some(interval), SignedDuration::positive);
    Some(HealthSpec {
        exec,
        interval,
        ttl,
        timeout,
        raw,
    })
}

/// `logging: { raw: … }` of a job or a check.
pub(super) fn raw_logging(walk: &mut Walk<'_>, section: &mut Section<'_>) -> Option<bool> {
    let mut logging = section.section(walk, "logging")?;
    let raw = logging.boolean(walk, "raw");
    logging.finish(walk);
    raw
}

fn required(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    key: &str,
    field: Option<&Field<'_>>,
) -> Option<Duration> {
    if let Some(field) = field {
        return period(walk, field);
    }
    let finding = Finding::new(format!("`{key}` is missing: {key} must be > 0"));
    walk.error(
        &section.place,
        finding.help("write a number of seconds, such as `10`"),
    );
    None
}

/// A period: a whole number of seconds as in the original, or a duration; at least one second or, with a unit, one
/// millisecond.
pub(super) fn period(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Duration> {
    let (length, least) = seconds_or_duration(walk, field)?;
    let period = length.positive().filter(|length| *length >= least);
    if period.is_none() {
        let shown = walk.shown(field.node);
        let least = if least >= Duration::from_secs(1) {
            "1 second"
        } else {
            "1 millisecond"
        };
        let finding = Finding::new(format!("cannot use {shown}: must be at least {least}"));
        walk.error(&field.place, finding.help(DURATION_HELP));
    }
    period
}

/// A length of time that the original took as whole seconds, with the least that makes sense in the form it has.
pub(super) fn seconds_or_duration(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
) -> Option<(SignedDuration, Duration)> {
    if let Kind::String(text) = &field.node.kind {
        let is_number = text.parse::<f64>().is_ok() || text.starts_with("0x");
        if !is_number && !text.is_empty() {
            return Some((walk.duration(field)?, Duration::from_millis(1)));
        }
    }
    let seconds = walk.integer(field)?;
    let Ok(length) = SignedDuration::from_secs(seconds) else {
        let finding = format!(
            "cannot use {}: longer than 292 years",
            quoted(&seconds.to_string())
        );
        walk.error(&field.place, finding);
        return None;
    };
    Some((length, Duration::from_secs(1)))
}

/// The catalogue declares a service critical when the TTL runs out; one lost heartbeat must not do that (C18).
fn warn_of_short_ttl(walk: &mut Walk<'_>, place: &Place, interval: Duration, ttl: Duration) {
    let wanted = interval.saturating_mul(5) / 2;
    if ttl >= wanted {
        return;
    }
    let finding = Finding::new(format!(
        "the ttl of {} is short for checks every {}: one late check makes the service critical",
        humantime::format_duration(ttl),
        humantime::format_duration(interval)
    ));
    let help = format!("use at least {}", humantime::format_duration(wanted));
    walk.warning(place, finding.help(help));
}
