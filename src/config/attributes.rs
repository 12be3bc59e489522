//! The keys of a job that say what its processes are: signal, environment, user, directory, limits.

use crate::events::Signal;
use crate::jobs::{Attributes, Limit, Resource, Variable, Who, id};

use super::keys;
use super::section::Section;
use super::tree::Kind;
use super::walk::{Field, Finding, Walk, quoted, scalar_text};

/// Statuses that say that a command could not be started (P15, P17): they are no success, whoever gives them.
const NOT_STARTED: [i64; 2] = [126, 127];

/// The variable by which we find a run's processes.
const MARKER: &str = "CONTAINERPILOT_RUN";

/// Takes the keys of a job; what is wrong has been reported and stays at its default.
pub(super) fn read(walk: &mut Walk<'_>, job: &mut Section<'_>) -> Attributes {
    let mut found = Attributes::default();
    if let Some(field) = job.take(walk, "stopSignal") {
        found.stop_signal = stop_signal(walk, &field);
    }
    if let Some(field) = job.take(walk, "successExitCodes") {
        found.success = success(walk, &field);
    }
    if let Some(field) = job.take(walk, "env") {
        found.env = env(walk, &field);
    }
    if let Some(field) = job.take(walk, "envFile") {
        found.env_files = walk.texts(&field);
        found.env_files.retain(|path| is_path(walk, &field, path));
    }
    if let Some(field) = job.take(walk, "workdir") {
        found.workdir = workdir(walk, &field);
    }
    if let Some(field) = job.take(walk, "user") {
        found.user = who(walk, &field, "a user by name or number", "`group`");
    }
    if let Some(field) = job.take(walk, "group") {
        found.group = who(walk, &field, "a group by name or number", "`user`");
    }
    if let Some(field) = job.take(walk, "umask") {
        found.umask = umask(walk, &field);
    }
    if let Some(field) = job.take(walk, "limits") {
        found.limits = limits(walk, &field);
    }
    if let Some(field) = job.take(walk, "nice") {
        found.nice = nice(walk, &field);
    }
    let no_new = job.boolean(walk, "noNewPrivileges");
    found.no_new_privileges = no_new.unwrap_or_default();
    found
}

fn stop_signal(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Signal> {
    let text = walk.text(field)?;
    let (cause, help) = match text.parse::<Signal>() {
        Ok(Signal::STOP) => ("it ends no process", "write the signal that ends it"),
        Ok(signal) => return Some(signal),
        Err(_) => (
            "not a signal",
            "write a name such as `QUIT`, `INT` or `RTMIN+3`, or a number",
        ),
    };
    let finding = Finding::new(format!("cannot use {}: {cause}", quoted(&text)));
    walk.error(&field.place, finding.help(help));
    None
}

fn success(walk: &mut Walk<'_>, field: &Field<'_>) -> Vec<u8> {
    let fields = match field.node.kind {
        Kind::Number(_) => vec![field.clone()],
        _ => walk.list(field),
    };
    let mut codes = Vec::with_capacity(fields.len());
    for field in &fields {
        let Some(number) = walk.integer(field) else {
            continue;
        };
        let cause = if NOT_STARTED.contains(&number) {
            "this status means that the command could not be started"
        } else if let Ok(code) = u8::try_from(number) {
            codes.push(code);
            continue;
        } else {
            "expected a status from 0 to 255"
        };
        let finding = Finding::new(format!("cannot use `{number}`: {cause}"));
        let help = "write for example `[0, 143]`; a death by signal n counts as 128 + n";
        walk.error(&field.place, finding.help(help));
    }
    if fields.is_empty() && matches!(field.node.kind, Kind::Array(_)) {
        let finding = Finding::new("cannot use an empty list: nothing would ever be a success");
        walk.error(&field.place, finding.help("leave it out for `[0]`"));
    }
    codes
}

/// An object of variables; null unsets.
fn env(walk: &mut Walk<'_>, field: &Field<'_>) -> Vec<Variable> {
    let entries = field.node.entries();
    if !matches!(field.node.kind, Kind::Object(_)) {
        walk.pairs(field);
    }
    let mut variables = Vec::with_capacity(entries.len());
    for entry in entries {
        let place = field.place.key(&entry.key, entry.value.range.clone());
        let place = place.of(&entry.value);
        let node = &entry.value;
        let value = match node.kind {
            Kind::Null => None,
            _ => match walk.text(&Field {
                place: place.clone(),
                node,
            }) {
                Some(text) => Some(text),
                None => continue,
            },
        };
        if let Kind::Bool(written) = node.kind {
            let text = scalar_text(node).unwrap_or_default();
            let finding = Finding::new(format!("`{written}` becomes the text `{text}`"));
            walk.warning(&place, finding.help("put the value in quotes"));
        }
        let name = entry.key.clone();
        let cause = if name.is_empty() || name.contains(['=', '\0']) {
            "a name has at least one character, and neither `=` nor a zero byte"
        } else if name == MARKER {
            "the supervisor finds a job's processes by it"
        } else if value.as_ref().is_some_and(|value| value.contains('\0')) {
            "a value has no zero byte"
        } else {
            variables.push(Variable { name, value });
            continue;
        };
        walk.error(&place, format!("cannot set {}: {cause}", quoted(&name)));
    }
    variables
}

fn is_path(walk: &mut Walk<'_>, field: &Field<'_>, path: &str) -> bool {
    let is_path = !path.is_empty() && !path.contains('\0');
    if !is_path {
        let finding = Finding::new(format!("cannot use {}: expected a path", quoted(path)));
        walk.error(&field.place, finding);
    }
    is_path
}

fn workdir(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let path = walk.text(field)?;
    if path.starts_with('/') && !path.contains('\0') {
        return Some(path);
    }
    let shown = quoted(&path);
    let finding = Finding::new(format!("cannot use {shown}: expected an absolute path"));
    walk.error(&field.place, finding.help("begin it with `/`"));
    None
}

/// A name or a number; who it is is found out at the start.
fn who(walk: &mut Walk<'_>, field: &Field<'_>, expected: &str, other: &str) -> Option<Who> {
    let text = walk.text(field)?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_odd = |c: char| c == ':' || c.is_whitespace() || c.is_control();
    let found = if is_number {
        id(text.as_bytes()).map(Who::Number)
    } else {
        let is_name = !text.is_empty() && !text.starts_with('-') && !text.contains(is_odd);
        is_name.then(|| Who::Name(text.clone()))
    };
    if found.is_none() {
        let shown = quoted(&text);
        let finding = Finding::new(format!("cannot use {shown}: expected {expected}"));
        let help =
            format!("write for example `\"app\"` or `1000`; for the other half there is {other}");
        walk.error(&field.place, finding.help(help));
    }
    found
}

/// Octal digits in a string, as for `control.mode`.
fn umask(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<u32> {
    let mask = match &field.node.kind {
        Kind::String(text) if text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) => {
            u32::from_str_radix(text, 8).ok()
        }
        _ => None,
    };
    let mask = mask.filter(|mask| *mask <= 0o777);
    if mask.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!(
            "cannot use {shown}: expected a mask as octal digits in a string"
        ));
        walk.error(&field.place, finding.help("write for example `\"022\"`"));
    }
    mask
}

