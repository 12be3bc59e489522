//! What one client may cost.

use std::time::Duration;

/// Bounds of the server. Tests shorten them; the program always uses [`Limits::DEFAULT`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections held at a time. When all are taken, a new one replaces the oldest that has not sent its whole
    /// request. While each of them is being answered, one more is held at the door, the rest in the kernel's backlog.
    pub(super) connections: usize,
    /// Clients that follow events or lines, each on a connection of its own.
    pub(super) followers: usize,
    /// Time for the request's head.
    pub(super) head: Duration,
    /// Time for the request's body.
    pub(super) body: Duration,
    /// Time for the supervisor's answer. What was asked for may still happen afterwards.
    pub(super) answer: Duration,
    /// Time for requests under way when the server closes.
    pub(super) close: Duration,
    /// Pause after an `accept` that failed, so that a lack of descriptors does not become a spin (X01).
    pub(super) accept_pause: Duration,
}

impl Limits {
    pub(super) const DEFAULT: Limits = Limits {
        // With the largest bodies and buffers on all of them: about 9 MiB.
        connections: 32,
        // With a megabyte that may wait for each.
        followers: 8,
        head: Duration::from_secs(5),
        body: Duration::from_secs(5),
        answer: Duration::from_secs(30),
        close: Duration::from_millis(100),
        accept_pause: Duration::from_millis(100),
    };

    /// The longest life of a connection, for clients that do not take their answer.
    pub(super) fn connection(&self) -> Duration {
        self.head + self.body + self.answer + Duration::from_secs(5)
    }
}

/// The largest request body that is read, in bytes. The kernel takes no variable above 128 KiB (execve(2)), so a
/// larger body has no use.
pub(super) const BODY: usize = 256 * 1024;

/// How much of a body that is too large is read and thrown away, in bytes, so that a client which writes everything
/// before it reads gets the answer instead of a broken pipe.
pub(super) const DISCARDED: usize = 4 * 1024 * 1024;

/// The buffer for a request's head, in bytes; a larger head is answered with 431.
pub(super) const HEAD: usize = 16 * 1024;

/// Header lines of one request.
pub(super) const HEADERS: usize = 64;
