//! How long things may take, and how large they may be.

use std::time::Duration;

/// Bounds of the client. Tests shorten them; the program always uses [`Limits::DEFAULT`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Name lookup, connection and TLS handshake.
    pub(super) connect: Duration,
    /// A whole call that does not wait for a change.
    pub(super) call: Duration,
    /// What a blocking query may take beyond the time that the server was asked to wait.
    pub(super) grace: Duration,
    /// How often the files of tokens and certificates are looked at.
    pub(super) poll: Duration,
    /// The largest answer to a question, in bytes.
    pub(super) answer: usize,
}

impl Limits {
    pub(super) const DEFAULT: Limits = Limits {
        // A way of 2 s and one lost packet, which is sent again after a second (C18).
        connect: Duration::from_secs(4),
        call: Duration::from_secs(5),
        grace: Duration::from_secs(5),
        poll: Duration::from_secs(3),
        answer: 16 << 20,
    };

    /// The whole of a blocking query. Consul adds up to a sixteenth to the wait, so that not all clients return at once.
    pub(super) fn blocking(&self, wait: Duration) -> Duration {
        wait + wait / 16 + self.grace
    }
}

/// The largest answer to anything but a question, in bytes.
pub(super) const SHORT_ANSWER: usize = 64 << 10;

/// How much of an answer that is an error is read, in bytes: what can be shown of it.
pub(super) const ERROR_ANSWER: usize = 4 << 10;

/// The largest file of a token, a key or certificates, in bytes.
pub(super) const FILE: u64 = 1 << 20;

/// How long a connection without a request is kept. Shorter than any server's patience, and the time after which a name
/// is looked up again at the latest (C17).
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// A peer that vanished is noticed after the silence and three unanswered probes, or when what was sent is not
/// acknowledged for as long (`TCP_USER_TIMEOUT`, tcp(7)).
pub(super) const SILENCE: Duration = Duration::from_secs(15);
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(5);
pub(super) const PROBES: u32 = 3;
pub(super) const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
