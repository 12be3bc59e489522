//! The program's own messages, from `tracing` to the queue.
//!
//! A subscriber of our own: one level, no spans, and the formats are the original's, so the layers, spans and filters of
//! `tracing-subscriber` would be weight in a binary whose size and start are budgets.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use super::record::{Record, Value};
use super::shared::Shared;
use crate::config::LogLevel;

/// The crate whose messages of every level are written. Of others only warnings and errors are: an HTTP library's debug
/// messages would show headers, and a token may be among them (L12).
const OURS: &str = env!("CARGO_PKG_NAME");

/// Writes events to the log it was made from. Spans are ignored; a field is written as it was given.
#[derive(Debug)]
pub struct LogSubscriber {
    shared: Arc<Shared>,
}

impl LogSubscriber {
    pub(super) fn new(shared: Arc<Shared>) -> LogSubscriber {
        LogSubscriber { shared }
    }
}

impl Subscriber for LogSubscriber {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Sometimes, not always: the level may change at a reload. Not only events: `enabled!` asks with a hint.
        if metadata.is_span() {
            Interest::never()
        } else {
            Interest::sometimes()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let Some(level) = level_of(*metadata.level()) else {
            return false;
        };
        let foreign = !metadata.target().starts_with(OURS);
        !metadata.is_span()
            && self.shared.is_enabled(level)
            && (level <= LogLevel::Warn || !foreign)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let hint = if self.shared.is_enabled(LogLevel::Debug) {
            LevelFilter::DEBUG
        } else if self.shared.is_enabled(LogLevel::Info) {
            LevelFilter::INFO
        } else if self.shared.is_enabled(LogLevel::Warn) {
            LevelFilter::WARN
        } else {
            LevelFilter::ERROR
        };
        Some(hint)
    }

    fn event(&self, event: &Event<'_>) {
        let Some(level) = level_of(*event.metadata().level()) else {
            return;
        };
        // Worked out before the log is locked: showing a field runs code of others, which may log.
        let mut record = Record::new(level, String::new());
        event.record(&mut record);
        self.shared.own(&record);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Record {
    fn field(&mut self, field: &Field, value: Value) {
        self.fields.push((field.name(), value));
    }
}

impl Visit for Record {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, Value::Literal(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, Value::Literal(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, Value::Literal(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let text = value.to_string();
        let value = if value.is_finite() {
            Value::Literal(text)
        } else {
            Value::Text(text)
        };
        self.field(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.field(field, Value::Text(value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // A value that cannot be shown leaves what it had shown until then.
        let _ = write!(text, "{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.field(field, Value::Text(text));
        }
    }
}

/// The original's level; `None` for `trace`, which it did not have and which nothing of ours uses.
fn level_of(level: Level) -> Option<LogLevel> {
    match level {
        Level::ERROR => Some(LogLevel::Error),
        Level::WARN => Some(LogLevel::Warn),
        Level::INFO => Some(LogLevel::Info),
        Level::DEBUG => Some(LogLevel::Debug),
        Level::TRACE => None,
    }
}
