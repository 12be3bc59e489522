//! Precedence over the jobs (X06).
//!
//! Where many busy jobs share a small quota of processor time with us, our part of it can be a millisecond or two in a
//! second, and until the jobs have their signals nothing gets better. Two things help:
//!
//! - From the start on we ask for short slices. Of those whose turn it may be, the kernel takes the one whose slice would
//!   be over first (Linux 6.12; before that the wish means nothing). That makes our part no larger, it comes earlier.
//!   Nobody needs a right for it.
//! - When it matters we go on at the lowest nice value that the kernel allows: any with `CAP_SYS_NICE`, else what
//!   `RLIMIT_NICE` says (setpriority(2), getrlimit(2)).
//!
//! The kernel gives our children the usual slice and value back (`SCHED_FLAG_RESET_ON_FORK`, `sched_setattr(2)`), whichever
//! way they are started.

use std::io;

use nix::sys::resource::{Resource, getrlimit};

use super::sys;

const HIGHEST: i32 = -20;

/// The shortest slice that the kernel gives, in nanoseconds. Most turns of the loop take less.
const SLICE: u64 = 100_000;

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

/// Asks for short slices for this thread. Where it is scheduled by another policy or value than the usual one, nothing
/// happens: the kernel would not let children inherit that either.
///
/// # Errors
///
/// If a filter of system calls refuses.
pub(super) fn shorten_slices() -> io::Result<()> {
    let Some(mut ours) = usual()? else {
        return Ok(());
    };
    ours.sched_runtime = SLICE;
    sys::set_scheduling(&ours)
}

/// Takes it.
///
/// # Errors
///
/// If the kernel, or a filter of system calls, refuses.
pub(super) fn take() -> io::Result<Precedence> {
    let Some(mut ours) = usual()? else {
        return Ok(Precedence::Settled);
    };
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

/// How this thread is scheduled, to be changed for itself alone; `None` if that is somebody's decision.
fn usual() -> io::Result<Option<libc::sched_attr>> {
    let mut ours = sys::scheduling(sys::THIS_THREAD)?;
    ours.sched_flags |= u64::from(libc::SCHED_FLAG_RESET_ON_FORK.unsigned_abs());
    let usual = ours.sched_policy == sys::USUAL_POLICY && ours.sched_nice == 0;
    Ok(usual.then_some(ours))
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
