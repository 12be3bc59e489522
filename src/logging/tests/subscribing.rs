//! What the program says.

use tracing::subscriber::with_default;
use tracing::{debug, error, info, trace, warn};

use super::Stage;
use crate::config::{LogLevel, LoggingSettings};

fn at(level: LogLevel) -> LoggingSettings {
    LoggingSettings {
        level,
        ..LoggingSettings::default()
    }
}

fn say_all() {
    error!("e");
    warn!("w");
    info!("i");
    debug!("d");
    trace!("t");
}

#[test]
fn the_level_decides() {
    for (level, wanted) in [
        (LogLevel::Panic, &["ERROR e"][..]),
        (LogLevel::Fatal, &["ERROR e"]),
        (LogLevel::Error, &["ERROR e"]),
        (LogLevel::Warn, &["ERROR e", "WARN w"]),
        (LogLevel::Info, &["ERROR e", "WARN w", "i"]),
        (LogLevel::Debug, &["ERROR e", "WARN w", "i", "DEBUG d"]),
    ] {
        let mut stage = Stage::new(&at(level));
        with_default(stage.logging.subscriber(), say_all);
        assert_eq!(stage.stdout.lines(), wanted, "{level:?}");
    }
}

#[test]
fn whoever_asks_beforehand_hears_the_same() {
    for (level, wanted) in [(LogLevel::Info, false), (LogLevel::Debug, true)] {
        let stage = Stage::new(&at(level));
        let asked = with_default(stage.logging.subscriber(), || {
            tracing::enabled!(tracing::Level::DEBUG)
        });
        assert_eq!(asked, wanted, "{level:?}");
    }
}

#[test]
fn the_level_changes_at_a_reload() {
    let mut stage = Stage::new(&at(LogLevel::Error));
    with_default(stage.logging.subscriber(), || {
        say_all();
        stage.logging.apply(&at(LogLevel::Debug));
        say_all();
        stage.logging.apply(&at(LogLevel::Error));
        say_all();
    });
    assert_eq!(
        stage.stdout.lines(),
        ["ERROR e", "ERROR e", "WARN w", "i", "DEBUG d", "ERROR e"]
    );
}

#[test]
fn fields_are_appended() {
    let mut stage = Stage::new(&at(LogLevel::Info));
    let cause = std::io::Error::from_raw_os_error(2);
    with_default(stage.logging.subscriber(), || {
        info!(job = "app", run = 7, "job {}", "started");
        warn!(job = %"my app", essential = true, share = 0.5, lost = ?Some(1), error = %cause, "odd");
        info!(only = -1);
    });
    assert_eq!(
        stage.stdout.lines(),
        [
            "job started job=app run=7",
            "WARN odd job=\"my app\" essential=true share=0.5 lost=Some(1) error=\"No such file or directory (os error 2)\"",
            "only=-1",
        ]
    );
}

#[test]
fn l12_others_are_heard_only_when_they_warn() {
    let mut stage = Stage::new(&at(LogLevel::Debug));
    with_default(stage.logging.subscriber(), || {
        warn!(target: "hyper::client", "w");
        info!(target: "hyper::client", "i");
        debug!(target: "hyper::client", authorization = "secret", "d");
    });
    assert_eq!(stage.stdout.lines(), ["WARN w"]);
}

#[test]
fn spans_are_ignored() {
    let mut stage = Stage::new(&at(LogLevel::Debug));
    with_default(stage.logging.subscriber(), || {
        let _span = tracing::info_span!("span", a = 1).entered();
        info!("inside");
    });
    assert_eq!(stage.stdout.lines(), ["inside"]);
}

#[test]
fn showing_a_field_may_log() {
    struct Talker;
    impl std::fmt::Display for Talker {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            // What `tracing` does with it is its affair; it must not lock up.
            info!("inner");
            out.write_str("shown")
        }
    }
    let mut stage = Stage::new(&at(LogLevel::Info));
    with_default(
        stage.logging.subscriber(),
        || info!(talker = %Talker, "outer"),
    );
    let lines = stage.stdout.lines();
    assert_eq!(lines.last().unwrap(), "outer talker=shown");
}
