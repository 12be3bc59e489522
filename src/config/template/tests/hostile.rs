//! Whatever the text: an answer, never a panic, and within the limits.

use proptest::prelude::*;

use super::super::{MAX_LOOP, MAX_NESTING, MAX_SOURCE};
use super::{error, render, text, variables};

/// The pieces that templates are made of.
const PIECES: [&str; 92] = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{- ",
    " -}}",
    "{{/*",
    "*/}}",
    "/*",
    "if ",
    "else ",
    "end ",
    "range ",
    "with ",
    "define ",
    "template ",
    "block ",
    "break",
    "continue",
    "nil ",
    "true ",
    "false ",
    ".",
    ".NAME",
    ".LIST",
    ".X.Y",
    "$",
    "$x",
    "$x ",
    "$i, $v ",
    ":= ",
    "= ",
    ", ",
    "| ",
    "(",
    ")",
    "0 ",
    "1 ",
    "-1 ",
    "2.5 ",
    "1e6 ",
    "0x1p-2 ",
    "1_0 ",
    "9999999999999999999 ",
    "'a' ",
    "'",
    "\"",
    "`",
    "\"s\" ",
    "`r` ",
    "\"\\u\" ",
    "\"\\xff\" ",
    "`%v` ",
    "`%[2]*.[1]*d` ",
    "`%+#q%-08x%é` ",
    "`%999999d` ",
    "`(a|b)*` ",
    "`[^\\w` ",
    "`$1${x}$` ",
    "print ",
    "printf ",
    "println ",
    "len ",
    "index ",
    "slice ",
    "split ",
    "join ",
    "loop ",
    "default ",
    "env ",
    "eq ",
    "ne ",
    "lt ",
    "ge ",
    "and ",
    "or ",
    "not ",
    "html ",
    "js ",
    "urlquery ",
    "replaceAll ",
    "regexReplaceAll ",
    "call ",
    "nofunc ",
    "{{ end }}",
    "{{ else }}",
    "{{ range loop 3 }}",
    "text",
    "\n",
    " ",
    "é",
    "\u{301}",
];

proptest! {
    #[test]
    fn any_text_gets_an_answer(template in "\\PC{0,60}") {
        let _ = render(&template, &variables());
    }

    #[test]
    fn any_bytes_in_an_action_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let inner = String::from_utf8_lossy(&bytes);
        let _ = render(&format!("{{{{{inner}}}}}"), &variables());
    }

    #[test]
    fn any_pieces_get_an_answer(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30)) {
        let _ = render(&pieces.concat(), &variables());
    }

    #[test]
    fn any_pipeline_gets_an_answer(pieces in prop::collection::vec(prop::sample::select(&PIECES[19..84]), 1..8)) {
        let _ = render(&format!("{{{{ {} }}}}", pieces.concat()), &variables());
    }

    #[test]
    fn any_format_gets_an_answer(format in "(%[-+# 0]{0,2}([0-9]{0,2}|\\*|\\[[0-9]\\])(\\.[0-9]?)?[a-zA-Z%]){0,3}") {
        let template = format!("{{{{ printf `{format}` 5 -2.5 .NAME (loop 2) nil true }}}}");
        prop_assert!(render(&template, &variables()).is_ok());
    }

    #[test]
    fn any_expression_gets_an_answer(pattern in "[ab.*+?|(){}\\[\\]^$\\\\dwsQE:iPé0-9,-]{0,16}", to in "[$a0-9{}]{0,6}") {
        let template = format!("{{{{ regexReplaceAll `{pattern}` `{to}` .LIST }}}}");
        let _ = render(&template, &variables());
    }

    #[test]
    fn text_without_braces_is_copied(template in "[^{]{0,80}") {
        let rendered = render(&template, &variables()).unwrap();
        prop_assert_eq!(rendered.text, template);
    }

    #[test]
    fn every_line_has_a_source(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)) {
        let template = pieces.concat();
        if let Ok(rendered) = render(&template, &variables()) {
            let sources: Vec<&str> = template.split('\n').collect();
            for (index, line) in rendered.text.split('\n').enumerate() {
                let source = rendered.map.source_line(index + 1);
                prop_assert!((1..=sources.len()).contains(&source));
                if rendered.map.is_verbatim(index + 1) {
                    prop_assert_eq!(line, sources[source - 1]);
                }
            }
        }
    }
}

