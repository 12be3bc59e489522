//! Descriptors that the runtime watches.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor with its registration. The descriptor cannot be closed or replaced while it is registered.
pub(super) type Watched = AsyncFd<Arc<OwnedFd>>;

/// Registers `fd` for one kind of readiness. Must be called inside a runtime with I/O.
#[expect(
    deprecated,
    reason = "the successor is unsafe for the sake of types whose descriptor may change; an owned one cannot"
)]
pub(super) fn watch(fd: Arc<OwnedFd>, interest: Interest) -> io::Result<Watched> {
    AsyncFd::with_interest(fd, interest)
}
