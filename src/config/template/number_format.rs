//! Floats as text, by the rules of Go's `strconv.FormatFloat`.

/// The forms of a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FloatVerb {
    /// `%g`, and `%v`.
    General,
    /// `%e`.
    Exponent,
    /// `%f`.
    Fixed,
    /// `%x`.
    Hex,
    /// `%b`.
    Binary,
}

/// More digits than any float has: what is asked for beyond them are zeros.
const MOST_DIGITS: usize = 1100;

/// A finite number that is not negative. Without a precision: as many digits as tell it from its neighbours.
pub(super) fn float(number: f64, verb: FloatVerb, precision: Option<usize>) -> String {
    match verb {
        FloatVerb::General => general(number, precision),
        FloatVerb::Exponent => exponent(number, precision),
        FloatVerb::Fixed => fixed(number, precision),
        FloatVerb::Hex => hex(number, precision),
        FloatVerb::Binary => binary(number),
    }
}

/// The digits without trailing zeros, and the exponent of the first.
fn decimal(number: f64, digits: Option<usize>) -> (String, i32) {
    let shown = match digits {
        Some(digits) => format!("{number:.*e}", digits.clamp(1, MOST_DIGITS) - 1),
        None => format!("{number:e}"),
    };
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0').to_owned();
    (digits, exponent.parse().unwrap_or(0))
}

fn general(number: f64, precision: Option<usize>) -> String {
    let (digits, exponent) = decimal(number, precision);
    if digits.is_empty() {
        return "0".to_owned();
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let limit = match precision {
        None => 6,
        // Digits that are asked for but are all zero do not count.
        Some(precision) if precision > digits.len() && count > exponent => count,
        Some(precision) => i32::try_from(precision.max(1)).unwrap_or(i32::MAX),
    };
    if exponent < -4 || exponent >= limit {
        return with_exponent(&digits, exponent);
    }
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    if digits.len() <= whole {
        return digits.clone() + &"0".repeat(whole - digits.len());
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

/// Digits behind the first, and an exponent of two digits or more.
fn with_exponent(digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{:02}", exponent.unsigned_abs())
}

fn exponent(number: f64, precision: Option<usize>) -> String {
    let (mut digits, exponent) = decimal(number, precision.map(|precision| precision + 1));
    let count = precision.map_or(1, |precision| precision + 1);
    let missing = count.saturating_sub(digits.len());
    digits.push_str(&"0".repeat(missing));
    with_exponent(&digits, exponent)
}

fn fixed(number: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else {
        return format!("{number}");
    };
    let shown = precision.min(MOST_DIGITS);
    let mut text = format!("{number:.shown$}");
    text.push_str(&"0".repeat(precision - shown));
    text
}

/// The whole mantissa and the exponent of its last bit.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    let exponent = i32::try_from((bits >> 52) & 0x7FF).unwrap_or(0);
    match exponent {
        0 => (mantissa, -1074),
        _ => (mantissa | 1 << 52, exponent - 1075),
    }
}

fn binary(number: f64) -> String {
    let (mantissa, exponent) = parts(number);
    format!("{mantissa}p{exponent:+}")
}

/// `0x1.8p+01`: the mantissa with one bit before the point.
fn hex(number: f64, precision: Option<usize>) -> String {
    let (mantissa, exponent) = parts(number);
    let (mut fraction, mut exponent) = if mantissa == 0 {
        (0, 0)
    } else {
        let shift = mantissa.leading_zeros() - 11;
        (
            mantissa << shift,
            exponent + 52 - i32::try_from(shift).unwrap_or(0),
        )
    };
    // 13 digits hold all 52 bits behind the point.
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let dropped = 52 - 4 * precision;
        let unit = 1u64 << dropped;
        let rest = fraction & (unit - 1);
        fraction -= rest;
        let is_odd = fraction & unit != 0;
        if rest > unit / 2 || (rest == unit / 2 && is_odd) {
            fraction += unit;
        }
        if fraction >> 53 != 0 {
            fraction >>= 1;
            exponent += 1;
        }
    }
    let mut digits = format!("{:013x}", fraction & ((1 << 52) - 1));
    match precision {
        None => digits.truncate(digits.trim_end_matches('0').len()),
        Some(precision) => {
            digits.truncate(precision);
            let missing = precision - digits.len();
            digits.push_str(&"0".repeat(missing));
        }
    }
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "0x{}{point}{digits}p{sign}{:02}",
        fraction >> 52,
        exponent.unsigned_abs()
    )
}

/// The sharp flag: there is always a point, and `%g` and `%x` keep the zeros at the end. `%X` does not; so it is in Go.
pub(super) fn keep_zeros(digits: &mut String, verb: char, precision: Option<usize>) {
    if verb == 'b' {
        return;
    }
    let mark = if matches!(verb, 'x' | 'X') { 'p' } else { 'e' };
    let tail = digits.find(mark).map(|at| digits.split_off(at));
    let significant = match verb {
        // Go counts the `x` of the prefix, too.
        'x' => digits.trim_start_matches('0'),
        _ => digits.trim_start_matches(['0', '.']),
    };
    let shown = significant.chars().filter(|digit| *digit != '.').count();
    if !digits.contains('.') {
        digits.push('.');
    }
    if matches!(verb, 'v' | 'g' | 'G' | 'x') {
        let missing = precision.unwrap_or(6).saturating_sub(shown.max(1));
        digits.push_str(&"0".repeat(missing));
    }
    digits.push_str(tail.as_deref().unwrap_or_default());
}
