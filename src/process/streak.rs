//! Whether anybody but us has made a process lately (X07).
//!
//! To find what an ended run left behind, the kernel's list of our children is read, which costs the more the more jobs
//! live: half a millisecond beside a thousand. A run that has made no process left none, and most checks make none.
//!
//! The kernel gives out process numbers one after another. As long as only we take numbers, those of our first processes
//! are a row without a gap, a *streak*, and the newest number of all is the last of it. A run whose first process is in
//! the streak has then made no process, wherever it might be now: below it, in a session or group of its own, or in a
//! PID namespace inside of ours, each would have taken a number here, and so would a thread. Anything else, a failed
//! start or a number that was skipped as taken, only ends the streak, and then the list is read.
//!
//! Who may choose the number of a new process (`clone3` with `set_tid`, as for CRIU, which takes a capability that containers
//! do not have) takes none from the row. What such a process leaves is seen if it stays in the run's group, else at the end.

use std::fs::File;
use std::io::Read as _;
use std::time::{Duration, Instant};

/// How long a streak lasts. The numbers go round in a circle of 32,768 at least: after the longest streak nobody can have
/// taken them all and come out at the same one.
const LONGEST: Duration = Duration::from_secs(2);

/// The numbers that the newest processes of ours got, with no number of another in between.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Streak {
    first: i32,
    last: i32,
    since: Option<Instant>,
}

impl Streak {
    /// A process of ours was started.
    pub(super) fn add(&mut self, pid: i32, now: Instant) {
        if !self.lasts(now) || pid != self.last + 1 {
            self.first = pid;
            self.since = Some(now);
        }
        self.last = pid;
    }

    /// Whether only we have made processes since `pid` was started, if `newest` is the number given out last.
    pub(super) fn covers(&self, pid: i32, newest: i32, now: Instant) -> bool {
        self.lasts(now) && newest == self.last && (self.first..=self.last).contains(&pid)
    }

    fn lasts(&self, now: Instant) -> bool {
        let age = |since| now.saturating_duration_since(since);
        self.since.is_some_and(|since| age(since) < LONGEST)
    }
}

/// The number that was given out last in our PID namespace; `None` where the kernel does not tell
/// (`CONFIG_CHECKPOINT_RESTORE`, or a masked `/proc/sys`). `/proc/loadavg` has it as well, but is made up in some containers.
pub(super) fn newest_pid() -> Option<i32> {
    let mut text = [0; 16];
    let length = File::open("/proc/sys/kernel/ns_last_pid")
        .and_then(|mut file| file.read(&mut text))
        .ok()?;
    let text = str::from_utf8(&text[..length]).ok()?;
    text.trim_ascii_end().parse().ok()
}
