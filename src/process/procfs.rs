//! Reading `/proc` (proc(5)).
//!
//! A process that vanishes while it is looked at is no error: it reads as absent. Errors are those of this process,
//! such as no descriptor left.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

/// How many processes one walk visits at most; a fork bomb shall not hold the supervisor's loop. The next walk goes on
/// with what is then there.
const MAX_WALK: usize = 32_768;

/// How much of a start environment is searched for the marker.
const MAX_ENVIRON: u64 = 1 << 20;

/// Room for a list of children in one piece: some hundred numbers.
const MOST_LISTS: usize = 4096;

/// A process as `/proc/PID/stat` describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: i32,
    /// The letter of its state.
    pub(super) state: u8,
    pub(super) ppid: i32,
    pub(super) pgrp: i32,
    pub(super) session: i32,
    /// Ticks from the boot to its start: with the pid, its identity.
    pub(super) start: u64,
}

impl Stat {
    /// It has ended and only waits to be collected.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// A signal or a terminal stopped it: it acts on nothing but KILL until it is continued.
    pub(super) fn is_stopped(&self) -> bool {
        self.state == b'T'
    }
}

/// A `/proc` that shows our PID namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Procfs {
    /// The kernel lists a thread's children (`CONFIG_PROC_CHILDREN`); else every process is asked for its parent.
    pub(super) lists_children: bool,
}

impl Procfs {
    /// `None` if there is no `/proc`, or it is the one of another PID namespace, whose numbers mean other processes.
    pub(super) fn probe() -> Option<Procfs> {
        let me = std::process::id().cast_signed();
        let link = fs::read_link("/proc/self").ok()?;
        if link.to_str()?.parse() != Ok(me) {
            return None;
        }
        read_stat(me).ok()??;
        Some(Procfs {
            lists_children: fs::exists(format!("/proc/{me}/task/{me}/children")).ok()?,
        })
    }

    /// The process, unless it is gone or hidden.
    pub(super) fn stat(pid: i32) -> io::Result<Option<Stat>> {
        read_stat(pid)
    }

    /// The environment a process was started with; empty if it has ended or may not be looked into.
    pub(super) fn environ(pid: i32) -> io::Result<Vec<u8>> {
        let Some(file) = open(&format!("/proc/{pid}/environ"))? else {
            return Ok(Vec::new());
        };
        let mut environ = Vec::with_capacity(16 * 1024);
        // An error is a process that ends under our hands; what was read counts.
        let _ = file.take(MAX_ENVIRON).read_to_end(&mut environ);
        Ok(environ)
    }

    /// The children of this process, ended ones included. Exact, since only this thread collects children.
    pub(super) fn own_children(self) -> io::Result<Vec<i32>> {
        self.tree()?.children(std::process::id().cast_signed())
    }

    /// All living processes below `roots`, those nearest to a root first; the roots themselves are left out.
    ///
    /// A snapshot of something that moves: processes that fork meanwhile may be missing, so a kill repeats this until
    /// nothing is found.
    pub(super) fn descendants(self, roots: &[i32]) -> io::Result<Vec<Stat>> {
        let me = std::process::id().cast_signed();
        let tree = self.tree()?;
        let mut seen: HashSet<i32> = roots.iter().copied().collect();
        let mut found = Vec::new();
        let mut queue: VecDeque<i32> = roots.iter().copied().collect();
        while let Some(parent) = queue.pop_front() {
            for pid in tree.children(parent)? {
                if seen.len() >= MAX_WALK || !seen.insert(pid) {
                    continue;
                }
                let Some(stat) = read_stat(pid)? else {
                    continue;
                };
                // Another parent than expected is another process with that number, unless the parent has just died
                // and left it to us.
                if !stat.has_ended() && (stat.ppid == parent || stat.ppid == me) {
                    found.push(stat);
                    queue.push_back(pid);
                }
            }
        }
        Ok(found)
    }

