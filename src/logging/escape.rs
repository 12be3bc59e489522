//! Values as JSON and as quoted text. Everything here takes any bytes.

use super::buffer::Buffer;

/// Appends the inside of a JSON string. Invalid UTF-8 becomes U+FFFD, so the result is valid JSON for any input (L08).
pub(super) fn json(out: &mut Buffer, bytes: &[u8]) {
    if is_plain(bytes) {
        out.put(bytes);
        return;
    }
    for chunk in bytes.utf8_chunks() {
        json_str(out, chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out.put("\u{fffd}".as_bytes());
        }
    }
}

fn json_str(out: &mut Buffer, valid: &[u8]) {
    let mut start = 0;
    for (at, &byte) in valid.iter().enumerate() {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"\\u00",
            _ => continue,
        };
        out.put(&valid[start..at]);
        out.put(short);
        if short.len() == 4 {
            out.put(&hex(byte));
        }
        start = at + 1;
    }
    out.put(&valid[start..]);
}

/// Appends a value of the `text` format: bare if it needs no quotes, else quoted (D48).
pub(super) fn text(out: &mut Buffer, bytes: &[u8]) {
    if bytes.iter().copied().all(is_bare) {
        out.put(bytes);
    } else {
        quoted(out, bytes);
    }
}

/// Appends a value behind a message of the `default` format: bare when nothing in it could be taken for something else.
pub(super) fn word(out: &mut Buffer, bytes: &[u8]) {
    let bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'=');
    if !bytes.is_empty() && bytes.iter().all(bare) {
        out.put(bytes);
    } else {
        quoted(out, bytes);
    }
}

/// Appends `bytes` with control characters escaped and nothing else: a message that stays one line.
pub(super) fn one_line(out: &mut Buffer, bytes: &[u8]) {
    escaped(out, bytes, false);
}

fn quoted(out: &mut Buffer, bytes: &[u8]) {
    out.push(b'"');
    if is_plain(bytes) {
        out.put(bytes);
    } else {
        escaped(out, bytes, true);
    }
    out.push(b'"');
}

/// Control characters as `\n`, `\t`, `\r`, `\xNN`; what else a terminal obeys, and bytes that are no UTF-8, byte by byte as
/// `\xNN`, so that nothing is lost.
fn escaped(out: &mut Buffer, bytes: &[u8], quotes: bool) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' if quotes => {
                    out.push(b'\\');
                    out.put(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                '\n' => out.put(b"\\n"),
                '\r' => out.put(b"\\r"),
                '\t' => out.put(b"\\t"),
                _ if character.is_control() || turns_text(character) => {
                    escape_bytes(out, character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => out.put(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        escape_bytes(out, chunk.invalid());
    }
}

/// Whether a character breaks the line it stands in or reverses the text around it (Unicode standard annex 9), so that a
/// reader would take it for another.
fn turns_text(character: char) -> bool {
    matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape_bytes(out: &mut Buffer, bytes: &[u8]) {
    for &byte in bytes {
        let [high, low] = hex(byte);
        out.put(&[b'\\', b'x', high, low]);
    }
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]
}

/// The characters that the original leaves without quotes.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-'
}

/// Printable ASCII without `"` and `\`: the same inside and outside of quotes, in JSON and in text.
///
/// Most lines of most jobs end here, so it is folded over fixed blocks without a branch: the compiler makes vector code of it.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let odd = |byte: u8| {
        u8::from(!(0x20..0x7f).contains(&byte)) | u8::from(byte == b'"') | u8::from(byte == b'\\')
    };
    let any = |bytes: &[u8]| bytes.iter().fold(0, |seen, &byte| seen | odd(byte)) != 0;
    let (blocks, rest) = bytes.as_chunks::<16>();
    !blocks.iter().any(|block| any(block)) && !any(rest)
}
