//! Descriptors that are kept for bad times.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

/// One for a directory, one for a file in it, two for the error pipe that musl's `posix_spawn` opens.
const SPARES: usize = 4;

/// An empty input for children, and a few descriptors with low numbers that can be given up for a moment.
///
/// They serve two needs. With no descriptor left, what runs must still be watched and stopped (X01): reaping and signals
/// need none, looking into procfs does. And while the soft limit is lowered for a spawn (P19), a descriptor that is
/// opened in between must get a number below that limit; these were opened first, so theirs are.
#[derive(Debug)]
pub(super) struct Reserve {
    /// What reads as empty: `/dev/null`, or a pipe without a writer where there is none.
    pub(super) empty: OwnedFd,
    pub(super) spares: Spares,
}

/// The descriptors that can be given up.
#[derive(Debug, Default)]
pub(super) struct Spares(Vec<OwnedFd>);

impl Reserve {
    pub(super) fn new() -> io::Result<Reserve> {
        let empty = empty_input()?;
        let mut spares = Spares::default();
        spares.refill(&empty);
        Ok(Reserve { empty, spares })
    }
}

impl Spares {
    /// Gives them up.
    pub(super) fn release(&mut self) {
        self.0.clear();
    }

    /// Takes copies of `model`, as many as are wanted and can be had.
    pub(super) fn refill(&mut self, model: &OwnedFd) {
        while self.0.len() < SPARES {
            let Ok(spare) = model.as_fd().try_clone_to_owned() else {
                return;
            };
            self.0.push(spare);
        }
    }
}

fn empty_input() -> io::Result<OwnedFd> {
    if let Ok(null) = File::open("/dev/null") {
        return Ok(null.into());
    }
    let (read, _) = pipe2(OFlag::O_CLOEXEC)?;
    Ok(read)
}

/// Whether an error says that there are no descriptors left.
pub(super) fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
