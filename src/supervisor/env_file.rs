//! Docker's format of files with variables (`--env-file`).
//!
//! One variable a line: `NAME=value`, the value as it is to the end of the line, no quotes and no escapes. `NAME` alone
//! takes over what we have of that name. Blanks before a name, empty lines, lines that begin with `#`, a byte order mark and the
//! CR of DOS line ends are skipped.

/// A line that says something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Set(&'a [u8], &'a [u8]),
    TakeOver(&'a [u8]),
}

/// Every line that says something, or what is wrong with the first bad one. No message shows a value (L12).
pub(super) fn parse(text: &[u8]) -> Result<Vec<Line<'_>>, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let wrong = |what: &str| Err(format!("line {}: {what}", index + 1));
        let equals = line.iter().position(|byte| *byte == b'=');
        let name = &line[..equals.unwrap_or(line.len())];
        if name.is_empty() {
            return wrong("there is no name before `=`");
        }
        if name.iter().any(u8::is_ascii_whitespace) {
            return wrong("a name has no blanks");
        }
        if line.contains(&0) {
            return wrong("a variable has no zero byte");
        }
        lines.push(match equals {
            Some(equals) => Line::Set(name, &line[equals + 1..]),
            None => Line::TakeOver(name),
        });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_docker_reads_them() {
        let text =
            b"\xef\xbb\xbfA=1\n# B=2\n\n  C= a \"b\" #c \r\nD\nE=\nF=x=y\nG=\xff\n \t# x\nA=2";
        let set = |name, value| Line::Set(name, value);
        assert_eq!(
            parse(text).unwrap(),
            [
                set(b"A", b"1"),
                set(b"C", b" a \"b\" #c "),
                Line::TakeOver(b"D"),
                set(b"E", b""),
                set(b"F", b"x=y"),
                set(b"G", b"\xff"),
                set(b"A", b"2"),
            ]
        );
        assert_eq!(parse(b"").unwrap(), []);
    }

    #[test]
    fn l12_a_bad_line_is_named_by_its_number() {
        for (text, words) in [
            (&b"A=1\n=s3cr3t"[..], "line 2: there is no name"),
            (b"A s3cr3t=s3cr3t", "line 1: a name has no blanks"),
            (b"export s3cr3t", "line 1: a name has no blanks"),
            (b"\nA=s3cr3t\0", "line 2: a variable has no zero byte"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(words) && !said.contains("s3cr3t"), "{said}");
        }
    }
}
