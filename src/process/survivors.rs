//! What ended runs left behind, and whose each of our unknown children is.
//!
//! A *stranger* is a child of this process that is not the first process of a live run: something that outlived its
//! parent. Its owner is found once, in this order (decision 22):
//!
//! 1. the run that the marker in its start environment names;
//! 2. the run below whose first process it was seen, with the same start time;
//! 3. the run whose process group, or session, it is in, as long as that number cannot have been recycled.
//!
//! A stranger that none of these claims is unowned, and swept at the end of the program. Descendants of a stranger
//! belong to its owner; they become strangers themselves when what is between them and us dies.
//!
//! A stranger's pid means the same process until we collect it, so between two surveys nothing has to be checked anew.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::time::{Duration, Instant};

use nix::unistd::{Pid, getpgid, getsid};

use super::marker::Marker;
use super::procfs::{Procfs, Stat};
use super::sys;
use crate::events::{Run, RunId};

/// The first wait between two looks at what is left, and the longest; it doubles in between.
const FIRST_SWEEP: Duration = Duration::from_millis(1);
const LONGEST_SWEEP: Duration = Duration::from_millis(50);

/// How long a start environment may read as empty before that is taken for the truth. In the middle of an exec it does.
const EXEC_TIME: Duration = Duration::from_millis(5);

/// How old a survey may be for a signal: it only finds who left the group and the tree before, and what came later is
/// found at the exit. Keeps the stop of 1,000 jobs from reading the list of 1,000 children 1,000 times.
const FRESH: Duration = Duration::from_millis(2);

/// How often the list of children is read again because some of them died meanwhile.
const MAX_PASSES: usize = 8;

/// Strangers, their owners, and the ended runs that still own something.
#[derive(Debug, Default)]
pub(super) struct Survivors {
    leaving: BTreeMap<RunId, Leaving>,
    strangers: HashMap<i32, Stranger>,
    /// Descendants that were seen below a first process, by pid.
    known: HashMap<i32, Known>,
    /// Numbers of groups and sessions in which only processes of one run are, as long as a member keeps the kernel from
    /// giving the number away.
    numbers: HashMap<i32, RunId>,
    surveyed: Option<Instant>,
    due: Option<Instant>,
    wait: Duration,
}

/// A run whose first process is collected.
#[derive(Debug)]
struct Leaving {
    run: Run,
    /// The pid of its first process, which was the number of its group.
    group: i32,
    /// It may leave processes behind: nobody waits for their end until that is asked for.
    kept: bool,
    /// Whatever is found of it is killed.
    killing: bool,
    /// The exit has not been reported yet, so no `Gone` follows if nothing is left.
    fresh: bool,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    run: RunId,
    start: u64,
}

#[derive(Clone, Copy, Debug)]
struct Stranger {
    owner: Option<RunId>,
    /// Its environment reads as empty since this moment, which may be an exec that is under way.
    doubtful_since: Option<Instant>,
}

/// What it takes to find an owner.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) procfs: Procfs,
    pub(super) marker: &'a Marker,
    pub(super) leaders: &'a HashMap<i32, RunId>,
}

/// What a survey says of one ended run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) run: Run,
    /// Something that it owns is there.
    pub(super) left: bool,
    /// This was the first look.
    pub(super) fresh: bool,
}

impl Survivors {
    /// Takes an ended run over.
    pub(super) fn add(&mut self, run: Run, group: i32, kept: bool, killing: bool) {
        self.numbers.insert(group, run.id);
        let leaving = Leaving {
            run,
            group,
            kept,
            killing,
            fresh: true,
        };
        self.leaving.insert(run.id, leaving);
        self.hurry();
    }

    /// A child of ours that is not a first process was collected. Says whether an ended run owned it.
    pub(super) fn collected(&mut self, pid: i32) -> bool {
        self.known.remove(&pid);
        let owner = self.strangers.remove(&pid).and_then(|gone| gone.owner);
        owner.is_some_and(|run| self.leaving.contains_key(&run))
    }

    /// A new process has this number, so whatever had it before is gone for good.
    pub(super) fn forget_number(&mut self, pid: i32) {
        self.known.remove(&pid);
        self.numbers.remove(&pid);
    }

