//! Processes as `/proc` shows them, and which of them a test started.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;

use nix::unistd::Pid;

/// The variable that every process of a test inherits. It finds what left its session, its group and its parent.
pub(super) const MARKER: &str = "PILOTHOUSE_TEST_RUN";

/// One process, as it was at the moment of the look.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: Pid,
    pub(crate) group: Pid,
    pub(crate) session: Pid,
    /// `R`, `S`, `D`, `Z`, … as in `proc_pid_stat(5)`.
    pub(crate) state: char,
    /// Its processor time so far, in the kernel's ticks.
    pub(crate) ticks: u64,
    /// The words of its command, joined by spaces; of a zombie, its short name.
    pub(crate) command: String,
}

impl Process {
    /// The process of this number; `None` when there is none.
    pub(crate) fn read(pid: Pid) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold spaces and brackets itself.
        let (front, rest) = stat.rsplit_once(") ")?;
        let name = front.split_once('(')?.1;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse().ok().map(Pid::from_raw);
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&words).replace('\0', " ");
        Some(Self {
            pid,
            parent: number(1)?,
            group: number(2)?,
            session: number(3)?,
            state: fields.first()?.chars().next()?,
            ticks: fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?,
            command: match command.trim_end() {
                "" => name.to_owned(),
                words => words.to_owned(),
            },
        })
    }

    pub(crate) fn is_zombie(&self) -> bool {
        self.state == 'Z'
    }

    /// A field of `/proc/PID/status`, such as `SigIgn` or `Threads`.
    pub(crate) fn status_field(&self, field: &str) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let lines = status.lines().filter_map(|line| line.split_once(':'));
        let mut matching = lines.filter(|(name, _)| *name == field);
        matching.next().map(|(_, value)| value.trim().to_owned())
    }

    /// The environment that it was started with; empty for a zombie.
    pub(crate) fn environment(&self) -> Vec<String> {
        let block = fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        let block = String::from_utf8_lossy(&block);
        block.split_terminator('\0').map(str::to_owned).collect()
    }

    /// The number of open file descriptors.
    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).map_or(0, Iterator::count)
    }
}

/// All processes of this machine that can be seen.
pub(super) fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("tests need /proc");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = names.filter_map(|name| name.parse().ok().map(Pid::from_raw));
    pids.filter_map(Process::read).collect()
}

/// A PID namespace, held open: as long as this lives, the kernel gives its number to no other one. Without that, a
/// namespace whose last process has ended could turn into the one of another test.
#[derive(Debug)]
pub(super) struct PidNamespace {
    number: u64,
    _held: File,
}

impl PidNamespace {
    /// The one of a process.
    pub(super) fn of(pid: Pid) -> Option<Self> {
        let held = File::open(format!("/proc/{pid}/ns/pid")).ok()?;
        let number = held.metadata().ok()?.ino();
        Some(Self {
            number,
            _held: held,
        })
    }

    /// Everything in it, zombies too.
    pub(super) fn processes(&self) -> Vec<Process> {
        let number = |pid: Pid| fs::metadata(format!("/proc/{pid}/ns/pid")).map(|ns| ns.ino());
        let mut found = all();
        found.retain(|p| number(p.pid).is_ok_and(|number| number == self.number));
        found
    }
}

/// Who carries the mark in its environment, with the zombies among their children.
pub(super) fn marked(mark: &str) -> Vec<Process> {
    let mark = format!("{MARKER}={mark}");
    let all = all();
    let carries = |process: &Process| process.environment().contains(&mark);
    let live: Vec<Pid> = all.iter().filter(|p| carries(p)).map(|p| p.pid).collect();
    let mut found = all;
    found.retain(|p| live.contains(&p.pid) || (p.is_zombie() && live.contains(&p.parent)));
    found
}
