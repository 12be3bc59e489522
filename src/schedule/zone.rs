//! Time zones.

use std::sync::Arc;

use tz::TimeZone;
use tz::timezone::TimeZoneSettings;

/// A zone: seconds between its clocks and UTC at any moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    /// `None`: UTC. Shared, since many jobs have the same zone.
    rules: Option<Arc<TimeZone>>,
}

/// Why a zone cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoZone {
    /// There is no zone data at all.
    #[error("there is no time zone data in /usr/share/zoneinfo")]
    NoData,
    /// There is data, and no zone of that name.
    #[error("there is no such time zone in /usr/share/zoneinfo")]
    Unknown,
    /// Its file cannot be read, or is no zone.
    #[error("its data cannot be read: {0}")]
    Unreadable(String),
}

impl Zone {
    /// The zone that needs no data.
    #[must_use]
    pub fn utc() -> Zone {
        Zone {
            name: "UTC".to_owned(),
            rules: None,
        }
    }

    /// UTC, if that is what the name means.
    #[must_use]
    pub fn utc_as(name: &str) -> Option<Zone> {
        let names = ["UTC", "Etc/UTC", "GMT"];
        names.contains(&name).then(|| Zone {
            name: name.to_owned(),
            rules: None,
        })
    }

    /// A zone from the contents of its file, which RFC 9636 describes.
    ///
    /// # Errors
    ///
    /// If it is no such file.
    pub fn from_file(name: &str, bytes: &[u8]) -> Result<Zone, NoZone> {
        let rules = TimeZone::from_tz_data(bytes);
        let rules = rules.map_err(|error| NoZone::Unreadable(error.to_string()))?;
        Ok(Zone {
            name: name.to_owned(),
            rules: Some(Arc::new(rules)),
        })
    }

    /// A zone that its name describes in full, as POSIX has it for `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`.
    #[must_use]
    pub fn from_rule(text: &str) -> Option<Zone> {
        // A name with a digit is a rule; without one it would be the name of a file.
        if !text.contains(|c: char| c.is_ascii_digit()) || text.starts_with([':', '/']) {
            return None;
        }
        let nothing = TimeZoneSettings::new(&[], |_| Err("no files here".into()));
        let rules = nothing.parse_posix_tz(text).ok()?;
        Some(Zone {
            name: text.to_owned(),
            rules: Some(Arc::new(rules)),
        })
    }

    /// The name that it was asked for by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of UTC at a moment, given in seconds since 1970.
    pub(super) fn offset(&self, at: i64) -> i64 {
        let Some(rules) = &self.rules else {
            return 0;
        };
        let kind = rules.find_local_time_type(at);
        kind.map_or(0, |kind| i64::from(kind.ut_offset()))
    }

    /// The moment of a change of the offset after `from` and not after `to`; there must be one.
    pub(super) fn change(&self, from: i64, to: i64) -> i64 {
        let before = self.offset(from);
        let (mut before_it, mut after_it) = (from, to);
        while after_it - before_it > 1 {
            let middle = before_it + (after_it - before_it) / 2;
            if self.offset(middle) == before {
                before_it = middle;
            } else {
                after_it = middle;
            }
        }
        after_it
    }
}
