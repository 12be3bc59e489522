//! Lengths of time as a configuration writes them.

use std::time::Duration;

/// A length of time that may be negative, in nanoseconds; what Go's `time.Duration` can hold, about 292 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedDuration {
    nanos: i64,
}

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// `1.5`: a number with a fraction says no unit. The original's wording, as in the next two.
    #[error("missing unit in duration")]
    MissingUnit,
    /// `20yy`.
    #[error("unknown unit `{0}` in duration")]
    UnknownUnit(String),
    /// `xx`.
    #[error("invalid duration")]
    Invalid,
    /// More than 292 years.
    #[error("the duration is longer than 292 years")]
    TooLong,
}

const SECOND: u64 = 1_000_000_000;

/// The units of Go with their nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
];

impl SignedDuration {
    /// In nanoseconds.
    #[must_use]
    pub fn nanos(self) -> i64 {
        self.nanos
    }

    /// The length, if it is more than nothing.
    #[must_use]
    pub fn positive(self) -> Option<Duration> {
        let nanos = u64::try_from(self.nanos).ok()?;
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    /// The length, where less than nothing counts as nothing.
    #[must_use]
    pub fn or_zero(self) -> Duration {
        self.positive().unwrap_or_default()
    }

    /// A whole number of seconds.
    pub(super) fn from_secs(seconds: i64) -> Result<SignedDuration, DurationError> {
        let nanos = seconds.checked_mul(1_000_000_000);
        let nanos = nanos.ok_or(DurationError::TooLong)?;
        Ok(SignedDuration { nanos })
    }
}

/// Reads a duration: a whole number counts seconds; then as Go reads it (`1h30m`, `1.5s`, `-100ms`); then the wider forms of
/// `humantime` (`2 days`, `1m 30s`).
pub fn parse_duration(text: &str) -> Result<SignedDuration, DurationError> {
    if is_integer(text) {
        let seconds = text.parse().map_err(|_| DurationError::TooLong)?;
        return SignedDuration::from_secs(seconds);
    }
    parse_with_unit(text)
}

/// Reads a duration that must name its unit.
pub(super) fn parse_with_unit(text: &str) -> Result<SignedDuration, DurationError> {
    let go_error = match parse_go(text) {
        Ok(duration) => return Ok(duration),
        Err(DurationError::TooLong) => return Err(DurationError::TooLong),
        Err(error) => error,
    };
    let wider = humantime::parse_duration(text).map_err(|_| go_error)?;
    let nanos = i64::try_from(wider.as_nanos()).map_err(|_| DurationError::TooLong)?;
    Ok(SignedDuration { nanos })
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Go's `time.ParseDuration`: decimal numbers, each with a unit, and one sign before all.
fn parse_go(text: &str) -> Result<SignedDuration, DurationError> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(SignedDuration { nanos: 0 });
    }
    if unsigned.is_empty() {
        return Err(DurationError::Invalid);
    }
    let mut total = 0_u64;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (nanos, after) = parse_part(rest)?;
        total = total.checked_add(nanos).ok_or(DurationError::TooLong)?;
        rest = after;
    }
    let nanos = if negative {
        0_i64.checked_sub_unsigned(total)
    } else {
        i64::try_from(total).ok()
    };
    let nanos = nanos.ok_or(DurationError::TooLong)?;
    Ok(SignedDuration { nanos })
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_part(text: &str) -> Result<(u64, &str), DurationError> {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Invalid);
    }
    let is_number = |c: char| c == '.' || c.is_ascii_digit();
    let (unit, rest) = rest.split_at(rest.find(is_number).unwrap_or(rest.len()));
    if unit.is_empty() {
        return Err(DurationError::MissingUnit);
    }
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    let Some((_, scale)) = known else {
        return Err(DurationError::UnknownUnit(shortened(unit)));
    };
    let whole: u64 = match whole {
        "" => 0,
        digits => digits.parse().map_err(|_| DurationError::TooLong)?,
    };
    let nanos = whole.checked_mul(*scale).ok_or(DurationError::TooLong)?;
    let nanos = nanos
        .checked_add(fraction_of(fraction, *scale))
        .ok_or(DurationError::TooLong)?;
    Ok((nanos, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// The nanoseconds of decimal places, in Go's arithmetic: digits beyond 63 bits are dropped, the rest is a float.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Go multiplies in floats and cuts off; the product is at least 0 and at most the scale"
)]
fn fraction_of(digits: &str, scale: u64) -> u64 {
    const ENOUGH: u64 = (i64::MAX as u64) / 10;
    let mut value = 0_u64;
    let mut divisor = 1.0_f64;
    for digit in digits.bytes() {
        let next = value * 10 + u64::from(digit - b'0');
        if value > ENOUGH || next > 1 << 63 {
            break;
        }
        value = next;
        divisor *= 10.0;
    }
    (value as f64 * (scale as f64 / divisor)) as u64
}

fn shortened(unit: &str) -> String {
    unit.chars().take(20).collect()
}
