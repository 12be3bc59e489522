//! Collecting what has ended, and finding out what it left.

use std::io::stdin;
use std::time::Instant;

use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

use super::registry::{Live, Processes};
use super::streak::newest_pid;
use super::survivors::Verdict;
use super::sys::{self, Peek};
use crate::events::{Exit, Run, Signal};
use crate::jobs::Orphans;

/// What happened to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// The first process of a run was collected. Comes once for each started run.
    Exited {
        run: Run,
        exit: Exit,
        /// Something that the run owns is still there, or that cannot be told yet: `Gone` follows.
        left: bool,
        pid: i32,
    },
    /// Nothing that the run owned is left. Comes once, only after `Exited` with `left`.
    Gone { run: Run },
    /// A process that was no run's first one was collected.
    Orphan { pid: i32, exit: Exit },
    /// The kernel has killed so many processes of this control group for want of memory, runs' first ones or not (X03).
    OutOfMemory { killed: u64 },
}

impl Processes {
    /// Collects at most `budget` statuses, in the order in which the kernel hands them out, and appends what it means.
    /// To be called after SIGCHLD. Returns whether more may be waiting, so that a storm of orphans can be taken in
    /// slices (P04).
    ///
    /// Each child is looked at, looked up and only then collected: without procfs the rest of a group can be killed
    /// only while its leader is still there and pins the number.
    pub fn reap(&mut self, budget: usize, out: &mut Vec<ProcessEvent>) -> bool {
        let first = out.len();
        let mut look = false;
        let mut more = true;
        for _ in 0..budget {
            let Peek::Ended(pid) = sys::peek() else {
                more = false;
                break;
            };
            look |= self.bury(pid, out);
        }
        if look {
            self.look_after(first, out);
        }
        more
    }

    /// Looks again at what ended runs left behind. To be called when [`Processes::next_sweep`] has passed; before that
    /// it does nothing.
    pub fn sweep(&mut self, now: Instant, out: &mut Vec<ProcessEvent>) {
        if self.next_sweep().is_some_and(|due| due <= now) {
            self.look_after(out.len(), out);
            self.survivors.relax(now);
        }
    }

    /// Whether there is no child at all, ended ones included.
    pub fn is_alone(&self) -> bool {
        sys::peek() == Peek::Nobody
    }

    /// Collects one ended child. Says whether it is worth a look who else is there.
    fn bury(&mut self, pid: i32, out: &mut Vec<ProcessEvent>) -> bool {
        let live = self.leaders.get(&pid).and_then(|run| self.live.get(run));
        if live.is_some_and(|live| self.procfs.is_none() && live.orphans == Orphans::Sweep) {
            // Pinned by its ended leader, the number cannot mean another group. EPERM and ESRCH: nothing can be done.
            let _ = sys::send_group(pid, Signal::KILL);
        }
        let Some(exit) = sys::collect(pid) else {
            return false;
        };
        let ended = self.leaders.remove(&pid);
        let ended = ended.and_then(|run| self.live.remove(&run));
        let killed = exit == Exit::Signal(Signal::KILL);
        let is_ours = |live: &Live| if killed { live.killing } else { live.ending };
        let exit = if ended.as_ref().is_some_and(is_ours) {
            exit
        } else {
            self.explain(exit, out)
        };
        let Some(live) = ended else {
            self.counters.orphans += 1;
            out.push(ProcessEvent::Orphan { pid, exit });
            return self.survivors.collected(pid);
        };
        self.counters.collected += 1;
        out.push(ProcessEvent::Exited {
            run: live.run,
            exit,
            left: false,
            pid,
        });
        if live.tty {
            take_terminal_back(pid);
        }
        self.take_over(&live);
        true
    }

    /// Finds out whether the kernel did it, for want of memory (X03). Each end that is no success and that we did not ask for is
    /// worth a look: it may be that of a shell whose command was killed.
    fn explain(&mut self, exit: Exit, out: &mut Vec<ProcessEvent>) -> Exit {
        if exit.is_success() {
            return exit;
        }
        let killed = self.oom_kills.look(Instant::now());
        if killed > 0 {
            self.counters.oom_kills += killed;
            out.push(ProcessEvent::OutOfMemory { killed });
        }
        if exit == Exit::Signal(Signal::KILL) && self.oom_kills.claim() {
            return Exit::OutOfMemory;
        }
        exit
    }

    fn take_over(&mut self, live: &Live) {
        if self.procfs.is_some() {
            let kept = live.orphans == Orphans::Keep && !live.ending;
            self.survivors.add(live.run, live.pid, kept, live.killing);
        }
    }

    /// Whether all ended runs are proved to have left nothing, since they have made no process (X07). Nobody else may have
    /// joined their group either.
    fn have_made_nothing(&self) -> bool {
        let Some(newest) = newest_pid() else {
            return false;
        };
        let now = Instant::now();
        self.survivors
            .are_all_fresh(|pid| self.streak.covers(pid, newest, now) && !sys::group_exists(pid))
    }

    /// Finds out what ended runs left behind; sets `left` in the events from `first` on, and appends `Gone`.
    fn look_after(&mut self, first: usize, out: &mut Vec<ProcessEvent>) {
        if self.survivors.is_empty() {
            return;
        }
        let settled = self.have_made_nothing() || self.survey().unwrap_or(false);
        for verdict in self.survivors.judge(settled) {
            match verdict {
                Verdict {
                    run,
                    left: true,
                    fresh: true,
                } => mark_left(run, &mut out[first..]),
                Verdict {
                    run,
                    left: false,
                    fresh: false,
                } => out.push(ProcessEvent::Gone { run }),
                _ => {}
            }
        }
        for run in self.survivors.killing() {
            self.signal_leftovers(run, Signal::KILL);
        }
    }
}

fn mark_left(run: Run, events: &mut [ProcessEvent]) {
    for event in events {
        if let ProcessEvent::Exited {
            run: ended, left, ..
        } = event
            && *ended == run
        {
            *left = true;
        }
    }
}

/// Between two runs of the job that owns the terminal it is ours, so that ^C reaches us.
fn take_terminal_back(pgid: i32) {
    let stdin = stdin();
    if tcgetpgrp(&stdin) == Ok(Pid::from_raw(pgid)) {
        // SIGTTOU is ignored since the start of that job. Without a terminal there is nothing to take.
        let _ = tcsetpgrp(&stdin, getpgrp());
    }
}
