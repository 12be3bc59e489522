//! Go's regular expressions, checked by Go's rules and written down for `regex-lite`.
//!
//! Both engines match alike, but their languages differ in many small places: `\s`, `\Q…\E`, a `{` that counts nothing,
//! `(?i)` outside ASCII, nested repetitions. So the pattern is read here, and what comes out uses only plain characters,
//! classes of code points, groups and repetitions.

use super::regex_class::{
    Ranges, fold, negate, perl_class, posix_class, write_character, write_class,
};

/// A pattern for `regex-lite`.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) pattern: String,
    /// The name of each group, from the first.
    pub(super) names: Vec<Option<String>>,
}

/// Go's limit for counts, and for the product of nested ones.
const MAX_REPEAT: u32 = 1000;

const BAD_ESCAPE: &str = "invalid escape sequence";

/// Reads a Go pattern.
pub(super) fn translate(pattern: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        rest: pattern,
        flags: Flags::default(),
        groups: Vec::new(),
        out: String::with_capacity(pattern.len() * 2),
        names: Vec::new(),
        item: None,
        weight: 1,
    };
    translator.pattern()?;
    Ok(Translated {
        pattern: translator.out,
        names: translator.names,
    })
}

/// The flags that a pattern can set.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_newline: bool,
    ungreedy: bool,
}

/// What is restored at the end of a group.
struct Group {
    flags: Flags,
    /// The weight of what stands in front of the group.
    weight: u32,
}

/// How a group begins.
enum Opening {
    Plain,
    /// It captures, perhaps under a name.
    Capture(Option<String>),
}

/// The counts of a repetition; one that is too large to be read is `u32::MAX`.
#[derive(Clone, Copy, Debug)]
struct Count {
    least: u32,
    /// None if there is no upper bound.
    most: Option<u32>,
}

/// Something that can be repeated.
#[derive(Clone, Copy, Debug)]
struct Item {
    /// How often it repeats its innermost part; within what Go allows, so that no product overflows.
    weight: u32,
    /// Whether it is a repetition itself.
    repeated: bool,
}

struct Translator<'p> {
    rest: &'p str,
    flags: Flags,
    groups: Vec<Group>,
    out: String,
    names: Vec<Option<String>>,
    /// The last item; none if nothing stands here that could be repeated.
    item: Option<Item>,
    /// The greatest weight of the items of this group.
    weight: u32,
}

type Checked<T> = Result<T, String>;

