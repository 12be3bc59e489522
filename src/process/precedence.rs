//! Precedence over the jobs (X06).
//!
//! Where many busy jobs share a small quota of processor time with us, our part of it can be a millisecond or two in a
//! second, and until the jobs have their signals nothing gets better. So we can go on at the lowest nice value that the
//! kernel allows: any with `CAP_SYS_NICE`, else what `RLIMIT_NICE` says (setpriority(2), getrlimit(2)).
//!
//! The kernel gives our children the usual value back (`SCHED_FLAG_RESET_ON_FORK`, `sched_setattr(2)`), whichever way they are
//! started.

use std::io;

use nix::sys::resource::{Resource, getrlimit};

use super::sys;

const HIGHEST: i32 = -20;

/// What came of asking for precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// This thread has this nice value now.
    Taken(i32),
    /// It was asked for before; or the program was started with another policy or value than the usual one, which is
    /// somebody's decision.
    Settled,
    /// The kernel, or a filter of system calls, allows none, as in most containers.
    Refused,
}

/// Takes it.
///
/// # Errors
///
/// If the kernel, or a filter of system calls, refuses.
pub(super) fn take() -> io::Result<Precedence> {
    let mut ours = sys::scheduling()?;
    if ours.sched_policy != sys::USUAL_POLICY || ours.sched_nice != 0 {
        return Ok(Precedence::Settled);
    }
    ours.sched_flags |= u64::from(libc::SCHED_FLAG_RESET_ON_FORK.unsigned_abs());
    ours.sched_nice = HIGHEST;
    let Err(refusal) = sys::set_scheduling(&ours) else {
        return Ok(Precedence::Taken(HIGHEST));
    };
    let allowed = allowed(getrlimit(Resource::RLIMIT_NICE)?.0);
    if allowed >= 0 {
        return Err(refusal);
    }
    ours.sched_nice = allowed;
    sys::set_scheduling(&ours)?;
    Ok(Precedence::Taken(allowed))
}

/// The lowest nice value for a soft limit, whose range is 1 to 40 (getrlimit(2)).
fn allowed(limit: u64) -> i32 {
    20 - i32::try_from(limit.min(40)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn a_limit_of_20_is_the_usual_value_and_one_of_40_the_highest() {
        let limits = [0, 19, 20, 21, 40, 41, u64::MAX];
        assert_eq!(limits.map(allowed), [20, 1, 0, -1, -20, -20, -20]);
    }
}
