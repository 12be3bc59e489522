//! Configuration: from text to a checked [`Config`].
mod settings;
mod template;
pub use settings::{
    Config, ConsulSettings, ControlSettings, LogFormat, LogLevel, LogOutput, LoggingSettings,
    MetricKind, MetricSpec, Overflow, Scheme, TelemetrySettings, TlsSettings,
};
pub use template::{Rendered, SourceMap, Template, TemplateError, Value, Variables, render};
