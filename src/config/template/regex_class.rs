//! Character classes of regular expressions, as ranges of code points.

use std::fmt::Write;

/// Code points up to here have their other cases looked up in a range; behind come scripts that hardly have any.
const MAX_FOLDED: u32 = 0x600;

/// Inclusive ranges of code points.
pub(super) type Ranges = Vec<(u32, u32)>;

fn ranges(pairs: &[(char, char)]) -> Ranges {
    let codes = pairs
        .iter()
        .map(|(from, to)| (u32::from(*from), u32::from(*to)));
    codes.collect()
}

/// `\d`, `\s`, `\w` and their opposites: of ASCII only, and without the vertical tab.
pub(super) fn perl_class(letter: char) -> Option<Ranges> {
    Some(match letter {
        'd' => posix_class("digit")?,
        's' => ranges(&[('\t', '\n'), ('\x0C', '\r'), (' ', ' ')]),
        'w' => posix_class("word")?,
        'D' | 'S' | 'W' => negate(perl_class(letter.to_ascii_lowercase())?),
        _ => return None,
    })
}

pub(super) fn posix_class(name: &str) -> Option<Ranges> {
    Some(ranges(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7F')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1F'), ('\x7F', '\x7F')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    }))
}

/// Adds the other cases of all characters.
pub(super) fn fold(ranges: &mut Ranges) {
    let mut others = Ranges::new();
    for (from, to) in ranges.iter() {
        let last = if from == to {
            *to
        } else {
            (*to).min(MAX_FOLDED)
        };
        for character in (*from..=last).filter_map(char::from_u32) {
            others.extend(other_cases(character).map(|code| (code, code)));
        }
    }
    ranges.append(&mut others);
}

fn other_cases(character: char) -> impl Iterator<Item = u32> {
    // A case that takes two characters, such as that of ß, is none for a regular expression.
    let single = |mut cases: Box<dyn Iterator<Item = char>>| {
        let first = cases.next();
        if cases.next().is_some() { None } else { first }
    };
    let lower = single(Box::new(character.to_lowercase()));
    let upper = single(Box::new(character.to_uppercase()));
    let both = lower.into_iter().chain(upper);
    both.filter(move |other| *other != character).map(u32::from)
}

/// All code points that are in none of the ranges.
pub(super) fn negate(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut others = Ranges::new();
    let mut next = 0;
    for (from, to) in ranges {
        if from > next {
            others.push((next, from - 1));
        }
        next = next.max(to + 1);
    }
    if next <= u32::from(char::MAX) {
        others.push((next, u32::from(char::MAX)));
    }
    others
}

pub(super) fn write_character(out: &mut String, code: u32) {
    // Writing to a string cannot fail.
    let _ = match char::from_u32(code) {
        Some(character) if character.is_ascii_alphanumeric() => write!(out, "{character}"),
        _ => write!(out, "\\x{{{code:X}}}"),
    };
}

/// A class of code points. Surrogates, which no text has, are left out.
pub(super) fn write_class(out: &mut String, ranges: &Ranges) {
    let mut body = String::new();
    for (from, to) in ranges {
        let from = if (0xD800..0xE000).contains(from) {
            0xE000
        } else {
            *from
        };
        let to = if (0xD800..0xE000).contains(to) {
            0xD7FF
        } else {
            *to
        };
        if from > to {
            continue;
        }
        write_character(&mut body, from);
        body.push('-');
        write_character(&mut body, to);
    }
    if body.is_empty() {
        // A class that nothing is in.
        body.push_str("^\\x{0}-\\x{10FFFF}");
    }
    out.push('[');
    out.push_str(&body);
    out.push(']');
}
