//! Tests of the room: each with the real thing that it is about, a pipe, a file or a full device.

mod format;
mod frame;
mod place;
mod pumping;
mod queue;
mod subscribing;

use std::future::Future;
use std::io::pipe;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::clock::Clock;
use super::destination::Standard;
use super::handle::Logging;
use super::record::Record;
use crate::config::{LogLevel, LoggingSettings};

/// 2018-05-02T14:05:06.123456789Z.
fn moment() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_525_269_906, 123_456_789)
}

fn clock() -> Clock {
    Clock::new(moment, |_| 0)
}

/// What stands in front of each line of the `default` format.
const TIME: &str = "2018-05-02T14:05:06.123456789Z";

/// A log whose stdout and stderr are pipes that the test reads.
struct Stage {
    logging: Logging,
    stdout: Reader,
    stderr: Reader,
}

impl Stage {
    fn new(settings: &LoggingSettings) -> Stage {
        let (stdout, out) = Reader::pipe();
        let (stderr, err) = Reader::pipe();
        let standard = Standard {
            out: Some(Arc::new(out)),
            err: Some(Arc::new(err)),
        };
        Stage {
            logging: Logging::with(standard, settings, clock()),
            stdout,
            stderr,
        }
    }

    fn say(&self, message: &str) {
        let record = Record::new(LogLevel::Info, message.to_owned());
        self.logging.shared().own(&record);
    }
}

/// The reading end of a pipe, which never waits.
struct Reader {
    fd: OwnedFd,
    text: Vec<u8>,
}

impl Reader {
    fn pipe() -> (Reader, OwnedFd) {
        let (reading, writing) = pipe().unwrap();
        (Reader::new(reading.into()), writing.into())
    }

    fn new(fd: OwnedFd) -> Reader {
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        Reader {
            fd,
            text: Vec::new(),
        }
    }

    /// Takes what is there; everything that was ever taken.
    fn read(&mut self) -> &[u8] {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count) = nix::unistd::read(&self.fd, &mut buffer)
            && count > 0
        {
            self.text.extend_from_slice(&buffer[..count]);
        }
        &self.text
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.read().to_vec()).unwrap()
    }

    /// The lines so far, without the time in front.
    fn lines(&mut self) -> Vec<String> {
        let text = self.text();
        let bare = |line: &str| {
            let line = line.strip_prefix(TIME).unwrap_or(line);
            line.trim_start().to_owned()
        };
        text.lines().map(bare).collect()
    }

    fn count_lines(&mut self) -> usize {
        memchr::memchr_iter(b'\n', self.read()).count()
    }
}

/// Runs a test inside a runtime as the program has it. A test that hangs fails.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_mins(1), test)
            .await
            .expect("the test ends")
    })
}

/// Lets the others run until `holds`.
async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Lets every task that can do something do it, until nothing more comes: a stall that the test wants to see has happened.
async fn settle(logging: &Logging) {
    let mut quiet = 0;
    let mut before = logging.shared().with(|output| output.queued());
    while quiet < 20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let now = logging.shared().with(|output| output.queued());
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
    }
}
