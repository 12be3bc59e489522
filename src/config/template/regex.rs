//! `regexReplaceAll`: Go's `ReplaceAllString` on the regular expressions of `regex-lite`.

use regex_lite::{Captures, Regex, RegexBuilder};

use super::print::Sink;
use super::regex_syntax::{self, Translated};

/// The longest pattern that is read.
const MAX_PATTERN: usize = 4096;

/// Sizes of a compiled expression, smallest first. The first one that is enough tells what matching may cost.
const SIZES: [usize; 5] = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18];

/// Bytes of a compiled expression that cost one unit of work for each byte of text.
const SIZE_PER_WORK: usize = 512;

/// Replaces every match of `pattern` in `text` and returns the work it took, which `limit` bounds.
pub(super) fn replace_all(
    out: &mut Sink,
    pattern: &[u8],
    to: &[u8],
    text: &[u8],
    limit: usize,
) -> Result<usize, String> {
    let utf8 = |bytes| {
        std::str::from_utf8(bytes).map_err(|_| "the argument is not valid UTF-8".to_owned())
    };
    let (pattern, to, text) = (utf8(pattern)?, utf8(to)?, utf8(text)?);
    let translated = regex_syntax::translate(pattern)
        .map_err(|cause| format!("error parsing regexp: {cause}"))?;
    let (regex, size) = compile(pattern, &translated)?;
    let work = size + text.len().saturating_mul(size / SIZE_PER_WORK);
    if work > limit {
        return Err("the expression is too large for a text of this length".to_owned());
    }
    let mut rest = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push(&text.as_bytes()[rest..whole.start()]);
        expand(out, to, &captures, &translated.names);
        rest = whole.end();
        if out.is_full() {
            break;
        }
    }
    out.push(&text.as_bytes()[rest..]);
    Ok(work)
}

fn compile(pattern: &str, translated: &Translated) -> Result<(Regex, usize), String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!(
            "the expression exceeds the limit of {MAX_PATTERN} bytes"
        ));
    }
    let mut cause = String::new();
    for size in SIZES {
        match RegexBuilder::new(&translated.pattern)
            .size_limit(size)
            .build()
        {
            Ok(regex) => return Ok((regex, size)),
            Err(error) => cause = error.to_string(),
        }
    }
    Err(format!("cannot use the expression: {cause}"))
}

/// Adds the replacement with `$1`, `${1}`, `$name` and `${name}` put in. A name is as long as it can be: `$1x` is the
/// group `1x`. A group that is not there is empty, and a `$` that begins no name is itself.
fn expand(out: &mut Sink, to: &str, captures: &Captures<'_>, names: &[Option<String>]) {
    let mut rest = to;
    while let Some(dollar) = rest.find('$') {
        out.push(&rest.as_bytes()[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push(b"$");
            rest = after;
        } else if let Some((name, after)) = name(rest) {
            if let Some(found) = group(name, captures, names) {
                out.push(found.as_bytes());
            }
            rest = after;
        } else {
            out.push(b"$");
        }
        if out.is_full() {
            return;
        }
    }
    out.push(rest.as_bytes());
}

/// The name behind a `$`, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let (braces, text) = match text.strip_prefix('{') {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let end = text
        .find(|character| !super::lex::is_alphanumeric(character))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    if braces {
        return rest.strip_prefix('}').map(|rest| (name, rest));
    }
    Some((name, rest))
}

fn group<'t>(name: &str, captures: &Captures<'t>, names: &[Option<String>]) -> Option<&'t str> {
    let numeric = name.bytes().all(|byte| byte.is_ascii_digit());
    if numeric && (name == "0" || !name.starts_with('0')) {
        let index = name.parse().ok()?;
        return captures.get(index).map(|found| found.as_str());
    }
    // A name may be given twice; the first group of it that took part counts.
    let mut named = (1..).zip(names);
    named.find_map(|(index, known)| {
        let found = captures.get(index)?;
        (known.as_deref() == Some(name)).then_some(found.as_str())
    })
}
