//! What is wrong with a configuration, said so that it can be mended: the place, the line and the way out.

use std::fmt;

use super::walk::on_one_line;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, and probably does not do what was meant. `check --strict` refuses it (decision 1).
    Warning,
}

/// Where something stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line of the file as it was written, from 1.
    pub line: usize,
    /// The column in characters, from 1; in the rendered line where the two differ.
    pub column: usize,
    /// The line after rendering, from 1; present when the template changed this line.
    pub rendered_line: Option<usize>,
}

/// A line of the text with the part that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The number printed beside it.
    pub number: usize,
    /// The line, cut to a window if it is long; without control characters.
    pub text: String,
    /// The first marked character of `text`, from 0.
    pub start: usize,
    /// How many characters are marked; at least 1.
    pub width: usize,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the configuration can be used all the same.
    pub severity: Severity,
    /// What is wrong and why; no place, no way out.
    pub message: String,
    /// The path of the value, such as `jobs[2].health.interval`.
    pub path: Option<String>,
    /// Where it stands.
    pub position: Option<Position>,
    /// The line; left out where it could show a secret (L12).
    pub excerpt: Option<Excerpt>,
    /// The way out.
    pub help: Option<String>,
}

/// Everything that was found in one configuration, in the order of the file.
///
/// At most [`Report::KEPT`] findings of each severity are kept, so that no input makes it large; the others are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    file: String,
    kept: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Report {
    /// How many findings of each severity are kept and printed.
    pub const KEPT: usize = 50;

    /// An empty report about the file of this name.
    #[must_use]
    pub fn new(file: &str) -> Report {
        Report {
            file: file.to_owned(),
            kept: Vec::new(),
            errors: 0,
            warnings: 0,
        }
    }

    /// The file that the report is about.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many findings there are, including those that were only counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.errors + self.warnings
    }

    /// How many of them are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many of them are warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// The findings that were kept, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.kept.iter()
    }

    /// Whether one more finding of this severity would be kept.
    pub(super) fn has_room(&self, severity: Severity) -> bool {
        self.count(severity) < Self::KEPT
    }

    /// Counts a finding that is not kept.
    pub(super) fn count_one(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
    }

    /// Adds a finding, its texts each on one line; beyond the limit it is only counted.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if self.has_room(diagnostic.severity) {
            self.count_one(diagnostic.severity);
            self.kept.push(Diagnostic {
                message: on_one_line(diagnostic.message),
                help: diagnostic.help.map(on_one_line),
                ..diagnostic
            });
        } else {
            self.count_one(diagnostic.severity);
        }
    }

    /// Brings the findings into the order of the file; equal places keep the order in which they were found.
    pub(super) fn sort(&mut self) {
        self.kept.sort_by_key(|diagnostic| {
            let position = diagnostic.position;
            position.map(|at| (at.rendered_line.unwrap_or(at.line), at.column))
        });
    }

    fn count(&self, severity: Severity) -> usize {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
        }
    }
}

impl<'a> IntoIterator for &'a Report {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Diagnostic {
    /// Writes the finding with its place in `file`.
    fn write(&self, file: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_headline(out)?;
        let number = self.excerpt.as_ref().map_or(0, |excerpt| excerpt.number);
        let margin = number.to_string().len();
        if let Some(position) = &self.position {
            write!(out, "\n{:margin$}--> {file}", "")?;
            match position.rendered_line {
                None => write!(out, ":{}:{}", position.line, position.column)?,
                Some(rendered) => write!(
                    out,
                    ": line {} of the template (line {rendered} after rendering)",
                    position.line
                )?,
            }
        }
        if let Some(excerpt) = &self.excerpt {
            let Excerpt {
                number,
                text,
                start,
                width,
            } = excerpt;
            write!(out, "\n{:margin$} |", "")?;
            write!(out, "\n{number} | {text}")?;
            write!(
                out,
                "\n{:margin$} | {:start$}{}",
                "",
                "",
                "^".repeat(*width)
            )?;
        }
        if let Some(help) = &self.help {
            write!(out, "\n{:margin$} = help: {help}", "")?;
        }
        Ok(())
    }

    fn write_headline(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.severity.word())?;
        if let Some(path) = &self.path {
            write!(out, "{path}: ")?;
        }
        out.write_str(&self.message)
    }
}

impl fmt::Display for Diagnostic {
    /// The first line alone: for a log line or an answer that has no room for the excerpt.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_headline(out)
    }
}

impl fmt::Display for Report {
    /// Every kept finding with its excerpt, an empty line between two, no newline at the end.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.kept.iter().enumerate() {
            if index > 0 {
                out.write_str("\n\n")?;
            }
            diagnostic.write(&self.file, out)?;
        }
        let more = self.len() - self.kept.len();
        if more > 0 {
            write!(out, "\n\nand {more} more")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
