//! Who was killed by the kernel for want of memory (X03).
//!
//! The kernel counts such kills for each control group, before it sends the KILL: `oom_kill` in `memory.events` of version
//! 2, in `memory.oom_control` of version 1. It does not say who it was. A run that died of a KILL that we did not send, while
//! the count has grown, counts as killed for want of memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a kill that was noticed may be claimed by a run that died of it. Several die together, and some victims are no
/// child of ours: they shall not be mistaken for whoever dies of a KILL later.
const CLAIM: Duration = Duration::from_secs(1);

/// The count of the control group that the program was started in.
#[derive(Debug, Default)]
pub(super) struct OomKills {
    /// `None`: the kernel does not count for us.
    file: Option<PathBuf>,
    counted: u64,
    unclaimed: u64,
    noticed: Option<Instant>,
}

impl OomKills {
    /// The count of this process's control group, from now on.
    pub(super) fn of_this_group() -> OomKills {
        OomKills::of(find())
    }

    pub(super) fn of(file: Option<PathBuf>) -> OomKills {
        let counted = file.as_deref().and_then(count);
        OomKills {
            file: file.filter(|_| counted.is_some()),
            counted: counted.unwrap_or_default(),
            ..OomKills::default()
        }
    }

    /// Looks at the count; returns by how much it has grown since the last look.
    pub(super) fn look(&mut self, now: Instant) -> u64 {
        let count = self.file.as_deref().and_then(count);
        let grown = count.map_or(0, |count| count.saturating_sub(self.counted));
        let is_recent = |at| now.saturating_duration_since(at) < CLAIM;
        if !self.noticed.is_some_and(is_recent) {
            self.unclaimed = 0;
        }
        if grown > 0 {
            self.counted += grown;
            self.unclaimed += grown;
            self.noticed = Some(now);
        }
        grown
    }

    /// Whether there is a victim that nobody has claimed to be; to be called for one who died of a KILL, after a look.
    pub(super) fn claim(&mut self) -> bool {
        let is_one = self.unclaimed > 0;
        self.unclaimed = self.unclaimed.saturating_sub(1);
        is_one
    }
}

fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let mut counts = text.lines().filter_map(|line| line.split_once(' '));
    let (_, count) = counts.find(|(name, _)| *name == "oom_kill")?;
    count.parse().ok()
}

fn find() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    place(&groups, &mounts)
}

/// Where the count is: `groups` is `/proc/self/cgroup`, `mounts` is `/proc/self/mountinfo` (cgroups(7), proc(5)).
pub(super) fn place(groups: &str, mounts: &str) -> Option<PathBuf> {
    // Memory belongs to one version only; where version 1 has it, that one.
    let of_version_1 = group(groups, "memory").and_then(|group| {
        let directory = mounted(mounts, "cgroup", "memory", group)?;
        Some(directory.join("memory.oom_control"))
    });
    of_version_1.or_else(|| {
        let directory = mounted(mounts, "cgroup2", "", group(groups, "")?)?;
        Some(directory.join("memory.events"))
    })
}

/// The path of our group in the hierarchy of a controller; version 2 is the one without any.
fn group<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    let mut lines = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':')
    });
    let found = lines.find(|(controllers, _)| controllers.split(',').any(|it| it == controller));
    found.map(|(_, path)| path)
}

/// The directory that shows the group: the mount may show a part of the hierarchy only, as a container's does.
fn mounted(mounts: &str, kind: &str, option: &str, group: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(3);
        let (root, point) = (front.next()?, front.next()?);
        let mut back = back.split(' ');
        let (found, options) = (back.next()?, back.nth(1)?);
        let is_it =
            found == kind && (option.is_empty() || options.split(',').any(|it| it == option));
        // A group that is not below the root is seen from another namespace: what is mounted is then ours.
        let below = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
        is_it.then(|| Path::new(point).join(below))
    })
}
