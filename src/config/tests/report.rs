use super::*;

#[test]
fn r01_an_error_shows_its_place_and_the_way_out() {
    let text = "{\n  jobs: [\n    { name: 'app',\n\thelth: { interval: 0 }, health: { interval: 0, ttl: 5 } },\n  ],\n}\n";
    let report = try_load(text).unwrap_err();
    let expected = "\
error: jobs[0]: unknown key `helth`
 --> app.json5:4:2
  |
4 |  helth: { interval: 0 }, health: { interval: 0, ttl: 5 } },
  |  ^^^^^
  = help: did you mean `health`?

error: jobs[0].health.interval: cannot use `0`: must be at least 1 second
 --> app.json5:4:46
  |
4 |  helth: { interval: 0 }, health: { interval: 0, ttl: 5 } },
  |                                              ^
  = help: write for example `500ms`, `5s` or `1m30s`, or a whole number of seconds";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn all_errors_are_found_at_once_in_the_order_of_the_file() {
    let text = "{ jobs: [ { name: 'a', timeout: 'x' }, { exec: '' }, { name: 'b', ttl: 1, restarts: 'x' } ],\n logging: { level: 'x' },\n consul: 1 }";
    let report = try_load(text).unwrap_err();
    let paths: Vec<&str> = report
        .iter()
        .filter_map(|found| found.path.as_deref())
        .collect();
    let expected = [
        "jobs[0].timeout",
        "jobs[1]",
        "jobs[1].exec",
        "jobs[2].ttl",
        "jobs[2].restarts",
        "logging.level",
        "consul",
    ];
    assert_eq!(paths, expected, "{report}");
    assert_eq!((report.errors(), report.warnings()), (6, 1));
}

#[test]
fn a_report_is_bounded() {
    let report = try_load(&format!("{{ jobs: [ {} ] }}", "{}, ".repeat(1000))).unwrap_err();
    assert_eq!((report.len(), report.iter().count()), (1000, Report::KEPT));
    assert!(report.to_string().ends_with("\n\nand 950 more"));
}

#[test]
fn long_lines_are_cut_to_a_window() {
    let text = format!(
        "{{ 'x-a': '{}', nonsense: 1, 'x-b': '{}' }}",
        "a".repeat(5000),
        "b".repeat(5000)
    );
    let report = try_load(&text).unwrap_err();
    let excerpt = report.iter().next().unwrap().excerpt.clone().unwrap();
    assert!(excerpt.text.chars().count() <= 100);
    let marked: String = excerpt
        .text
        .chars()
        .skip(excerpt.start)
        .take(excerpt.width)
        .collect();
    assert_eq!(marked, "nonsense");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let report = try_load("{ 'x-a': 1, \"\\u001b[31m\": 1, /* \u{1b}[32m */ }").unwrap_err();
    let said = report.to_string();
    assert!(!said.contains('\u{1b}'), "{said:?}");
    assert!(said.contains("\\u{1b}[31m"), "{said}");
}

#[test]
fn syntax_errors_show_their_line() {
    let report = refused(
        "{\r\n  jobs: [ { name \"a\" } ]\r\n}",
        "cannot read JSON5: invalid character '\"' after object key",
    );
    let found = report.iter().next().unwrap();
    assert_eq!(found.position.map(|at| (at.line, at.column)), Some((2, 18)));
    assert_eq!(
        found.excerpt.as_ref().unwrap().text,
        "  jobs: [ { name \"a\" } ]"
    );
}

#[test]
fn a_message_that_quotes_the_file_moves_no_cursor() {
    for text in ["{{ 'a\u{1b}[2J' }}", "{{ 'a\u{7}\u{0}' }}"] {
        let report = try_load(text).unwrap_err();
        let in_terminal = report.to_string();
        let alone = render(text, &Variables::new()).unwrap_err().to_string();
        for said in [in_terminal.replace('\n', ""), alone] {
            assert!(!said.contains(char::is_control), "{said:?}");
        }
        let found = report.iter().next().unwrap();
        assert!(!found.message.contains('\n'), "{:?}", found.message);
    }
}

#[test]
fn columns_count_characters() {
    let report = refused("{ 'x-ä': 'ö', nonsense: 1 }", "nonsense");
    assert_eq!(report.iter().next().unwrap().position.unwrap().column, 15);
}

#[test]
fn r01_a_template_error_shows_the_line_of_the_file() {
    let report = refused("{\n  jobs: {{ .A.B }}\n}", "cannot render the template: ");
    let found = report.iter().next().unwrap();
    assert_eq!(
        found.position.map(|at| (at.line, at.rendered_line)),
        Some((2, None))
    );
    assert_eq!(found.excerpt.as_ref().unwrap().text, "  jobs: {{ .A.B }}");
}

#[test]
fn a_line_that_the_template_changed_has_both_numbers() {
    let text = "{ jobs: [\n{{ range $i := loop 2 -}}\n{ name: 'j{{ $i }}', nonsense: 1 },\n{{ end -}}\n], oops: 1 }";
    let report = try_load(text).unwrap_err();
    let said = report.to_string();
    assert_eq!(report.errors(), 3, "{said}");
    assert!(
        said.contains("--> app.json5: line 3 of the template (line 2 after rendering)"),
        "{said}"
    );
    assert!(
        said.contains("--> app.json5: line 3 of the template (line 3 after rendering)"),
        "{said}"
    );
    assert!(said.contains("3 | { name: 'j1', nonsense: 1 },"), "{said}");
}

#[test]
fn a_line_that_the_template_left_alone_has_its_own_number() {
    let text = "{{/* one\ntwo */}}\n{{ range loop 0 }}\n{{ end }}\n{ nonsense: 1 }";
    let report = refused(text, "5 | { nonsense: 1 }");
    assert!(report.to_string().contains("--> app.json5:5:3"), "{report}");
}
