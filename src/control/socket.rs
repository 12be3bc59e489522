//! The socket's file: who may make it, take it over and remove it.
//!
//! The steps of a bind, all under a lock on the directory (flock(2); it leaves no file behind and ends with the process):
//!
//! 1. `bind` itself finds out whether the path is free: it fails if anything is there, a dangling link included.
//! 2. If a socket is there, we connect to it. Refused means that its server is gone: it is removed, and step 1 comes again.
//! 3. Mode and owner are set while nobody can connect yet, because the socket does not listen.
//! 4. `listen` opens it.
//!
//! The lock is what makes step 2 safe: without it, of two starters that find the same stale socket the slower could remove
//! the fresh socket of the faster. Between steps 1 and 4 our own socket looks stale to others; the lock covers that too.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, lchown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::sys::socket::{self as sys, AddressFamily, Backlog, SockFlag, SockType, UnixAddr};
use nix::sys::stat::{FchmodatFlags, Mode, fchmod, fchmodat};

use super::error::BindError;
use super::owner::Owner;
use crate::config::ControlSettings;
use crate::jobs::Databases;

/// How often the lock is tried. Starters hold it for less than a millisecond, yet one may be throttled meanwhile.
const LOCK_TRIES: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// How often the path may turn out to be taken by something that is gone a moment later.
const BIND_TRIES: u32 = 8;

/// A listening socket and its file.
#[derive(Debug)]
pub(super) struct BoundSocket {
    /// Before the listener: fields are dropped in this order, and a file is removed while its server still listens.
    /// Until then nobody takes it for stale, so what is removed is never a successor's.
    pub(super) file: SocketFile,
    /// Does not block.
    pub(super) listener: UnixListener,
}

/// The file of a socket that we bound; dropping it removes the file.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode. The kernel keeps the inode while the socket is bound, so its number is not given away meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    fn of(found: &Metadata) -> Identity {
        Identity(found.dev(), found.ino())
    }
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    /// Removes the file if it is still ours (R07). An error has no remedy: a stale socket is taken over at the next start.
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| Identity::of(&found) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the socket of `settings` and listens on it. On an error nothing of ours stays behind.
pub(super) fn bind(settings: &ControlSettings) -> Result<BoundSocket, BindError> {
    let path = settings.socket.as_path();
    let wrong_path = || BindError::Path {
        path: path.to_owned(),
    };
    if path.as_os_str().is_empty() {
        return Err(wrong_path());
    }
    let address = UnixAddr::new(path).map_err(|_| wrong_path())?;
    let owner = match &settings.owner {
        None => None,
        Some(text) => {
            let found = Owner::resolve(text, Databases::of_the_image());
            Some(found.map_err(|source| BindError::Owner {
                path: path.to_owned(),
                source,
            })?)
        }
    };
    let lock = lock_directory(path)?;
    let refused = |error: Errno| BindError::Bind {
        path: path.to_owned(),
        source: error.into(),
    };
    let socket = stream_socket().map_err(refused)?;
    let mode = Mode::from_bits_truncate(settings.mode & 0o777);
    // The kernel makes the file with these bits less the umask (unix(7)), so it is never wider than configured. Where
    // this has no effect, `set_mode` still has.
    let _ = fchmod(&socket, mode);
    take_path(&socket, &address, path)?;
    let file = made_file(path)?;
    set_mode(path, mode)?;
    if let Some(owner) = owner {
        set_owner(path, owner)?;
    }
    sys::listen(&socket, Backlog::MAXCONN).map_err(refused)?;
    drop(lock);
    Ok(BoundSocket {
        file,
        listener: UnixListener::from(socket),
    })
}

fn stream_socket() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    sys::socket(AddressFamily::Unix, SockType::Stream, flags, None)
}

/// Locks the directory against other starters, until the file is dropped.
fn lock_directory(path: &Path) -> Result<File, BindError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory = File::open(parent).map_err(|source| BindError::Directory {
        path: path.to_owned(),
        source,
    })?;
    for _ in 0..LOCK_TRIES {
        match directory.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            // A file system without locks: two starters at the same moment are then not kept apart.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(directory),
        }
    }
    Err(BindError::Locked {
        path: path.to_owned(),
    })
}

/// Binds `socket` to the path, after a stale socket was taken out of the way.
fn take_path(socket: &OwnedFd, address: &UnixAddr, path: &Path) -> Result<(), BindError> {
    let mut refusal = Errno::EADDRINUSE;
    for _ in 0..BIND_TRIES {
        match sys::bind(socket.as_raw_fd(), address) {
            Ok(()) => return Ok(()),
            Err(Errno::EADDRINUSE) => remove_stale(address, path)?,
            Err(other) => {
                refusal = other;
                break;
            }
        }
    }
    Err(BindError::Bind {
        path: path.to_owned(),
        source: refusal.into(),
    })
}

/// Removes what stands at the path if it is a socket without a server; leaves everything else alone.
fn remove_stale(address: &UnixAddr, path: &Path) -> Result<(), BindError> {
    let unclear = |source: io::Error| BindError::Unclear {
        path: path.to_owned(),
        source,
    };
    let Some(found) = metadata(path).map_err(unclear)? else {
        return Ok(());
    };
    if let Some(kind) = kind_if_no_socket(&found) {
        return Err(BindError::NotASocket {
            path: path.to_owned(),
            kind,
        });
    }
    match probe(address) {
        Ok(()) | Err(Errno::EAGAIN) => Err(BindError::Live {
            path: path.to_owned(),
        }),
        Err(Errno::ENOENT) => Ok(()),
        Err(Errno::ECONNREFUSED) => {
            let now = metadata(path).map_err(unclear)?;
            if now.is_some_and(|now| Identity::of(&now) == Identity::of(&found)) {
                fs::remove_file(path).map_err(unclear)?;
            }
            Ok(())
        }
        Err(other) => Err(unclear(other.into())),
    }
}

/// What is at the path, links not followed; `None`: nothing.
fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn kind_if_no_socket(found: &Metadata) -> Option<&'static str> {
    let kind = found.file_type();
    if kind.is_socket() {
        None
    } else if kind.is_file() {
        Some("a regular file")
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else {
        Some("a device")
    }
}

/// Connects and hangs up. Never waits: a server whose backlog is full answers `EAGAIN`.
fn probe(address: &UnixAddr) -> nix::Result<()> {
    let socket = stream_socket()?;
    sys::connect(socket.as_raw_fd(), address)
}

fn made_file(path: &Path) -> Result<SocketFile, BindError> {
    let found = fs::symlink_metadata(path).map_err(|source| BindError::Bind {
        path: path.to_owned(),
        source,
    })?;
    Ok(SocketFile {
        path: path.to_owned(),
        identity: Identity::of(&found),
    })
}

/// Sets what the umask took away. A link that somebody put in place meanwhile is not followed.
fn set_mode(path: &Path, mode: Mode) -> Result<(), BindError> {
    let wrong = |source: io::Error| BindError::Permission {
        path: path.to_owned(),
        what: "the mode",
        source,
    };
    let found = fs::symlink_metadata(path).map_err(wrong)?;
    if found.mode() & 0o777 == mode.bits() {
        return Ok(());
    }
    let flags = FchmodatFlags::NoFollowSymlink;
    fchmodat(AT_FDCWD, path, mode, flags).map_err(|error| wrong(error.into()))
}

fn set_owner(path: &Path, owner: Owner) -> Result<(), BindError> {
    lchown(path, owner.user, owner.group).map_err(|source| BindError::Permission {
        path: path.to_owned(),
        what: "the owner",
        source,
    })
}
