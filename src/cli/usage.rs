//! Help, and errors of the command line.

use std::fmt::Write;

use super::table::{COMMANDS, FLAGS, Flag, REQUESTS};

/// How wide the column of what is to be written is.
const COLUMN: usize = 45;

/// What `-help` prints, and what follows an error of the command line.
#[must_use]
pub fn usage() -> String {
    let mut text = String::from("Usage:\n");
    let whole = "pilothouse [-config FILE] [-socket PATH]";
    line(&mut text, whole, COLUMN, "supervise what FILE says");
    for command in COMMANDS {
        let words = format!("pilothouse {} {}", command.name, command.arguments);
        line(&mut text, words.trim_end(), COLUMN, command.about);
    }
    section(&mut text, "Flags, with one dash or two", "-", FLAGS);
    section(&mut text, "Requests to a running supervisor", "-", REQUESTS);
    for command in COMMANDS {
        if !command.flags.is_empty() {
            let title = format!("Flags of {}", command.name);
            section(&mut text, &title, "--", command.flags);
        }
    }
    text.push_str(
        "\nUnder the name `containerpilot` there are no subcommands.\n\
         Exit status: 0 done, 1 failed, 2 wrong usage, 70 internal fault; else that of a job.\n",
    );
    text
}

fn section(text: &mut String, title: &str, dashes: &str, flags: &[Flag]) {
    let words = |flag: &Flag| format!("{dashes}{} {}", flag.name, flag.value);
    let widths = flags.iter().map(|flag| words(flag).trim_end().len());
    let width = widths.max().unwrap_or_default();
    let _ = writeln!(text, "\n{title}:");
    for flag in flags {
        line(text, words(flag).trim_end(), width, flag.about);
    }
}

fn line(text: &mut String, words: &str, width: usize, about: &str) {
    // A text takes what is written to it.
    let _ = writeln!(text, "  {words:width$}  {about}");
}

/// A command line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    message: String,
}

impl UsageError {
    pub(super) fn new(message: String) -> UsageError {
        UsageError { message }
    }
}
