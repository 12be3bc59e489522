//! From bytes to lines, however they come.

use proptest::prelude::*;

use crate::logging::frame::{Flow, Framer, MAX_LINE};

type Lines = Vec<(Vec<u8>, bool)>;

/// The lines of these inputs; every `pause`-th line says stop.
fn lines(inputs: &[&[u8]], pause: usize) -> Lines {
    let mut framer = Framer::default();
    let mut lines = Lines::new();
    for mut input in inputs.iter().copied() {
        while !input.is_empty() {
            let used = framer.feed(input, |line, partial| {
                lines.push((line.to_vec(), partial));
                if pause > 0 && lines.len().is_multiple_of(pause) {
                    Flow::Stop
                } else {
                    Flow::Go
                }
            });
            assert!(used > 0, "every call gets on");
            input = &input[used..];
        }
    }
    framer.finish(|line, partial| {
        lines.push((line.to_vec(), partial));
        Flow::Go
    });
    lines
}

#[test]
fn line_ends_are_removed() {
    let whole = |text: &str| (text.as_bytes().to_vec(), false);
    for (input, wanted) in [
        ("", vec![]),
        ("\n", vec![whole("")]),
        ("a\nb\n", vec![whole("a"), whole("b")]),
        ("a\r\nb\r\r\n", vec![whole("a"), whole("b\r")]),
        ("a\rb\n", vec![whole("a\rb")]),
        ("a\n\nb", vec![whole("a"), whole(""), whole("b")]),
        ("\r", vec![whole("")]),
    ] {
        assert_eq!(lines(&[input.as_bytes()], 0), wanted, "{input:?}");
    }
}

#[test]
fn d11_long_lines_become_pieces() {
    for (length, sizes) in [
        (MAX_LINE, vec![MAX_LINE]),
        (MAX_LINE + 1, vec![MAX_LINE, 1]),
        (3 * MAX_LINE, vec![MAX_LINE, MAX_LINE, MAX_LINE]),
    ] {
        let mut text = vec![b'x'; length];
        text.push(b'\n');
        text.extend_from_slice(b"next\n");
        let lines = lines(&[&text], 0);
        let (next, pieces) = lines.split_last().unwrap();
        assert_eq!(*next, (b"next".to_vec(), false));
        let found: Vec<usize> = pieces.iter().map(|piece| piece.0.len()).collect();
        assert_eq!(found, sizes);
        let marks: Vec<bool> = pieces.iter().map(|piece| piece.1).collect();
        let wanted: Vec<bool> = (1..=sizes.len()).map(|at| at < sizes.len()).collect();
        assert_eq!(marks, wanted, "all but the last are marked");
    }
}

#[test]
fn a_character_is_not_split() {
    for character in ["é", "€", "🦀"] {
        for offset in 0..4 {
            let mut text = "x".repeat(offset);
            while text.len() < 3 * MAX_LINE {
                text.push_str(character);
            }
            let lines = lines(&[text.as_bytes()], 0);
            assert!(lines.len() > 2);
            for (piece, _) in &lines {
                assert!(std::str::from_utf8(piece).is_ok(), "{character} {offset}");
                assert!(piece.len() <= MAX_LINE);
            }
        }
    }
}

/// Bytes in which newlines, carriage returns and long stretches are likely.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..50),
        4 => Just(b"\n".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        1 => (MAX_LINE - 3..MAX_LINE + 3).prop_map(|length| vec![b'x'; length]),
        1 => (MAX_LINE - 3..MAX_LINE + 3).prop_map(|length| "é".repeat(length / 2).into_bytes()),
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn how_it_comes_makes_no_difference(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        pause in 0..3_usize,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let inputs: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(lines(&inputs, pause), lines(&[&stream], 0));
    }

    #[test]
    fn no_byte_is_lost(stream in stream()) {
        let mut rest = &stream[..];
        for (line, partial) in lines(&[&stream], 0) {
            prop_assert!(line.len() <= MAX_LINE);
            rest = rest.strip_prefix(&line[..]).expect("the line is next");
            if !partial {
                rest = rest.strip_prefix(b"\r").filter(|rest| rest.first().is_none_or(|&next| next == b'\n')).unwrap_or(rest);
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        prop_assert_eq!(rest, b"");
    }
}
