//! What this process is to the others: PID 1 or a subreaper.

use std::io;

use nix::sys::prctl;
use nix::sys::signal::SigSet;

use super::precedence;
use super::procfs::Procfs;
use super::sys;
use crate::events::Signal;

/// What this process is, found out once at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// It is the init of its PID namespace.
    pub pid1: bool,
    /// `/proc` is mounted and shows this PID namespace. Without it descendants outside of a run's group are not found
    /// (P08); worth one warning.
    pub procfs: bool,
}

/// Takes the role on; to be called once, right after [`super::Signals::install`], before any thread or child exists.
///
/// Whatever the parent blocked or ignored is undone, for us and so for the children (P11): the mask is emptied, which
/// delivers what was held back to the handlers, and ignored signals go back to their default. SIGPIPE, SIGTTOU and SIGXFSZ
/// are then ignored: a reader that went away (L05), a terminal that stops writers in the background and a full file are
/// errors of the write, not the end of the supervisor. SIGQUIT keeps its default, so that a supervisor that is not
/// PID 1 can be made to dump core; the kernel keeps it from a PID 1.
///
/// Who is not PID 1 becomes a child subreaper, so that orphans come to us either way (P07).
///
/// This thread, on which the loop will be, gets its turns soon after it asks for them, among busy jobs too (X06); where
/// that is refused, it goes on without.
///
/// # Errors
///
/// If the kernel knows no child subreapers (before Linux 3.4) or the mask cannot be set.
pub fn adopt_role() -> io::Result<Role> {
    sys::restore_ignored();
    for signal in [Signal::PIPE, Signal::TTOU, Signal::XFSZ] {
        sys::ignore(signal);
    }
    SigSet::empty().thread_set_mask()?;
    let _ = precedence::shorten_slices();
    let pid1 = std::process::id() == 1;
    if !pid1 {
        prctl::set_child_subreaper(true).map_err(|errno| {
            let error = io::Error::from(errno);
            io::Error::new(
                error.kind(),
                format!("orphans would not come to it, as it is no PID 1: {error}"),
            )
        })?;
    }
    Ok(Role {
        pid1,
        procfs: Procfs::probe().is_some(),
    })
}
