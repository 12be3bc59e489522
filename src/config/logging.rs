//! `logging`.

use std::path::PathBuf;

use super::keys;
use super::settings::{LogFormat, LogLevel, LogOutput, LoggingSettings, Overflow};
use super::walk::{Field, Finding, Walk, quoted};

const LEVELS: [(&str, LogLevel); 7] = [
    ("panic", LogLevel::Panic),
    ("fatal", LogLevel::Fatal),
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("warning", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];

const FORMATS: [(&str, LogFormat); 3] = [
    ("default", LogFormat::Default),
    ("text", LogFormat::Text),
    ("json", LogFormat::Json),
];

const OVERFLOW: [(&str, Overflow); 2] = [("block", Overflow::Block), ("drop", Overflow::Drop)];

/// Reads the section; what is wrong has been reported and stays at its default.
pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> LoggingSettings {
    let mut settings = LoggingSettings::default();
    let Some(mut section) = walk.section(field, &keys::LOGGING) else {
        return settings;
    };
    if let Some(field) = section.take(walk, "level") {
        settings.level =
            in_any_case(walk, &field, "Unknown log level", &LEVELS).unwrap_or_default();
    }
    if let Some(field) = section.take(walk, "format") {
        settings.format =
            in_any_case(walk, &field, "Unknown log format", &FORMATS).unwrap_or_default();
    }
    if let Some(field) = section.take(walk, "output") {
        settings.output = output(walk, &field);
    }
    if let Some(field) = section.take(walk, "overflow") {
        settings.overflow = walk.choice(&field, &OVERFLOW).unwrap_or_default();
    }
    if let Some(field) = section.take(walk, "flightRecorder") {
        settings.flight_recorder = flight_recorder(walk, &field);
    }
    section.finish(walk);
    settings
}

fn in_any_case<T: Copy>(
    walk: &mut Walk<'_>,
    field: &Field<'_>,
    unknown: &str,
    choices: &[(&str, T)],
) -> Option<T> {
    let text = walk.text(field)?;
    let found = choices
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&text));
    if found.is_none() {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let finding = Finding::new(format!("{unknown} '{}'", quoted(&text).trim_matches('`')));
        walk.error(
            &field.place,
            finding.help(format!("use one of {}", names.join(", "))),
        );
    }
    found.map(|(_, value)| *value)
}

/// The path of a file that is written anew.
fn flight_recorder(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<PathBuf> {
    let text = walk.text(field).filter(|text| !text.is_empty())?;
    if text.contains('\0') {
        let finding = Finding::new(format!("cannot use {}: not a path", quoted(&text)));
        walk.error(&field.place, finding.help("write the path of a file"));
        return None;
    }
    Some(PathBuf::from(text))
}

fn output(walk: &mut Walk<'_>, field: &Field<'_>) -> LogOutput {
    let text = walk.text(field).unwrap_or_default();
    match text.to_ascii_lowercase().as_str() {
        "stdout" => LogOutput::Stdout,
        "stderr" => LogOutput::Stderr,
        "" => {
            let finding = Finding::new("cannot use an empty text: expected a destination");
            walk.error(
                &field.place,
                finding.help("write `stdout`, `stderr` or the path of a file"),
            );
            LogOutput::default()
        }
        _ => LogOutput::File(PathBuf::from(text)),
    }
}
