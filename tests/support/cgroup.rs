//! A control group of a test's own, of version 1 or 2, to limit what the program and its jobs may take.
//!
//! ```text
//! let Some(group) = ControlGroup::new("memory", "a job that is killed for memory") else { return };
//! group.set_memory(64 << 20);
//! let pilot = Pilot::jobs("[…]").after(&group.join());
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{PATIENCE, holds_within, is_root};

/// Where control groups are mounted.
const TOP: &str = "/sys/fs/cgroup";

/// The kernel's accounting period of processor time, in microseconds.
const PERIOD: u32 = 100_000;

/// A control group. Dropping it removes it, so it must be dropped after the program that is in it.
#[derive(Debug)]
pub(crate) struct ControlGroup {
    place: PathBuf,
    version: u8,
}

impl ControlGroup {
    /// A group in which `controller` limits; `None`, after saying why, where none can be made.
    pub(crate) fn new(controller: &str, what: &str) -> Option<Self> {
        if !is_root(what) {
            return None;
        }
        match try_new(controller) {
            Ok(group) => Some(group),
            Err(why) => {
                // What the kernel or a sandbox refuses cannot be installed, in CI neither.
                eprintln!("left out: {what}: {why}");
                None
            }
        }
    }

    /// The line of a shell that moves the shell into the group.
    pub(crate) fn join(&self) -> String {
        format!("echo 0 > {}/cgroup.procs", self.place.display())
    }

    /// So many bytes, and nothing beside them.
    pub(crate) fn set_memory(&self, bytes: u64) {
        let bytes = bytes.to_string();
        if self.version == 1 {
            self.set("memory.limit_in_bytes", &bytes);
            // Not there where swap is not accounted for.
            if self.place.join("memory.memsw.limit_in_bytes").exists() {
                self.set("memory.memsw.limit_in_bytes", &bytes);
            }
        } else {
            self.set("memory.max", &bytes);
            self.set("memory.swap.max", "0");
        }
    }

    /// So much of one processor's time, in percent.
    pub(crate) fn set_processor(&self, percent: u32) {
        let quota = PERIOD / 100 * percent;
        if self.version == 1 {
            self.set("cpu.cfs_period_us", &PERIOD.to_string());
            self.set("cpu.cfs_quota_us", &quota.to_string());
        } else {
            self.set("cpu.max", &format!("{quota} {PERIOD}"));
        }
    }

    /// In how many periods those in it used up their processor time.
    pub(crate) fn throttled(&self) -> u64 {
        let text = fs::read_to_string(self.place.join("cpu.stat")).expect("a file of the kernel");
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix("nr_throttled "));
        count.expect("a count").parse().expect("a number")
    }

    /// How many processes the kernel has killed in it for want of memory.
    pub(crate) fn oom_kills(&self) -> u64 {
        let file = ["memory.oom_control", "memory.events"][usize::from(self.version) - 1];
        let text = fs::read_to_string(self.place.join(file)).expect("a file of the kernel");
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.expect("a count").parse().expect("a number")
    }

    fn set(&self, file: &str, value: &str) {
        let path = self.place.join(file);
        fs::write(&path, value)
            .unwrap_or_else(|error| panic!("cannot set {}: {error}", path.display()));
    }
}

fn try_new(controller: &str) -> Result<ControlGroup, String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pilothouse-test-{}-{number}", std::process::id());
    let top = Path::new(TOP);
    let (parent, version) = if top.join("cgroup.controllers").exists() {
        let control = top.join("cgroup.subtree_control");
        fs::write(&control, format!("+{controller}"))
            .map_err(|error| format!("cannot limit {controller} in control groups: {error}"))?;
        (top.to_owned(), 2)
    } else {
        (top.join(controller), 1)
    };
    let place = parent.join(name);
    fs::create_dir(&place).map_err(|error| format!("cannot make {}: {error}", place.display()))?;
    Ok(ControlGroup { place, version })
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // Whoever has just ended is in it for a moment.
        let gone = holds_within(PATIENCE, &mut || fs::remove_dir(&self.place).is_ok());
        if !std::thread::panicking() {
            assert!(gone, "{} is still in use", self.place.display());
        }
    }
}
