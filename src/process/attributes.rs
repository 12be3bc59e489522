//! From a job's attributes to what its child does, and from a refusal to words (P17).

use std::ffi::CString;
use std::io;
use std::os::fd::AsRawFd;

use nix::unistd::{getresgid, getresuid};

use super::SpawnRequest;
use super::child::{self, Plan, Step};
use super::error::SpawnError;
use super::limits::FileLimit;
use crate::jobs::{Limit, Resource};

/// Who a command becomes, in numbers. `None` leaves that part as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub user: Option<u32>,
    pub group: Option<u32>,
    /// The supplementary groups: these and no others.
    pub groups: Option<Vec<u32>>,
}

impl Identity {
    /// Whether user and group are ours already, in each of their three kinds.
    fn is_ours(&self) -> bool {
        let users = getresuid().is_ok_and(|ids| {
            let all = [ids.real, ids.effective, ids.saved];
            let is = |user| all.iter().all(|id| id.as_raw() == user);
            self.user.is_none_or(is)
        });
        let groups = getresgid().is_ok_and(|ids| {
            let all = [ids.real, ids.effective, ids.saved];
            let is = |group| all.iter().all(|id| id.as_raw() == group);
            self.group.is_none_or(is)
        });
        users && groups
    }
}

/// Whether the child has to do something itself, which the fast way of a start cannot order.
pub(super) fn need_a_fork(request: &SpawnRequest<'_>) -> bool {
    let attributes = request.attributes;
    request.identity.is_some()
        || attributes.workdir.is_some()
        || attributes.umask.is_some()
        || attributes.nice.is_some()
        || attributes.no_new_privileges
        || !attributes.limits.is_empty()
}

/// What the child of a fork does.
pub(super) fn plan(request: &SpawnRequest<'_>, files: FileLimit) -> io::Result<Plan> {
    let attributes = request.attributes;
    let identity = request.identity.cloned().unwrap_or_default();
    let workdir = attributes.workdir.as_deref().map(CString::new);
    Ok(Plan {
        tty: request.tty,
        umask: attributes.umask,
        nice: attributes.nice,
        limits: limits(&attributes.limits, files)?,
        is_ourselves: identity.is_ours(),
        groups: identity.groups,
        group: identity.group,
        user: identity.user,
        workdir: workdir.transpose().map_err(io::Error::other)?,
        no_new_privileges: attributes.no_new_privileges,
        kept: request.keeps.map(|kept| kept.as_raw_fd()),
        ready: request.ready.map(|(end, number)| (end.as_raw_fd(), number)),
    })
}

/// The limits of the child. Our own limit of files is none of its business (P19): what it is not told it gets as we did.
fn limits(told: &[(Resource, Limit)], files: FileLimit) -> io::Result<Vec<(usize, libc::rlimit)>> {
    let mut limits = Vec::with_capacity(told.len() + 1);
    let original = files.original();
    let is_told = |wanted| told.iter().any(|(resource, _)| *resource == wanted);
    if let Some(original) = original.filter(|_| !is_told(Resource::NOFILE)) {
        limits.push((Resource::NOFILE.number(), original));
    }
    for (resource, limit) in told {
        let number = resource.number();
        let now = match original {
            Some(original) if *resource == Resource::NOFILE => original,
            _ => child::limits_of(number)?,
        };
        let rlim_max = limit.hard.unwrap_or(now.rlim_max);
        // A soft limit that nobody wrote gives way to the hard one.
        let rlim_cur = limit.soft.unwrap_or(now.rlim_cur.min(rlim_max));
        limits.push((number, libc::rlimit { rlim_cur, rlim_max }));
    }
    Ok(limits)
}

/// What a refused attribute is to people; `None` if the error is of something else.
pub(super) fn explain(request: &SpawnRequest<'_>, error: &io::Error) -> Option<SpawnError> {
    let (step, number) = Step::of(error)?;
    let program = request.argv.first().map_or("", String::as_str);
    let said = io::Error::from_raw_os_error(number);
    let is_refused = matches!(number, libc::EPERM | libc::EACCES);
    let why = |right: &str| match number {
        libc::EPERM | libc::EACCES => format!("the kernel refuses it: it needs {right}"),
        libc::EINVAL => "this user namespace has no such number".to_owned(),
        _ => said.to_string(),
    };
    let attributes = request.attributes;
    let cause = match step {
        // Also the limit of processes of the user that it would be.
        Step::User if number == libc::EAGAIN => {
            return Some(SpawnError::exhausted(
                program,
                "the user's limit of processes is reached",
            ));
        }
        Step::User => format!("cannot become {}: {}", shown(request), why("CAP_SETUID")),
        Step::Group | Step::Groups => {
            format!("cannot become {}: {}", shown(request), why("CAP_SETGID"))
        }
        Step::Nice => {
            let nice = attributes.nice.unwrap_or_default();
            let why = why("CAP_SYS_NICE, or a higher limit `nice`");
            format!("cannot set `nice` to {nice}: {why}")
        }
        Step::Limit(number) => {
            let name = Resource::from_number(number).map_or("", Resource::name);
            let why = if is_refused {
                let now = child::limits_of(number).map_or(0, |limit| limit.rlim_max);
                format!("the hard limit is {now}, and to raise it needs CAP_SYS_RESOURCE")
            } else if said.raw_os_error() == Some(libc::EINVAL) {
                "the soft limit would be above the hard one".to_owned()
            } else {
                said.to_string()
            };
            format!("cannot set `limits.{name}`: {why}")
        }
        Step::Directory => {
            let workdir = attributes.workdir.as_deref().unwrap_or_default();
            let why = match number {
                libc::ENOENT => "it does not exist".to_owned(),
                libc::ENOTDIR => "it is not a directory".to_owned(),
                libc::EACCES => "the job's user may not enter it".to_owned(),
                _ => said.to_string(),
            };
            format!(
                "cannot enter the workdir `{}`: {why}",
                workdir.escape_debug()
            )
        }
        Step::NoNewPrivileges => format!("cannot set `noNewPrivileges`: {said}"),
    };
    Some(SpawnError::attributes(program, &cause))
}

/// Who the command was to become.
fn shown(request: &SpawnRequest<'_>) -> String {
    let ids = request
        .identity
        .map(|identity| (identity.user, identity.group));
    match ids.unwrap_or_default() {
        (Some(user), Some(group)) => format!("user {user} with group {group}"),
        (Some(user), None) => format!("user {user}"),
        (None, Some(group)) => format!("group {group}"),
        (None, None) => "who was asked for".to_owned(),
    }
}
