//! Starting a command.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use nix::unistd::{Pid, Uid, fchown, pipe2};

use super::attributes::{self, Identity};
use super::child::{self, Image, Plan};
use super::error::SpawnError;
use super::executable;
use super::limits::FileLimit;
use super::marker::Marker;
use super::reserve::Reserve;
use super::sys;
use crate::events::{Run, Signal};
use crate::jobs::{Attributes, Orphans, Stdin};

/// A command to start.
#[derive(Clone, Copy, Debug)]
pub struct SpawnRequest<'a> {
    /// The run that it is.
    pub run: Run,
    /// The command and its arguments. A command without `/` is looked for in the `PATH` of `env`.
    pub argv: &'a [String],
    /// The whole environment, `NAME=value` each. It is passed on as it is; only the run's marker is put in front, in
    /// place of any that is there.
    pub env: &'a [&'a CStr],
    /// Where stdout and stderr go.
    pub output: Output,
    /// Where stdin comes from; [`Stdin::Inherit`] goes with `tty`.
    pub stdin: Stdin,
    /// The command's group becomes the one in front of the terminal on our stdin, if there is one (P13).
    pub tty: bool,
    /// A signal for our whole process group may be on its way: a terminal's ^C, or what ends a group by TERM. Until a child
    /// has a group of its own it would meet the child as well, so this one keeps our handlers for so long, which a
    /// fork allows and `posix_spawn` does not (D12).
    pub sheltered: bool,
    /// What becomes of the processes that outlive the first one: with [`Orphans::Keep`] nobody waits for their end
    /// until [`super::Processes::terminate`] asks for it.
    pub orphans: Orphans,
    /// A descriptor of ours that the child keeps, under its number here, which therefore is none that the child has from
    /// somebody else.
    pub keeps: Option<BorrowedFd<'a>>,
    /// Where and with what rights and limits it runs. Of its environment and its user only `env` and `identity` count.
    pub attributes: &'a Attributes,
    /// Who it becomes; `None`: it stays who we are.
    pub identity: Option<&'a Identity>,
    /// A descriptor of ours that the child has under this number, whatever else was there.
    pub ready: Option<(BorrowedFd<'a>, RawFd)>,
}

/// Where stdout and stderr of a command go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Both into one pipe whose other end the caller gets (decision 21).
    Pipe,
    /// Stdout into a pipe whose other end the caller gets, stderr to our own: what is written is a value.
    Value,
    /// To our own stdout and stderr.
    Inherit,
}

/// A command that was started.
#[derive(Debug)]
pub struct Spawned {
    /// Its pid, and the number of its process group.
    pub pid: i32,
    /// With [`Output::Pipe`] and [`Output::Value`], the end to read from: non-blocking, closed at exec.
    pub output: Option<OwnedFd>,
}

/// What a start needs from the registry.
pub(super) struct Launch<'a> {
    pub(super) marker: &'a Marker,
    pub(super) reserve: &'a mut Reserve,
    pub(super) limit: FileLimit,
}

/// The descriptors that become 0, 1 and 2 of the child (`None` keeps ours), and one that it keeps.
struct Streams<'a> {
    stdin: Option<BorrowedFd<'a>>,
    output: Option<BorrowedFd<'a>>,
    errors: Option<BorrowedFd<'a>>,
    keeps: Option<BorrowedFd<'a>>,
    ready: Option<(BorrowedFd<'a>, RawFd)>,
}

impl Launch<'_> {
    pub(super) fn start(self, request: &SpawnRequest<'_>) -> Result<Spawned, SpawnError> {
        let program = request.argv.first().map_or("", String::as_str);
        let workdir = request.attributes.workdir.as_deref();
        let file = executable::find(program, search_path(request.env), workdir)?;
        let words = request.argv.iter().map(|word| CString::new(word.as_str()));
        let Ok(argv) = words.collect::<Result<Vec<CString>, _>>() else {
            let cause = "an argument cannot hold a NUL byte";
            return Err(SpawnError::not_executable(program, cause));
        };
        let failed = |error: io::Error| match attributes::explain(request, &error) {
            Some(error) => error,
            None => executable::explain(program, &file, workdir, &error),
        };
        let pipe = match request.output {
            Output::Pipe | Output::Value => Some(output_pipe(request.identity).map_err(failed)?),
            Output::Inherit => None,
        };
        let pid = self
            .launch(request, &file, &argv, pipe.as_ref())
            .map_err(failed)?;
        Ok(Spawned {
            pid,
            output: pipe.map(|(read, _)| read),
        })
    }

    fn launch(
        self,
        request: &SpawnRequest<'_>,
        file: &CString,
        argv: &[CString],
        pipe: Option<&(OwnedFd, OwnedFd)>,
    ) -> io::Result<i32> {
        let mark = self.marker.variable(request.run.id)?;
        let mut env = Vec::with_capacity(request.env.len() + 1);
        // In front, so that a search finds it at once.
        env.push(mark.as_c_str());
        let others = request.env.iter().copied();
        env.extend(others.filter(|entry| !Marker::is_variable(entry.to_bytes())));
        let Reserve { empty, spares } = self.reserve;
        let streams = Streams {
            stdin: (request.stdin == Stdin::Null).then_some(empty.as_fd()),
            output: pipe.map(|(_, write)| write.as_fd()),
            errors: pipe
                .filter(|_| request.output == Output::Pipe)
                .map(|(_, write)| write.as_fd()),
            keeps: request.keeps,
            ready: request.ready,
        };
        if request.tty || request.sheltered || attributes::need_a_fork(request) {
            let plan = attributes::plan(request, self.limit)?;
            return by_fork(file, argv, &env, &streams, plan);
        }
        let prepared = Prepared::new(&streams)?;
        if self.limit.is_raised() {
            spares.release();
        }
        let spawn = || prepared.spawn(file, argv, &env);
        let pid = self.limit.under_original(spawn);
        spares.refill(empty);
        pid
    }
}

