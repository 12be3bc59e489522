//! How much the tables hold, and the spans of their rules.

use std::time::Duration;

/// Bounds. Beyond one of them a request is refused with [`super::Problem::Full`]; what is there stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) nodes: usize,
    /// Over all nodes.
    pub(crate) services: usize,
    /// Over all nodes.
    pub(crate) checks: usize,
    pub(crate) keys: usize,
    /// Bytes of all keys and their values.
    pub(crate) key_bytes: usize,
    pub(crate) sessions: usize,
    /// The least time from critical to deregistration, whatever a check asks for; documented by Consul.
    pub(crate) reap_after: Duration,
    /// How long a mere change of output may stay unpublished. Consul waits 5 minutes, give or take a half.
    pub(crate) output_delay: Duration,
}

impl Limits {
    pub(crate) const DEFAULT: Limits = Limits {
        nodes: 1_024,
        services: 8_192,
        checks: 16_384,
        keys: 16_384,
        key_bytes: 32 * 1024 * 1024,
        sessions: 4_096,
        reap_after: Duration::from_mins(1),
        output_delay: Duration::from_mins(5),
    };
}

/// Bytes of a check's output that are kept, as in Consul.
pub(super) const OUTPUT: usize = 4_096;

/// What a session's TTL may be, as in Consul.
pub(super) const SESSION_TTL: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_hours(24);

/// A session ends when it was not renewed for this many times its TTL, as in Consul: never before the TTL.
pub(super) const SESSION_TTL_TIMES: u32 = 2;

/// The longest effect of a lock-delay, as in Consul.
pub(super) const LOCK_DELAY: Duration = Duration::from_mins(1);
