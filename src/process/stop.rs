//! Signals that go out.

use std::io;

use nix::unistd::{Pid, getpgid};

use super::procfs::{Procfs, Stat};
use super::registry::Processes;
use super::survivors::Evidence;
use super::sys;
use crate::events::{RunId, Signal};

impl Processes {
    /// Sends a run its stop signal: to the process group, and to what the run owns outside of it. Before that the
    /// descendants of its first process are noted down, so that they are known later wherever they went.
    ///
    /// A process that is stopped (`SIGSTOP`, ^Z) gets SIGCONT after the signal, or it could not act on it.
    ///
    /// After the first process's end this is for what it left behind, also for what a job with `orphans: "keep"` was
    /// allowed to leave (P12): only what is proved to be the run's is signalled, one by one, never a group whose number may mean
    /// another (D28). A run of which nothing is left, or that is unknown, is left in peace.
    pub fn terminate(&mut self, run: RunId, signal: Signal) {
        if let Some(live) = self.live.get_mut(&run) {
            live.ending = true;
            self.signal_run(run, signal);
        } else if self.survivors.is_leaving(run) {
            self.survivors.set_ending(run, false);
            self.refresh();
            self.signal_leftovers(run, signal);
        }
    }

    /// Sends KILL to everything that a run owns. What turns up later is killed when it is found, until nothing is left
    /// (S02, S09). A process that does not die of it (S11) stays `left`; nothing here waits for it.
    pub fn kill(&mut self, run: RunId) {
        if let Some(live) = self.live.get_mut(&run) {
            live.ending = true;
            live.killing = true;
            self.signal_run(run, Signal::KILL);
        } else if self.survivors.is_leaving(run) {
            self.survivors.set_ending(run, true);
            self.refresh();
            self.signal_leftovers(run, Signal::KILL);
        }
    }

    /// Passes a signal on to a run's process group, while its first process is not collected (decision 20).
    pub fn forward(&mut self, run: RunId, signal: Signal) {
        if let Some(live) = self.live.get(&run) {
            // ESRCH and EPERM: they have all ended, or changed their user. Neither is anybody's fault.
            let _ = sys::send_group(live.pid, signal);
        }
    }

    /// Sends a signal to everything that is left, whoever owns it; for the very end of the program. As PID 1 that is
    /// every process of the namespace, else every descendant; without procfs, the groups of the live runs.
    pub fn sweep_unowned(&mut self, signal: Signal) {
        if self.pid1 {
            sys::send_all(signal);
            return;
        }
        for live in self.live.values() {
            let _ = sys::send_group(live.pid, signal);
        }
        let Some(procfs) = self.procfs else { return };
        let Ok(children) = self.with_spares(|_| procfs.own_children()) else {
            return;
        };
        self.send_to_tree(&children, signal);
    }

    /// Looks at all children. `false`: a doubt remains.
    pub(super) fn survey(&mut self) -> io::Result<bool> {
        let Some(procfs) = self.procfs else {
            return Ok(true);
        };
        self.with_spares(|this| {
            this.survivors.survey(Evidence {
                procfs,
                marker: &this.marker,
                leaders: &this.leaders,
            })
        })
    }

    /// Looks at all children unless that was done a moment ago. An error leaves what was known.
    fn refresh(&mut self) {
        let Some(procfs) = self.procfs else { return };
        let _ = self.with_spares(|this| {
            this.survivors.survey_if_old(Evidence {
                procfs,
                marker: &this.marker,
                leaders: &this.leaders,
            })
        });
    }

    fn signal_run(&mut self, run: RunId, signal: Signal) {
        let Some(live) = self.live.get(&run) else {
            return;
        };
        let pid = live.pid;
        self.refresh();
        let strangers = self.survivors.of(run);
        // Without a descriptor, or without procfs, only the group is reached now; the rest is found after the exit.
        let owned = self.owned(pid, &strangers).unwrap_or_default();
        self.survivors.remember(run, &owned);
        let _ = sys::send_group(pid, signal);
        if getpgid(Some(Pid::from_raw(pid))) != Ok(Pid::from_raw(pid)) {
            // It joined another group; itself it is still pinned.
            let _ = sys::send(pid, signal);
        }
        let mut members = owned.iter().filter(|stat| stat.pgrp == pid);
        let stopped = sys::is_stopped(pid) || members.any(Stat::is_stopped);
        if stopped && signal != Signal::KILL {
            let _ = sys::send_group(pid, Signal::CONT);
        }
        for stat in owned.iter().filter(|stat| stat.pgrp != pid) {
            self.send_checked(stat, signal);
        }
    }

    /// What a run owns besides its first process: its strangers, and what is below them and the first process.
    fn owned(&mut self, pid: i32, strangers: &[i32]) -> io::Result<Vec<Stat>> {
        let Some(procfs) = self.procfs else {
            return Ok(Vec::new());
        };
        let mut roots = vec![pid];
        roots.extend(strangers);
        self.with_spares(|_| {
            let mut owned = procfs.descendants(&roots)?;
            for stranger in strangers {
                owned.extend(Procfs::stat(*stranger)?);
            }
            Ok(owned)
        })
    }

    /// Sends a signal to what an ended run left behind. Whom the run's stop signal reached before its end is asked no
    /// second time: many programs take that for a wish to end without care.
    pub(super) fn signal_leftovers(&mut self, run: RunId, signal: Signal) {
        let mut strangers = self.survivors.of(run);
        if signal != Signal::KILL {
            strangers.retain(|pid| {
                let seen = Procfs::stat(*pid).ok().flatten();
                !seen.is_some_and(|seen| self.survivors.knows(run, &seen))
            });
        }
        self.send_to_tree(&strangers, signal);
    }

    /// Sends a signal to children of ours, which are pinned by not being collected, and to all that is below them.
    fn send_to_tree(&mut self, children: &[i32], signal: Signal) {
        let Some(procfs) = self.procfs else { return };
        if children.is_empty() {
            return;
        }
        let below = self.with_spares(|_| procfs.descendants(children));
        for pid in children {
            let _ = sys::send(*pid, signal);
            if signal != Signal::KILL && sys::is_stopped(*pid) {
                let _ = sys::send(*pid, Signal::CONT);
            }
        }
        for stat in below.unwrap_or_default() {
            self.send_checked(&stat, signal);
        }
    }

    /// Sends a signal to a process that is no child of ours, if it is still the one that was seen.
    pub(super) fn send_checked(&mut self, seen: &Stat, signal: Signal) {
        let _ = self.with_spares(|_| {
            // From here on the handle means one process; the start time says whether it is the right one.
            let handle = match sys::pidfd_open(seen.pid) {
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(()),
                Err(error) if super::reserve::is_out_of_files(&error) => return Err(error),
                other => other.ok(),
            };
            let now = Procfs::stat(seen.pid)?;
            if now.is_none_or(|now| now.start != seen.start || now.has_ended()) {
                return Ok(());
            }
            let send = |signal| match &handle {
                Some(handle) => sys::pidfd_send(handle, signal),
                // A kernel or a sandbox without pidfds: the check was a moment ago, which is the best there is.
                None => sys::send(seen.pid, signal),
            };
            // EPERM and ESRCH: it changed its user, or has just ended.
            let sent = send(signal);
            if sent.is_ok() && signal != Signal::KILL && seen.is_stopped() {
                let _ = send(Signal::CONT);
            }
            Ok(())
        });
    }
}
