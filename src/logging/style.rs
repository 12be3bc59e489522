//! How a line of a job looks.

use std::sync::Arc;

use super::buffer::{Buffer, print};
use super::clock::Moment;
use super::escape;
use super::record::pad;
use crate::config::LogFormat;

/// Behind a piece of a line that goes on in the next one, in the `default` format.
const GOES_ON: &[u8] = b" [...]\n";

/// Whose output a pump reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// A job's command: the field `job`.
    Job,
    /// A health check: the field `check`, with the value `check.<job>`.
    Check,
}

/// What is said of each line of one run.
#[derive(Clone, Debug)]
pub struct Label {
    /// Job or check.
    pub kind: OutputKind,
    /// The name as it is shown: `app`, or `check.app` for a check.
    pub name: Arc<str>,
    /// The process that was started.
    pub pid: i32,
    /// Its output is read and not shown (J04).
    pub quiet: bool,
}

impl Label {
    /// The label of a run of a job's command.
    #[must_use]
    pub fn job(name: &str, pid: i32) -> Label {
        Label {
            kind: OutputKind::Job,
            name: name.into(),
            pid,
            quiet: false,
        }
    }

    /// The label of a run of a job's health check (D47: the name is shown in every format).
    #[must_use]
    pub fn check(job: &str, pid: i32) -> Label {
        Label {
            kind: OutputKind::Check,
            name: format!("check.{job}").into(),
            pid,
            quiet: false,
        }
    }

    /// The label of a check whose failure says nothing yet: only its end is kept.
    #[must_use]
    pub fn quiet_check(job: &str, pid: i32) -> Label {
        Label {
            quiet: true,
            ..Label::check(job, pid)
        }
    }

    fn key(&self) -> &'static str {
        match self.kind {
            OutputKind::Job => "job",
            OutputKind::Check => "check",
        }
    }
}

/// The look of a line: the configured format, and whether a person watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Default,
    Text,
    /// The coloured form of `text`.
    Terminal,
    Json,
}

impl Look {
    pub(super) fn of(format: LogFormat, terminal: bool) -> Look {
        match format {
            LogFormat::Default => Look::Default,
            LogFormat::Text if terminal => Look::Terminal,
            LogFormat::Text => Look::Text,
            LogFormat::Json => Look::Json,
        }
    }
}

/// What surrounds the lines of one batch of one run: worked out once a batch, then only copied.
#[derive(Debug)]
pub(super) struct Style {
    look: Look,
    head: Buffer,
    tail: Buffer,
    /// The tail of a piece of a line.
    partial_tail: Buffer,
}

impl Style {
    /// The surroundings of the lines of `label` at `moment`.
    pub(super) fn new(look: Look, moment: &Moment<'_>, label: &Label) -> Style {
        let mut style = Style {
            look,
            head: Buffer::default(),
            tail: Buffer::default(),
            partial_tail: Buffer::default(),
        };
        match look {
            Look::Default => style.set_default(moment, label),
            Look::Text => style.set_text(moment, label),
            Look::Terminal => style.set_terminal(moment, label),
            Look::Json => style.set_json(moment, label),
        }
        style
    }

    /// Appends one line.
    pub(super) fn append(&self, out: &mut Buffer, line: &[u8], partial: bool) {
        out.put(self.head.as_slice());
        match self.look {
            Look::Default => out.put(line),
            Look::Json => escape::json(out, line),
            Look::Terminal => pad(out, line),
            Look::Text if line.is_empty() => {}
            Look::Text => {
                out.put(b" msg=");
                escape::text(out, line);
            }
        }
        let tail = if partial {
            &self.partial_tail
        } else {
            &self.tail
        };
        out.put(tail.as_slice());
    }

    fn set_default(&mut self, moment: &Moment<'_>, label: &Label) {
        print(&mut self.head, format_args!("{} ", moment.precise()));
        // A name may hold anything, a line break too; what stands before the line must not look like another line.
        escape::one_line(&mut self.head, label.name.as_bytes());
        print(&mut self.head, format_args!(" {} ", label.pid));
        self.tail.push(b'\n');
        self.partial_tail.put(GOES_ON);
    }

    fn set_text(&mut self, moment: &Moment<'_>, label: &Label) {
        print(
            &mut self.head,
            format_args!("time=\"{}\" level=info", moment.seconds()),
        );
        for (tail, partial) in [
            (&mut self.tail, ""),
            (&mut self.partial_tail, " partial=true"),
        ] {
            print(tail, format_args!(" {}=", label.key()));
            escape::text(tail, label.name.as_bytes());
            print(tail, format_args!("{partial} pid={} \n", label.pid));
        }
    }

    fn set_terminal(&mut self, moment: &Moment<'_>, label: &Label) {
        const BLUE: &str = "\x1b[36m";
        const PLAIN: &str = "\x1b[0m";
        print(
            &mut self.head,
            format_args!("{BLUE}INFO{PLAIN}[{:04}] ", moment.elapsed),
        );
        let piece = format!(" {BLUE}partial{PLAIN}=true");
        for (tail, partial) in [
            (&mut self.tail, ""),
            (&mut self.partial_tail, piece.as_str()),
        ] {
            print(tail, format_args!(" {BLUE}{}{PLAIN}=", label.key()));
            escape::text(tail, label.name.as_bytes());
            print(
                tail,
                format_args!("{partial} {BLUE}pid{PLAIN}={}\n", label.pid),
            );
        }
    }

    fn set_json(&mut self, moment: &Moment<'_>, label: &Label) {
        print(&mut self.head, format_args!("{{\"{}\":\"", label.key()));
        escape::json(&mut self.head, label.name.as_bytes());
        print(
            &mut self.head,
            format_args!("\",\"level\":\"info\",\"msg\":\""),
        );
        for (tail, partial) in [
            (&mut self.tail, ""),
            (&mut self.partial_tail, "\"partial\":true,"),
        ] {
            let time = moment.precise();
            print(
                tail,
                format_args!("\",{partial}\"pid\":{},\"time\":\"{time}\"}}\n", label.pid),
            );
        }
    }
}
