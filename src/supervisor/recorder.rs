//! The flight recorder: the last events and decisions, written down when the container ends badly.
//!
//! A ring of values: to record one costs a copy and no words. Words are made when somebody is to read them. What a healthy
//! job's checks say again and again is one entry with a count, so that the ring reaches back to what mattered.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::app::App;
use super::report::{Names, span};
use crate::events::{EventCode, Exit, JobId, PublicEvent, Run, RunKind, Signal, Source, WatchId};
use crate::jobs::Note;

/// How many entries are kept; the oldest makes room.
const KEPT: usize = 256;

/// How many of them the log gets; a file gets all.
const IN_LOG: usize = 40;

/// One thing that happened or was decided.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A public event.
    Event(PublicEvent),
    /// A job's command was started.
    Started { run: Run, pid: i32 },
    /// It could not be.
    NotStarted(Run),
    /// It ended.
    Exited { run: Run, exit: Exit },
    /// A run is asked to end.
    Terminated(Run),
    /// A run is killed.
    Killed(Run),
    /// A run gets a signal.
    Signalled(Run, Signal),
    /// We got one.
    Received(Signal),
    /// What the rules tell the operator.
    Note(JobId, Note),
    /// Another configuration has taken over.
    Reloaded,
    /// Another configuration was refused.
    NotReloaded,
}

impl App {
    /// Puts something into the flight recorder. What a check does is told by its events.
    pub(super) fn remember(&mut self, what: What) {
        let of_check = match &what {
            What::Started { run, .. } | What::NotStarted(run) | What::Exited { run, .. } => {
                run.kind != RunKind::Main
            }
            _ => false,
        };
        if !of_check {
            self.recorder.record(what, Instant::now());
        }
    }
}

#[derive(Debug)]
struct Entry {
    what: What,
    /// When it happened last.
    at: Instant,
    /// How often it happened, with nothing to the contrary between.
    count: u32,
}

/// The last entries.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    entries: VecDeque<Entry>,
    /// How many are not there any more.
    forgotten: u64,
}

