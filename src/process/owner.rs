//! Which run a process belongs to.

use super::procfs::Procfs;
use super::registry::Processes;
use crate::events::Run;

/// Nobody nests deeper between a job and its children.
const DEPTH: usize = 64;

impl Processes {
    /// The live run that a process belongs to: its first process, its group, its session, or below one of them.
    pub fn owner(&self, pid: i32) -> Option<Run> {
        let mut pid = pid;
        for _ in 0..DEPTH {
            if let Some(run) = self.led_by(pid) {
                return Some(run);
            }
            self.procfs?;
            let stat = Procfs::stat(pid).ok()??;
            if let Some(run) = self.led_by(stat.pgrp).or_else(|| self.led_by(stat.session)) {
                return Some(run);
            }
            pid = stat.ppid;
            if pid <= 1 {
                break;
            }
        }
        None
    }

    fn led_by(&self, pid: i32) -> Option<Run> {
        let live = self.live.get(self.leaders.get(&pid)?)?;
        Some(live.run)
    }
}
