//! Go's `printf`: the format string.

use super::format::{Flags, Formatter};
use super::print::Sink;
use super::quote;
use super::value::Value;

/// Go's limit for widths, precisions and argument numbers; anything larger is malformed.
const MAX_NUMBER: usize = 1_000_000;

/// Writes `arguments` as `format` says. What does not fit is told in the text, as in Go: `%!d(string=x)`.
pub(super) fn printf(out: &mut Sink, format: &[u8], arguments: &[Value]) {
    let mut printf = Printf {
        out,
        format,
        position: 0,
        arguments,
        next: 0,
        reordered: false,
        after_index: false,
        good_index: true,
    };
    while printf.position < format.len() && !printf.out.is_full() {
        printf.literal();
        if printf.position >= format.len() {
            break;
        }
        printf.position += 1;
        if !printf.directive() {
            break;
        }
    }
    printf.extra();
}

struct Printf<'p> {
    out: &'p mut Sink,
    format: &'p [u8],
    position: usize,
    arguments: &'p [Value],
    /// The argument that comes next.
    next: usize,
    /// Whether an index such as `%[2]d` was seen; then unused arguments are no mistake.
    reordered: bool,
    /// Whether an index stands right before.
    after_index: bool,
    /// Whether the indices of this directive are good.
    good_index: bool,
}

impl Printf<'_> {
    /// Copies up to the next `%`.
    fn literal(&mut self) {
        let rest = &self.format[self.position..];
        let length = rest
            .iter()
            .position(|byte| *byte == b'%')
            .unwrap_or(rest.len());
        self.out.push(&rest[..length]);
        self.position += length;
    }

    /// One directive, whose `%` is read; false at the end of the format.
    fn directive(&mut self) -> bool {
        self.good_index = true;
        self.after_index = false;
        let mut flags = self.flags();
        self.index();
        self.width(&mut flags);
        self.precision(&mut flags);
        if !self.after_index {
            self.index();
        }
        if self.position >= self.format.len() {
            self.out.push(b"%!(NOVERB)");
            return false;
        }
        let (verb, length) = quote::decode(&self.format[self.position..]);
        self.position += length;
        if verb == '%' {
            self.out.push(b"%");
        } else if !self.good_index {
            self.out.push(format!("%!{verb}(BADINDEX)").as_bytes());
        } else if let Some(argument) = self.arguments.get(self.next) {
            self.next += 1;
            if verb == 'v' {
                flags.sharp_v = std::mem::take(&mut flags.sharp);
                flags.plus = false;
            }
            let out = &mut *self.out;
            Formatter { out, flags }.argument(argument, verb);
        } else {
            self.out.push(format!("%!{verb}(MISSING)").as_bytes());
        }
        true
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(byte) = self.format.get(self.position) {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = !flags.minus,
                b'+' => flags.plus = true,
                b'-' => {
                    flags.minus = true;
                    flags.zero = false;
                }
                b' ' => flags.space = true,
                _ => break,
            }
            self.position += 1;
        }
        flags
    }

    fn width(&mut self, flags: &mut Flags) {
        if self.take(b'*') {
            match self.number_argument() {
                Some(width) => {
                    flags.width = Some(usize::try_from(width.unsigned_abs()).unwrap_or(0));
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                }
                None => self.out.push(b"%!(BADWIDTH)"),
            }
            self.after_index = false;
            return;
        }
        flags.width = self.number();
        if self.after_index && flags.width.is_some() {
            self.good_index = false; // `%[3]2d`
        }
    }

    fn precision(&mut self, flags: &mut Flags) {
        // A point at the very end is taken for the verb.
        if self.position + 1 >= self.format.len() || !self.take(b'.') {
            return;
        }
        if self.after_index {
            self.good_index = false; // `%[3].2d`
        }
        self.index();
        if !self.take(b'*') {
            flags.precision = Some(self.number().unwrap_or(0));
            return;
        }
        let precision = self.number_argument();
        flags.precision = precision.and_then(|number| usize::try_from(number).ok());
        if flags.precision.is_none() {
            self.out.push(b"%!(BADPREC)");
        }
        self.after_index = false;
    }

    /// An argument that is a width or precision.
    fn number_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        let number = match argument {
            Value::Int(number) => *number,
            Value::Byte(byte) => i64::from(*byte),
            _ => return None,
        };
        (number.unsigned_abs() <= MAX_NUMBER as u64).then_some(number)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.format.get(self.position) == Some(&byte);
        self.position += usize::from(found);
        found
    }

    /// Digits. A number that is too large swallows the rest of the format, as in Go.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self
            .format
            .get(self.position)
            .filter(|b| b.is_ascii_digit())
        {
            let so_far = number.unwrap_or(0);
            if so_far > MAX_NUMBER {
                self.position = self.format.len();
                return None;
            }
            number = Some(so_far * 10 + usize::from(digit - b'0'));
            self.position += 1;
        }
        number
    }

    /// `[2]`: which argument comes next.
    fn index(&mut self) {
        self.after_index = false;
        if self.format.get(self.position) != Some(&b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.position..];
        let Some(end) = rest.iter().position(|byte| *byte == b']') else {
            self.good_index = false;
            self.position += 1;
            return;
        };
        let digits = std::str::from_utf8(&rest[1..end]).unwrap_or_default();
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        let number = digits.parse::<usize>().ok().filter(|_| plain);
        self.position += end + 1;
        match number.and_then(|number| number.checked_sub(1)) {
            Some(index) if index < self.arguments.len() => {
                self.next = index;
                self.after_index = true;
            }
            _ => {
                self.good_index = false;
                self.after_index = number.is_some();
            }
        }
    }

    /// Says which arguments were left over.
    fn extra(&mut self) {
        let left = self.arguments.get(self.next..).unwrap_or_default();
        if self.reordered || left.is_empty() {
            return;
        }
        self.out.push(b"%!(EXTRA ");
        for (index, argument) in left.iter().enumerate() {
            if index > 0 {
                self.out.push(b", ");
            }
            if !matches!(argument, Value::Nil | Value::Null) {
                let name = format!("{}=", argument.type_name());
                self.out.push(name.as_bytes());
            }
            self.out.value(argument);
        }
        self.out.push(b")");
    }
}
