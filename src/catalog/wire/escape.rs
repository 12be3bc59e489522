//! Percent escapes of paths and queries.

/// Undoes the escapes; `None` if one is broken or the result is not UTF-8.
pub(in crate::catalog) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (high, low) = (digit(after.first())?, digit(after.get(1))?);
        bytes.push(high << 4 | low);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    let value = char::from(*byte?).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The names and values of a query, in order. A name without `=` has an empty value. Broken pairs are left out, as Go
/// leaves them out.
pub(in crate::catalog) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let read = |text: &str| unescape(&text.replace('+', " "));
        Some((read(name)?, read(value)?))
    };
    let texts = query.split('&').filter(|text| !text.is_empty());
    texts.filter_map(pair).collect()
}
