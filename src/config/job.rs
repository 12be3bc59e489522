//! `jobs[]`.

mod across;

use std::time::Duration;

use crate::events::{JobId, Signal};
use crate::jobs::{
    BackoffSpec, Essential, Exec, Expiry, HealthSpec, JobIo, JobSpec, MaxRestarts, Orphans,
    Restarts, Stdin,
};

use super::action::ActionDraft;
use super::attributes;
use super::circles;
use super::duration::SignedDuration;
use super::exec;
use super::health;
use super::keys;
use super::names::{Facts, Names};
use super::restarts;
use super::section::Section;
use super::sensor::Sensor;
use super::service::{self, Surroundings};
use super::tree::Kind;
use super::walk::{Field, Finding, Place, Walk, quoted};
use super::when::{When, at_least_a_millisecond};

/// The job that stands for the program itself when telemetry is on.
const OWN_JOB: &str = "containerpilot";

pub(super) use across::check_ids;
use across::{check_terminal, number_duplicates};

const STDIN: [(&str, Stdin); 2] = [("null", Stdin::Null), ("inherit", Stdin::Inherit)];
const ORPHANS: [(&str, Orphans); 2] = [("sweep", Orphans::Sweep), ("keep", Orphans::Keep)];

/// A job that waits for the names of the others.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) spec: JobSpec,
    pub(super) place: Place,
    /// Where `drain` stands, if the file says one.
    pub(super) drain_place: Option<Place>,
    /// Where its own stop time stands, if the file says one.
    pub(super) stop_place: Option<Place>,
    name_place: Place,
    pub(super) when: Option<When>,
    action: Option<ActionDraft>,
    /// `stdin` or `tty` of this job, for the checks over all jobs.
    input_place: Option<Place>,
    /// `metric` of this job.
    pub(super) sensor: Option<Sensor>,
}

