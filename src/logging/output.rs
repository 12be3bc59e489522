//! The queue between those who say something and the place where it goes. Plain, synchronous code; nothing here waits.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::clock::Clock;
use super::destination::{Destination, Refusal, Standard};
use super::drops::{Dropped, Drops, Report};
use super::frame::{Flow, Framer, MAX_LINE};
use super::pump::PumpState;
use super::queue::Queue;
use super::record::{Record, Value};
use super::style::{Label, Look, Style};
use crate::config::{LogLevel, LoggingSettings, Overflow};

/// Where job output stops: no line of a job is added when so much is waiting. Then jobs wait in their writes, or their
/// lines are dropped, as `overflow` says.
pub(super) const JOB_SHARE: usize = 256 * 1024;

/// A stopped job may go on when no more than this is waiting: room for a whole batch.
const RESUME: usize = JOB_SHARE / 2;

/// Where our own messages stop: behind the job share and its last line at its longest there is room for some hundred
/// messages. A message beyond that is dropped and counted; we never wait.
pub(super) const OWN_LIMIT: usize = JOB_SHARE + 8 * MAX_LINE + 64 * 1024;

/// Runs that are gone and whose last output still waits for room. Each holds a descriptor; beyond this number the rest of
/// a run's output is dropped and counted, or a reader that stalls would cost us all descriptors.
pub(super) const MAX_LINGERING: usize = 128;

/// Everything behind the lock.
#[derive(Debug)]
pub(super) struct Output {
    clock: Clock,
    settings: LoggingSettings,
    destination: Destination,
    queue: Queue,
    /// The destination has no room; the writer task waits for some.
    blocked: bool,
    /// Bytes that were written.
    written: u64,
    /// Lines that were taken.
    lines: u64,
    /// The last write did not fail.
    works: bool,
    drops: Drops,
    /// Every pump that has not ended, by its number.
    pumps: HashMap<u64, Arc<PumpState>>,
    next_pump: u64,
    /// Pumps of runs that are gone.
    lingering: usize,
}

impl Output {
    pub(super) fn new(standard: Standard, settings: LoggingSettings, clock: Clock) -> Output {
        let (destination, error) = Destination::open(standard, settings.output.clone());
        let mut output = Output {
            clock,
            settings,
            destination,
            queue: Queue::default(),
            blocked: false,
            written: 0,
            lines: 0,
            works: true,
            drops: Drops::default(),
            pumps: HashMap::new(),
            next_pump: 0,
            lingering: 0,
        };
        output.say_moved(error);
        output
    }

    /// Takes new settings over. What is queued goes to the new place.
    pub(super) fn apply(&mut self, settings: &LoggingSettings) {
        self.settings = settings.clone();
        if !self.destination.is_change(&settings.output) {
            return;
        }
        self.flush();
        self.queue.rewind();
        let error = self.destination.change(settings.output.clone());
        self.after_move(error);
    }

    /// Opens a file target again (SIGUSR1). Nothing happens to other targets: a pipe or terminal has no path of its own.
    pub(super) fn reopen(&mut self) {
        if !self.destination.is_file() {
            return;
        }
        self.flush();
        self.queue.rewind();
        let error = self.destination.reopen();
        self.after_move(error);
    }

    fn after_move(&mut self, error: Option<io::Error>) {
        self.blocked = false;
        self.say_moved(error);
        self.flush();
    }

    /// Adds one of our own messages, or drops and counts it.
    pub(super) fn own(&mut self, record: &Record) {
        self.report();
        let before = self.queue.len();
        self.append_record(record);
        if self.queue.len() > OWN_LIMIT {
            self.queue.truncate(before);
            self.lines -= 1;
            self.drops.own();
        }
        self.flush();
    }

    /// Whether a batch of a job's lines fits.
    pub(super) fn has_room(&self) -> bool {
        self.queue.len() <= RESUME
    }

    /// Whether a job that finds no room waits (instead of losing lines).
    pub(super) fn waits(&self) -> bool {
        self.settings.overflow == Overflow::Block
    }

    /// Adds lines of a job while they fit, and writes. Returns how much of `input` was used.
    pub(super) fn feed(&mut self, label: &Label, framer: &mut Framer, input: &[u8]) -> usize {
        let style = self.style(label);
        let kept = self.queue.len();
        let out = self.queue.tail();
        let limit = out.len() - kept + JOB_SHARE;
        let lines = &mut self.lines;
        out.reserve(input.len() + input.len() / 2);
        let used = framer.feed(input, |line, partial| {
            style.append(out, line, partial);
            *lines += 1;
            if out.len() < limit {
                Flow::Go
            } else {
                Flow::Stop
            }
        });
        self.flush();
        used
    }

