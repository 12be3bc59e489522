//! `jobs[].health` and `jobs[].ready`.

mod probe;
mod ready;
mod target;

use std::time::Duration;

use crate::jobs::{CheckSpec, HealthSpec, Probe};

use super::duration::SignedDuration;
use super::exec;
use super::keys;
use super::section::Section;
use super::tree::Kind;
use super::walk::{DURATION_HELP, Field, Finding, Place, Walk, quoted};

pub(super) use ready::read as read_ready;

/// More checks than any job has; each is a task or a process.
const MOST: usize = 64;

const PROBES: &str = "write one of `exec`, `http`, `tcp`, `grpc` and `file`";

/// Reads one check or an array of them; `None` has been reported. `can_restart`: the job may be started again.
pub(super) fn read(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    is_advertised: bool,
    can_restart: bool,
) -> Option<HealthSpec> {
    let is_list = matches!(field.node.kind, Kind::Array(_));
    let fields = if is_list {
        walk.list(field)
    } else {
        vec![field.clone()]
    };
    if fields.is_empty() || fields.len() > MOST {
        let count = fields.len();
        let finding = Finding::new(format!("cannot use {count} checks: expected 1 to {MOST}"));
        walk.error(&field.place, finding.help(PROBES));
        return None;
    }
    let read: Vec<Option<Read>> = fields
        .iter()
        .map(|field| read_one(walk, field, is_list, can_restart))
        .collect();
    let mut read: Vec<Read> = read.into_iter().collect::<Option<_>>()?;
    // Every result is a heartbeat, so the most frequent check says how long the catalogue may wait for one.
    let fastest = read.iter().min_by_key(|read| read.interval)?;
    let (interval, ttl) = (fastest.interval, fastest.ttl);
    if let (true, Some(place)) = (is_advertised, &fastest.ttl_place) {
        warn_of_short_ttl(walk, place, interval, ttl);
    }
    Some(HealthSpec {
        checks: read
            .iter_mut()
            .filter_map(|read| read.check.take())
            .collect(),
        interval,
        ttl,
    })
}

/// One check as it is written.
struct Read {
    /// `None`: heartbeats alone.
    check: Option<CheckSpec>,
    interval: Duration,
    ttl: Duration,
    ttl_place: Option<Place>,
}

fn read_one(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    in_list: bool,
    can_restart: bool,
) -> Option<Read> {
    let mut section = walk.section(field, &keys::HEALTH)?;
    let probe = read_probe(walk, &mut section);
    let interval = section.take(walk, "interval");
    let interval = required(walk, &section, "interval", interval.as_ref());
    let ttl_field = section.take(walk, "ttl");
    // The original's two forms wanted one.
    let wants_ttl = matches!(probe, Some(None | Some(Probe::Exec(_)))) && !in_list;
    let ttl = if wants_ttl || ttl_field.is_some() {
        required(walk, &section, "ttl", ttl_field.as_ref())
    } else {
        interval.map(|interval| interval.saturating_mul(3))
    };
    let timeout_field = section.take(walk, "timeout");
    let timeout = timeout_field
        .as_ref()
        .and_then(|timeout| walk.duration(timeout));
    let raw = raw_logging(walk, &mut section).unwrap_or_default();
    let extras = Extras::read(walk, &mut section, can_restart);
    let place = section.place.clone();
    section.finish(walk);
    let (probe, interval, ttl) = (probe?, interval?, ttl?);
    // An explicit 0, or less, is no limit (since 3.8.0 the interval is the default).
    let limit = timeout.map_or(Some(interval), SignedDuration::positive);
    let is_command = matches!(probe, None | Some(Probe::Exec(_)));
    if let (false, None, Some(field)) = (is_command, limit, &timeout_field) {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!(
            "cannot use {shown}: only a command may last for ever"
        ));
        walk.error(&field.place, finding.help(DURATION_HELP));
    }
    if probe.is_none() && in_list {
        let finding = Finding::new("there is nothing to check");
        walk.error(&place, finding.help(PROBES));
    }
    Some(Read {
        check: probe.map(|probe| extras.into_check(probe, interval, limit, raw)),
        interval,
        ttl,
        ttl_place: ttl_field.map(|field| field.place),
    })
}

/// What the check looks at; `Some(None)`: nothing. `None` has been reported.
#[expect(
    clippy::option_option,
    reason = "wrong, nothing and something are three"
)]
fn read_probe(walk: &mut Walk<'_>, section: &mut Section<'_>) -> Option<Option<Probe>> {
    let mut found = Vec::new();
    for key in ["exec", "http", "tcp", "grpc", "file"] {
        if let Some(field) = section.take(walk, key) {
            found.push((key, field));
        }
    }
    let mut found = found.into_iter();
    let Some((key, field)) = found.next() else {
        return Some(None);
    };
    if let Some((other, second)) = found.next() {
        let finding = Finding::new(format!("a check has `{key}` or `{other}`, not both"));
        let help = "write an array of checks: `health: [ { … }, { … } ]`";
        walk.error(&second.place, finding.help(help));
        return None;
    }
    let probe = match key {
        "exec" => exec::read(walk, &field).map(Probe::Exec),
        "http" => probe::http(walk, &field),
        "tcp" => probe::tcp(walk, &field),
        "grpc" => probe::grpc(walk, &field),
        _ => probe::file(walk, &field),
    };
    // Whoever wrote a command wanted what the original wanted beside it, even if the command is wrong.
    if key == "exec" {
        Some(probe)
    } else {
        probe.map(Some)
    }
}

/// The keys that the original did not have.
struct Extras {
    rise: u32,
    fall: u32,
    start_period: Duration,
    restarts: bool,
}

impl Extras {
    fn read(walk: &mut Walk<'_>, section: &mut Section<'_>, can_restart: bool) -> Extras {
        let rise = section.take(walk, "rise");
        let fall = section.take(walk, "fall");
        let start_period = section.take(walk, "startPeriod");
        let start_period = start_period.and_then(|field| walk.duration(&field));
        let on_failure = section.take(walk, "onFailure");
        let restarts = on_failure
            .as_ref()
            .and_then(|field| walk.choice(field, &[("restart", true)]))
            .unwrap_or_default();
        if let (true, false, Some(field)) = (restarts, can_restart, &on_failure) {
            let finding = Finding::new("the job may not be started again");
            walk.error(
                &field.place,
                finding.help("give the job an `exec`, and `restarts: \"unlimited\"` or a number"),
            );
        }
        Extras {
            rise: times(walk, rise.as_ref()),
            fall: times(walk, fall.as_ref()),
            start_period: start_period
                .map(SignedDuration::or_zero)
                .unwrap_or_default(),
            restarts,
        }
    }

    fn into_check(
        self,
        probe: Probe,
        interval: Duration,
        timeout: Option<Duration>,
        raw: bool,
    ) -> CheckSpec {
        CheckSpec {
            probe,
            interval,
            timeout,
            raw,
            rise: self.rise,
            fall: self.fall,
            start_period: self.start_period,
            restarts: self.restarts,
        }
    }
}

/// A number of results in a row.
fn times(walk: &mut Walk<'_>, field: Option<&Field<'_>>) -> u32 {
    let Some(field) = field else { return 1 };
    let Some(number) = walk.integer(field) else {
        return 1;
    };
    let times = u32::try_from(number).ok().filter(|times| *times > 0);
    if times.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!("cannot use {shown}: must be at least 1"));
        walk.error(
            &field.place,
            finding.help("write a number of results in a row, such as `3`"),
        );
    }
    times.unwrap_or(1)
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