impl Recorder {
    pub(super) fn record(&mut self, what: What, at: Instant) {
        if let Some(same) = self.repeated(&what) {
            same.count = same.count.saturating_add(1);
            same.at = at;
            return;
        }
        if self.entries.len() == KEPT {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(Entry { what, at, count: 1 });
    }

    /// The entry that says the same of a check, if nothing later says otherwise.
    fn repeated(&mut self, what: &What) -> Option<&mut Entry> {
        let What::Event(event) = what else {
            return None;
        };
        let results = results_like(event.code)?;
        let mut entries = self.entries.iter_mut().rev();
        let last = entries.find(|entry| match entry.what {
            What::Event(other) => other.source == event.source && results.contains(&other.code),
            // A new run is a new story.
            What::Started { run, .. } => source_is(event.source, run.job),
            _ => false,
        })?;
        (last.what == *what).then_some(last)
    }

    /// The jobs that entries are about.
    pub(super) fn jobs(&self) -> impl Iterator<Item = JobId> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Event(event) => match event.source {
                Source::Job(job) | Source::Check(job) => Some(job),
                Source::Global | Source::Watch(_) | Source::Signal(_) | Source::Custom(_) => None,
            },
            What::Started { run, .. }
            | What::NotStarted(run)
            | What::Exited { run, .. }
            | What::Terminated(run)
            | What::Killed(run)
            | What::Signalled(run, _) => Some(run.job),
            What::Note(job, _) => Some(*job),
            What::Received(_) | What::Reloaded | What::NotReloaded => None,
        })
    }

    /// The watches that entries are about.
    pub(super) fn watches(&self) -> impl Iterator<Item = WatchId> {
        self.entries.iter().filter_map(|entry| match entry.what {
            What::Event(PublicEvent {
                source: Source::Watch(watch),
                ..
            }) => Some(watch),
            _ => None,
        })
    }

    /// The entries in words, oldest first.
    pub(super) fn lines(&self, names: &Names, now: Instant) -> Vec<String> {
        // A repeated entry stands where it happened last.
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| entry.at);
        let lines = entries.into_iter().map(|entry| line(entry, names, now));
        lines.collect()
    }

    /// Writes everything down: the last entries to the log, all of them to the file if there is one.
    /// `limit` is for the file alone.
    pub(super) async fn write(
        &self,
        names: &Names,
        reason: &str,
        file: Option<&Path>,
        limit: Duration,
    ) {
        let lines = self.lines(names, Instant::now());
        let shown = &lines[lines.len().saturating_sub(IN_LOG)..];
        tracing::error!(
            "{reason}; the last {} of {} events and decisions, in seconds before this line:",
            shown.len(),
            self.entries.len() as u64 + self.forgotten
        );
        for line in shown {
            tracing::error!("{line}");
        }
        if let Some(file) = file {
            let text = self.text(&lines, reason);
            if let Err(error) = write_file(file.to_owned(), text, limit).await {
                let file = file.display();
                tracing::error!("cannot write the flight recorder to `{file}`: {error}");
            }
        }
    }

    pub(super) fn text(&self, lines: &[String], reason: &str) -> String {
        let mut text = format!("{reason}\n");
        if self.forgotten > 0 {
            // A text takes what is written to it.
            let _ = writeln!(text, "({} older entries are gone)", self.forgotten);
        }
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// The results of a check, or of a watch, that this is one of.
fn results_like(code: EventCode) -> Option<[EventCode; 2]> {
    match code {
        EventCode::Healthy | EventCode::Unhealthy => {
            Some([EventCode::Healthy, EventCode::Unhealthy])
        }
        EventCode::ExitSuccess | EventCode::ExitFailed => {
            Some([EventCode::ExitSuccess, EventCode::ExitFailed])
        }
        _ => None,
    }
}

fn source_is(source: Source, job: JobId) -> bool {
    matches!(source, Source::Job(of) | Source::Check(of) if of == job)
}

fn line(entry: &Entry, names: &Names, now: Instant) -> String {
    let age = now.saturating_duration_since(entry.at);
    let words = words(&entry.what, names);
    let mut line = format!("-{:.3} {words}", age.as_secs_f64());
    if entry.count > 1 {
        let _ = write!(line, " ({} times)", entry.count);
    }
    line
}

/// Not in the words of the log: who counts its lines about an end counts each once.
fn words(what: &What, names: &Names) -> String {
    match what {
        What::Event(event) => format!("event {} of {}", event.code, names.source(event.source)),
        What::Started { run, pid } => format!("{} started, pid {pid}", names.run(*run)),
        What::NotStarted(run) => format!("{} could not be started", names.run(*run)),
        What::Exited { run, exit } => format!("{} ended: {exit}", names.run(*run)),
        What::Terminated(run) => format!("asking {} to end", names.run(*run)),
        What::Killed(run) => format!("killing {}", names.run(*run)),
        What::Signalled(run, signal) => format!("sending {signal} to {}", names.run(*run)),
        What::Received(signal) => format!("received {signal}"),
        What::Note(job, note) => format!("{}: {}", names.job(*job), note_words(note, names)),
        What::Reloaded => "another configuration took over".to_owned(),
        What::NotReloaded => "another configuration was refused".to_owned(),
    }
}

fn note_words(note: &Note, names: &Names) -> String {
    match note {
        Note::TimedOut { run, limit } => {
            format!("{} lasted longer than {}", names.run(*run), span(*limit))
        }
        Note::StopTimedOut { run, limit } => {
            format!("{} did not stop within {}", names.run(*run), span(*limit))
        }
        Note::Unkillable { run } => format!("{} does not end after KILL", names.run(*run)),
        Note::BackingOff { delay } => format!("waits {} for its next start", span(*delay)),
        Note::Exhausted { delay } => format!("no resources, next try in {}", span(*delay)),
        Note::WaitExpired { limit, .. } => format!("not started within {}", span(*limit)),
        Note::Skipped { source } => format!("skipped for {}", names.source(*source)),
        Note::GivenUp(most) => format!(
            "given up: more than {} restarts within {}",
            most.count,
            span(most.within)
        ),
        Note::TickSkipped => "tick skipped".to_owned(),
        Note::HookTimedOut { hook, limit } => {
            format!("{} did not end within {}", names.job(*hook), span(*limit))
        }
        Note::LeavingTimedOut { limit } => {
            format!("did not leave the catalogue within {}", span(*limit))
        }
        Note::Restarting => "restarting it for its health".to_owned(),
        Note::HeartbeatMissed { limit } => format!("no heartbeat within {}", span(*limit)),
        Note::Anew => "begins anew".to_owned(),
        Note::Completed { exit } => {
            let exit = exit.map_or_else(String::new, |exit| format!(": {exit}"));
            format!("complete{exit}")
        }
    }
}

/// Writes a file anew, beside the loop.
async fn write_file(file: PathBuf, text: String, limit: Duration) -> Result<(), String> {
    let written = tokio::task::spawn_blocking(move || write_anew(&file, text.as_bytes()));
    match tokio::time::timeout(limit, written).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it took longer than {}", span(limit))),
    }
}

fn write_anew(file: &Path, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = std::fs::OpenOptions::new();
    // A FIFO without a reader is an error at once.
    options.write(true).create(true).truncate(true);
    let mut file = options.custom_flags(libc::O_NONBLOCK).open(file)?;
    file.write_all(text)
}
