//! `jobs[].backoff` and `jobs[].maxRestarts`.

use std::time::Duration;

use crate::jobs::{BackoffSpec, MaxRestarts};

use super::section::Section;
use super::tree::Kind;
use super::walk::{Finding, Walk};
use super::when::at_least_a_millisecond;

/// No job needs more restarts within one window, each of which is remembered.
const MOST: i64 = 10_000;

/// `{ initial, max, factor, reset }`; what is not said is as without it, but that with an `initial` the first restart
/// waits as well. `None` has been reported.
pub(super) fn backoff(walk: &mut Walk<'_>, mut section: Section<'_>) -> Option<BackoffSpec> {
    let mut spec = BackoffSpec::default();
    if let Some(field) = section.take(walk, "initial") {
        spec.initial = at_least_a_millisecond(walk, &field)?;
        spec.first = spec.initial;
        spec.max = spec.max.max(spec.initial);
    }
    let max = section.take(walk, "max");
    if let Some(field) = &max {
        spec.max = at_least_a_millisecond(walk, field)?;
    }
    if let Some(field) = section.take(walk, "factor") {
        match field.node.kind {
            Kind::Number(number) if (1.0..=100.0).contains(&number) => spec.factor = number,
            _ => {
                let shown = walk.shown(field.node);
                let finding = Finding::new(format!(
                    "cannot use {shown}: expected a number from 1 to 100"
                ));
                walk.error(
                    &field.place,
                    finding.help("`2` doubles the wait each time, `1` keeps it"),
                );
            }
        }
    }
    if let Some(field) = section.take(walk, "reset") {
        spec.reset = at_least_a_millisecond(walk, &field)?;
    }
    if let Some(field) = max.filter(|_| spec.max < spec.initial) {
        let finding = Finding::new("`max` is shorter than `initial`");
        walk.error(&field.place, finding.help("use at least as much"));
    }
    section.finish(walk).then_some(spec)
}

/// `{ count, within }`; `None` has been reported.
pub(super) fn most(walk: &mut Walk<'_>, mut section: Section<'_>) -> Option<MaxRestarts> {
    let place = section.place.clone();
    let count = section.take(walk, "count");
    let within = section.take(walk, "within");
    if !section.finish(walk) {
        return None;
    }
    let (Some(count), Some(within)) = (count, within) else {
        let finding = Finding::new(
            "`maxRestarts` says how many restarts are permitted, and within which time",
        );
        walk.error(
            &place,
            finding.help("write for example `{ count: 5, within: \"1m\" }`"),
        );
        return None;
    };
    let number = walk.integer(&count)?;
    let within: Option<Duration> = at_least_a_millisecond(walk, &within);
    if !(1..=MOST).contains(&number) {
        let shown = walk.shown(count.node);
        let finding = Finding::new(format!(
            "cannot use {shown}: expected a number from 1 to {MOST}"
        ));
        walk.error(
            &count.place,
            finding.help("`restarts: \"never\"` permits none"),
        );
        return None;
    }
    let count = u32::try_from(number).ok()?;
    Some(MaxRestarts {
        count,
        within: within?,
    })
}
