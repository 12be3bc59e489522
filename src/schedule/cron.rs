//! Cron expressions: times of a calendar without a zone.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use tz::UtcDateTime;

/// The longest expression. The longest that a person writes has a tenth of it.
const LONGEST: usize = 512;

/// 2000-01-01: where the search for any match begins. The calendar repeats itself after 400 years, weekdays included.
const ANY_TIME: i64 = 946_684_800;

/// A cron expression with at least one match: minute, hour, day of month, month, day of week, and optionally the second
/// in front; or a name such as `@daily`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    pattern: croner::Cron,
    repeats_within_a_day: bool,
}

/// Why a text is no cron expression that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronFault {
    /// It cannot be read; says where.
    #[error("{0}")]
    Syntax(String),
    /// It can be read, and no day is ever like that (30 February).
    #[error("no day is ever like that")]
    Never,
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or never matches.
    pub fn parse(text: &str) -> Result<Cron, CronFault> {
        if text.len() > LONGEST {
            let message = format!("it is longer than {LONGEST} characters");
            return Err(CronFault::Syntax(message));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build();
        let pattern = parser.parse(text).map_err(|_| syntax(text, parser))?;
        let cron = Cron {
            text: text.trim().to_owned(),
            repeats_within_a_day: repeats_within_a_day(pattern.pattern.as_str()),
            pattern,
        };
        match cron.next_local(ANY_TIME) {
            Some(_) => Ok(cron),
            None => Err(CronFault::Never),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says how often (a `*` in second, minute or hour) and not at which times of the day: the two are treated
    /// differently where the clock is not what it was, as in Vixie's cron.
    #[must_use]
    pub fn repeats_within_a_day(&self) -> bool {
        self.repeats_within_a_day
    }

    /// The first match after a time, both in seconds of the local calendar since its 1970.
    pub(super) fn next_local(&self, after: i64) -> Option<i64> {
        let found = self.pattern.find_next_occurrence(&Local(after), false);
        found.ok().map(|local| local.0)
    }
}

/// Fields before the days that begin with `*`, which `*/5` does too.
fn repeats_within_a_day(pattern: &str) -> bool {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    let of_day = fields.len().saturating_sub(3);
    fields
        .iter()
        .take(of_day)
        .any(|field| field.starts_with('*'))
}

/// What is wrong. The parser does not say with which field, so each is tried alone.
fn syntax(text: &str, parser: CronParser) -> CronFault {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let names = match fields.len() {
        _ if text.trim().starts_with('@') => {
            return CronFault::Syntax("there is no such name".to_owned());
        }
        5 => &FIELDS[1..],
        6 => &FIELDS[..],
        count => {
            let plural = if count == 1 { "" } else { "s" };
            let message =
                format!("it has {count} field{plural}, and a cron expression has five or six");
            return CronFault::Syntax(message);
        }
    };
    let is_wrong = |index: usize| {
        let mut alone = vec!["*"; fields.len()];
        alone[index] = fields[index];
        parser.parse(&alone.join(" ")).is_err()
    };
    let wrong = (0..fields.len()).find(|index| is_wrong(*index));
    CronFault::Syntax(wrong.map_or_else(
        || "it is no cron expression".to_owned(),
        |index| {
            let (name, range) = names[index];
            format!("`{}` is no {name}, which is {range}", fields[index])
        },
    ))
}

/// The fields with what they may be.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or `L` for the last"),
    ("month", "1 to 12 or `JAN` to `DEC`"),
    ("day of the week", "0 (Sunday) to 7 or `SUN` to `SAT`"),
];

/// Seconds of a calendar in which every day has 24 hours. The search goes over these alone; zones are ours (`next.rs`).
#[derive(Clone, Copy, Debug)]
struct Local(i64);

impl Local {
    fn fields(self) -> UtcDateTime {
        // Only a year that does not fit into 32 bits cannot be had; what is found from here lies in the past then.
        UtcDateTime::from_timespec(self.0, 0).unwrap_or(UtcDateTime::UNIX_EPOCH)
    }
}

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        let at = self.fields();
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(
                at.year(),
                u32::from(at.month()),
                u32::from(at.month_day()),
            ),
            CivilTime::from_parts_unchecked(
                u32::from(at.hour()),
                u32::from(at.minute()),
                u32::from(at.second()),
            ),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::from(self.fields().week_day()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let small = |number: u32| u8::try_from(number).map_err(|_| CronError::InvalidTime);
        let at = UtcDateTime::new(
            civil.year(),
            small(civil.month())?,
            small(civil.day())?,
            small(civil.hour())?,
            small(civil.minute())?,
            small(civil.second())?,
            0,
        );
        let at = at.map_err(|_| CronError::InvalidDate)?;
        Ok(Resolution::Single(Local(at.unix_time())))
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(seconds).map(Local)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
