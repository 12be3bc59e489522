//! One open place that lines are written to, without ever waiting for whoever reads there.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};

/// What a pipe takes in one write without waiting once `poll` calls it writable (pipe(7)).
const PIPE_STEP: usize = libc::PIPE_BUF;

/// What a terminal is given at once after `poll`: the kernel calls it writable below this fill (tty(4), `WAKEUP_CHARS`).
const TERMINAL_STEP: usize = 256;

/// A destination that is open.
#[derive(Debug)]
pub(super) struct Sink {
    fd: Arc<OwnedFd>,
    kind: Kind,
    terminal: bool,
    /// A line was begun here and is not finished here: the next one starts with a newline.
    torn: bool,
}

/// How to write without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A pipe or terminal with an open description of our own that does not block.
    NonBlocking,
    /// A pipe or terminal whose description children share: asked before each write of at most this many bytes. Another
    /// writer that fills the pipe between question and write can make us wait; there is no other way without `/proc`.
    Asked(usize),
    /// A socket: told in each call not to wait.
    Socket,
    /// A regular file or a device: written as it is.
    Plain,
}

impl Sink {
    /// A sink on a descriptor that the program was started with. Its flags are shared with others and never changed (L04).
    pub(super) fn inherit(fd: &Arc<OwnedFd>) -> Sink {
        let (shared_kind, terminal) = classify(fd.as_fd());
        if let Kind::Asked(_) = shared_kind
            && let Ok(own) = reopen(fd.as_fd())
        {
            return Sink {
                fd: Arc::new(own),
                kind: Kind::NonBlocking,
                terminal,
                torn: false,
            };
        }
        Sink {
            fd: Arc::clone(fd),
            kind: shared_kind,
            terminal,
            torn: false,
        }
    }

    /// Opens a file to append to; made with 0666 less the umask if it is missing. A FIFO or terminal is opened without
    /// blocking; a FIFO that nobody reads is an error.
    pub(super) fn open(path: &Path) -> io::Result<Sink> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o666)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)?;
        let fd = OwnedFd::from(file);
        let (kind, terminal) = classify(fd.as_fd());
        let kind = match kind {
            Kind::Asked(_) => Kind::NonBlocking,
            other => other,
        };
        Ok(Sink {
            fd: Arc::new(fd),
            kind,
            terminal,
            torn: false,
        })
    }

    /// Writes some of `bytes`; [`io::ErrorKind::WouldBlock`] when nothing can be taken now.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.torn {
            self.write_once(b"\n")?;
            self.torn = false;
        }
        self.write_once(bytes)
    }

    fn write_once(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let written = match self.kind {
                Kind::NonBlocking | Kind::Plain => nix::unistd::write(&self.fd, bytes),
                Kind::Asked(step) => self.write_asked(bytes, step),
                Kind::Socket => send(
                    self.fd.as_raw_fd(),
                    bytes,
                    MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL,
                ),
            };
            match written {
                Err(nix::Error::EINTR) => {}
                Ok(0) if !bytes.is_empty() => return Err(io::ErrorKind::WriteZero.into()),
                other => return other.map_err(io::Error::from),
            }
        }
    }

    fn write_asked(&self, bytes: &[u8], step: usize) -> nix::Result<usize> {
        let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut fds, PollTimeout::ZERO)? == 0 {
            return Err(nix::Error::EAGAIN);
        }
        // An error or hang-up counts as writable: the write says which it is.
        nix::unistd::write(&self.fd, &bytes[..bytes.len().min(step)])
    }

    /// The line that is being written here will not be finished here.
    pub(super) fn tear(&mut self) {
        self.torn = true;
    }

    /// Whether a person may be watching.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The descriptor to watch for room.
    pub(super) fn fd(&self) -> &Arc<OwnedFd> {
        &self.fd
    }

    #[cfg(test)]
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The same place, as if it could not be opened anew.
    #[cfg(test)]
    pub(super) fn shared(fd: &Arc<OwnedFd>) -> Sink {
        let (kind, terminal) = classify(fd.as_fd());
        Sink {
            fd: Arc::clone(fd),
            kind,
            terminal,
            torn: false,
        }
    }
}

/// How to write to a descriptor whose flags are not ours, and whether it is a terminal.
fn classify(fd: BorrowedFd<'_>) -> (Kind, bool) {
    if std::io::IsTerminal::is_terminal(&fd) {
        return (Kind::Asked(TERMINAL_STEP), true);
    }
    let kind = file_type(fd);
    let kind = match kind {
        Ok(kind) if kind.is_fifo() => Kind::Asked(PIPE_STEP),
        Ok(kind) if kind.is_socket() => Kind::Socket,
        _ => Kind::Plain,
    };
    (kind, false)
}

fn file_type(fd: BorrowedFd<'_>) -> io::Result<std::fs::FileType> {
    let file = File::from(fd.try_clone_to_owned()?);
    Ok(file.metadata()?.file_type())
}

/// Opens what `fd` refers to again, with a description of our own. Fails without `/proc`, for another user's pipe, and for
/// sockets.
fn reopen(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let file = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    Ok(OwnedFd::from(file))
}