impl Translator<'_> {
    fn pattern(&mut self) -> Checked<()> {
        while let Some(character) = self.rest.chars().next() {
            match character {
                '(' if self.rest.starts_with("(?") => self.special_group()?,
                '(' => {
                    self.advance(1);
                    self.open(Opening::Capture(None));
                }
                ')' => self.close()?,
                '|' => {
                    self.advance(1);
                    self.out.push('|');
                    self.end_item();
                    self.item = None;
                }
                '^' if self.flags.multi_line => self.plain(1, "(?m:^)"),
                '^' => self.plain(1, "\\A"),
                '$' if self.flags.multi_line => self.plain(1, "(?m:$)"),
                '$' => self.plain(1, "\\z"),
                '.' if self.flags.dot_newline => self.plain(1, "(?s:.)"),
                '.' => self.plain(1, "[^\\n]"),
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.advance(1);
                    self.repeat(&character.to_string(), None)?;
                }
                '{' => self.counted()?,
                '\\' => self.escape()?,
                _ => {
                    self.advance(character.len_utf8());
                    self.literal(character);
                }
            }
        }
        if self.groups.is_empty() {
            return Ok(());
        }
        Err("missing closing )".to_owned())
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    /// Goes over `bytes` of the pattern that are `written` for the other engine.
    fn plain(&mut self, bytes: usize, written: &str) {
        self.advance(bytes);
        self.begin_item();
        self.out.push_str(written);
    }

    /// A new item begins; nothing is repeated in it yet.
    fn begin_item(&mut self) {
        self.end_item();
        self.item = Some(Item {
            weight: 1,
            repeated: false,
        });
    }

    fn end_item(&mut self) {
        self.weight = self.weight.max(self.item.map_or(1, |item| item.weight));
    }

    fn literal(&mut self, character: char) {
        self.begin_item();
        let mut ranges = vec![(u32::from(character), u32::from(character))];
        if self.flags.fold_case {
            fold(&mut ranges);
        }
        match ranges.len() {
            1 => write_character(&mut self.out, u32::from(character)),
            _ => write_class(&mut self.out, &ranges),
        }
    }

    fn open(&mut self, opening: Opening) {
        self.end_item();
        self.groups.push(Group {
            flags: self.flags,
            weight: self.weight,
        });
        self.item = None;
        self.weight = 1;
        match opening {
            Opening::Capture(name) => {
                self.names.push(name);
                self.out.push('(');
            }
            Opening::Plain => self.out.push_str("(?:"),
        }
    }

    fn close(&mut self) -> Checked<()> {
        self.advance(1);
        let Some(group) = self.groups.pop() else {
            return Err("unexpected )".to_owned());
        };
        self.end_item();
        self.item = Some(Item {
            weight: self.weight,
            repeated: false,
        });
        self.weight = group.weight;
        self.flags = group.flags;
        self.out.push(')');
        Ok(())
    }

    /// `(?P<name>…)`, `(?flags)` and `(?flags:…)`.
    fn special_group(&mut self) -> Checked<()> {
        if let Some(named) = self.rest.strip_prefix("(?P<") {
            let Some((name, rest)) = named.split_once('>') else {
                return Err("invalid named capture".to_owned());
            };
            let good = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
            if name.is_empty() || !name.bytes().all(good) {
                return Err(format!("invalid named capture: `(?P<{name}>`"));
            }
            self.rest = rest;
            self.open(Opening::Capture(Some(name.to_owned())));
            return Ok(());
        }
        self.advance(2);
        let mut flags = self.flags;
        let (mut value, mut seen) = (true, false);
        loop {
            let Some(character) = self.rest.chars().next() else {
                return Err("missing argument to `(?`".to_owned());
            };
            self.advance(character.len_utf8());
            let flag = match character {
                'i' => &mut flags.fold_case,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_newline,
                'U' => &mut flags.ungreedy,
                '-' if value => {
                    value = false;
                    seen = false;
                    continue;
                }
                ':' | ')' if value || seen => {
                    if character == ':' {
                        self.open(Opening::Plain);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => return Err("invalid or unsupported Perl syntax".to_owned()),
            };
            *flag = value;
            seen = true;
        }
    }

    /// `{2}`, `{2,}` or `{2,5}`; anything else is a brace.
    fn counted(&mut self) -> Checked<()> {
        let Some((count, length)) = counts(self.rest) else {
            self.advance(1);
            self.literal('{');
            return Ok(());
        };
        let written = self.rest[..length].to_owned();
        let most = count.most.unwrap_or(count.least);
        if count.least > MAX_REPEAT || most > MAX_REPEAT || most < count.least {
            return Err(format!("invalid repeat count: `{written}`"));
        }
        self.advance(length);
        self.repeat(&written, Some(count))
    }

    /// An operator that repeats the last item.
    fn repeat(&mut self, operator: &str, count: Option<Count>) -> Checked<()> {
        let lazy = self.rest.starts_with('?');
        if lazy {
            self.advance(1);
        }
        let Some(item) = &mut self.item else {
            let cause = "missing argument to repetition operator";
            return Err(format!("{cause}: `{operator}`"));
        };
        // Go allows it when flags stand between, as in `a*(?i)*`. Nobody writes that.
        if item.repeated {
            return Err(format!("invalid nested repetition operator: `{operator}`"));
        }
        item.repeated = true;
        if let Some(Count { least, most }) = count {
            item.weight = match most {
                Some(0) => 1,
                _ => most.unwrap_or(least).max(1) * item.weight,
            };
            if most.unwrap_or(least) >= 2 && item.weight > MAX_REPEAT {
                return Err(format!("invalid repeat count: `{operator}`"));
            }
        }
        self.out.push_str(operator);
        if lazy != self.flags.ungreedy {
            self.out.push('?');
        }
        Ok(())
    }

    fn escape(&mut self) -> Checked<()> {
        let mut characters = self.rest[1..].chars();
        match characters.next() {
            None => Err("trailing backslash at end of expression".to_owned()),
            Some('A') => {
                self.plain(2, "\\A");
                Ok(())
            }
            Some('b') => {
                self.plain(2, "\\b");
                Ok(())
            }
            Some('B') => {
                self.plain(2, "\\B");
                Ok(())
            }
            Some('z') => {
                self.plain(2, "\\z");
                Ok(())
            }
            Some('Q') => {
                let rest = &self.rest[2..];
                let (literal, after) = rest.split_once("\\E").unwrap_or((rest, ""));
                self.rest = after;
                for character in literal.chars() {
                    self.literal(character);
                }
                Ok(())
            }
            Some('p' | 'P') => Err("classes such as `\\p{…}` are not supported".to_owned()),
            Some(letter) => {
                if let Some(ranges) = perl_class(letter) {
                    self.advance(2);
                    self.begin_item();
                    write_class(&mut self.out, &ranges);
                    return Ok(());
                }
                let code = self.escaped_character()?;
                self.literal(code);
                Ok(())
            }
        }
    }

    /// The character of an escape; the backslash is not yet read.
    fn escaped_character(&mut self) -> Checked<char> {
        let (code, length) = escaped(&self.rest[1..]).ok_or_else(|| {
            let shown: String = self.rest.chars().take(2).collect();
            format!("{BAD_ESCAPE}: `{shown}`")
        })?;
        self.advance(1 + length);
        char::from_u32(code).ok_or_else(|| BAD_ESCAPE.to_owned())
    }

    /// `[…]`.
    fn class(&mut self) -> Checked<()> {
        self.advance(1);
        let negated = self.rest.starts_with('^');
        if negated {
            self.advance(1);
        }
        let mut ranges = Ranges::new();
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if let Some(mut named) = self.named_class()? {
                if self.flags.fold_case {
                    fold(&mut named);
                }
                ranges.append(&mut named);
                continue;
            }
            let from = u32::from(self.class_character()?);
            let mut to = from;
            if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.advance(1);
                to = u32::from(self.class_character()?);
            }
            if to < from {
                return Err("invalid character class range".to_owned());
            }
            let mut range = vec![(from, to)];
            if self.flags.fold_case {
                fold(&mut range);
            }
            ranges.append(&mut range);
        }
        self.advance(1);
        if negated {
            ranges = negate(ranges);
        }
        self.begin_item();
        write_class(&mut self.out, &ranges);
        Ok(())
    }

    /// `[:alpha:]`, `\d` and their kin inside a class.
    fn named_class(&mut self) -> Checked<Option<Ranges>> {
        if let Some(rest) = self.rest.strip_prefix("[:") {
            let Some((name, after)) = rest.split_once(":]") else {
                return Ok(None);
            };
            let (negated, plain) = match name.strip_prefix('^') {
                Some(plain) => (true, plain),
                None => (false, name),
            };
            let Some(ranges) = posix_class(plain) else {
                return Err(format!("invalid character class range: `[:{name}:]`"));
            };
            self.rest = after;
            return Ok(Some(if negated { negate(ranges) } else { ranges }));
        }
        let Some(letter) = self
            .rest
            .strip_prefix('\\')
            .and_then(|rest| rest.chars().next())
        else {
            return Ok(None);
        };
        if matches!(letter, 'p' | 'P') {
            return Err("classes such as `\\p{…}` are not supported".to_owned());
        }
        let ranges = perl_class(letter);
        if ranges.is_some() {
            self.advance(2);
        }
        Ok(ranges)
    }

    fn class_character(&mut self) -> Checked<char> {
        match self.rest.chars().next() {
            None => Err("missing closing ]".to_owned()),
            Some('\\') if self.rest.len() == 1 => {
                Err("trailing backslash at end of expression".to_owned())
            }
            Some('\\') => self.escaped_character(),
            Some(character) => {
                self.advance(character.len_utf8());
                Ok(character)
            }
        }
    }
}

