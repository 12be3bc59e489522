//! The functions `html`, `js` and `urlquery`, and literal replacement.

use super::print::Sink;
use super::quote;

/// Go's `HTMLEscapeString`.
pub(super) fn html(out: &mut Sink, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            0 => out.push("\u{FFFD}".as_bytes()),
            b'"' => out.push(b"&#34;"),
            b'\'' => out.push(b"&#39;"),
            b'&' => out.push(b"&amp;"),
            b'<' => out.push(b"&lt;"),
            b'>' => out.push(b"&gt;"),
            other => out.push(&[*other]),
        }
    }
}

/// Go's `JSEscapeString`.
pub(super) fn js(out: &mut Sink, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(byte) = rest.first() {
        let mut length = 1;
        match byte {
            b'\\' | b'\'' | b'"' => out.push(&[b'\\', *byte]),
            b'<' | b'>' | b'&' | b'=' | 0..0x20 => out.push(format!("\\u{byte:04X}").as_bytes()),
            0x80.. => {
                let (character, size) = quote::decode(rest);
                length = size;
                if quote::is_print(character) {
                    out.push(&rest[..size]);
                } else {
                    out.push(format!("\\u{:04X}", u32::from(character)).as_bytes());
                }
            }
            _ => out.push(&[*byte]),
        }
        rest = &rest[length..];
    }
}

/// Go's `url.QueryEscape`.
pub(super) fn url_query(out: &mut Sink, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b' ' => out.push(b"+"),
            b'-' | b'_' | b'.' | b'~' => out.push(&[*byte]),
            _ if byte.is_ascii_alphanumeric() => out.push(&[*byte]),
            _ => out.push(format!("%{byte:02X}").as_bytes()),
        }
    }
}

/// Puts `to` in the place of every `from`. An empty `from` stands before every character and at the end.
pub(super) fn replace_all(out: &mut Sink, from: &[u8], to: &[u8], text: &[u8]) {
    let mut rest = text;
    if from.is_empty() {
        while !rest.is_empty() && !out.is_full() {
            let (_, length) = quote::decode(rest);
            out.push(to);
            out.push(&rest[..length]);
            rest = &rest[length..];
        }
        out.push(to);
        return;
    }
    let finder = memchr::memmem::Finder::new(from);
    while let Some(found) = finder.find(rest) {
        if out.is_full() {
            return;
        }
        out.push(&rest[..found]);
        out.push(to);
        rest = &rest[found + from.len()..];
    }
    out.push(rest);
}
