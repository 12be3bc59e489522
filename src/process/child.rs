//! What a forked child does between its fork and its exec.
//!
//! The order, each step for those that ask for it: the group of its own (by the standard library), the terminal, umask,
//! nice, limits, supplementary groups, group, user, directory, `no_new_privs`, signals, exec. What needs rights comes before
//! the user is switched; the directory after it, so that a job runs where its user may be and nowhere else, as in
//! containers and with systemd.
//!
//! Everything is made ready before the fork: afterwards nothing allocates or locks, and only plain system calls are made.
//! They are made directly, because the C library's `setresuid` and its like tell all threads of a process, which the
//! child of a fork does not have.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

use super::sys;

/// What to execute, with the arrays that `execve(2)` wants already made.
#[derive(Debug)]
pub(super) struct Image {
    file: CString,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
    /// What the pointers point into; moving a `CString` does not move its text.
    _texts: Vec<CString>,
}

// SAFETY: the pointers lead into `_texts`, which nobody changes and which lives as long.
unsafe impl Send for Image {}
// SAFETY: as above; nothing can be changed through a shared reference.
unsafe impl Sync for Image {}

impl Image {
    pub(super) fn new(file: &CStr, argv: &[CString], env: &[&CStr]) -> Image {
        let words = argv.iter().map(CString::as_c_str);
        let texts: Vec<CString> = words
            .chain(env.iter().copied())
            .map(CStr::to_owned)
            .collect();
        let (words, variables) = texts.split_at(argv.len());
        let array = |texts: &[CString]| {
            let pointers = texts.iter().map(|text| text.as_ptr());
            pointers.chain([ptr::null()]).collect()
        };
        Image {
            file: file.to_owned(),
            argv: array(words),
            envp: array(variables),
            _texts: texts,
        }
    }

    /// Returns only if it failed. Async-signal-safe.
    fn execute(&self) -> io::Error {
        // SAFETY: the arrays end with a null pointer and lead to texts that end with NUL and are alive.
        unsafe { libc::execve(self.file.as_ptr(), self.argv.as_ptr(), self.envp.as_ptr()) };
        io::Error::last_os_error()
    }
}

/// What the child changes about itself.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// It takes the terminal on its descriptor 0. We ignore SIGTTOU then, and the child inherits that until it resets
    /// it, so taking the terminal cannot stop it.
    pub(super) tty: bool,
    pub(super) umask: Option<u32>,
    pub(super) nice: Option<i8>,
    /// Resources by the kernel's number; `rlimit` is the kernel's own structure on 64-bit systems, which are what is built.
    pub(super) limits: Vec<(usize, libc::rlimit)>,
    pub(super) groups: Option<Vec<u32>>,
    pub(super) group: Option<u32>,
    pub(super) user: Option<u32>,
    /// Who it becomes is who we are: what cannot be changed of the supplementary groups is right as it is.
    pub(super) is_ourselves: bool,
    pub(super) workdir: Option<CString>,
    pub(super) no_new_privileges: bool,
    /// A descriptor that stays open over the exec.
    pub(super) kept: Option<RawFd>,
    /// A descriptor that it has under another number.
    pub(super) ready: Option<(RawFd, RawFd)>,
}

/// A step that can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nice,
    Limit(usize),
    Groups,
    Group,
    User,
    Directory,
    NoNewPrivileges,
}

/// Where the step stands in the number that the child sends for an error; error numbers are below 4096.
const STEP: i32 = 1 << 16;
const FIRST_LIMIT: i32 = 16;

impl Step {
    const ALL: [Step; 6] = [
        Step::Nice,
        Step::Groups,
        Step::Group,
        Step::User,
        Step::Directory,
        Step::NoNewPrivileges,
    ];

    /// The last error, told apart from that of an exec: one number is all that the standard library carries from the
    /// child to us. Async-signal-safe.
    fn refused(self) -> io::Error {
        let error = io::Error::last_os_error().raw_os_error().unwrap_or(0);
        let step = match self {
            Step::Nice => 1,
            Step::Groups => 2,
            Step::Group => 3,
            Step::User => 4,
            Step::Directory => 5,
            Step::NoNewPrivileges => 6,
            // Fifteen resources there are.
            Step::Limit(number) => FIRST_LIMIT + i32::try_from(number).unwrap_or_default(),
        };
        io::Error::from_raw_os_error(step * STEP + error)
    }

    /// The step that an error is of, if it is of one, and what the kernel said.
    pub(super) fn of(error: &io::Error) -> Option<(Step, i32)> {
        let number = error.raw_os_error()?;
        let (step, number) = (number / STEP, number % STEP);
        if step >= FIRST_LIMIT {
            let limit = usize::try_from(step - FIRST_LIMIT).ok()?;
            return Some((Step::Limit(limit), number));
        }
        let index = usize::try_from(step.checked_sub(1)?).ok()?;
        Some((*Step::ALL.get(index)?, number))
    }
}

