//! One message of our own, and how it looks.

use super::buffer::{Buffer, print};
use super::clock::Moment;
use super::escape;
use super::style::Look;
use crate::config::LogLevel;

/// The longest message or field value; what is behind is cut off, with the mark of a line that goes on.
const MAX_TEXT: usize = 16 * 1024;

/// What the coloured form pads messages to, so that fields line up.
const COLUMN: usize = 44;

/// One message.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) level: LogLevel,
    pub(super) message: String,
    /// In the order in which they were given.
    pub(super) fields: Vec<(&'static str, Value)>,
}

/// The value of a field: what JSON tells apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// A number or a truth value, as JSON writes it.
    Literal(String),
}

impl Record {
    pub(super) fn new(level: LogLevel, message: String) -> Record {
        Record {
            level,
            message,
            fields: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: Value) -> Record {
        self.fields.push((name, value));
        self
    }

    /// Appends the message as one line.
    pub(super) fn append(&self, out: &mut Buffer, look: Look, moment: &Moment<'_>) {
        match look {
            Look::Default => self.append_default(out, moment),
            Look::Text => self.append_text(out, moment),
            Look::Terminal => self.append_terminal(out, moment),
            Look::Json => self.append_json(out, moment),
        }
        out.push(b'\n');
    }

    /// `TIME message k=v`; the level stands in front of the message unless it is info (D47).
    fn append_default(&self, out: &mut Buffer, moment: &Moment<'_>) {
        print(out, format_args!("{} ", moment.precise()));
        if self.level != LogLevel::Info {
            let word = name_of(self.level).to_ascii_uppercase();
            let word = if self.level == LogLevel::Warn {
                "WARN"
            } else {
                &word
            };
            print(out, format_args!("{word} "));
        }
        escape::one_line(out, limited(&self.message).as_bytes());
        for (name, value) in &self.fields {
            print(out, format_args!(" {name}="));
            escape::word(out, limited(value.text()).as_bytes());
        }
    }

    fn append_text(&self, out: &mut Buffer, moment: &Moment<'_>) {
        print(
            out,
            format_args!(
                "time=\"{}\" level={} ",
                moment.seconds(),
                name_of(self.level)
            ),
        );
        if !self.message.is_empty() {
            out.put(b"msg=");
            escape::text(out, limited(&self.message).as_bytes());
            out.push(b' ');
        }
        for (name, value) in self.sorted() {
            print(out, format_args!("{name}="));
            escape::text(out, limited(value.text()).as_bytes());
            out.push(b' ');
        }
    }

    fn append_terminal(&self, out: &mut Buffer, moment: &Moment<'_>) {
        let colour = match self.level {
            LogLevel::Panic | LogLevel::Fatal | LogLevel::Error => 31,
            LogLevel::Warn => 33,
            LogLevel::Info => 36,
            LogLevel::Debug => 37,
        };
        let word = name_of(self.level).to_ascii_uppercase();
        let word = &word[..4];
        print(
            out,
            format_args!("\x1b[{colour}m{word}\x1b[0m[{:04}] ", moment.elapsed),
        );
        let mut message = Buffer::default();
        escape::one_line(&mut message, limited(&self.message).as_bytes());
        pad(out, message.as_slice());
        for (name, value) in self.sorted() {
            print(out, format_args!(" \x1b[{colour}m{name}\x1b[0m="));
            escape::text(out, limited(value.text()).as_bytes());
        }
    }

    fn append_json(&self, out: &mut Buffer, moment: &Moment<'_>) {
        let mut members: Vec<(String, Value)> = self
            .sorted()
            .into_iter()
            .map(|(name, value)| (name, value.clone()))
            .collect();
        let level = Value::Text(name_of(self.level).to_owned());
        members.push(("level".to_owned(), level));
        members.push(("msg".to_owned(), Value::Text(self.message.clone())));
        members.push(("time".to_owned(), Value::Text(moment.precise().to_string())));
        members.sort_by(|left, right| left.0.cmp(&right.0));
        for (place, (name, value)) in members.iter().enumerate() {
            out.push(if place == 0 { b'{' } else { b',' });
            out.push(b'"');
            escape::json(out, name.as_bytes());
            out.put(b"\":");
            value.append_json(out);
        }
        out.push(b'}');
    }

    /// The fields by name, one of each: the last given. A name that a line has of its own gets `fields.` in front, as in
    /// the original.
    fn sorted(&self) -> Vec<(String, &Value)> {
        let mut fields: Vec<(String, &Value)> = Vec::with_capacity(self.fields.len());
        for (name, value) in &self.fields {
            let name = match *name {
                "time" | "level" | "msg" => format!("fields.{name}"),
                other => other.to_owned(),
            };
            fields.retain(|(earlier, _)| *earlier != name);
            fields.push((name, value));
        }
        fields.sort_by(|left, right| left.0.cmp(&right.0));
        fields
    }
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Value::Text(text) | Value::Literal(text) => text,
        }
    }

    fn append_json(&self, out: &mut Buffer) {
        let Value::Text(text) = self else {
            out.put(self.text().as_bytes());
            return;
        };
        out.push(b'"');
        escape::json(out, limited(text).as_bytes());
        out.push(b'"');
    }
}

/// Appends a message padded to the column of the coloured form.
pub(super) fn pad(out: &mut Buffer, message: &[u8]) {
    out.put(message);
    // Every byte but those that continue a UTF-8 character counts as one place.
    let places = message
        .iter()
        .filter(|&&byte| !(0x80..0xc0).contains(&byte))
        .count();
    out.put(&[b' '; COLUMN][..COLUMN.saturating_sub(places)]);
    out.push(b' ');
}

fn limited(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return text.into();
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    format!("{} [...]", &text[..end]).into()
}

/// The original's names.
fn name_of(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Panic => "panic",
        LogLevel::Fatal => "fatal",
        LogLevel::Error => "error",
        LogLevel::Warn => "warning",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    }
}
