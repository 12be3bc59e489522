//! The limit of open files: ours may be raised, the children's may not.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The limits this program was started with, once they were changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FileLimit {
    raised: Option<Raised>,
}

#[derive(Clone, Copy, Debug)]
struct Raised {
    original: u64,
    ours: u64,
    hard: u64,
}

impl FileLimit {
    /// Raises the soft limit to `needed` files, or to the hard limit if that is less. Returns the limit now in force.
    pub(super) fn raise(&mut self, needed: u64) -> io::Result<u64> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        let wanted = needed.min(hard);
        if wanted <= soft {
            return Ok(soft);
        }
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
        self.raised = Some(Raised {
            original: self.raised.map_or(soft, |raised| raised.original),
            ours: wanted,
            hard,
        });
        Ok(wanted)
    }

    /// Whether children need other limits than ours.
    pub(super) fn is_raised(&self) -> bool {
        self.raised.is_some()
    }

    /// What children get, if it is not what we have.
    pub(super) fn original(&self) -> Option<libc::rlimit> {
        self.raised.map(|raised| libc::rlimit {
            rlim_cur: raised.original,
            rlim_max: raised.hard,
        })
    }

    /// Runs `spawn` under the original limit. A child copies the limits when it is made, so this spares the fork that a
    /// change inside of the child would need. Lowering a limit below the number of open files closes none of them.
    pub(super) fn under_original<T>(&self, spawn: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let Some(raised) = self.raised else {
            return spawn();
        };
        setrlimit(Resource::RLIMIT_NOFILE, raised.original, raised.hard)?;
        let spawned = spawn();
        // Cannot fail: a soft limit may always be raised to the hard one.
        let restored = setrlimit(Resource::RLIMIT_NOFILE, raised.ours, raised.hard);
        debug_assert!(restored.is_ok());
        spawned
    }
}
