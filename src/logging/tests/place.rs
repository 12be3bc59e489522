//! Where lines go, and what happens when that fails.

use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::{Reader, Stage, TIME, run, until};
use crate::config::{LogFormat, LogOutput, LoggingSettings};
use crate::logging::output::OWN_LIMIT;
use crate::logging::sink::{Kind, Sink};

fn to_file(path: &Path) -> LoggingSettings {
    LoggingSettings {
        output: LogOutput::File(path.to_owned()),
        ..LoggingSettings::default()
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap().replace(TIME, "T")
}

fn fifo_reader(path: &Path) -> Reader {
    let mut options = File::options();
    let options = options.read(true).custom_flags(libc::O_NONBLOCK);
    Reader::new(options.open(path).unwrap().into())
}

/// Writes until the place is full; the number of bytes.
fn fill(sink: &mut Sink) -> usize {
    let mut filled = 0;
    loop {
        match sink.write(&[b'x'; 5000]) {
            Ok(count) => filled += count,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                return filled;
            }
        }
    }
}

#[test]
fn l04_no_write_waits_and_the_inherited_flags_stay() {
    let (mut reader, writing) = Reader::pipe();
    let writing = Arc::new(writing);
    let (socket, mut peer) = UnixStream::pair().unwrap();
    let socket = Arc::new(OwnedFd::from(socket));
    for (mut sink, kind) in [
        (Sink::inherit(&writing), Kind::NonBlocking),
        (Sink::shared(&writing), Kind::Asked(4096)),
        (Sink::inherit(&socket), Kind::Socket),
    ] {
        assert_eq!(sink.kind(), kind);
        let filled = fill(&mut sink);
        assert!(filled >= 16_000, "{kind:?}: {filled}");
        if kind == Kind::Socket {
            let mut buffer = vec![0; filled];
            std::io::Read::read_exact(&mut peer, &mut buffer).unwrap();
        } else {
            let before = reader.text.len();
            assert_eq!(reader.read().len() - before, filled);
        }
        assert!(sink.write(b"again").is_ok());
        reader.read();
    }
    for fd in [writing.as_fd(), socket.as_fd()] {
        let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL).unwrap());
        assert!(!flags.contains(OFlag::O_NONBLOCK));
    }
}

#[test]
fn l11_a_terminal_is_written_without_waiting_and_in_colour() {
    let pty = nix::pty::openpty(None, None).unwrap();
    let terminal = Arc::new(pty.slave);
    let sink = Sink::inherit(&terminal);
    assert!(sink.is_terminal());
    assert_eq!(sink.kind(), Kind::NonBlocking);
    // Nobody reads the other side: both ways end with "later".
    fill(&mut Sink::shared(&terminal));
    fill(&mut Sink::inherit(&terminal));
}

#[test]
fn l05_a_reader_that_is_gone_costs_lines_only() {
    let stage = Stage::new(&LoggingSettings::default());
    let Stage {
        logging, stdout, ..
    } = stage;
    drop(stdout);
    for _ in 0..10 {
        logging.shared().own(&super::Record::new(
            crate::config::LogLevel::Info,
            "nobody hears".to_owned(),
        ));
    }
    assert_eq!(logging.dropped().refused, 10);
    assert_eq!(logging.shared().with(|output| output.queued()), 0);
}

#[test]
fn l05_a_stdout_that_was_never_open_costs_lines_only() {
    let standard = super::Standard {
        out: None,
        err: None,
    };
    let logging =
        crate::logging::Logging::with(standard, &LoggingSettings::default(), super::clock());
    let record = super::Record::new(crate::config::LogLevel::Info, "hello".to_owned());
    logging.shared().own(&record);
    assert_eq!(logging.dropped().refused, 1);
}

#[test]
fn l10_a_file_is_appended_to_and_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let (path, moved) = (dir.path().join("log"), dir.path().join("log.1"));
    fs::write(&path, "old\n").unwrap();
    let stage = Stage::new(&to_file(&path));
    stage.say("one");
    fs::rename(&path, &moved).unwrap();
    stage.say("two");
    assert!(!path.exists());
    stage.logging.reopen();
    assert!(path.exists(), "made by the signal, not by the next line");
    stage.say("three");
    assert_eq!(read(&moved), "old\nT one\nT two\n");
    assert_eq!(read(&path), "T three\n");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0);
    assert_eq!(mode & 0o600, 0o600);
}

#[test]
fn x05_a_full_disk_moves_lines_to_stderr_with_one_message() {
    let mut stage = Stage::new(&to_file(Path::new("/dev/full")));
    for message in ["one", "two", "three"] {
        stage.say(message);
    }
    assert_eq!(
        stage.stderr.lines(),
        [
            "one",
            "ERROR cannot write the log file: No space left on device (os error 28); its lines go to stderr path=/dev/full",
            "two",
            "three"
        ]
    );
    assert_eq!(stage.stdout.lines(), [""; 0]);
    assert_eq!(stage.logging.dropped(), crate::logging::Dropped::default());
}

#[test]
fn x05_a_full_stdout_costs_lines_only() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let standard = super::Standard {
        out: Some(Arc::new(full.into())),
        err: None,
    };
    let settings = LoggingSettings::default();
    let logging = crate::logging::Logging::with(standard, &settings, super::clock());
    let record = super::Record::new(crate::config::LogLevel::Info, "hello".to_owned());
    logging.shared().own(&record);
    assert_eq!(logging.dropped().refused, 1);
}

