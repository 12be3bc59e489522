//! Configuration: from text to a checked [`Config`].

mod diagnostic;
mod duration;
mod json5;
mod secrets;
mod settings;
mod source;
mod template;

pub use diagnostic::{Diagnostic, Excerpt, Position, Report, Severity};
pub use duration::{DurationError, SignedDuration, parse_duration};
pub use settings::{
    Config, ConsulSettings, ControlSettings, LogFormat, LogLevel, LogOutput, LoggingSettings,
    MetricKind, MetricSpec, Overflow, Scheme, TelemetrySettings, TlsSettings,
};
pub use template::{Rendered, SourceMap, Template, TemplateError, Value, Variables, render};
