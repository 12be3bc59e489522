//! What clients may cost. The bounds of what is stored are in `tables/limits.rs`.

use std::time::Duration;

/// Bounds of the server. Tests shorten them; the program always uses [`EdgeLimits::DEFAULT`].
#[derive(Clone, Copy, Debug)]
pub(super) struct EdgeLimits {
    /// Connections held at a time, waiting queries included. When all are taken, a new one replaces the one that has been
    /// idle for longest. While each of them is being answered, one more is held at the door, the rest in the backlog.
    pub(super) connections: usize,
    /// Time for a request's head, and how long a connection may be idle. Go's clients keep theirs for 90 seconds; one
    /// that was closed under a request would be an error there.
    pub(super) head: Duration,
    /// Time for the request's body.
    pub(super) body: Duration,
    /// Time for requests under way when the server closes.
    pub(super) close: Duration,
    /// Pause after an `accept` that failed, so that a lack of descriptors does not become a spin.
    pub(super) accept_pause: Duration,
}

impl EdgeLimits {
    pub(super) const DEFAULT: EdgeLimits = EdgeLimits {
        connections: 2_048,
        head: Duration::from_mins(5),
        body: Duration::from_secs(30),
        close: Duration::from_millis(100),
        accept_pause: Duration::from_millis(100),
    };
}

/// The largest value of a key, in bytes, as in Consul.
pub(super) const VALUE: usize = 512 * 1024;

/// The largest other body, in bytes.
pub(super) const BODY: usize = 64 * 1024;

/// Bytes of all bodies that are being read at a time. Beyond it, readers wait for each other, each at most
/// [`EdgeLimits::body`].
pub(super) const BODIES: usize = 8 * 1024 * 1024;

/// How much of a body that is too large is read and thrown away, in bytes, so that a client which writes everything
/// before it reads gets the answer instead of a broken pipe.
pub(super) const DISCARDED: usize = 4 * 1024 * 1024;

/// The buffer for a request's head, in bytes; a larger head is answered with 431.
pub(super) const HEAD: usize = 16 * 1024;

/// Header lines of one request.
pub(super) const HEADERS: usize = 64;

/// How long a query waits that does not say, and at most; as in Consul.
pub(super) const WAIT: Duration = Duration::from_mins(5);
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// A wait is longer by up to one part of this many, so that clients do not come back all at once; as in Consul.
pub(super) const WAIT_JITTER: u32 = 16;