    /// Adds the last, unterminated line of a run.
    pub(super) fn finish(&mut self, label: &Label, framer: &mut Framer) {
        let style = self.style(label);
        let out = self.queue.tail();
        let lines = &mut self.lines;
        framer.finish(|line, partial| {
            style.append(out, line, partial);
            *lines += 1;
            Flow::Go
        });
        self.flush();
    }

    /// So many lines of this run were not added.
    pub(super) fn drop_lines(&mut self, label: &Label, lines: u64) {
        self.drops.job(&label.name, lines);
    }

    /// How many bytes were written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Writes what the destination takes.
    pub(super) fn flush(&mut self) {
        self.write_out();
        if self.report() {
            self.write_out();
        }
    }

    fn write_out(&mut self) {
        self.blocked = false;
        let mut fresh = self.queue.at_line_start();
        while !self.queue.is_empty() {
            match self.destination.write(self.queue.unsent(), fresh) {
                Ok(count) => {
                    self.queue.advance(count);
                    self.written += count as u64;
                    self.works = true;
                }
                Err(Refusal::Later) => {
                    self.blocked = true;
                    return;
                }
                Err(Refusal::Moved(error)) => {
                    if self.queue.rewind() {
                        self.destination.tear_target();
                    }
                    self.say_moved(error);
                }
                Err(Refusal::Lost) => self.lose(),
            }
            fresh = false;
        }
    }

    fn lose(&mut self) {
        if !self.queue.at_line_start() {
            self.destination.tear();
        }
        self.works = false;
        self.drops.refused(self.queue.discard());
    }

    /// Says what has been dropped, when there is room to say it. Returns whether anything was said.
    fn report(&mut self) -> bool {
        let mut said = false;
        while self.has_room()
            && let Some(report) = self.drops.next_report(self.works)
        {
            let record = match report {
                Report::Own(count) => Record::new(
                    LogLevel::Warn,
                    format!("{count} of our messages were dropped"),
                ),
                Report::Job(name, lines) => {
                    Record::new(LogLevel::Warn, "output dropped".to_owned())
                        .with("job", Value::Text(name.to_string()))
                        .with("lines", Value::Literal(lines.to_string()))
                }
                Report::Refused(lines) => Record::new(
                    LogLevel::Warn,
                    format!("{lines} lines were refused by the log's destination"),
                ),
            };
            self.append_record(&record);
            said = true;
        }
        said
    }

    /// Says that a file failed. Always finds room: it happens once until the file works again.
    fn say_moved(&mut self, error: Option<io::Error>) {
        let Some(error) = error else { return };
        let path = self
            .destination
            .path()
            .map(|path| path.display().to_string());
        let record = Record::new(
            LogLevel::Error,
            format!("cannot write the log file: {error}; its lines go to stderr"),
        );
        let record = record.with("path", Value::Text(path.unwrap_or_default()));
        self.append_record(&record);
    }

    fn append_record(&mut self, record: &Record) {
        let look = self.look();
        self.lines += 1;
        record.append(self.queue.tail(), look, &self.clock.now());
    }

    fn style(&mut self, label: &Label) -> Style {
        let look = self.look();
        Style::new(look, &self.clock.now(), label)
    }

    fn look(&self) -> Look {
        Look::of(self.settings.format, self.destination.is_terminal())
    }

    /// What the writer task has to wait for, if anything.
    pub(super) fn blocked_on(&self) -> Option<Arc<std::os::fd::OwnedFd>> {
        self.blocked.then(|| self.destination.fd()).flatten()
    }

    /// Whether everything is written and no run's last output is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.lingering == 0
    }

    /// Bytes that wait.
    #[cfg(test)]
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    pub(super) fn dropped(&self) -> Dropped {
        self.drops.total()
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn pumps(&self) -> usize {
        self.pumps.len()
    }

    /// Registers a pump under the number that is returned.
    pub(super) fn add_pump(&mut self, state: Arc<PumpState>) -> u64 {
        let number = self.next_pump;
        self.next_pump += 1;
        self.pumps.insert(number, state);
        number
    }

    /// A pump has ended.
    pub(super) fn remove_pump(&mut self, number: u64) {
        if let Some(state) = self.pumps.remove(&number)
            && state.is_finishing()
        {
            self.lingering -= 1;
        }
    }

    /// The run of this pump is gone.
    pub(super) fn finish_pump(&mut self, number: u64) {
        let Some(state) = self.pumps.get(&number) else {
            return;
        };
        if state.finish(self.lingering >= MAX_LINGERING) {
            self.lingering += 1;
        }
    }

    /// Every run is gone.
    pub(super) fn finish_pumps(&mut self) {
        let numbers: Vec<u64> = self.pumps.keys().copied().collect();
        for number in numbers {
            self.finish_pump(number);
        }
    }
}
