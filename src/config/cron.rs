//! `jobs[].when.cron` and `timezone`.

use std::fmt;
use std::sync::Arc;

use crate::schedule::{Cron, CronFault, NoZone, Schedule, Zone};

use super::section::Section;
use super::service::Surroundings;
use super::walk::{Field, Finding, Place, Walk, quoted};

/// What names of zones are looked up in.
#[derive(Clone, Copy)]
pub enum Zones<'a> {
    /// Nobody looks: only the grammar is checked, and every zone is taken for UTC.
    NotLookedUp,
    /// Gives the zone of a name, or of a path; `localtime` is the local one. Called only for jobs with `cron`.
    Lookup(&'a dyn Fn(&str) -> Result<Zone, NoZone>),
}

impl fmt::Debug for Zones<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Zones::NotLookedUp => "NotLookedUp",
            Zones::Lookup(_) => "Lookup",
        })
    }
}

const HELP: &str = "write minute, hour, day of the month, month and day of the week, for example `*/5 * * * *` or `30 2 * * 1-5`; \
                    with six fields the first is the second; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`";

/// The keys as they are written.
#[derive(Debug)]
pub(super) struct Keys<'n> {
    cron: Option<Field<'n>>,
    timezone: Option<Field<'n>>,
}

impl<'n> Keys<'n> {
    pub(super) fn take(walk: &mut Walk<'_>, section: &mut Section<'n>) -> Keys<'n> {
        Keys {
            cron: section.take(walk, "cron"),
            timezone: section.take(walk, "timezone"),
        }
    }

    pub(super) fn is_given(&self) -> bool {
        self.cron.is_some()
    }

    /// Reports each of the other keys that have no place beside these; says whether there is none.
    pub(super) fn stands_alone(
        &self,
        walk: &mut Walk<'_>,
        others: &[(&str, Option<Place>)],
    ) -> bool {
        if self.cron.is_none() {
            if let Some(field) = &self.timezone {
                let finding = Finding::new("`timezone` is for jobs with `cron`");
                walk.error(&field.place, finding.help("remove it, or add `cron`"));
            }
            return true;
        }
        let given = others
            .iter()
            .filter_map(|(key, place)| Some((key, place.as_ref()?)));
        let mut alone = true;
        for (key, place) in given {
            let finding = Finding::new(format!("`{key}` has no place beside `cron`"));
            let help = "remove one of them: the schedule alone starts the job, and `after` may say what must have \
                        come before";
            walk.error(place, finding.help(help));
            alone = false;
        }
        alone
    }

    /// The schedule; `None` has been reported, or there is none.
    pub(super) fn read(
        &self,
        walk: &mut Walk<'_>,
        around: Surroundings<'_>,
    ) -> Option<Arc<Schedule>> {
        let cron = self.cron.as_ref()?;
        let zone = match &self.timezone {
            Some(field) => named_zone(walk, field, around.zones),
            None => Some(local_zone(walk, &cron.place, around)),
        };
        let cron = read_cron(walk, cron)?;
        Some(Arc::new(Schedule { cron, zone: zone? }))
    }
}

fn read_cron(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Cron> {
    let text = walk.text(field)?;
    let fault = match Cron::parse(&text) {
        Ok(cron) => return Some(cron),
        Err(fault) => fault,
    };
    let help = match &fault {
        CronFault::Syntax(_) => HELP,
        CronFault::Never => "the job would never start: change the day or the month",
    };
    let finding = Finding::new(format!("cannot use {}: {fault}", quoted(&text)));
    walk.error(&field.place, finding.help(help));
    None
}

fn named_zone(walk: &mut Walk<'_>, field: &Field<'_>, zones: Zones<'_>) -> Option<Zone> {
    let name = walk.text(field)?;
    if let Some(utc) = Zone::utc_as(&name) {
        return Some(utc);
    }
    if !is_name(&name) {
        let finding = Finding::new(format!("cannot use {}: no time zone", quoted(&name)));
        walk.error(&field.place, finding.help(ZONE_HELP));
        return None;
    }
    let Zones::Lookup(look_up) = zones else {
        return Some(Zone::utc());
    };
    let cause = match look_up(&name) {
        Ok(zone) => return Some(zone),
        Err(cause) => cause,
    };
    let finding = Finding::new(format!("cannot use {}: {cause}", quoted(&name)));
    walk.error(&field.place, finding.help(help_without(&cause)));
    None
}

const ZONE_HELP: &str = "write a name such as `Europe/Berlin`, or `UTC`, which needs no file";

fn help_without(cause: &NoZone) -> &'static str {
    match cause {
        NoZone::NoData => {
            "install the zones in the image (the package is `tzdata` nearly everywhere), or write `UTC`, \
             which needs no file"
        }
        NoZone::Unknown | NoZone::Unreadable(_) => ZONE_HELP,
    }
}

/// A name, not a path to anywhere: letters, digits and what rules of POSIX have.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+-/,.<>:".contains(c);
    name.len() <= 255
        && name.chars().all(is_plain)
        && (name.contains(',') || name.split('/').all(is_part))
        && !name.starts_with([':', '/'])
        && !name.contains("..")
}

/// The zone of `TZ`, else of `/etc/localtime`, else UTC, as of every program in the image. A `TZ` that cannot be had is a
/// warning: the C library takes UTC without a word.
fn local_zone(walk: &mut Walk<'_>, place: &Place, around: Surroundings<'_>) -> Zone {
    let Zones::Lookup(look_up) = around.zones else {
        return Zone::utc();
    };
    let Some(name) = around.local_zone else {
        return look_up("localtime").unwrap_or_else(|_| Zone::utc());
    };
    let name = name.strip_prefix(':').unwrap_or(name);
    if name.is_empty() {
        return Zone::utc();
    }
    if let Some(utc) = Zone::utc_as(name) {
        return utc;
    }
    look_up(name).unwrap_or_else(|cause| {
        let what = "the schedule is in UTC, since `TZ`";
        let finding = Finding::new(format!("{what} cannot be used ({}): {cause}", quoted(name)));
        walk.warning(place, finding.help(help_without(&cause)));
        Zone::utc()
    })
}
