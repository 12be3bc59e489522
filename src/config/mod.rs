//! Configuration: from text to a checked [`Config`].
mod settings;
pub use settings::{
    Config, ConsulSettings, ControlSettings, LogFormat, LogLevel, LogOutput, LoggingSettings,
    MetricKind, MetricSpec, Overflow, Scheme, TelemetrySettings, TlsSettings,
};
