//! Where an error is, and what it says. That there is one, and its line, the cases from Go check.

use super::{error, text};

/// Line, column and message of an error.
fn place(template: &str) -> (usize, usize, String) {
    let error = error(template);
    (error.line, error.column, error.message)
}

fn help(template: &str) -> String {
    error(template).help.unwrap_or_default()
}

#[test]
fn columns_count_characters_from_one() {
    assert_eq!(
        place("{\n  é: {{ nofunc }}"),
        (2, 9, "function \"nofunc\" not defined".to_owned())
    );
    assert_eq!(
        place("a\n\n{{ .NAME.X }}"),
        (
            3,
            4,
            "cannot render `.NAME.X`: can't evaluate field X in type string".to_owned()
        )
    );
}

#[test]
fn the_text_of_an_error_begins_with_its_place() {
    let shown = error("{{ if }}").to_string();
    assert_eq!(shown, "line 1, column 7: missing value for if");
}

#[test]
fn a_wrong_function_gets_a_suggestion() {
    assert_eq!(help("{{ replaceall 1 }}"), "did you mean `replaceAll`?");
    assert_eq!(
        help("{{ NAME }}"),
        "for a variable of that name write `.NAME`"
    );
}

#[test]
fn what_is_never_closed_is_named_with_its_line() {
    assert_eq!(
        help("\n{{ range loop 2 }}\nx\n"),
        "the `range` of line 2 has no {{end}}"
    );
    assert_eq!(
        help("\n{{ define \"a\" }}\nx\n"),
        "the `define` of line 2 has no {{end}}"
    );
    assert_eq!(
        help("a\n{{ if true }}{{ if false }}{{ end }}\n"),
        "the `if` of line 2 has no {{end}}"
    );
    assert_eq!(help("a\n{{ .NAME\n\n"), "the action began at line 2");
    assert_eq!(help("a\n{{/* x"), "end it with `*/}}`");
}

#[test]
fn messages_stay_on_one_line_and_short() {
    let long = format!("{{{{ index 5 `{}\n\n` }}}}", "x".repeat(500));
    let message = error(&long).message;
    assert!(message.len() < 200, "{message}");
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn messages_hold_no_control_characters() {
    for (text, message) in [
        ("{{ \u{1b} }}", "unrecognized character in action: U+001B"),
        ("{{ \u{9b} }}", "unrecognized character in action: U+009B"),
        ("{{ § }}", "unrecognized character in action: U+00A7 '§'"),
    ] {
        assert_eq!(place(text).2, message);
    }
}

#[test]
fn what_is_not_supported_says_so() {
    let (_, _, message) = place("{{ 1i }}");
    assert_eq!(message, "complex numbers are not supported: \"1i\"");
    let (_, _, message) = place(r"{{ regexReplaceAll `\p{Greek}` `` .NAME }}");
    assert!(
        message.ends_with("classes such as `\\p{…}` are not supported"),
        "{message}"
    );
}

/// D20: the original cut a value at its second `=`.
#[test]
fn a_variable_has_its_full_value() {
    assert_eq!(
        text("{{ .OPTS }}|{{ env \"OPTS\" }}"),
        "-a=b -c=d|-a=b -c=d"
    );
}

#[test]
fn broken_bytes_become_replacement_characters() {
    assert_eq!(
        text(r#"{{ "a\xffb\xe2\x82" }}"#),
        "a\u{FFFD}b\u{FFFD}\u{FFFD}"
    );
    assert_eq!(text(r#"{{ slice "é" 0 1 }}{{ slice "é" 1 2 }}"#), "é");
}
