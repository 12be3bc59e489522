//! The time in front of a line.

use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, Local, Offset, TimeZone, Timelike};

/// Reads the wall clock, and works the date and the zone out once a second.
#[derive(Debug)]
pub(super) struct Clock {
    read: fn() -> SystemTime,
    zone: fn(i64) -> i32,
    /// A monotonic clock for the coloured form, which shows seconds since the start.
    started: Instant,
    /// The second that `date` and `zone_text` belong to; `None` before the first reading, which loads the zone's rules.
    second: Option<i64>,
    date: String,
    zone_text: String,
}

/// One reading of the clock, as text that every format can use.
#[derive(Clone, Debug)]
pub(super) struct Moment<'a> {
    date: &'a str,
    nanos: u32,
    zone: &'a str,
    /// Seconds since the program's start.
    pub(super) elapsed: u64,
}

impl Clock {
    /// The system's clock and zone. The zone's rules are read at the first line, not here: the start is to be cheap.
    pub(super) fn system() -> Clock {
        Clock::new(SystemTime::now, local_offset)
    }

    /// A clock of these two sources: the time, and seconds east of Greenwich at a time.
    pub(super) fn new(read: fn() -> SystemTime, zone: fn(i64) -> i32) -> Clock {
        Clock {
            read,
            zone,
            started: Instant::now(),
            second: None,
            date: String::new(),
            zone_text: String::new(),
        }
    }

    /// The present moment. A time before 1970 reads as 1970.
    pub(super) fn now(&mut self) -> Moment<'_> {
        let since = (self.read)().duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        if self.second != Some(second) {
            self.second = Some(second);
            self.work_out(second);
        }
        Moment {
            date: &self.date,
            nanos: since.subsec_nanos(),
            zone: &self.zone_text,
            elapsed: self.started.elapsed().as_secs(),
        }
    }

    fn work_out(&mut self, second: i64) {
        let offset = (self.zone)(second);
        let local = DateTime::from_timestamp(second.saturating_add(i64::from(offset)), 0);
        let local = local.unwrap_or_default();
        self.date = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            local.year(),
            local.month(),
            local.day(),
            local.hour(),
            local.minute(),
            local.second()
        );
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.unsigned_abs() / 60;
        self.zone_text = match minutes {
            0 => "Z".to_owned(),
            _ => format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        };
    }
}

impl Moment<'_> {
    /// RFC 3339 with nanoseconds, without the fraction's trailing zeros; without a fraction when it is zero.
    pub(super) fn precise(&self) -> impl fmt::Display {
        let digits = format!("{:09}", self.nanos);
        let digits = digits.trim_end_matches('0');
        let dot = if digits.is_empty() { "" } else { "." };
        format!("{}{dot}{digits}{}", self.date, self.zone)
    }

    /// RFC 3339 with whole seconds.
    pub(super) fn seconds(&self) -> impl fmt::Display {
        format!("{}{}", self.date, self.zone)
    }
}

/// Seconds east of Greenwich in the zone of `TZ` or `/etc/localtime`; UTC where there is neither.
fn local_offset(second: i64) -> i32 {
    let Some(utc) = DateTime::from_timestamp(second, 0) else {
        return 0;
    };
    let offset = Local.offset_from_utc_datetime(&utc.naive_utc());
    offset.fix().local_minus_utc()
}