    fn tree(self) -> io::Result<Tree> {
        if self.lists_children {
            return Ok(Tree::Listed);
        }
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for pid in numbers_in("/proc")? {
            if let Some(stat) = read_stat(pid)? {
                children.entry(stat.ppid).or_default().push(pid);
            }
        }
        Ok(Tree::Scanned(children))
    }
}

/// Who is whose child.
enum Tree {
    /// The kernel says it on demand.
    Listed,
    /// From one scan over all processes.
    Scanned(HashMap<i32, Vec<i32>>),
}

impl Tree {
    fn children(&self, pid: i32) -> io::Result<Vec<i32>> {
        match self {
            Tree::Listed => listed_children(pid),
            Tree::Scanned(children) => Ok(children.get(&pid).cloned().unwrap_or_default()),
        }
    }
}

fn listed_children(pid: i32) -> io::Result<Vec<i32>> {
    let mut children = Vec::new();
    let tasks = format!("/proc/{pid}/task");
    // A child belongs to the thread that made it. The directory has two links and one for each thread, so the list of
    // threads, which costs more than the rest, need not be read in the common case.
    if fs::metadata(&tasks).is_ok_and(|meta| meta.nlink() == 3) {
        children_of_thread(&tasks, pid, &mut children)?;
        return Ok(children);
    }
    for thread in numbers_in(&tasks)? {
        children_of_thread(&tasks, thread, &mut children)?;
    }
    Ok(children)
}

fn children_of_thread(tasks: &str, thread: i32, children: &mut Vec<i32>) -> io::Result<()> {
    let Some(file) = open(&format!("{tasks}/{thread}/children"))? else {
        return Ok(());
    };
    // Read in few pieces, since for each the kernel goes through the list again, and without a look at the size, which is
    // always 0. An error is a process that ends under our hands.
    let mut text = Vec::with_capacity(MOST_LISTS);
    let _ = file.take(u64::MAX).read_to_end(&mut text);
    let words = text.split(|byte| *byte == b' ');
    children.extend(words.filter_map(number));
    Ok(())
}

/// The entries of a directory that are numbers; none if it is gone.
fn numbers_in(directory: &str) -> io::Result<Vec<i32>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return absent(error).map(|_: Option<()>| Vec::new()),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let Ok(entry) = entry else { break };
        numbers.extend(number(entry.file_name().as_encoded_bytes()));
    }
    Ok(numbers)
}

fn open(path: &str) -> io::Result<Option<File>> {
    File::open(path).map_or_else(absent, |file| Ok(Some(file)))
}

/// Errors that mean "not there, or not for you".
fn absent<T>(error: io::Error) -> io::Result<Option<T>> {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ESRCH | libc::EACCES | libc::EPERM | libc::ENOTDIR) => Ok(None),
        _ => Err(error),
    }
}

fn read_stat(pid: i32) -> io::Result<Option<Stat>> {
    let Some(mut file) = open(&format!("/proc/{pid}/stat"))? else {
        return Ok(None);
    };
    // One line: 52 numbers and a name of at most 64 bytes.
    let mut line = [0; 2048];
    let Ok(length) = file.read(&mut line) else {
        return Ok(None);
    };
    Ok(parse_stat(pid, &line[..length]))
}

/// The name, in brackets, may hold anything, brackets and spaces included; the numbers begin after the last bracket.
pub(super) fn parse_stat(pid: i32, line: &[u8]) -> Option<Stat> {
    let end = line.iter().rposition(|byte| *byte == b')')?;
    let text = str::from_utf8(&line[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let mut next = || fields.next()?.parse().ok();
    Some(Stat {
        pid,
        state,
        ppid: next()?,
        pgrp: next()?,
        session: next()?,
        // Field 22; the session was field 6.
        start: fields.nth(15)?.parse().ok()?,
    })
}

fn number(word: &[u8]) -> Option<i32> {
    str::from_utf8(word).ok()?.trim_ascii_end().parse().ok()
}