fn repeated(front: &str, middle: &str, back: &str, count: usize) -> String {
    front.repeat(count) + middle + &back.repeat(count)
}

/// The message of an error that a limit gives.
fn refused(template: &str) -> String {
    error(template).message
}

#[test]
fn nesting_has_a_limit() {
    let blocks = |count| repeated("{{ if 1 }}", "x", "{{ end }}", count);
    assert_eq!(text(&blocks(MAX_NESTING)), "x");
    assert!(refused(&blocks(MAX_NESTING + 1)).contains("nested deeper than the limit"));
    assert!(refused(&blocks(50_000)).contains("nested deeper than the limit"));
    let parens = |count| format!("{{{{ {} }}}}", repeated("(", "1", ")", count));
    assert_eq!(text(&parens(MAX_NESTING)), "1");
    assert!(refused(&parens(200_000)).contains("nested deeper than the limit"));
}

#[test]
fn a_long_chain_of_conditions_is_not_nested() {
    let middle = "{{ else if 0 }}a".repeat(5000);
    assert_eq!(
        text(&format!(
            "{{{{ if 0 }}}}{middle}{{{{ else }}}}b{{{{ end }}}}"
        )),
        "b"
    );
}

#[test]
fn recursion_of_templates_has_a_limit() {
    let endless = "{{ define `t` }}{{ template `t` . }}{{ end }}{{ template `t` 1 }}";
    assert!(refused(endless).contains("exceeded maximum template depth"));
    // Every kind of recursion on top of blocks and calls.
    for (front, back) in [
        ("(", ")"),
        ("(print 1 ", ")"),
        ("(1 | print ", ")"),
        ("(", ").X"),
    ] {
        let deep = repeated(front, ".", back, MAX_NESTING - 2);
        let body = format!("{{{{ if true }}}}{{{{ {deep} }}}}{{{{ template `t` }}}}{{{{ end }}}}");
        let both = format!("{{{{ define `t` }}}}{body}{{{{ end }}}}{{{{ template `t` }}}}");
        assert!(refused(&both).contains("exceeded maximum template depth"));
    }
    let count_down = "{{ define `t` }}{{ if . }}{{ template `t` (slice . 1) }}{{ end }}x{{ end }}{{ template `t` `%s` }}";
    let depth = 45;
    assert_eq!(
        text(&count_down.replace("%s", &"a".repeat(depth))),
        "x".repeat(depth + 1)
    );
}

#[test]
fn loops_have_a_limit() {
    assert_eq!(text("{{ len (loop 0 20000) }}"), "20000");
    assert_eq!(
        text(&format!("{{{{ len (loop {MAX_LOOP}) }}}}")),
        MAX_LOOP.to_string()
    );
    for bounds in [
        "1000000000",
        "0 1000000000",
        "-9223372036854775808 9223372036854775807",
    ] {
        let message = refused(&format!("{{{{ loop {bounds} }}}}"));
        assert!(message.contains("exceed the limit of 100000"), "{message}");
    }
}

#[test]
fn work_has_a_limit() {
    let nested = repeated("{{ range loop 1000 }}", "", "{{ end }}", 4);
    assert!(refused(&nested).contains("more work than the limit"));
    assert_eq!(
        text("{{ range loop 1000 }}{{ range loop 1000 }}{{ end }}{{ end }}x"),
        "x"
    );
}

#[test]
fn reading_long_texts_is_work() {
    let long = "{{ $x := printf `%1000000d` 1 }}{{ $y := printf `%1000000d` 1 }}";
    for call in [
        "eq $x $y",
        "le $x $y",
        "replaceAll `a` `b` $x | len",
        "env $x",
    ] {
        let endless = format!("{long}{{{{ range loop 100000 }}}}{{{{ {call} }}}}{{{{ end }}}}");
        let message = refused(&endless);
        assert!(message.contains("limit"), "{message}");
    }
    let compiled = "{{ range loop 100000 }}{{ regexReplaceAll `(a{30}){30}` `` `` }}{{ end }}";
    let message = refused(compiled);
    assert!(
        message.contains("too large for a text of this length"),
        "{message}"
    );
}