    /// Remembers processes that a run owns besides its first one.
    pub(super) fn remember(&mut self, run: RunId, seen: &[Stat]) {
        for stat in seen {
            let start = stat.start;
            self.known.insert(stat.pid, Known { run, start });
            self.remember_numbers(run, stat.pgrp, stat.session);
        }
    }

    /// Whether this process was remembered as the run's.
    pub(super) fn knows(&self, run: RunId, seen: &Stat) -> bool {
        let known = self.known.get(&seen.pid);
        known.is_some_and(|known| known.run == run && known.start == seen.start)
    }

    /// A session other than ours was begun below the run's first process, so whoever is in it is the run's; and so are
    /// its groups.
    fn remember_numbers(&mut self, run: RunId, pgrp: i32, session: i32) {
        let ours = getsid(None).map_or(0, Pid::as_raw);
        if session != ours && session > 1 {
            self.numbers.insert(session, run);
            self.numbers.insert(pgrp, run);
        }
    }

    /// The strangers that a run owns.
    pub(super) fn of(&self, run: RunId) -> Vec<i32> {
        let owned = self.strangers.iter();
        let mut owned: Vec<i32> = owned
            .filter(|(_, stranger)| stranger.owner == Some(run))
            .map(|(pid, _)| *pid)
            .collect();
        owned.sort_unstable();
        owned
    }

    /// Whether the run's first process is collected and something of it is left.
    pub(super) fn is_leaving(&self, run: RunId) -> bool {
        self.leaving.contains_key(&run)
    }

    /// What an ended run left behind is to end, kept or not; with `kill`, whatever is found of it is killed from now on.
    pub(super) fn set_ending(&mut self, run: RunId, kill: bool) {
        if let Some(leaving) = self.leaving.get_mut(&run) {
            leaving.kept = false;
            leaving.killing |= kill;
        }
        self.hurry();
    }

    /// Ended runs whose leftovers are being killed.
    pub(super) fn killing(&self) -> Vec<RunId> {
        let leaving = self.leaving.values();
        leaving
            .filter(|leaving| leaving.killing)
            .map(|leaving| leaving.run.id)
            .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_empty()
    }

    /// Whether no ended run was looked at before, and this holds for all of them, by the pid that the first process had.
    pub(super) fn are_all_fresh(&self, holds: impl Fn(i32) -> bool) -> bool {
        let mut leaving = self.leaving.values();
        leaving.all(|leaving| leaving.fresh && holds(leaving.group))
    }

    pub(super) fn next_sweep(&self) -> Option<Instant> {
        // What may stay is not waited for: its end is noticed when we collect it.
        let waited_for = |leaving: &Leaving| !leaving.kept;
        let wanted = self.has_doubts() || self.leaving.values().any(waited_for);
        self.due.filter(|_| wanted)
    }

    /// Something has changed: the next look comes soon.
    pub(super) fn hurry(&mut self) {
        self.wait = FIRST_SWEEP;
        self.due = Some(Instant::now() + FIRST_SWEEP);
    }

    /// Nothing has changed: the next look may wait longer.
    pub(super) fn relax(&mut self, now: Instant) {
        self.wait = (self.wait * 2).min(LONGEST_SWEEP);
        self.due = Some(now + self.wait);
    }

    /// Looks at all children, unless that was done a moment ago.
    pub(super) fn survey_if_old(&mut self, evidence: Evidence<'_>) -> io::Result<()> {
        let fresh = |at: Instant| at.elapsed() < FRESH;
        if !self.surveyed.is_some_and(fresh) {
            self.survey(evidence)?;
        }
        Ok(())
    }

    /// Looks at all children and finds the owner of each new stranger. `false`: a doubt remains, look again soon.
    pub(super) fn survey(&mut self, evidence: Evidence<'_>) -> io::Result<bool> {
        let mut dead: HashSet<i32> = HashSet::new();
        for _ in 0..MAX_PASSES {
            let children = evidence.procfs.own_children()?;
            let mut settled = true;
            for pid in &children {
                if evidence.leaders.contains_key(pid) {
                    continue;
                }
                // Whoever died after the list was read may have left us children that are not in it. They are in the
                // next.
                if sys::has_ended(*pid) {
                    settled &= !dead.insert(*pid);
                    self.strangers.remove(pid);
                } else if self.is_unclear(*pid) {
                    let stranger = self.inspect(*pid, evidence)?;
                    self.strangers.insert(*pid, stranger);
                }
            }
            if settled {
                self.surveyed = Some(Instant::now());
                self.release_numbers();
                return Ok(!self.has_doubts());
            }
        }
        Ok(false)
    }

