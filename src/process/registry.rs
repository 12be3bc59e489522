//! Who runs: the registry of the runs and of their first processes.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use super::limits::FileLimit;
use super::marker::Marker;
use super::oom::OomKills;
use super::precedence::{self, Precedence};
use super::procfs::Procfs;
use super::reserve::{Reserve, is_out_of_files};
use super::role::Role;
use super::spawn::Launch;
use super::streak::Streak;
use super::survivors::Survivors;
use super::{SpawnError, SpawnRequest, Spawned};
use crate::events::{Run, RunId};
use crate::jobs::Orphans;

/// All processes of the program: runs, what they left behind, and orphans.
#[derive(Debug)]
pub struct Processes {
    pub(super) pid1: bool,
    pub(super) procfs: Option<Procfs>,
    pub(super) marker: Marker,
    pub(super) reserve: Reserve,
    pub(super) limit: FileLimit,
    /// Runs whose first process is not collected.
    pub(super) live: HashMap<RunId, Live>,
    /// Their pids. A pid is in here exactly as long as it cannot mean another process.
    pub(super) leaders: HashMap<i32, RunId>,
    pub(super) survivors: Survivors,
    pub(super) streak: Streak,
    pub(super) oom_kills: OomKills,
    pub(super) counters: Counters,
    /// Precedence over the jobs was asked for.
    preceding: bool,
}

/// A run whose first process is not collected.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) run: Run,
    /// Its first process, and the number of its process group.
    pub(super) pid: i32,
    pub(super) orphans: Orphans,
    pub(super) tty: bool,
    /// It was asked to end: nothing of it may stay.
    pub(super) ending: bool,
    /// KILL was asked for: what the first process leaves is killed without a further word.
    pub(super) killing: bool,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commands that were started.
    pub spawned: u64,
    /// First processes of runs that were collected.
    pub collected: u64,
    /// Processes of others that were collected.
    pub orphans: u64,
    /// Processes of this control group that the kernel killed for want of memory, as far as an end made us look.
    pub oom_kills: u64,
}

impl Processes {
    /// An empty registry.
    ///
    /// # Errors
    ///
    /// If there is no descriptor left for the children's empty input.
    pub fn new(role: Role) -> io::Result<Processes> {
        Ok(Processes {
            pid1: role.pid1,
            procfs: role.procfs.then(Procfs::probe).flatten(),
            marker: Marker::from_environment(),
            reserve: Reserve::new()?,
            limit: FileLimit::default(),
            live: HashMap::new(),
            leaders: HashMap::new(),
            survivors: Survivors::default(),
            streak: Streak::default(),
            oom_kills: OomKills::of_this_group(),
            counters: Counters::default(),
            preceding: false,
        })
    }

    /// Starts a command as the leader of a new process group, and registers it in the same step: a status cannot be
    /// collected in between (P03). Returns after the exec, so that a signal sent next meets the command itself (D31).
    ///
    /// # Errors
    ///
    /// If it cannot be started; then nothing is left of it.
    pub fn spawn(&mut self, request: &SpawnRequest<'_>) -> Result<Spawned, SpawnError> {
        debug_assert!(
            !self.live.contains_key(&request.run.id),
            "a run starts once"
        );
        let launch = Launch {
            marker: &self.marker,
            reserve: &mut self.reserve,
            limit: self.limit,
        };
        let spawned = launch.start(request)?;
        self.leaders.insert(spawned.pid, request.run.id);
        self.survivors.forget_number(spawned.pid);
        self.streak.add(spawned.pid, Instant::now());
        let live = Live {
            run: request.run,
            pid: spawned.pid,
            orphans: request.orphans,
            tty: request.tty,
            ending: false,
            killing: false,
        };
        self.live.insert(request.run.id, live);
        self.counters.spawned += 1;
        Ok(spawned)
    }

    /// The first process of a run, while it is not collected.
    pub fn pid(&self, run: RunId) -> Option<i32> {
        self.live.get(&run).map(|live| live.pid)
    }

    /// The runs whose first process is not collected, in no order.
    pub fn live(&self) -> impl Iterator<Item = (Run, i32)> + '_ {
        self.live.values().map(|live| (live.run, live.pid))
    }

    /// The pids of what an ended run left behind, as far as they are children of this process; for messages.
    pub fn leftovers(&self, run: RunId) -> Vec<i32> {
        self.survivors.of(run)
    }

    /// What has happened since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Raises the soft limit of open files to `needed`, or to the hard limit if that is less; children get the original
    /// (P19, decision 21). Returns the limit now in force.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn raise_file_limit(&mut self, needed: u64) -> io::Result<u64> {
        self.limit.raise(needed)
    }

    /// Gives this thread precedence over the jobs, once and for good, as far as the kernel allows it. Children are not
    /// affected (X06).
    pub fn take_precedence(&mut self) -> Precedence {
        if std::mem::replace(&mut self.preceding, true) {
            return Precedence::Settled;
        }
        precedence::take().unwrap_or(Precedence::Refused)
    }

    /// When [`Processes::sweep`] wants to be called: at some moment while an ended run has left something behind.
    pub fn next_sweep(&self) -> Option<Instant> {
        self.survivors.next_sweep()
    }

    /// Does something that opens files, once more with the reserve given up if there are no descriptors left (X01).
    pub(super) fn with_spares<T>(
        &mut self,
        mut action: impl FnMut(&mut Processes) -> io::Result<T>,
    ) -> io::Result<T> {
        let first = action(self);
        match first {
            Err(error) if is_out_of_files(&error) => {
                self.reserve.spares.release();
                let second = action(self);
                self.reserve.spares.refill(&self.reserve.empty);
                second
            }
            other => other,
        }
    }
}
