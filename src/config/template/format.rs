//! One value in one verb of Go's `printf`.

use super::number_format::{self, FloatVerb};
use super::print::Sink;
use super::quote;
use super::value::{Text, Value};

/// What stands between the `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%#v`: the value as Go source.
    pub(super) sharp_v: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

/// Writes values by the flags of one verb.
#[derive(Debug)]
pub(super) struct Formatter<'o> {
    pub(super) out: &'o mut Sink,
    pub(super) flags: Flags,
}

impl<'o> Formatter<'o> {
    pub(super) fn new(out: &'o mut Sink) -> Formatter<'o> {
        Formatter {
            out,
            flags: Flags::default(),
        }
    }

    /// A whole argument.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil | Value::Null, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil | Value::Null, _) |
            // An address would differ from run to run; nothing that a template can hold has one to show.
            (Value::List(_) | Value::Map(_), 'p' | 'w') => self.bad_verb(value, verb),
            (_, 'T') => self.text(value.type_name().as_bytes()),
            _ => self.value(value, verb),
        }
    }

    /// A value, which may be an item of another.
    fn value(&mut self, value: &Value, verb: char) {
        match value {
            Value::Nil | Value::Null if self.flags.sharp_v => {
                self.out.push(b"interface {}(nil)");
            }
            Value::Nil | Value::Null => self.out.push(b"<nil>"),
            Value::Bool(truth) if matches!(verb, 't' | 'v') => {
                self.pad(if *truth { b"true" } else { b"false" });
            }
            Value::Int(number) => self.integer(value, number.unsigned_abs(), *number < 0, verb),
            Value::Byte(byte) if verb == 'v' && self.flags.sharp_v => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.digits(u64::from(*byte), false, 16, 'v');
                self.flags.sharp = sharp;
            }
            Value::Byte(byte) => self.integer(value, u64::from(*byte), false, verb),
            Value::Float(number) => self.float(value, *number, verb),
            Value::Text(text) => self.string(value, text, verb),
            Value::List(list) => {
                let type_name = value.type_name();
                self.group(type_name, "", list.as_slice().iter(), |out, item| {
                    out.value(item, verb);
                });
            }
            Value::Map(map) => {
                self.group(value.type_name(), "map", map.iter(), |out, (key, item)| {
                    out.value(&Value::Text(key.clone()), verb);
                    out.out.push(b":");
                    out.value(item, verb);
                });
            }
            Value::Bool(_) => self.bad_verb(value, verb),
        }
    }

    /// The items of a list or map: `[a b]`, or with `%#v` `[]string{"a", "b"}`.
    fn group<T>(
        &mut self,
        type_name: &str,
        prefix: &str,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        let go = self.flags.sharp_v;
        self.out
            .push(if go { type_name } else { prefix }.as_bytes());
        self.out.push(if go { b"{" } else { b"[" });
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(if go { b", " } else { b" " });
            }
            if self.out.is_full() {
                return;
            }
            write(self, item);
        }
        self.out.push(if go { b"}" } else { b"]" });
    }

    /// `%!d(string=x)`: the verb does not fit the value.
    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) {
        self.out.push(format!("%!{verb}(").as_bytes());
        match value {
            Value::Nil | Value::Null => self.out.push(b"<nil>"),
            other => {
                self.out.push(format!("{}=", other.type_name()).as_bytes());
                self.value(other, 'v');
            }
        }
        self.out.push(b")");
    }

    fn integer(&mut self, value: &Value, magnitude: u64, negative: bool, verb: char) {
        // Go takes the bits of a negative number for a code point, which is none.
        let code = if negative {
            magnitude.wrapping_neg()
        } else {
            magnitude
        };
        match verb {
            'v' | 'd' => self.digits(magnitude, negative, 10, verb),
            'b' => self.digits(magnitude, negative, 2, verb),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb),
            'x' | 'X' => self.digits(magnitude, negative, 16, verb),
            'c' => self.pad(character(code).encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => {
                let quoted = quote::character(character(code), self.flags.plus);
                self.pad(quoted.as_bytes());
            }
            'U' => self.code_point(code),
            _ => self.bad_verb(value, verb),
        }
    }

    /// Digits with sign, prefix, precision and width.
    fn digits(&mut self, magnitude: u64, negative: bool, base: u32, verb: char) {
        let flags = self.flags;
        if flags.precision == Some(0) && magnitude == 0 {
            self.out.fill(b' ', flags.width.unwrap_or(0));
            return;
        }
        let mut digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            10 => format!("{magnitude}"),
            _ if verb == 'X' => format!("{magnitude:X}"),
            _ => format!("{magnitude:x}"),
        };
        let signed = negative || flags.plus || flags.space;
        let least = match (flags.precision, flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero => width.saturating_sub(usize::from(signed)),
            _ => 0,
        };
        let zeros = least.saturating_sub(digits.len());
        let mut head = String::new();
        if negative {
            head.push('-');
        } else if flags.plus {
            head.push('+');
        } else if flags.space {
            head.push(' ');
        }
        if verb == 'O' {
            head.push_str("0o");
        }
        match base {
            2 if flags.sharp => head.push_str("0b"),
            8 if flags.sharp && zeros == 0 && !digits.starts_with('0') => digits.insert(0, '0'),
            16 if flags.sharp => head.push_str(if verb == 'X' { "0X" } else { "0x" }),
            _ => {}
        }
        let length = head.len() + zeros + digits.len();
        let padding = flags.width.unwrap_or(0).saturating_sub(length);
        if !flags.minus {
            self.out.fill(b' ', padding);
        }
        self.out.push(head.as_bytes());
        self.out.fill(b'0', zeros);
        self.out.push(digits.as_bytes());
        if flags.minus {
            self.out.fill(b' ', padding);
        }
    }

    /// `%U`: `U+0041`, with a sharp `U+0041 'A'`.
    fn code_point(&mut self, code: u64) {
        let least = self.flags.precision.unwrap_or(0).max(4);
        let hex = format!("{code:X}");
        let mut shown = Sink::new(least.max(hex.len()) + 16);
        shown.push(b"U+");
        shown.fill(b'0', least.saturating_sub(hex.len()));
        shown.push(hex.as_bytes());
        let printable = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(character) = printable.filter(|one| self.flags.sharp && quote::is_print(*one)) {
            shown.push(format!(" '{character}'").as_bytes());
        }
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(&shown.into_bytes());
        self.flags.zero = zero;
    }

    fn float(&mut self, value: &Value, number: f64, verb: char) {
        let (float_verb, default) = match verb {
            'v' | 'g' | 'G' => (FloatVerb::General, None),
            'e' | 'E' => (FloatVerb::Exponent, Some(6)),
            'f' | 'F' => (FloatVerb::Fixed, Some(6)),
            'x' | 'X' => (FloatVerb::Hex, None),
            'b' => (FloatVerb::Binary, None),
            _ => return self.bad_verb(value, verb),
        };
        let flags = self.flags;
        let precision = flags.precision.or(default);
        let sign: &[u8] = match number {
            _ if number.is_sign_negative() && !number.is_nan() => b"-",
            _ if flags.plus => b"+",
            _ if flags.space => b" ",
            _ => b"",
        };
        if !number.is_finite() {
            let name = if number.is_nan() { "NaN" } else { "Inf" };
            let plus = if number == f64::INFINITY && sign.is_empty() {
                b"+"
            } else {
                sign
            };
            self.flags.zero = false;
            self.pad(&[plus, name.as_bytes()].concat());
            self.flags.zero = flags.zero;
            return;
        }
        let mut digits = number_format::float(number.abs(), float_verb, precision);
        if flags.sharp {
            number_format::keep_zeros(&mut digits, verb, precision);
        }
        if matches!(verb, 'E' | 'G' | 'X') {
            digits.make_ascii_uppercase();
        }
        let length = sign.len() + digits.len();
        match flags.width {
            Some(width) if flags.zero && !sign.is_empty() && width > length => {
                self.out.push(sign);
                self.out.fill(b'0', width - length);
                self.out.push(digits.as_bytes());
            }
            _ => self.pad(&[sign, digits.as_bytes()].concat()),
        }
    }

    fn string(&mut self, value: &Value, text: &Text, verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.text(text.as_bytes()),
            'q' => self.quoted(text),
            'x' | 'X' => self.hex(text.as_bytes(), verb == 'X'),
            _ => self.bad_verb(value, verb),
        }
    }

    /// Text, cut to the precision and padded to the width.
    fn text(&mut self, bytes: &[u8]) {
        let end = self.cut(bytes);
        self.pad(&bytes[..end]);
    }

    /// Where the precision, which counts characters, cuts a text.
    fn cut(&self, bytes: &[u8]) -> usize {
        let Some(precision) = self.flags.precision else {
            return bytes.len();
        };
        let mut end = 0;
        for _ in 0..precision.min(bytes.len()) {
            end += quote::decode(&bytes[end..]).1;
        }
        end
    }

    fn quoted(&mut self, text: &Text) {
        let bytes = text.as_bytes();
        let bytes = &bytes[..self.cut(bytes)];
        let raw = if self.flags.sharp {
            quote::raw(bytes)
        } else {
            None
        };
        let quoted = raw.unwrap_or_else(|| quote::text(bytes, self.flags.plus));
        self.pad(quoted.as_bytes());
    }

    /// Two hexadecimal digits for each byte; with a space between them, with a sharp behind `0x`.
    fn hex(&mut self, bytes: &[u8], upper: bool) {
        let flags = self.flags;
        let bytes = &bytes[..flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
        let zero = if flags.zero { b'0' } else { b' ' };
        let prefix: &[u8] = match (flags.sharp, upper) {
            (false, _) => b"",
            (true, false) => b"0x",
            (true, true) => b"0X",
        };
        let groups = if flags.space {
            bytes.len()
        } else {
            bytes.len().min(1)
        };
        let mut length = 2 * bytes.len() + groups * prefix.len();
        if flags.space {
            length += bytes.len().saturating_sub(1);
        }
        let padding = flags.width.unwrap_or(0).saturating_sub(length);
        if !flags.minus || bytes.is_empty() {
            self.out.fill(zero, padding);
        }
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && flags.space {
                self.out.push(b" ");
            }
            if index == 0 || flags.space {
                self.out.push(prefix);
            }
            let digits = if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            };
            self.out.push(digits.as_bytes());
        }
        if flags.minus && !bytes.is_empty() {
            self.out.fill(zero, padding);
        }
    }

    /// Pads to the width, which counts characters.
    fn pad(&mut self, bytes: &[u8]) {
        let width = self.flags.width.unwrap_or(0);
        let padding = width.saturating_sub(quote::count(bytes));
        let fill = if self.flags.zero { b'0' } else { b' ' };
        if !self.flags.minus {
            self.out.fill(fill, padding);
        }
        self.out.push(bytes);
        if self.flags.minus {
            self.out.fill(fill, padding);
        }
    }
}

/// The character of a code point, U+FFFD where there is none.
fn character(code: u64) -> char {
    let code = u32::try_from(code).ok();
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}