/// The counts of `{2}`, `{2,}` or `{2,5}`, and the length of it.
fn counts(text: &str) -> Option<(Count, usize)> {
    let inner = &text[1..text.find('}')?];
    let (least, most) = match inner.split_once(',') {
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
        None => (number(inner)?, Some(number(inner)?)),
    };
    Some((Count { least, most }, inner.len() + 2))
}

/// A number without needless zeros; `u32::MAX` if it is too large.
fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    (plain && !padded && !digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX))
}

/// The code point of what stands behind a backslash, and its length.
fn escaped(text: &str) -> Option<(u32, usize)> {
    let character = text.chars().next()?;
    let octal = |byte: &&u8| (b'0'..=b'7').contains(*byte);
    match character {
        '1'..='7' if !text.as_bytes().get(1).is_some_and(|byte| octal(&byte)) => None,
        '0'..='7' => {
            let digits = text.bytes().take(3).take_while(|byte| octal(&byte)).count();
            let code = u32::from_str_radix(&text[..digits], 8).ok()?;
            Some((code, digits))
        }
        'x' => {
            let (digits, length) = match text[1..].strip_prefix('{') {
                Some(inner) => {
                    let digits = &inner[..inner.find('}')?];
                    (digits, digits.len() + 3)
                }
                None => (text.get(1..3)?, 3),
            };
            if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            let code = u32::from_str_radix(digits.trim_start_matches('0'), 16);
            let zero = digits.bytes().all(|digit| digit == b'0');
            Some((if zero { 0 } else { code.ok()? }, length))
        }
        'a' => Some((7, 1)),
        'f' => Some((0xC, 1)),
        'n' => Some((0xA, 1)),
        'r' => Some((0xD, 1)),
        't' => Some((9, 1)),
        'v' => Some((0xB, 1)),
        _ if character.is_ascii() && !character.is_ascii_alphanumeric() => {
            Some((u32::from(character), 1))
        }
        _ => None,
    }
}
