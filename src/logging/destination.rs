//! Where lines go, and where instead while that does not work.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sink::Sink;
use crate::config::LogOutput;

/// How often a file that could not be opened is tried again. Each try is a system call in the way of a line.
const RETRY: Duration = Duration::from_secs(1);

/// The descriptors that the program was started with. Absent when the program had to start without.
#[derive(Clone, Debug)]
pub(super) struct Standard {
    pub(super) out: Option<Arc<OwnedFd>>,
    pub(super) err: Option<Arc<OwnedFd>>,
}

impl Standard {
    /// Those of this process, as duplicates that children do not get.
    pub(super) fn of_process() -> Standard {
        let own = |fd: io::Result<OwnedFd>| fd.ok().map(Arc::new);
        Standard {
            out: own(io::stdout().as_fd().try_clone_to_owned()),
            err: own(io::stderr().as_fd().try_clone_to_owned()),
        }
    }
}

/// Why a write did not happen.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no room now.
    Later,
    /// The file failed and stderr takes over: write the same line again. With the cause the first time, to be said once.
    Moved(Option<io::Error>),
    /// It fails and there is no other place.
    Lost,
}

/// The configured output and its replacement.
#[derive(Debug)]
pub(super) struct Destination {
    standard: Standard,
    target: LogOutput,
    /// The target; `None` while it cannot be opened.
    sink: Option<Sink>,
    /// Stderr, opened when a file fails for the first time.
    spare: Option<Sink>,
    /// Lines go to the spare.
    on_spare: bool,
    /// The target failed, that was said, and it has not taken a whole batch since.
    failing: bool,
    /// When a target that cannot be opened is tried again.
    retry_at: Option<Instant>,
}

impl Destination {
    /// Opens `target`; the error is to be said once.
    pub(super) fn open(standard: Standard, target: LogOutput) -> (Destination, Option<io::Error>) {
        let mut destination = Destination {
            standard,
            target,
            sink: None,
            spare: None,
            on_spare: false,
            failing: false,
            retry_at: None,
        };
        let error = destination.reopen();
        (destination, error)
    }

    /// Whether `target` has to be opened: it is another one, or a path, which may name another file by now.
    pub(super) fn is_change(&self, target: &LogOutput) -> bool {
        self.target != *target || self.is_file()
    }

    /// Goes elsewhere from now on. The error is to be said once.
    pub(super) fn change(&mut self, target: LogOutput) -> Option<io::Error> {
        self.target = target;
        self.sink = None;
        self.failing = false;
        self.reopen()
    }

    /// Opens the target's path again (SIGUSR1). Returns why not, unless that has been said already.
    pub(super) fn reopen(&mut self) -> Option<io::Error> {
        self.on_spare = false;
        match self.try_open() {
            Ok(sink) => {
                self.sink = Some(sink);
                self.failing = false;
                None
            }
            Err(error) => {
                // The old file may still take lines, but nobody would look for them there.
                self.sink = None;
                self.retry_at = Some(Instant::now() + RETRY);
                self.give_way(error)
            }
        }
    }

    /// Whether the target is a path, which can be opened again and can be replaced by stderr.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.target, LogOutput::File(_))
    }

    /// The path of a file target.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.target {
            LogOutput::File(path) => Some(path),
            _ => None,
        }
    }

    /// Whether lines go to a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.current().is_some_and(Sink::is_terminal)
    }

    /// The descriptor that has to become writable.
    pub(super) fn fd(&self) -> Option<Arc<OwnedFd>> {
        self.current().map(|sink| Arc::clone(sink.fd()))
    }

    /// Writes some of `bytes`. `fresh`: this is the first write of a round and begins a line, so a file that failed may be
    /// tried again. Within a round it is not: a full disk would be tried for ever.
    pub(super) fn write(&mut self, bytes: &[u8], fresh: bool) -> Result<usize, Refusal> {
        if self.on_spare && fresh && self.may_retry() {
            self.on_spare = false;
        }
        if self.on_spare {
            return self.write_spare(bytes);
        }
        match self.write_target(bytes) {
            Ok(count) => {
                // A part may fit on a disk that is full; only a whole batch proves that it is not.
                self.failing &= count < bytes.len();
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(Refusal::Later),
            Err(error) if self.is_file() => Err(Refusal::Moved(self.give_way(error))),
            Err(_) => Err(Refusal::Lost),
        }
    }

    /// The line that is being written will not be finished where it was begun.
    pub(super) fn tear(&mut self) {
        let sink = if self.on_spare {
            &mut self.spare
        } else {
            &mut self.sink
        };
        if let Some(sink) = sink {
            sink.tear();
        }
    }

    /// As [`Destination::tear`], after the target has given way to the spare.
    pub(super) fn tear_target(&mut self) {
        if let Some(sink) = &mut self.sink {
            sink.tear();
        }
    }

    fn current(&self) -> Option<&Sink> {
        if self.on_spare {
            self.spare.as_ref()
        } else {
            self.sink.as_ref()
        }
    }

    fn write_target(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.sink.is_none() {
            self.sink = Some(self.try_open()?);
        }
        match &mut self.sink {
            Some(sink) => sink.write(bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn write_spare(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let Some(sink) = &mut self.spare else {
            return Err(Refusal::Lost);
        };
        sink.write(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => Refusal::Later,
            _ => Refusal::Lost,
        })
    }

    /// The target failed: stderr takes over. Returns the cause if it is to be said.
    fn give_way(&mut self, error: io::Error) -> Option<io::Error> {
        if !self.is_file() {
            return None;
        }
        self.on_spare = true;
        if self.spare.is_none() {
            self.spare = self.standard.err.as_ref().map(Sink::inherit);
        }
        let first = !std::mem::replace(&mut self.failing, true);
        first.then_some(error)
    }

    fn may_retry(&mut self) -> bool {
        if self.sink.is_some() {
            return true;
        }
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| now < at) {
            return false;
        }
        self.retry_at = Some(now + RETRY);
        true
    }

    fn try_open(&mut self) -> io::Result<Sink> {
        let inherit = |fd: &Option<Arc<OwnedFd>>| {
            let fd = fd.as_ref().ok_or(io::ErrorKind::NotConnected)?;
            Ok(Sink::inherit(fd))
        };
        match &self.target {
            LogOutput::Stdout => inherit(&self.standard.out),
            LogOutput::Stderr => inherit(&self.standard.err),
            // Usual spellings; as paths they would not open when the container runtime passed sockets.
            LogOutput::File(path) if path == Path::new("/dev/stdout") => {
                inherit(&self.standard.out)
            }
            LogOutput::File(path) if path == Path::new("/dev/stderr") => {
                inherit(&self.standard.err)
            }
            LogOutput::File(path) => Sink::open(path),
        }
    }
}
