//! Characters in bytes that may not be UTF-8, and Go's quoting.

use std::fmt::Write;

/// The first character of `bytes` and its length; U+FFFD of length 1 for a byte that begins none.
///
/// `bytes` is not empty; of nothing it is U+FFFD of length 0.
pub(super) fn decode(bytes: &[u8]) -> (char, usize) {
    let head = &bytes[..bytes.len().min(4)];
    let chunk = head.utf8_chunks().next();
    match chunk.and_then(|chunk| chunk.valid().chars().next()) {
        Some(character) => (character, character.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, head.len().min(1)),
    }
}

/// How many characters there are; a broken byte counts as one.
pub(super) fn count(bytes: &[u8]) -> usize {
    let chunks = bytes.utf8_chunks();
    chunks
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

/// Whether Go prints a character as it is: letters, marks, numbers, punctuation, symbols, and the ASCII space.
pub(super) fn is_print(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    // The standard library has the same table, but shows it only through its quoting. A character that extends the one
    // before it is quoted at the beginning alone, hence the letter in front.
    let mut probe = String::with_capacity(5);
    probe.push('a');
    probe.push(character);
    probe.escape_debug().eq(probe.chars())
}

/// Go's `strconv.Quote`, or `QuoteToASCII`.
pub(super) fn text(bytes: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    let mut rest = bytes;
    while !rest.is_empty() {
        let (character, length) = decode(rest);
        if character == char::REPLACEMENT_CHARACTER && length == 1 {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{:02x}", rest[0]);
        } else {
            escaped(&mut out, character, '"', ascii);
        }
        rest = &rest[length..];
    }
    out.push('"');
    out
}

/// Go's `strconv.QuoteRune`, or `QuoteRuneToASCII`.
pub(super) fn character(character: char, ascii: bool) -> String {
    let mut out = String::from('\'');
    escaped(&mut out, character, '\'', ascii);
    out.push('\'');
    out
}

/// A text in backquotes, if it can stand there.
pub(super) fn raw(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let good = text.chars().all(|character| {
        let control = character < ' ' && character != '\t';
        !control && !matches!(character, '`' | '\x7F' | '\u{FEFF}')
    });
    good.then(|| format!("`{text}`"))
}

fn escaped(out: &mut String, character: char, quote: char, ascii: bool) {
    if character == quote || character == '\\' {
        out.push('\\');
        out.push(character);
        return;
    }
    if is_print(character) && (character.is_ascii() || !ascii) {
        out.push(character);
        return;
    }
    let short = match character {
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0C' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0B' => 'v',
        _ => {
            let code = u32::from(character);
            // Writing to a string cannot fail.
            let _ = match code {
                0..0x20 | 0x7F => write!(out, "\\x{code:02x}"),
                0x20..0x1_0000 => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
            return;
        }
    };
    out.push('\\');
    out.push(short);
}
