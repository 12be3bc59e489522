//! Where the configuration is.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::config::Variables;

/// What is read when nothing else is said (decision 4).
pub const DEFAULT_CONFIG: &str = "/etc/containerpilot.json5";

/// How long the writer of a pipe may take.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// How much of a configuration is read, in bytes. Larger is an error: a device that never ends must not fill the memory.
const SIZE_LIMIT: u64 = 64 * 1024 * 1024;

/// A configuration that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigPlace {
    /// A file.
    File(PathBuf),
    /// The text itself, given instead of a path.
    Inline(String),
}

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system says no.
    #[error("cannot read the configuration `{}`: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// It never ends.
    #[error("cannot read the configuration `{}`: it is larger than {SIZE_LIMIT} bytes", path.display())]
    TooLarge { path: PathBuf },
    /// It is no text.
    #[error("cannot read the configuration `{}`: it is not UTF-8", path.display())]
    NotText { path: PathBuf },
}

impl ConfigPlace {
    /// The flag, else `CONTAINERPILOT`, else [`DEFAULT_CONFIG`]; an empty one counts as not given. Each may be a path, a
    /// path after `file://`, or the text itself, which begins with a brace (decision 4).
    #[must_use]
    pub fn find(flag: Option<&OsStr>, variables: &Variables) -> ConfigPlace {
        let variable = variables.get("CONTAINERPILOT").map(OsStr::new);
        let given = [flag, variable].into_iter().flatten();
        let chosen = given.into_iter().find(|place| !place.is_empty());
        ConfigPlace::from_words(chosen.unwrap_or(OsStr::new(DEFAULT_CONFIG)))
    }

    fn from_words(words: &OsStr) -> ConfigPlace {
        if let Some(text) = words.to_str()
            && text.trim_start().starts_with('{')
        {
            return ConfigPlace::Inline(text.to_owned());
        }
        let bytes = words.as_bytes();
        let path = bytes.strip_prefix(b"file://").unwrap_or(bytes);
        ConfigPlace::File(PathBuf::from(OsStr::from_bytes(path)))
    }

    /// Its text.
    pub fn read(&self) -> Result<String, ReadError> {
        match self {
            ConfigPlace::Inline(text) => Ok(text.clone()),
            ConfigPlace::File(path) => read(path),
        }
    }
}

fn read(path: &Path) -> Result<String, ReadError> {
    let failed = |source| ReadError::File {
        path: path.to_owned(),
        source,
    };
    // Without blocking: opening a pipe that nobody writes to would wait for ever, deaf to TERM.
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(failed)?;
    let bytes = read_within(&file, READ_LIMIT).map_err(failed)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(ReadError::TooLarge {
            path: path.to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|_| ReadError::NotText {
        path: path.to_owned(),
    })
}

/// Reads to the end, or to just over the limit of the size, waiting for a pipe's writer at most until the limit of time.
fn read_within(file: &File, limit: Duration) -> io::Result<Vec<u8>> {
    let end = Instant::now() + limit;
    let mut bytes = Vec::new();
    loop {
        let room = SIZE_LIMIT + 1 - bytes.len() as u64;
        match file.take(room).read_to_end(&mut bytes) {
            Ok(_) => return Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "its writer did not finish it in time",
            ));
        }
        let wait = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        // EINTR is a signal, which the loop takes later; anything else the next read tells.
        let _ = poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLIN)], wait);
    }
}

impl fmt::Display for ConfigPlace {
    /// For messages: the path, or that it is inline. Never the text.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigPlace::File(path) => path.display().fmt(out),
            ConfigPlace::Inline(_) => out.write_str("(inline)"),
        }
    }
}