impl Plan {
    /// Performs the plan in the child. Async-signal-safe.
    fn perform(&self) -> Result<(), Step> {
        if self.tty {
            // SAFETY: takes integers. Where descriptor 0 is not our terminal the call fails and the child runs as any
            // other would.
            unsafe { libc::tcsetpgrp(0, libc::getpid()) };
        }
        if let Some(umask) = self.umask {
            // SAFETY: takes an integer and cannot fail.
            unsafe { libc::syscall(libc::SYS_umask, umask) };
        }
        if let Some(nice) = self.nice {
            // SAFETY: takes integers; 0 and 0 mean this process.
            let result =
                unsafe { libc::syscall(libc::SYS_setpriority, 0, 0, libc::c_long::from(nice)) };
            done(result, Step::Nice)?;
        }
        for (number, limit) in &self.limits {
            let old = ptr::null_mut::<libc::rlimit>();
            // SAFETY: `limit` is alive, the old one is not asked for.
            let result =
                unsafe { libc::syscall(libc::SYS_prlimit64, 0, *number, &raw const *limit, old) };
            done(result, Step::Limit(*number))?;
        }
        self.switch_user()?;
        if let Some(workdir) = &self.workdir {
            // SAFETY: the path ends with NUL and is alive.
            let result = unsafe { libc::syscall(libc::SYS_chdir, workdir.as_ptr()) };
            done(result, Step::Directory)?;
        }
        if self.no_new_privileges {
            // The kernel looks at all bits of them.
            let (yes, no): (libc::c_ulong, libc::c_ulong) = (1, 0);
            // SAFETY: takes integers.
            let result = unsafe {
                libc::syscall(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, yes, no, no, no)
            };
            done(result, Step::NoNewPrivileges)?;
        }
        if let Some(kept) = self.kept {
            // SAFETY: takes integers. The flag that closes it at an exec is the only one that there is.
            unsafe { libc::fcntl(kept, libc::F_SETFD, 0) };
        }
        match self.ready {
            // SAFETY: as above.
            Some((end, number)) if end == number => unsafe {
                libc::fcntl(number, libc::F_SETFD, 0);
            },
            // SAFETY: takes integers.
            Some((end, number)) => unsafe {
                libc::dup2(end, number);
            },
            None => {}
        }
        Ok(())
    }

    fn switch_user(&self) -> Result<(), Step> {
        if let Some(groups) = &self.groups {
            // SAFETY: the array is alive and as long as it says.
            let result =
                unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
            let set = done(result, Step::Groups);
            if !self.is_ourselves {
                set?;
            }
        }
        if let Some(group) = self.group {
            // SAFETY: takes integers.
            let result = unsafe { libc::syscall(libc::SYS_setresgid, group, group, group) };
            done(result, Step::Group)?;
        }
        if let Some(user) = self.user {
            // SAFETY: takes integers.
            let result = unsafe { libc::syscall(libc::SYS_setresuid, user, user, user) };
            done(result, Step::User)?;
        }
        Ok(())
    }
}

fn done(result: libc::c_long, step: Step) -> Result<(), Step> {
    if result == 0 { Ok(()) } else { Err(step) }
}

/// Makes `command`, once it has forked and has a group of its own, perform the plan, set its signals right, and execute
/// `image`.
///
/// The exec is done here because the standard library's is `execvp`, which hands a file of no known format to a shell:
/// the same file would start one way and fail the other.
pub(super) fn exec_by_fork(command: &mut Command, image: Image, plan: Plan) {
    let prepare = move || {
        plan.perform().map_err(Step::refused)?;
        sys::reset_signals();
        Err(image.execute())
    };
    // SAFETY: the closure allocates nothing, takes no lock and calls async-signal-safe functions only. posix_spawn has
    // no action for any of this, and no way to drop what a child was sent before it had a group of its own, so a fork it
    // must be, for these runs alone (decision 21).
    unsafe { command.pre_exec(prepare) };
}

/// The limits of a resource, which a child would inherit.
pub(super) fn limits_of(number: usize) -> io::Result<libc::rlimit> {
    let mut now = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    let no_new = ptr::null::<libc::rlimit>();
    // SAFETY: `now` is valid for writes for the length of the call, and nothing is set. The C libraries disagree on the
    // type of a resource's number.
    let result = unsafe { libc::syscall(libc::SYS_prlimit64, 0, number, no_new, &raw mut now) };
    if result == 0 {
        Ok(now)
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_survives_its_way_as_a_number() {
        let steps = Step::ALL.into_iter().chain((0..15).map(Step::Limit));
        for step in steps {
            // SAFETY: an invalid descriptor is what is wanted.
            unsafe { libc::close(-1) };
            assert_eq!(Step::of(&step.refused()), Some((step, libc::EBADF)));
        }
        assert_eq!(Step::of(&io::Error::from_raw_os_error(libc::EPERM)), None);
    }
}
