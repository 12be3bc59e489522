//! `control`: the socket.

use std::path::PathBuf;

use super::keys;
use super::settings::ControlSettings;
use super::tree::Kind;
use super::walk::{Field, Finding, Walk, quoted};

/// What the kernel takes as the path of a Unix socket, less the ending zero (unix(7)).
const LONGEST_PATH: usize = 107;

/// Reads the section; what is wrong has been reported and stays at its default.
pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> ControlSettings {
    let mut settings = ControlSettings::default();
    let Some(mut section) = walk.section(field, &keys::CONTROL) else {
        return settings;
    };
    if let Some(field) = section.take(walk, "socket") {
        settings.socket = socket(walk, &field).unwrap_or(settings.socket);
    }
    if let Some(field) = section.take(walk, "mode") {
        settings.mode = mode(walk, &field).unwrap_or(settings.mode);
    }
    if let Some(field) = section.take(walk, "owner") {
        settings.owner = owner(walk, &field);
    }
    if let Some(field) = section.take(walk, "readers") {
        settings.readers = Some(people(walk, &field));
    }
    if let Some(field) = section.take(walk, "writers") {
        settings.writers = Some(people(walk, &field));
    }
    settings.required = section.boolean(walk, "required").unwrap_or_default();
    section.finish(walk);
    settings
}

/// Each is written like an owner.
fn people(walk: &mut Walk<'_>, field: &Field<'_>) -> Vec<String> {
    let all = walk.list(field);
    all.iter().filter_map(|one| owner(walk, one)).collect()
}

fn socket(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<PathBuf> {
    let path = walk.text(field)?;
    let cause = if path.is_empty() {
        "control server not loading due to missing config".to_owned()
    } else if path.contains('\0') {
        "a path has no zero byte".to_owned()
    } else if path.len() > LONGEST_PATH {
        format!("the path of a socket has at most {LONGEST_PATH} bytes")
    } else {
        return Some(PathBuf::from(path));
    };
    let finding = Finding::new(format!("cannot use {}: {cause}", quoted(&path)));
    let help = format!("leave it out for `{}`", ControlSettings::DEFAULT_SOCKET);
    walk.error(&field.place, finding.help(help));
    None
}

/// Permissions as a string of octal digits. A number is refused: 0660 is none in JSON5, and 660 would be read as decimal.
fn mode(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<u32> {
    let mode = match &field.node.kind {
        Kind::String(text) if is_octal(text) => u32::from_str_radix(text, 8).ok(),
        _ => None,
    };
    let mode = mode.filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!(
            "cannot use {shown}: expected permissions as octal digits in a string"
        ));
        walk.error(&field.place, finding.help("write for example `\"0660\"`"));
    }
    mode
}

fn is_octal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
}

/// `user`, `user:group` or `:group`, by name or number; who they are is found out when the socket is made.
fn owner(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let owner = walk.text(field)?;
    let mut parts = owner.split(':');
    let named = parts.clone().any(|part| !part.is_empty());
    let right = |part: &str| !part.contains(|c: char| c.is_whitespace() || c.is_control());
    if named && parts.clone().count() <= 2 && parts.all(right) {
        return Some(owner);
    }
    let finding = Finding::new(format!(
        "cannot use {}: expected a user and a group",
        quoted(&owner)
    ));
    walk.error(
        &field.place,
        finding.help("write `user`, `user:group` or `:group`, by name or number"),
    );
    None
}