#[test]
fn variables_have_a_limit() {
    assert_eq!(text(&"{{ $x := 1 }}".repeat(999)), "");
    assert!(refused(&"{{ $x := 1 }}".repeat(50_000)).contains("more variables than the limit"));
    assert_eq!(text(&"{{ with $x := 1 }}{{ end }}".repeat(5000)), "");
}

#[test]
fn looking_up_one_of_many_variables_is_work() {
    let many = "{{ $x := 1 }}".repeat(900);
    let turns = "{{ range loop 1000 }}{{ range loop 700 }}{{ $x }}{{ end }}{{ end }}";
    assert!(refused(&format!("{many}{turns}")).contains("more work than the limit"));
    assert_eq!(text(&format!("{{{{ $x := 1 }}}}{turns}")).len(), 700_000);
}

#[test]
fn messages_have_a_limit() {
    let name = "x".repeat(100_000);
    for template in [
        format!("{{{{ {name} }}}}"),
        format!("{{{{ template `{name}` }}}}"),
        format!("{{{{ 1 \"{name}\"1 }}}}"),
    ] {
        assert!(refused(&template).len() < 500);
    }
}

#[test]
fn output_has_a_limit() {
    let long = "x".repeat(1000);
    let endless = format!("{{{{ range loop 100000 }}}}{long}{{{{ end }}}}");
    assert!(refused(&endless).contains("the rendered text exceeds the limit"));
    assert_eq!(text("{{ printf `%1000000d` 1 }}").len(), 1_000_000);
    let arguments = " 1".repeat(1000);
    let wide = format!(
        "{{{{ printf `{}`{arguments} }}}}",
        "%1000000.1000000f".repeat(1000)
    );
    assert!(refused(&wide).contains("exceeds the limit"));
}

#[test]
fn texts_of_functions_have_a_limit() {
    let doubling =
        "{{ $x := `aaaaaaaa` }}{{ range loop 64 }}{{ $x = print $x $x }}{{ end }}{{ len $x }}";
    assert!(refused(doubling).contains("exceeds the limit"));
    let squared = "{{ $x := printf `%100000d` 1 }}{{ replaceAll `` $x $x | len }}";
    assert!(refused(squared).contains("exceeds the limit"));
    let squared = "{{ $x := printf `%100000d` 1 }}{{ regexReplaceAll ` ` $x $x | len }}";
    assert!(refused(squared).contains("exceeds the limit"));
    let parts = "{{ split `` (printf `%01000000d` 1) | len }}";
    assert!(refused(parts).contains("the list is too long"));
}

#[test]
fn expressions_have_a_limit() {
    let long = format!("{{{{ regexReplaceAll `{}` `` .NAME }}}}", "a".repeat(5000));
    assert!(refused(&long).contains("exceeds the limit of 4096 bytes"));
    let large = format!(
        "{{{{ regexReplaceAll `{}` `` .NAME }}}}",
        "(a{1000})".repeat(400)
    );
    assert!(refused(&large).contains("cannot use the expression"));
    let slow = "{{ regexReplaceAll `(a?){500}(b?){500}` `` (printf `%1000000d` 1) }}";
    assert!(refused(slow).contains("too large for a text of this length"));
    let deep = format!(
        "{{{{ regexReplaceAll `{}` `` .NAME }}}}",
        repeated("(", "a", ")", 1000)
    );
    assert!(refused(&deep).contains("nesting"));
}

#[test]
fn a_template_has_a_longest_length() {
    assert_eq!(text(&"x".repeat(MAX_SOURCE)).len(), MAX_SOURCE);
    assert!(refused(&"x".repeat(MAX_SOURCE + 1)).contains("exceeds the limit"));
    // The most that fits between the limits of parser and text is done in time.
    let many = "{{1}}".repeat(MAX_SOURCE / 5);
    assert_eq!(text(&many).len(), MAX_SOURCE / 5);
}