    fn is_unclear(&self, pid: i32) -> bool {
        let stranger = self.strangers.get(&pid);
        stranger.is_none_or(|stranger| stranger.doubtful_since.is_some())
    }

    fn has_doubts(&self) -> bool {
        let mut strangers = self.strangers.values();
        strangers.any(|stranger| stranger.doubtful_since.is_some())
    }

    fn inspect(&mut self, pid: i32, evidence: Evidence<'_>) -> io::Result<Stranger> {
        let environ = Procfs::environ(pid)?;
        let (pgrp, session) = numbers_of(pid);
        let mut owner = evidence.marker.find(&environ);
        if owner.is_none() {
            owner = self.seen_below(pid)?;
        }
        // Being a member of a run's group or session says whose it is. Having founded one says nothing: the number may
        // be that of a process that is gone.
        let by_number = |number: i32| {
            let live = evidence.leaders.get(&number);
            let found = live.or_else(|| self.numbers.get(&number));
            found.copied().filter(|_| number != pid)
        };
        let owner = owner.or_else(|| by_number(pgrp).or_else(|| by_number(session)));
        if let Some(run) = owner {
            self.remember_numbers(run, pgrp, session);
        }
        let since = self.strangers.get(&pid).and_then(|old| old.doubtful_since);
        let doubtful_since = match since {
            _ if owner.is_some() || !environ.is_empty() => None,
            Some(since) if since.elapsed() >= EXEC_TIME => None,
            Some(since) => Some(since),
            None => Some(Instant::now()),
        };
        Ok(Stranger {
            owner,
            doubtful_since,
        })
    }

    fn seen_below(&self, pid: i32) -> io::Result<Option<RunId>> {
        let Some(known) = self.known.get(&pid) else {
            return Ok(None);
        };
        let stat = Procfs::stat(pid)?;
        let same = stat.is_some_and(|stat| stat.start == known.start);
        Ok(same.then_some(known.run))
    }

    /// Drops the numbers that nobody holds any more: the kernel may give them away.
    fn release_numbers(&mut self) {
        if self.numbers.is_empty() {
            return;
        }
        let strangers = self.strangers.keys();
        let sessions: HashSet<i32> = strangers.map(|pid| numbers_of(*pid).1).collect();
        self.numbers
            .retain(|number, _| sessions.contains(number) || sys::group_exists(*number));
    }

    /// Says of each ended run whether anything is left, and forgets those of which nothing is. With a doubt, or
    /// without a survey, everything counts as left: `Gone` is a proof.
    pub(super) fn judge(&mut self, settled: bool) -> Vec<Verdict> {
        let owners: HashSet<RunId> = self
            .strangers
            .values()
            .filter_map(|stranger| stranger.owner)
            .collect();
        let mut verdicts = Vec::with_capacity(self.leaving.len());
        let mut gone = HashSet::new();
        for (id, leaving) in &mut self.leaving {
            let left = !settled || owners.contains(id);
            verdicts.push(Verdict {
                run: leaving.run,
                left,
                fresh: leaving.fresh,
            });
            leaving.fresh = false;
            if !left {
                gone.insert(*id);
            }
        }
        self.forget(&gone);
        verdicts
    }

    fn forget(&mut self, gone: &HashSet<RunId>) {
        if gone.is_empty() {
            return;
        }
        self.leaving.retain(|run, _| !gone.contains(run));
        self.known.retain(|_, known| !gone.contains(&known.run));
        self.numbers.retain(|_, run| !gone.contains(run));
    }
}

/// The process group and the session of a child of ours.
fn numbers_of(pid: i32) -> (i32, i32) {
    let process = Some(Pid::from_raw(pid));
    let number = |found: nix::Result<Pid>| found.map_or(0, Pid::as_raw);
    (number(getpgid(process)), number(getsid(process)))
}