/// The fast way: the C library's `posix_spawn`, which shares our memory until the exec instead of copying its tables.
struct Prepared {
    attributes: PosixSpawnAttr,
    actions: PosixSpawnFileActions,
}

impl Prepared {
    /// To be made before the file limit is lowered: the C library refuses descriptors above the limit, and `nix` does
    /// not see that refusal.
    fn new(streams: &Streams<'_>) -> io::Result<Prepared> {
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_flags(
            PosixSpawnFlags::POSIX_SPAWN_SETPGROUP
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK,
        )?;
        attributes.set_pgroup(Pid::from_raw(0))?;
        attributes.set_sigdefault(&sys::every_signal())?;
        attributes.set_sigmask(&SigSet::empty())?;
        let mut actions = PosixSpawnFileActions::init()?;
        if let Some(stdin) = streams.stdin {
            actions.add_dup2(stdin.as_raw_fd(), 0)?;
        }
        if let Some(output) = streams.output {
            actions.add_dup2(output.as_raw_fd(), 1)?;
        }
        if let Some(errors) = streams.errors {
            actions.add_dup2(errors.as_raw_fd(), 2)?;
        }
        if let Some(kept) = streams.keeps {
            // Onto itself: that takes its close-on-exec flag away, in glibc (since 2.29) as in musl.
            actions.add_dup2(kept.as_raw_fd(), kept.as_raw_fd())?;
        }
        if let Some((end, number)) = streams.ready {
            actions.add_dup2(end.as_raw_fd(), number)?;
        }
        Ok(Prepared {
            attributes,
            actions,
        })
    }

    fn spawn(&self, file: &CStr, argv: &[CString], env: &[&CStr]) -> io::Result<i32> {
        let pid = posix_spawn(file, &self.actions, &self.attributes, argv, env)?;
        Ok(pid.as_raw())
    }
}

/// The slow way, for what a child has to do itself: a fork. It is for the one job that owns the terminal (were it given
/// by us after the start, the command could read before and be stopped by SIGTTIN), and for those with attributes.
fn by_fork(
    file: &CStr,
    argv: &[CString],
    env: &[&CStr],
    streams: &Streams<'_>,
    plan: Plan,
) -> io::Result<i32> {
    // With a terminal, from now on we are in the background of our own terminal: neither a write of ours to it nor taking it back may
    // stop us.
    if plan.tty {
        sys::ignore(Signal::TTOU);
        sys::ignore(Signal::TTIN);
    }
    let mut command = Command::new(OsStr::from_bytes(file.to_bytes()));
    command.process_group(0);
    if let Some(stdin) = streams.stdin {
        command.stdin(Stdio::from(stdin.try_clone_to_owned()?));
    }
    if let Some(output) = streams.output {
        command.stdout(Stdio::from(output.try_clone_to_owned()?));
    }
    if let Some(errors) = streams.errors {
        command.stderr(Stdio::from(errors.try_clone_to_owned()?));
    }
    child::exec_by_fork(&mut command, Image::new(file, argv, env), plan);
    // Dropping a `Child` neither waits for it nor signals it.
    let child = command.spawn()?;
    Ok(child.id().cast_signed())
}

fn search_path<'a>(env: &[&'a CStr]) -> Option<&'a [u8]> {
    env.iter()
        .find_map(|entry| entry.to_bytes().strip_prefix(b"PATH="))
}

/// Both ends are closed at exec; only ours does not block, the flag belongs to each end.
///
/// A pipe is its maker's alone: who opens `/dev/stdout` under another user needs it to be theirs.
fn output_pipe(identity: Option<&Identity>) -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    if let Some(user) = identity.and_then(|identity| identity.user) {
        // Who may not become this user either, which is told then.
        let _ = fchown(&write, Some(Uid::from_raw(user)), None);
    }
    fcntl(&read, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((read, write))
}
