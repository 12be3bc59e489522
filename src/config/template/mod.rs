//! The template step: a configuration is a Go `text/template` before it is JSON5.
//!
//! This is an engine of our own, exact to `text/template` of Go 1.19 with `missingkey=zero` (decision 3), because the ones
//! to be had differ from Go in places that configurations use. What Go renders is rendered alike, byte for byte; what is
//! an error in Go is one here, with a line and a column. The functions are Go's and the original's: `default`, `env`,
//! `split`, `join`, `replaceAll`, `regexReplaceAll`, `loop`. A variable has its full value, `=` and all (D20).
//!
//! The way of a text: `lex` makes tokens, `parse` a tree ([`Template`]), `exec` walks the tree, `eval` finds the values of
//! pipelines, `functions` are called, `output` collects what is printed and remembers which line it came from.
//!
//! Not there, each with an error that says so: complex numbers, methods, and in a regular expression `\p{…}` and a repetition
//! of a repetition behind flags (`a*(?i)*`). Bytes that are no
//! UTF-8 can be made by `slice` and `"\xff"`; in the rendered text they become U+FFFD, which is what reading it as JSON did.
//! Outside of ASCII, characters are classified by this program's Unicode version, which is newer than Go 1.19's.
//!
//! Nothing here reads the environment, files or clocks. Whatever the text: there is an answer in bounded time and memory,
//! and never a panic. The limits are constants below.

mod ast;
mod compare;
mod error;
mod escape;
mod eval;
mod exec;
mod format;
mod functions;
mod lex;
mod literal;
mod number_format;
mod output;
mod parse;
mod print;
mod printf;
mod quote;
mod regex;
mod regex_class;
mod regex_syntax;
#[cfg(test)]
mod tests;
mod tokens;
mod value;

use std::collections::BTreeMap;

pub use error::TemplateError;
pub use output::SourceMap;
pub use value::Value;

/// The environment: names and full values.
pub type Variables = BTreeMap<String, String>;

/// The longest template, in bytes.
const MAX_SOURCE: usize = 1 << 20;
/// How deep blocks and parentheses may be nested in a template. With [`MAX_DEPTH`] it bounds the stack: no template needs
/// more than 1 MB of it, even in a build without optimisation.
const MAX_NESTING: usize = 64;
/// How deep blocks, parentheses and calls of templates may be nested while rendering.
const MAX_DEPTH: usize = 150;
/// How many variables may be in scope at once.
const MAX_VARIABLES: usize = 1000;
/// The longest rendered text, in bytes; of a text that a function makes, too.
const MAX_OUTPUT: usize = 16 << 20;
/// How many numbers `loop` makes at most.
const MAX_LOOP: usize = 100_000;
/// The work that a rendering may do: four units for an action, a call or a turn of a `range`, one for a byte of a text that
/// a function makes and for sixteen that it reads, more for an item of a list and for a regular expression.
const MAX_WORK: usize = 64 << 20;

const WORK_PER_NODE: usize = 4;

/// A parsed template; renders as often as one likes.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    trees: parse::Trees,
}

/// What a template says, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Which line of the template each of its lines came from.
    pub map: SourceMap,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// What Go cannot parse either, a text over `MAX_SOURCE`, and a nesting over `MAX_NESTING`.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        if text.len() > MAX_SOURCE {
            let cause = format!("the template exceeds the limit of {MAX_SOURCE} bytes");
            return Err(TemplateError::at("", 0, cause));
        }
        Ok(Template {
            source: text.to_owned(),
            trees: parse::parse(text)?,
        })
    }

    /// Renders the template. `dot` is what `.` and `$` mean at its beginning, `env` is what the function `env` knows.
    ///
    /// # Errors
    /// What Go refuses while rendering, and anything over the limits of this module.
    pub fn render(&self, dot: &Value, env: &Variables) -> Result<Rendered, TemplateError> {
        exec::render(self, dot, env)
    }
}

/// Parses and renders a configuration: `.` are the variables.
///
/// # Errors
/// As [`Template::parse`] and [`Template::render`].
pub fn render(text: &str, variables: &Variables) -> Result<Rendered, TemplateError> {
    Template::parse(text)?.render(&Value::variables(variables), variables)
}
