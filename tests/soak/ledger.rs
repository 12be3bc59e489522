//! What the program takes of the machine, round by round.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use crate::support::{PATIENCE, Process, Running};

/// One look.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    /// Proportional set size in KiB.
    memory: u64,
    files: usize,
    threads: u64,
    /// Hundredths of a second of the processor.
    ticks: u64,
}

/// All looks in their sequence.
#[derive(Debug, Default)]
pub(super) struct Ledger(Vec<Entry>);

/// Growth that is none: a buffer that is larger now and then, in KiB.
const SLACK: u64 = 512;

impl Ledger {
    pub(super) fn look(&mut self, pilot: &Running) {
        let process = Process::read(pilot.pid()).expect("the program runs");
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", pilot.pid()));
        let rollup = rollup.expect("the memory of a process of ours can be read");
        let memory = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let number = |text: &str| text.trim().trim_end_matches(" kB").trim().parse().ok();
        self.0.push(Entry {
            at: Instant::now(),
            memory: memory.and_then(number).expect("a number of KiB"),
            files: process.open_files(),
            threads: process
                .status_field("Threads")
                .and_then(|text| number(&text))
                .expect("a number of threads"),
            ticks: process.ticks,
        });
    }

    /// Compares the last quarter with the second one: the first is growing up.
    ///
    /// # Panics
    ///
    /// When something grows.
    pub(super) fn assert_flat(&self) {
        let [_, early, _, late] = self.quarters();
        assert!(!early.is_empty(), "too few rounds: {}", self.0.len());
        let memory = |quarter: &[Entry]| median(quarter.iter().map(|entry| entry.memory));
        let files = |quarter: &[Entry]| median(quarter.iter().map(|entry| entry.files as u64));
        let threads = |quarter: &[Entry]| median(quarter.iter().map(|entry| entry.threads));
        let (before, after) = (memory(early), memory(late));
        assert!(
            after <= before + before / 20 + SLACK,
            "memory grows from {before} to {after} KiB\n{self}"
        );
        let (before, after) = (files(early), files(late));
        assert!(
            after <= before + 8,
            "descriptors grow from {before} to {after}\n{self}"
        );
        let (before, after) = (threads(early), threads(late));
        assert!(
            after <= before + 1,
            "threads grow from {before} to {after}\n{self}"
        );
    }

    fn quarters(&self) -> [&[Entry]; 4] {
        let quarter = self.0.len() / 4;
        [0, 1, 2, 3].map(|number| {
            let end = if number == 3 {
                self.0.len()
            } else {
                quarter * (number + 1)
            };
            &self.0[quarter * number..end]
        })
    }
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

impl fmt::Display for Ledger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| quarter | PSS KiB | descriptors | threads | CPU % |")?;
        writeln!(out, "|---|---|---|---|---|")?;
        for (number, entries) in self.quarters().iter().enumerate() {
            let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
                continue;
            };
            let span = last.at.duration_since(first.at).as_secs_f64();
            let percent = f64::from(u32::try_from(last.ticks - first.ticks).unwrap_or(u32::MAX))
                / span.max(0.01);
            writeln!(
                out,
                "| {} | {} | {} | {} | {percent:.1} |",
                number + 1,
                median(entries.iter().map(|entry| entry.memory)),
                median(entries.iter().map(|entry| entry.files as u64)),
                median(entries.iter().map(|entry| entry.threads)),
            )?;
        }
        Ok(())
    }
}

/// Follows something until its first bytes come, and leaves without a word.
pub(super) fn glance(pilot: &Running, path: &str) {
    let mut stream = UnixStream::connect(pilot.dir().join("control.socket")).expect("it serves");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: control\r\n\r\n").expect("it reads");
    let mut first = [0; 16];
    stream.read_exact(&mut first).expect("it answers");
    assert!(first.starts_with(b"HTTP/1.1 200"), "{path}: {first:?}");
}
