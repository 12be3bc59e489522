//! The system calls that have no safe wrapper here, each as one small function.
//!
//! `nix` is not used for waits and kills: its `Signal` has no real-time signals, so that a child killed by one makes its
//! `waitid` fail and the status could never be collected.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::sys::signal::SigSet;

use crate::events::{Exit, Signal};

/// What `waitid` knows about our children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peek {
    /// There is no child at all.
    Nobody,
    /// There are children, and all of them are running.
    Running,
    /// This one has ended and waits to be collected.
    Ended(i32),
}

fn waitid(kind: libc::idtype_t, id: libc::id_t, flags: i32) -> io::Result<libc::siginfo_t> {
    loop {
        // SAFETY: siginfo_t is a plain C structure for which all zeroes is a valid value; the kernel leaves it untouched
        // when there is nothing to report, so it has to be zero before.
        let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
        // SAFETY: `info` is valid for writes for the length of the call. `nix::sys::wait::waitid` refuses statuses that
        // name a real-time signal.
        let result = unsafe { libc::waitid(kind, id, &raw mut info, flags) };
        if result == 0 {
            return Ok(info);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn pid_of(info: &libc::siginfo_t) -> i32 {
    // SAFETY: `info` was filled by waitid, or is zero; in both cases the pid field is initialised.
    unsafe { info.si_pid() }
}

/// Looks at one ended child and leaves it uncollected: its pid stays taken, and so does the number of its group.
pub(super) fn peek() -> Peek {
    match waitid(
        libc::P_ALL,
        0,
        libc::WEXITED | libc::WNOHANG | libc::WNOWAIT,
    ) {
        Ok(info) if pid_of(&info) == 0 => Peek::Running,
        Ok(info) => Peek::Ended(pid_of(&info)),
        Err(_) => Peek::Nobody,
    }
}

/// Whether our child `pid` has ended and waits to be collected; also true when it is not our child.
pub(super) fn has_ended(pid: i32) -> bool {
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    match waitid(libc::P_PID, pid.cast_unsigned(), flags) {
        Ok(info) => pid_of(&info) != 0,
        Err(_) => true,
    }
}

/// Whether a signal or a terminal has stopped our child `pid`.
pub(super) fn is_stopped(pid: i32) -> bool {
    let flags = libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT;
    waitid(libc::P_PID, pid.cast_unsigned(), flags).is_ok_and(|info| pid_of(&info) != 0)
}

/// Collects our ended child `pid`; `None` if it is no ended child of ours.
pub(super) fn collect(pid: i32) -> Option<Exit> {
    let info = waitid(
        libc::P_PID,
        pid.cast_unsigned(),
        libc::WEXITED | libc::WNOHANG,
    )
    .ok()?;
    if pid_of(&info) == 0 {
        return None;
    }
    // SAFETY: waitid reported an ended child, so the status field is filled.
    let status = unsafe { info.si_status() };
    if info.si_code == libc::CLD_EXITED {
        return Some(Exit::Code(status));
    }
    // Signals 32 and 33 are the C library's and have no name of ours; the shell's number is kept.
    let signal = Signal::from_number(status);
    Some(signal.map_or(Exit::Code(128 + status), Exit::Signal))
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// `kill(2)`. The caller knows that `pid` still means the process it has in mind: an uncollected child of ours.
pub(super) fn send(pid: i32, signal: Signal) -> io::Result<()> {
    debug_assert!(pid > 1, "0, -1 and 1 are never meant");
    // SAFETY: kill takes two integers and touches no memory of ours; `nix` cannot send real-time signals.
    check(unsafe { libc::kill(pid, signal.number()) })
}

/// `kill(2)` of a whole group. The caller knows that the group's number is still taken: its leader is uncollected.
pub(super) fn send_group(pgid: i32, signal: Signal) -> io::Result<()> {
    debug_assert!(pgid > 1, "the groups 0 and 1 are never meant");
    // SAFETY: as in `send`.
    check(unsafe { libc::kill(-pgid, signal.number()) })
}

/// Sends to every process that this one may signal, itself and PID 1 excepted (`kill(-1)`).
pub(super) fn send_all(signal: Signal) {
    // SAFETY: as in `send`. ESRCH, the only error that can come, means that there is nobody left.
    let _ = unsafe { libc::kill(-1, signal.number()) };
}

/// Whether any process, ended ones included, is in the group.
pub(super) fn group_exists(pgid: i32) -> bool {
    // SAFETY: as in `send`; signal 0 asks only. EPERM means that somebody is there.
    match check(unsafe { libc::kill(-pgid, 0) }) {
        Ok(()) => true,
        Err(error) => error.raw_os_error() == Some(libc::EPERM),
    }
}

/// A handle that means this process for ever, whatever happens to its number (Linux 5.3).
pub(super) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers; neither `nix` nor `std` has it for a pid that is no `Child`.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor (close-on-exec) and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends to the process that the handle means.
pub(super) fn pidfd_send(pidfd: &OwnedFd, signal: Signal) -> io::Result<()> {
    let no_info = ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo asks for the one that kill(2) would send; no memory of ours is touched.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal.number(),
            no_info,
            0,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// `SCHED_OTHER`, which the kernel calls `SCHED_NORMAL`.
pub(super) const USUAL_POLICY: u32 = 0;

/// Names the caller to the calls about scheduling.
pub(super) const THIS_THREAD: i32 = 0;

/// How a thread is scheduled (`sched_getattr(2)`).
pub(super) fn scheduling(thread: i32) -> io::Result<libc::sched_attr> {
    // SAFETY: a plain C structure of integers, for which all zeroes is a valid value.
    let mut found: libc::sched_attr = unsafe { mem::zeroed() };
    let size = mem::size_of::<libc::sched_attr>();
    // SAFETY: `found` is valid for writes of `size` bytes. musl has no function for it.
    let result = unsafe { libc::syscall(libc::SYS_sched_getattr, thread, &raw mut found, size, 0) };
    if result == 0 {
        Ok(found)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sets it for this thread (`sched_setattr(2)`).
pub(super) fn set_scheduling(wanted: &libc::sched_attr) -> io::Result<()> {
    let wanted: *const libc::sched_attr = wanted;
    // SAFETY: the structure carries its own size, as `scheduling` got it from the kernel, and is only read.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, THIS_THREAD, wanted, 0) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The kernel's `struct sigaction`: the handler is its first word on every architecture that is built, the rest (flags,
/// restorer, mask) is only ever zero here. Larger than the kernel's, which differs.
type KernelAction = [usize; 8];
const KERNEL_MASK_BYTES: usize = 8;
const LAST_SIGNAL: i32 = 64;

/// `rt_sigaction(2)` without the C library, which refuses the signals that it keeps for itself (32 to 34).
fn kernel_action(signal: i32, new: *const KernelAction, old: *mut KernelAction) -> bool {
    // SAFETY: the pointers are null or point to more bytes than the kernel reads or writes. Async-signal-safe.
    let result =
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, KERNEL_MASK_BYTES) };
    result == 0
}

/// Sets every ignored signal to its default; handlers stay.
pub(super) fn restore_ignored() {
    for signal in 1..=LAST_SIGNAL {
        let mut old: KernelAction = [0; 8];
        if kernel_action(signal, ptr::null(), &raw mut old) && old[0] == libc::SIG_IGN {
            let default: KernelAction = [libc::SIG_DFL, 0, 0, 0, 0, 0, 0, 0];
            kernel_action(signal, &raw const default, ptr::null_mut());
        }
    }
}

/// Sets every signal to its default and empties the mask. Only for a child between fork and exec; async-signal-safe.
pub(super) fn reset_signals() {
    let default: KernelAction = [libc::SIG_DFL, 0, 0, 0, 0, 0, 0, 0];
    for signal in 1..=LAST_SIGNAL {
        // KILL and STOP are refused, which is as well: they are at their default.
        kernel_action(signal, &raw const default, ptr::null_mut());
    }
    let none: u64 = 0;
    // SAFETY: `none` is the kernel's 8-byte mask; the old mask is not asked for.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const none,
            ptr::null_mut::<u64>(),
            KERNEL_MASK_BYTES,
        );
    }
}

/// Makes a signal do in this process what it does by default.
pub(super) fn default_action(signal: i32) {
    let action: KernelAction = [libc::SIG_DFL, 0, 0, 0, 0, 0, 0, 0];
    kernel_action(signal, &raw const action, ptr::null_mut());
}

/// Ignores a signal in this process.
pub(super) fn ignore(signal: Signal) {
    let action: KernelAction = [libc::SIG_IGN, 0, 0, 0, 0, 0, 0, 0];
    kernel_action(signal.number(), &raw const action, ptr::null_mut());
}

/// Every signal, those of the C library included: with a set from `sigfillset` glibc leaves 32 and 33 ignored in children.
pub(super) fn every_signal() -> SigSet {
    // SAFETY: sigset_t is an array of integers; every bit pattern is valid.
    let mut set: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: writes within the bounds of `set`. There is no safe way to set the bits that `sigaddset` refuses.
    unsafe { ptr::write_bytes(&raw mut set, 0xff, 1) };
    // SAFETY: the set is only copied by posix_spawnattr_setsigdefault, which does not look at it.
    unsafe { SigSet::from_sigset_t_unchecked(set) }
}

/// Where the kernel put the dynamic loader; 0 without one (getauxval(3)).
pub(super) fn loader_base() -> u64 {
    // SAFETY: reads a table that the kernel wrote before this program began. `/proc/self/auxv` is the safe way to it, and
    // is not in every root.
    unsafe { libc::getauxval(libc::AT_BASE) }
}
