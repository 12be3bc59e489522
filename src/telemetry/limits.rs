//! What clients may cost.

use std::time::Duration;

/// Bounds of the server. Tests shorten them; the program always uses [`Limits::DEFAULT`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections held at a time; one more takes the place of the oldest.
    pub(super) connections: usize,
    /// Time for a request's head.
    pub(super) head: Duration,
    /// Time for the loop's answer; what `/healthz` promises.
    pub(super) answer: Duration,
    /// The whole life of a connection: a scrape of thousands of series over a slow line.
    pub(super) connection: Duration,
    /// Pause after a bind or an `accept` that failed.
    pub(super) pause: Duration,
    /// Binds that are tried in this pause, as the original did; later ones in ten times that.
    pub(super) binds: u32,
}

impl Limits {
    pub(super) const DEFAULT: Limits = Limits {
        connections: 32,
        head: Duration::from_secs(5),
        answer: Duration::from_secs(5),
        connection: Duration::from_secs(30),
        pause: Duration::from_secs(1),
        binds: 10,
    };
}

/// Questions that wait for the loop. Beyond that the answer is 503.
pub(super) const ASKS: usize = 16;

/// The buffer for a request's head, in bytes; a larger head is answered with 431.
pub(super) const HEAD: usize = 16 * 1024;

/// Header lines of one request.
pub(super) const HEADERS: usize = 64;
