//! From a rendered line back to the line of the template.

use super::{render, variables};

/// Every rendered line with the line of the template and whether it is unchanged.
fn lines(template: &str) -> Vec<(String, usize, bool)> {
    let rendered = render(template, &variables()).unwrap();
    let lines = rendered.text.split('\n').enumerate();
    lines
        .map(|(index, line)| {
            let number = index + 1;
            let source = rendered.map.source_line(number);
            (line.to_owned(), source, rendered.map.is_verbatim(number))
        })
        .collect()
}

/// What [`lines`] gives, written shorter.
fn expected(lines: &[(&str, usize, bool)]) -> Vec<(String, usize, bool)> {
    let owned = lines
        .iter()
        .map(|(text, line, verbatim)| ((*text).to_owned(), *line, *verbatim));
    owned.collect()
}

#[test]
fn text_without_actions_is_verbatim() {
    assert_eq!(
        lines("{\n  a: 1\n}"),
        expected(&[("{", 1, true), ("  a: 1", 2, true), ("}", 3, true)])
    );
}

#[test]
fn a_line_with_an_action_is_not_verbatim() {
    assert_eq!(
        lines("a\nb {{ .NAME }} c\nd"),
        expected(&[("a", 1, true), ("b app c", 2, false), ("d", 3, true)])
    );
    assert_eq!(
        lines("{{ .NAME }}\nb"),
        expected(&[("app", 1, false), ("b", 2, true)])
    );
    assert_eq!(
        lines("a\nb{{/* x */}}"),
        expected(&[("a", 1, true), ("b", 2, false)])
    );
    // Nothing is printed, but the columns behind it differ.
    assert_eq!(
        lines("{{/* x */}}a\nb"),
        expected(&[("a", 1, false), ("b", 2, true)])
    );
    assert_eq!(
        lines("a{{ if false }}{{ end }}\nb"),
        expected(&[("a", 1, false), ("b", 2, true)])
    );
}

#[test]
fn every_turn_of_a_range_leads_to_its_lines() {
    let template = "[\n{{- range split `,` .LIST }}\n  {{ . }},\n  x\n{{- end }}\n]";
    let mut all = vec![("[", 1, false)];
    for item in ["  a,", "  b,", "  c,"] {
        all.extend([(item, 3, false), ("  x", 4, false)]);
    }
    all.push(("]", 6, true));
    assert_eq!(lines(template), expected(&all));
}

#[test]
fn lines_of_one_value_come_from_one_line() {
    assert_eq!(
        lines("a\n{{ .LINES }}\nb"),
        expected(&[
            ("a", 1, true),
            ("1", 2, false),
            ("2", 2, false),
            ("b", 3, true)
        ])
    );
}

#[test]
fn lines_of_a_definition_come_from_where_it_stands() {
    let template = "{{ define `t` }}x\ny\n{{ end }}a\n{{ template `t` }}b";
    assert_eq!(
        lines(template),
        expected(&[
            ("a", 3, false),
            ("x", 1, false),
            ("y", 2, true),
            ("b", 4, false)
        ])
    );
}

#[test]
fn a_line_past_the_end_is_the_last() {
    let map = render("a\nb\n", &variables()).unwrap().map;
    assert_eq!(
        (map.source_line(0), map.source_line(2), map.source_line(99)),
        (1, 2, 2)
    );
    assert!(!map.is_verbatim(99));
    let empty = render("", &variables()).unwrap().map;
    assert_eq!(empty.source_line(1), 1);
    assert!(!empty.is_verbatim(1));
}
