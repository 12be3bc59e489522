//! Numbers, characters and quoted strings, by the rules of Go's `strconv`.

use super::ast::Number;
use super::value::Text;

/// What an escape in quotes stands for.
enum Unquoted {
    /// `\xff` and `\377`: one byte, whatever it means.
    Byte(u8),
    Character(char),
}

/// The value of a string in double quotes or backquotes; both ends are there.
pub(super) fn unquote(literal: &str) -> Result<Text, String> {
    let inner = &literal[1..literal.len() - 1];
    if literal.starts_with('`') {
        // Go drops carriage returns here, so that a file means the same with either line end.
        return Ok(Text::from(inner.replace('\r', "")));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unquoted, after) = unquote_one(rest, '"')
            .ok_or_else(|| format!("invalid syntax in the string {literal}"))?;
        match unquoted {
            Unquoted::Byte(byte) => bytes.push(byte),
            Unquoted::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = after;
    }
    Ok(Text::from(bytes))
}

/// The number of a character constant such as `'x'`; both quotes are there.
pub(super) fn character(literal: &str) -> Result<Number, String> {
    let (unquoted, after) = unquote_one(&literal[1..], '\'')
        .ok_or_else(|| format!("invalid syntax in the character constant {literal}"))?;
    if after != "'" {
        return Err(format!("malformed character constant: {literal}"));
    }
    Ok(Number::Int(match unquoted {
        Unquoted::Byte(byte) => i64::from(byte),
        Unquoted::Character(character) => i64::from(u32::from(character)),
    }))
}

/// The first character of `text`, which stands in quotes of the kind `quote`, and what is left.
fn unquote_one(text: &str, quote: char) -> Option<(Unquoted, &str)> {
    let mut characters = text.chars();
    let first = characters.next()?;
    if first == quote {
        return None;
    }
    if first != '\\' {
        return Some((Unquoted::Character(first), characters.as_str()));
    }
    let escape = characters.next()?;
    let rest = characters.as_str();
    let character = match escape {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        '\\' => '\\',
        '"' | '\'' if escape == quote => quote,
        'x' => {
            let (byte, rest) = digits(rest, 2, 16)?;
            return Some((Unquoted::Byte(u8::try_from(byte).ok()?), rest));
        }
        'u' | 'U' => {
            let (code, rest) = digits(rest, if escape == 'u' { 4 } else { 8 }, 16)?;
            return Some((Unquoted::Character(char::from_u32(code)?), rest));
        }
        '0'..='7' => {
            let (byte, rest) = digits(&text[1..], 3, 8)?;
            return Some((Unquoted::Byte(u8::try_from(byte).ok()?), rest));
        }
        _ => return None,
    };
    Some((Unquoted::Character(character), rest))
}

/// Exactly `count` digits.
fn digits(text: &str, count: usize, radix: u32) -> Option<(u32, &str)> {
    let digits = text.get(..count)?;
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = u32::from_str_radix(digits, radix).ok()?;
    Some((number, &text[count..]))
}

/// The value of a number. Complex numbers are refused: no template for a configuration has use for one.
pub(super) fn number(literal: &str) -> Result<Number, String> {
    if literal.ends_with('i') {
        return Err(format!("complex numbers are not supported: {literal:?}"));
    }
    let looks_float = literal.contains(['.', 'e', 'E', 'p', 'P']);
    if let Some(whole) = whole(literal) {
        // `-0x1e` is a float in Go, whose test for hexadecimal overlooks the sign.
        let negative_hex = looks_float && !starts_hex(literal);
        return Ok(match (i64::try_from(whole), negative_hex) {
            #[allow(
                clippy::cast_precision_loss,
                reason = "Go promotes such a number alike"
            )]
            (Ok(number), true) => Number::Float(number as f64),
            (Ok(number), false) => Number::Int(number),
            (Err(_), _) => Number::TooLarge,
        });
    }
    let Some(float) = float(literal) else {
        return Err(format!("illegal number syntax: {literal:?}"));
    };
    if !looks_float {
        return Err(format!("integer overflow: {literal:?}"));
    }
    Ok(Number::Float(float))
}

fn starts_hex(literal: &str) -> bool {
    literal.starts_with("0x") || literal.starts_with("0X")
}

/// A whole number with an optional prefix for its base, if it fits `int64` or, without a sign, `uint64`.
fn whole(literal: &str) -> Option<i128> {
    let unsigned = literal.trim_start_matches(['+', '-']);
    let signed = literal.len() > unsigned.len();
    let lower = unsigned.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    let digits = without_underscores(digits, radix, radix != 10)?;
    let number = i128::from(u64::from_str_radix(&digits, radix).ok()?);
    if !signed {
        return Some(number);
    }
    let number = if literal.starts_with('-') {
        -number
    } else {
        number
    };
    i64::try_from(number).ok().map(i128::from)
}

/// Underscores may stand between digits, and between a prefix and a digit.
fn without_underscores(digits: &str, radix: u32, prefixed: bool) -> Option<String> {
    let bytes = digits.as_bytes();
    let is_digit = |index: usize| {
        let byte = bytes.get(index);
        byte.is_some_and(|byte| char::from(*byte).is_digit(radix))
    };
    let good = (0..bytes.len())
        .filter(|index| bytes[*index] == b'_')
        .all(|index| {
            let before = if index == 0 {
                prefixed
            } else {
                is_digit(index - 1)
            };
            before && is_digit(index + 1)
        });
    good.then(|| digits.replace('_', ""))
}

fn float(literal: &str) -> Option<f64> {
    let lower = literal.to_ascii_lowercase();
    let unsigned = lower.trim_start_matches(['+', '-']);
    if let Some(digits) = unsigned.strip_prefix("0x") {
        let number = hex_float(&without_underscores(digits, 16, true)?)?;
        return Some(if lower.starts_with('-') {
            -number
        } else {
            number
        });
    }
    let number: f64 = without_underscores(&lower, 10, false)?.parse().ok()?;
    number.is_finite().then_some(number)
}

/// A hexadecimal float such as `1.8p3`, without its prefix; `None` if it needs more than the 53 bits of a float.
fn hex_float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let bits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    if bits >= 1 << 53 || exponent.abs() > 900 {
        return None;
    }
    let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    #[allow(clippy::cast_precision_loss, reason = "the bits were checked to fit")]
    let number = bits as f64 * 2f64.powi(scale);
    (number.is_finite() && (number != 0.0 || bits == 0)).then_some(number)
}
