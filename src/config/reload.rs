//! `reloadOnChange`: whether a change of the file reloads it, and how often it is looked at.

use std::time::Duration;

use super::section::Section;
use super::tree::Kind;
use super::walk::{DURATION_HELP, Finding, Walk};

/// How often the file is looked at unless something else is said.
const EVERY: Duration = Duration::from_secs(2);

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(100);

/// How often the file is looked at; `None`: a change of it changes nothing.
pub(super) fn read(walk: &mut Walk<'_>, top: &mut Section<'_>) -> Option<Duration> {
    let field = top.take(walk, "reloadOnChange")?;
    if let Kind::Bool(wanted) = field.node.kind {
        return wanted.then_some(EVERY);
    }
    let length = walk.duration(&field)?;
    let length = length.positive().filter(|length| *length >= SHORTEST);
    if length.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!("cannot use {shown}: must be 100ms or more"));
        walk.error(&field.place, finding.help(DURATION_HELP));
    }
    length
}