fn nice(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<i8> {
    let number = walk.integer(field)?;
    let nice = i8::try_from(number).ok();
    let nice = nice.filter(|nice| (-20..=19).contains(nice));
    if nice.is_none() {
        walk.error(
            &field.place,
            format!("cannot use `{number}`: expected -20 (first) to 19 (last)"),
        );
    }
    nice
}

fn limits(walk: &mut Walk<'_>, field: &Field<'_>) -> Vec<(Resource, Limit)> {
    let mut limits: Vec<(Resource, Limit)> = Vec::new();
    for (name, field) in walk.pairs(field) {
        if let Some(resource) = Resource::from_name(&name) {
            limits.extend(limit(walk, &field).map(|limit| (resource, limit)));
        } else {
            let finding = Finding::new(format!("unknown limit {}", quoted(&name)));
            walk.error(&field.place, finding.suggest(&name, Resource::names()));
        }
    }
    limits
}

/// A number for both halves, or an object with one or both of them.
fn limit(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Limit> {
    if !matches!(field.node.kind, Kind::Object(_)) {
        let both = Some(amount(walk, field)?);
        return Some(Limit {
            soft: both,
            hard: both,
        });
    }
    let mut section = walk.section(field, &keys::LIMIT)?;
    let mut half = |walk: &mut Walk<'_>, key| {
        let field = section.take(walk, key);
        field.and_then(|field| amount(walk, &field))
    };
    let (soft, hard) = (half(walk, "soft"), half(walk, "hard"));
    section.finish(walk);
    if let (Some(soft), Some(hard)) = (soft, hard)
        && soft > hard
    {
        let finding = Finding::new("cannot use a soft limit above the hard one");
        walk.error(&field.place, finding);
        return None;
    }
    Some(Limit { soft, hard })
}

fn amount(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<u64> {
    let amount = match &field.node.kind {
        Kind::String(text) if text == "unlimited" => Some(Limit::UNLIMITED),
        Kind::String(text) => text.parse().ok(),
        Kind::Number(number) if number.fract() == 0.0 => walk
            .integer(field)
            .and_then(|whole| u64::try_from(whole).ok()),
        _ => None,
    };
    if amount.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!("cannot use {shown}: expected a limit"));
        let help = "write for example `1024`, `\"unlimited\"` or `{ soft: 1024, hard: 4096 }`";
        walk.error(&field.place, finding.help(help));
    }
    amount
}
