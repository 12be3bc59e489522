//! Numbers as both formats write them.

use std::fmt::Write as _;

/// Above this, and below its reciprocal, the exponent is written: no number is longer than a line can bear.
const WIDE: f64 = 1e15;

/// Appends a value: `42`, `0.25`, `1e300`, `+Inf`, `NaN`.
pub(super) fn push(text: &mut String, value: f64) {
    let size = value.abs();
    // Writing to a text cannot fail.
    let _ = if value.is_nan() {
        write!(text, "NaN")
    } else if value.is_infinite() {
        write!(text, "{}", if value > 0.0 { "+Inf" } else { "-Inf" })
    } else if size >= WIDE || (size > 0.0 && size < 1.0 / WIDE) {
        write!(text, "{value:e}")
    } else {
        write!(text, "{value}")
    };
}

/// The same as a text.
pub(super) fn text(value: f64) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

/// A bound or a quantile as `OpenMetrics` wants it in a label: never without a point or an exponent.
pub(super) fn canonical(value: f64) -> String {
    let mut text = text(value);
    if text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        text.push_str(".0");
    }
    text
}