#[test]
fn l10_a_directory_that_is_gone_moves_lines_until_the_file_can_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sub/log");
    let mut stage = Stage::new(&to_file(&path));
    stage.say("one");
    stage.logging.reopen();
    stage.logging.reopen();
    stage.say("two");
    let said = stage.stderr.lines();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("ERROR cannot write the log file: No such file"));
    assert_eq!(said[1..], ["one", "two"]);
    fs::create_dir(dir.path().join("sub")).unwrap();
    stage.logging.reopen();
    stage.say("three");
    assert_eq!(read(&path), "T three\n");
    // After a success the next fault is news.
    fs::remove_dir_all(dir.path().join("sub")).unwrap();
    stage.logging.reopen();
    assert_eq!(stage.stderr.count_lines(), 4);
}

#[test]
fn l10_a_file_that_works_again_is_used_without_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let open = || fifo_reader(&path);
    let first = open();
    let mut stage = Stage::new(&to_file(&path));
    drop(first);
    stage.say("one");
    let mut second = open();
    stage.say("two");
    assert_eq!(second.lines(), ["two"]);
    drop(second);
    stage.say("three");
    let said = stage.stderr.lines();
    assert_eq!(said.len(), 4, "a message for each fault: {said:?}");
    assert_eq!((&*said[0], &*said[2]), ("one", "three"));
}

#[test]
fn l10_a_line_that_was_begun_in_a_file_that_fails_is_whole_on_stderr() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    let open = || fifo_reader(&path);
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let first = open();
    let mut stage = Stage::new(&to_file(&path));
    let long = "x".repeat(3000);
    for _ in 0..30 {
        stage.say(&long);
    }
    // Full, in the middle of a line. Its reader goes, another one comes after the fault.
    drop(first);
    stage.say("fault");
    let mut second = open();
    stage
        .logging
        .shared()
        .with(super::super::output::Output::flush);
    let mut out = second.text();
    stage.say("behind");
    out = second
        .text()
        .split_off(out.rfind('\n').map_or(0, |at| at + 1));
    let whole = format!("{TIME} {long}");
    let (torn, behind) = out.split_once('\n').unwrap();
    assert!(whole.starts_with(torn) && torn.len() < whole.len());
    assert_eq!(behind, format!("{TIME} behind\n"));
    let said = stage.stderr.text();
    assert_eq!(said.lines().next().unwrap(), whole);
}

#[test]
fn dev_stdout_is_our_stdout() {
    let mut stage = Stage::new(&to_file(Path::new("/dev/stdout")));
    stage.say("one");
    assert_eq!(stage.stdout.lines(), ["one"]);
}

#[test]
fn settings_are_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut stage = Stage::new(&LoggingSettings::default());
    stage.say("one");
    stage.logging.apply(&to_file(&path));
    stage.say("two");
    stage.logging.apply(&LoggingSettings {
        format: LogFormat::Json,
        output: LogOutput::Stderr,
        ..LoggingSettings::default()
    });
    stage.say("three");
    assert_eq!(stage.stdout.lines(), ["one"]);
    assert_eq!(read(&path), "T two\n");
    assert!(stage.stderr.text().contains("\"msg\":\"three\""));
}

#[test]
fn lines_that_wait_go_to_the_new_place_whole() {
    let mut stage = Stage::new(&LoggingSettings::default());
    let long = "x".repeat(1000);
    for _ in 0..100 {
        stage.say(&long);
    }
    stage.logging.apply(&LoggingSettings {
        output: LogOutput::Stderr,
        ..LoggingSettings::default()
    });
    let whole = format!("{TIME} {long}");
    let (out, err) = (stage.stdout.text(), stage.stderr.text());
    let torn = out.lines().filter(|line| **line != whole).count();
    assert_eq!(torn, 1, "the one that was being written");
    assert!(err.lines().all(|line| line == whole));
    assert_eq!(out.lines().count() - torn + err.lines().count(), 100);
}

#[test]
fn our_messages_are_dropped_when_nobody_reads_and_that_is_said() {
    run(async {
        let mut stage = Stage::new(&LoggingSettings::default());
        stage.logging.attach();
        let long = "x".repeat(1000);
        for _ in 0..1000 {
            stage.say(&long);
        }
        let dropped = stage.logging.dropped().own;
        assert!(dropped > 0);
        let queued = stage.logging.shared().with(|output| output.queued());
        assert!(queued <= OWN_LIMIT && queued > OWN_LIMIT - 2000);
        let last = format!("WARN {dropped} of our messages were dropped");
        until(|| stage.stdout.lines().contains(&last)).await;
        assert_eq!(stage.stdout.count_lines() as u64, 1000 - dropped + 1);
        stage.say("on we go");
        assert_eq!(stage.stdout.lines().last().unwrap(), "on we go");
    });
}

#[test]
fn a_flush_outside_of_the_runtime_waits_for_the_reader_but_not_for_ever() {
    let mut stage = Stage::new(&LoggingSettings::default());
    let long = "x".repeat(1000);
    for _ in 0..100 {
        stage.say(&long);
    }
    stage.logging.flush(Duration::from_millis(1));
    assert!(stage.logging.shared().with(|output| output.queued()) > 0);
    let logging = stage.logging.clone();
    let flusher = std::thread::spawn(move || logging.flush(Duration::from_mins(1)));
    while stage.stdout.count_lines() < 100 {
        std::thread::yield_now();
    }
    flusher.join().unwrap();
}