/// Reads all jobs. Those with an error are there as well, so that others that name them raise no second one.
pub(super) fn read_all(
    walk: &mut Walk<'_>,
    fields: &[Field<'_>],
    around: Surroundings<'_>,
) -> Vec<Draft> {
    let mut drafts = Vec::with_capacity(fields.len());
    for field in fields {
        drafts.extend(Draft::read(walk, field, around));
    }
    number_duplicates(walk, &mut drafts);
    check_terminal(walk, &drafts);
    drafts
}

/// Gives every job its start, now that all names are known.
pub(super) fn resolve(walk: &mut Walk<'_>, drafts: &mut [Draft], mut names: Names) {
    for (id, draft) in ids().zip(drafts.iter()) {
        names.jobs.insert(draft.spec.name.clone(), id);
        names.facts.push(draft.facts());
    }
    for draft in drafts.iter() {
        draft.check_reserved(walk, &names);
    }
    for (id, draft) in ids().zip(drafts.iter_mut()) {
        if let Some(when) = &draft.when {
            draft.spec.start = when.resolve(walk, id, &names);
        }
        if let Some(action) = &draft.action {
            draft.spec.action = action.resolve(walk, &names);
        }
    }
    circles::check(walk, drafts);
}

fn ids() -> impl Iterator<Item = JobId> {
    (0..).map(JobId)
}

impl Draft {
    /// Reads one job; `None` if it is no object.
    fn read(walk: &mut Walk<'_>, field: &Field<'_>, around: Surroundings<'_>) -> Option<Draft> {
        let mut section = walk.section(field, &keys::JOB)?;
        let place = section.place.clone();
        let (name, name_place) = name(walk, &mut section);
        let exec = section
            .take(walk, "exec")
            .and_then(|exec| exec::read(walk, &exec));
        let keys = service::Keys::take(walk, &mut section);
        let advertised = keys.port.as_ref().filter(|port| !is_zero(port));
        if advertised.is_some() && !name.is_empty() && !keys.has_own_name() {
            service::check_name(walk, &name_place, &name);
        }
        let when = section
            .take(walk, "when")
            .and_then(|when| When::read(walk, &when, around));
        let timing = Timing::read(walk, &mut section, when.as_ref());
        let can_restart = exec.is_some() && timing.restarts != Restarts::Limited(0);
        let health = read_health(walk, &mut section, &name, advertised, can_restart);
        let service = keys.read(walk, &name, around);
        let ready = health::read_ready(walk, &mut section, exec.is_some(), health.is_some());
        let (io, input_place) = read_io(walk, &mut section);
        let sensor = Sensor::read(walk, &mut section, exec.is_some(), io);
        let essential = section.take(walk, "essential");
        let essential = essential.and_then(|field| read_essential(walk, &field));
        let essential = essential.unwrap_or_default();
        let action = section.take(walk, "action");
        let action = action.and_then(|field| ActionDraft::read(walk, &field));
        let forward = read_forward(walk, &mut section);
        let drain = Drain::read(walk, &mut section, service.is_some());
        let agent = section.boolean(walk, "agent");
        let attributes = attributes::read(walk, &mut section);
        let orphans = section.take(walk, "orphans");
        let orphans = orphans.and_then(|orphans| walk.choice(&orphans, &ORPHANS));
        section.ignore(
            walk,
            "remove it; a health check's `ttl` belongs into `health`",
        );
        section.finish(walk);
        if let (Some(action), Some(_)) = (&action, &exec) {
            let finding = Finding::new("a job has one of `exec` and `action`");
            walk.error(&action.place, finding.help("use another job for the other"));
        }
        if essential == Essential::Yes && exec.is_none() {
            walk.warning(
                &place,
                "`essential` has no effect on a job without `exec`: it never exits",
            );
        }
        let agent = agent.unwrap_or_else(|| exec.as_ref().is_some_and(is_agent));
        let spec = JobSpec {
            restarts: timing.restarts,
            backoff: timing.backoff,
            max_restarts: timing.max_restarts,
            timeout: timing.timeout,
            stop_timeout: timing.stop_timeout,
            health,
            ready,
            essential,
            io,
            metric: sensor.as_ref().map(|sensor| sensor.metric.clone()),
            forward,
            orphans: orphans.unwrap_or_default(),
            service,
            drain: drain.length,
            agent,
            attributes,
            ..JobSpec::new(name, exec)
        };
        Some(Draft {
            spec,
            place,
            drain_place: drain.place,
            stop_place: timing.stop_place,
            name_place,
            when,
            action,
            input_place,
            sensor,
        })
    }

    fn facts(&self) -> Facts {
        let health = self.spec.health.as_ref();
        Facts {
            has_exec: self.spec.exec.is_some(),
            has_check: health.is_some_and(|health| !health.checks.is_empty())
                || self.spec.ready.is_some(),
            has_wait: self.when.as_ref().is_some_and(|when| when.wait.is_some()),
            may_fail: self.spec.max_restarts.is_some()
                || self
                    .when
                    .as_ref()
                    .and_then(|when| when.wait)
                    .is_some_and(|wait| wait.then == Expiry::Fail),
        }
    }

    /// A name that would hide another source is an error; one that only looks like a source is odd (decision 15).
    fn check_reserved(&self, walk: &mut Walk<'_>, names: &Names) {
        let name = self.spec.name.as_str();
        let watch = name.strip_prefix("watch.");
        let check = name.strip_prefix("check.");
        let hides = matches!(name, "global" | "SIGHUP" | "SIGUSR2")
            || watch.is_some_and(|watch| names.watches.contains_key(watch))
            || check.is_some_and(|job| names.jobs.contains_key(job));
        if hides {
            let finding = Finding::new(format!(
                "cannot use {}: it is the name of another source of events",
                quoted(name)
            ));
            walk.error(&self.name_place, finding.help("choose another name"));
        } else if watch.is_some() || check.is_some() || name.starts_with("SIG") {
            let finding = Finding::new(format!(
                "{} looks like a source of events and is a job",
                quoted(name)
            ));
            walk.warning(&self.name_place, finding.help("choose another name"));
        }
    }
}

fn read_essential(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Essential> {
    if matches!(&field.node.kind, Kind::String(text) if text == "onFailure") {
        return Some(Essential::OnFailure);
    }
    let essential = walk.boolean(field)?;
    Some(if essential {
        Essential::Yes
    } else {
        Essential::No
    })
}

fn name(walk: &mut Walk<'_>, section: &mut Section<'_>) -> (String, Place) {
    let field = section.take(walk, "name");
    let place = field
        .as_ref()
        .map_or_else(|| section.place.clone(), |field| field.place.clone());
    let name = match &field {
        Some(field) => walk.text(field),
        None => Some(String::new()),
    };
    if name.as_deref() == Some("") {
        let finding = Finding::new("'name' must not be blank");
        walk.error(
            &place,
            finding.help("give the job a name; others refer to it in `when.source`"),
        );
    }
    (name.unwrap_or_default(), place)
}

fn is_zero(port: &Field<'_>) -> bool {
    match &port.node.kind {
        Kind::Number(number) => number.trunc() == 0.0,
        Kind::String(text) => text == "0",
        Kind::Bool(value) => !value,
        _ => false,
    }
}

fn read_health(
    walk: &mut Walk<'_>,
    section: &mut Section<'_>,
    name: &str,
    advertised: Option<&Field<'_>>,
    can_restart: bool,
) -> Option<HealthSpec> {
    let field = section.take(walk, "health");
    if let (Some(port), None) = (advertised, &field)
        && name != OWN_JOB
    {
        let finding = Finding::new("health must be set if 'port' is set");
        let help = "add `health: { exec: \"…\", interval: 10, ttl: 25 }` with a command that checks the service";
        walk.error(&port.place, finding.help(help));
    }
    health::read(walk, &field?, advertised.is_some(), can_restart)
}

/// `drain`: the time between leaving the catalogue and TERM.
#[derive(Debug, Default)]
struct Drain {
    length: Option<Duration>,
    place: Option<Place>,
}

impl Drain {
    fn read(walk: &mut Walk<'_>, section: &mut Section<'_>, advertised: bool) -> Drain {
        let Some(field) = section.take(walk, "drain") else {
            return Drain::default();
        };
        if !advertised {
            let finding = Finding::new("`drain` has no effect on a job that is not advertised");
            walk.warning(
                &field.place,
                finding.help("add `port` to advertise the job, or remove the key"),
            );
        }
        let length = walk.duration(&field);
        if length.is_some_and(|length| length.nanos() < 0) {
            let finding = Finding::new("`drain` is less than nothing and counts as none");
            walk.warning(&field.place, finding.help("write for example `2s`"));
        }
        let length = length.and_then(SignedDuration::positive);
        Drain {
            length,
            place: Some(field.place),
        }
    }
}

/// Whether a command runs the agent of a catalogue: `consul agent …`. Such a job is named as one by `agent` only where
/// it is started by a script.
fn is_agent(exec: &Exec) -> bool {
    let program = exec.program().rsplit('/').next();
    program == Some("consul") && exec.argv().iter().skip(1).any(|word| word == "agent")
}

/// How often and how long a job runs.
#[derive(Debug)]
struct Timing {
    restarts: Restarts,
    backoff: BackoffSpec,
    max_restarts: Option<MaxRestarts>,
    timeout: Option<Duration>,
    stop_timeout: Option<Duration>,
    stop_place: Option<Place>,
}

impl Timing {
    fn read(walk: &mut Walk<'_>, section: &mut Section<'_>, when: Option<&When>) -> Timing {
        let interval = when.and_then(When::interval);
        let is_each = when.is_some_and(When::is_each);
        let restarts = section.take(walk, "restarts");
        let restarts = restarts.and_then(|field| read_restarts(walk, &field, is_each));
        let default = if when.is_some_and(When::is_periodic) {
            Restarts::Unlimited
        } else {
            Restarts::Limited(0)
        };
        let timeout = section.take(walk, "timeout");
        let timeout = timeout.and_then(|field| at_least_a_millisecond(walk, &field));
        let stop = section.take(walk, "stopTimeout");
        let stop_timeout = stop.as_ref().and_then(|field| walk.duration(field));
        let backoff = section.section(walk, "backoff");
        let backoff = backoff.and_then(|section| restarts::backoff(walk, section));
        let most = section.section(walk, "maxRestarts");
        Timing {
            restarts: restarts.unwrap_or(default),
            backoff: backoff.unwrap_or_default(),
            max_restarts: most.and_then(|section| restarts::most(walk, section)),
            timeout: timeout.or(interval),
            stop_timeout: stop_timeout.map(SignedDuration::or_zero),
            stop_place: stop.map(|field| field.place),
        }
    }
}

fn read_restarts(walk: &mut Walk<'_>, field: &Field<'_>, is_each: bool) -> Option<Restarts> {
    const ACCEPTED: &str = "accepts positive integers, \"unlimited\", or \"never\"";
    let restarts = match &field.node.kind {
        Kind::String(text) => match text.as_str() {
            "unlimited" | "onFailure" if is_each => Err(
                "may not be used when 'job.when.each' is set because it may result in infinite processes",
            ),
            "unlimited" => Ok(Restarts::Unlimited),
            "onFailure" => Ok(Restarts::OnFailure),
            "never" => Ok(Restarts::Limited(0)),
            digits => digits
                .parse::<i64>()
                .map_err(|_| ACCEPTED)
                .and_then(limited),
        },
        // A fraction is dropped, as in the original; `as` saturates.
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        Kind::Number(number) if !number.is_nan() => limited(*number as i64),
        _ => Err(ACCEPTED),
    };
    match restarts {
        Ok(restarts) => Some(restarts),
        Err(cause) => {
            let shown = walk.shown(field.node);
            let finding = Finding::new(format!("cannot use {shown}: {cause}"));
            let near = if shown == "`always`" {
                "did you mean `unlimited`?"
            } else {
                "write `3`, `\"unlimited\"` or `\"never\"`"
            };
            walk.error(&field.place, finding.help(near));
            None
        }
    }
}

fn limited(count: i64) -> Result<Restarts, &'static str> {
    if count < 0 {
        return Err("number must be positive integer");
    }
    Ok(Restarts::Limited(u32::try_from(count).unwrap_or(u32::MAX)))
}

/// How the job is connected, and the place of the key that gives it our input.
fn read_io(walk: &mut Walk<'_>, section: &mut Section<'_>) -> (JobIo, Option<Place>) {
    let raw = health::raw_logging(walk, section).unwrap_or_default();
    let stdin_field = section.take(walk, "stdin");
    let stdin = stdin_field
        .as_ref()
        .and_then(|field| walk.choice(field, &STDIN));
    let tty_field = section.take(walk, "tty");
    let tty = tty_field
        .as_ref()
        .and_then(|field| walk.boolean(field))
        .unwrap_or_default();
    if let (true, Some(Stdin::Null), Some(field)) = (tty, stdin, &stdin_field) {
        let finding = Finding::new("a job with `tty` reads from the terminal");
        walk.error(
            &field.place,
            finding.help("remove `stdin`, or set it to \"inherit\""),
        );
    }
    // The terminal is what the job reads from.
    let stdin = if tty {
        Stdin::Inherit
    } else {
        stdin.unwrap_or_default()
    };
    let place = tty_field.filter(|_| tty).or(stdin_field);
    let place = place
        .filter(|_| stdin == Stdin::Inherit)
        .map(|field| field.place);
    (JobIo { raw, stdin, tty }, place)
}

fn read_forward(walk: &mut Walk<'_>, section: &mut Section<'_>) -> Vec<Signal> {
    let Some(field) = section.take(walk, "forward") else {
        return Vec::new();
    };
    let elements = match field.node.kind {
        Kind::String(_) | Kind::Number(_) => vec![field],
        _ => walk.list(&field),
    };
    let mut signals: Vec<Signal> = Vec::new();
    for element in elements {
        let Some(text) = walk.text(&element) else {
            continue;
        };
        match text.parse::<Signal>() {
            Ok(signal) if !signal.is_forwardable() => {
                let finding = Finding::new(format!(
                    "cannot forward {signal}: the supervisor needs it itself, or it cannot be caught"
                ));
                walk.error(&element.place, finding.help("remove it"));
            }
            Ok(signal) if signals.contains(&signal) => {}
            Ok(signal) => signals.push(signal),
            Err(_) => {
                let finding = Finding::new(format!("cannot use {}: not a signal", quoted(&text)));
                walk.error(
                    &element.place,
                    finding.help("write a name such as `WINCH`, `USR1` or `RTMIN+3`, or a number"),
                );
            }
        }
    }
    signals
}
