//! What can go wrong with the socket, by what the caller does next.

use std::io;
use std::path::PathBuf;

/// Why there is no control socket. The caller warns once and goes on, unless the socket is `required` (K08).
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The path cannot be the address of a socket: empty, with NUL, or too long (unix(7)).
    #[error("cannot bind `{}`: the path of a socket has 1 to 107 bytes", path.display())]
    Path { path: PathBuf },
    /// The directory is missing or may not be read. Directories are never made.
    #[error("cannot open the directory of `{}`: {source}", path.display())]
    Directory { path: PathBuf, source: io::Error },
    /// Somebody else holds the lock that starters take for the moment of a bind.
    #[error("cannot bind `{}`: another process keeps its directory locked", path.display())]
    Locked { path: PathBuf },
    /// Something lives there (K01).
    #[error("cannot bind `{}`: another process serves it", path.display())]
    Live { path: PathBuf },
    /// What is there was not made by a server; it is left alone (K02).
    #[error("cannot bind `{}`: it is {kind}, not a socket", path.display())]
    NotASocket { path: PathBuf, kind: &'static str },
    /// A socket whose server we cannot ask, for instance for want of permission; it is left alone.
    #[error("cannot tell whether `{}` is served: {source}", path.display())]
    Unclear { path: PathBuf, source: io::Error },
    /// The system refuses, for instance on a read-only file system.
    #[error("cannot bind `{}`: {source}", path.display())]
    Bind { path: PathBuf, source: io::Error },
    /// The owner as configured does not exist.
    #[error("cannot set the owner of `{}`: {source}", path.display())]
    Owner { path: PathBuf, source: OwnerError },
    /// Somebody whom `control.readers` or `control.writers` names does not exist.
    #[error("cannot use `control.{key}` for `{}`: {source}", path.display())]
    Access {
        path: PathBuf,
        key: &'static str,
        source: OwnerError,
    },
    /// The mode or the owner could not be set; nothing stays behind.
    #[error("cannot set {what} of `{}`: {source}", path.display())]
    Permission {
        path: PathBuf,
        what: &'static str,
        source: io::Error,
    },
}

/// What is wrong with `control.owner`.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// Neither `user`, `user:group` nor `:group`.
    #[error("cannot use `{0}`: write `user`, `user:group` or `:group`, each by name or number")]
    Form(String),
    /// Not in the image's file.
    #[error("cannot find the {kind} `{name}` in `{}`", file.display())]
    Unknown {
        kind: &'static str,
        name: String,
        file: PathBuf,
    },
    /// The image's file cannot be read; a number needs no file.
    #[error("cannot look up the {kind} `{name}` in `{}`: {source}", file.display())]
    Read {
        kind: &'static str,
        name: String,
        file: PathBuf,
        source: io::Error,
    },
}

/// Why a request through the socket did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No request could be made at all.
    #[error("cannot make a client for `{}`: {reason}", socket.display())]
    Setup { socket: PathBuf, reason: String },
    /// Nobody answers there, or the connection broke.
    #[error("cannot reach the supervisor at `{}`: {reason}", socket.display())]
    Unreachable { socket: PathBuf, reason: String },
    /// The supervisor took longer than the client waits.
    #[error("cannot wait any longer for the supervisor at `{}`", socket.display())]
    TimedOut { socket: PathBuf },
    /// A follower read too slowly and gets nothing more.
    #[error("cannot go on: more has come than was read")]
    TooSlow,
    /// The supervisor answered, and it is no success (D46).
    #[error("refused with status {status}: {reason}")]
    Refused { status: u16, reason: String },
}
