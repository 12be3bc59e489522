//! The engine against real Go, its own promises, and hostile input.

mod errors;
mod golden;
mod hostile;
mod source_map;

use super::{TemplateError, Variables, render};

/// A few variables that templates of the tests use.
fn variables() -> Variables {
    let pairs = [
        ("NAME", "app"),
        ("LIST", "a,b,c"),
        ("LINES", "1\n2"),
        ("OPTS", "-a=b -c=d"),
    ];
    let owned = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Variables::from(owned)
}

fn text(template: &str) -> String {
    render(template, &variables()).unwrap().text
}

fn error(template: &str) -> TemplateError {
    render(template, &variables()).unwrap_err()
}
