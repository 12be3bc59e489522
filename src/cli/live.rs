//! Requests about what runs.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use super::columns;
use super::exit::ExitCode;
use super::run::Console;
use crate::control::{Client, ClientError, EventView, Followed, JobDetail};
use crate::jobs::Operation;

/// How often `status --watch` looks.
const WATCH: Duration = Duration::from_secs(1);

/// How many jobs a chain of reasons goes through.
const CHAIN: usize = 16;

/// What is asked about what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveAction {
    /// `status`: for people, or with `json` for tools; with `watch` again and again.
    Status { json: bool, watch: bool },
    /// `start`, `stop`, `restart`, `signal`, `checks`, `maintenance MODE JOB`.
    Operate { job: String, operation: Operation },
    /// `logs`.
    Logs { job: String, follow: bool },
    /// `events`.
    Events { json: bool, follow: bool },
    /// `why`.
    Why { job: String, json: bool },
    /// `publish`.
    Publish(String),
}

impl LiveAction {
    /// What an error begins with.
    pub(super) fn name(&self) -> &'static str {
        match self {
            LiveAction::Status { .. } => "status",
            LiveAction::Operate { operation, .. } => match operation {
                Operation::Start => "start",
                Operation::Stop => "stop",
                Operation::Restart => "restart",
                Operation::Signal(_) => "signal",
                Operation::Check(_) => "checks",
                Operation::Maintenance(_) => "maintenance",
            },
            LiveAction::Logs { .. } => "logs",
            LiveAction::Events { .. } => "events",
            LiveAction::Why { .. } => "why",
            LiveAction::Publish(_) => "publish",
        }
    }
}

/// Why a request was not done to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum LiveError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot write to stdout: {0}")]
    Output(#[from] io::Error),
    #[error("cannot show the answer: {0}")]
    Json(#[from] serde_json::Error),
}

/// Asks, and writes what comes.
pub(super) async fn perform(
    action: &LiveAction,
    client: &Client,
    console: &mut Console<'_>,
) -> Result<ExitCode, LiveError> {
    match action {
        LiveAction::Status { json, watch } => status(*json, *watch, client, console).await?,
        LiveAction::Operate { job, operation } => {
            let result = client.operate(job, *operation).await?;
            let text = outcome(*operation, &result);
            writeln!(console.out, "{job}: {text}")?;
        }
        LiveAction::Logs { job, follow: false } => {
            for line in client.lines(job).await? {
                writeln!(console.out, "{line}")?;
            }
        }
        LiveAction::Logs { job, follow: true } => {
            follow(client.follow_lines(job).await?, console, |line| line).await?;
        }
        LiveAction::Events {
            json,
            follow: false,
        } => {
            for event in client.events().await? {
                let text = if *json {
                    serde_json::to_string(&event)?
                } else {
                    event_line(&event)
                };
                writeln!(console.out, "{text}")?;
            }
        }
        LiveAction::Events { json, follow: true } => {
            let show = |text: String| match serde_json::from_str(&text) {
                Ok(event) if !*json => event_line(&event),
                _ => text,
            };
            follow(client.follow_events().await?, console, show).await?;
        }
        LiveAction::Why { job, json } => why(job, *json, client, console).await?,
        LiveAction::Publish(event) => {
            let heard = client.publish(event).await?;
            let jobs = if heard == 1 { "job" } else { "jobs" };
            writeln!(console.out, "event.{event}: heard by {heard} {jobs}")?;
        }
    }
    console.out.flush()?;
    Ok(ExitCode::Success)
}

fn outcome(operation: Operation, result: &str) -> &'static str {
    match (operation, result) {
        (Operation::Start, "already") => "it runs already, or is about to",
        (Operation::Start, "later") => "it starts once it has stopped",
        (Operation::Start, _) => "starting",
        (Operation::Stop, "already") => "it is stopped already, or is stopping",
        (Operation::Stop, _) => "stopping",
        (Operation::Restart, "later" | "already") => "it starts again once it has stopped",
        (Operation::Restart, _) => "restarting",
        (Operation::Signal(_), _) => "sent",
        (Operation::Check(true), _) => "its checks are on",
        (Operation::Check(false), _) => "its checks are off",
        (Operation::Maintenance(true), _) => "it is in maintenance",
        (Operation::Maintenance(false), _) => "it is not in maintenance",
    }
}

async fn status(
    json: bool,
    watch: bool,
    client: &Client,
    console: &mut Console<'_>,
) -> Result<(), LiveError> {
    loop {
        let status = client.status().await?;
        let text = if json {
            serde_json::to_string(&status)? + "\n"
        } else {
            columns::of(&status)
        };
        if watch && !json {
            // From the top of an empty screen.
            write!(console.out, "\x1b[H\x1b[2J")?;
        }
        console.out.write_all(text.as_bytes())?;
        console.out.flush()?;
        if !watch {
            return Ok(());
        }
        tokio::time::sleep(WATCH).await;
    }
}

async fn follow(
    mut followed: Followed,
    console: &mut Console<'_>,
    show: impl Fn(String) -> String,
) -> Result<(), LiveError> {
    while let Some(text) = followed.next().await? {
        writeln!(console.out, "{}", show(text))?;
        console.out.flush()?;
    }
    Ok(())
}

fn event_line(event: &EventView) -> String {
    format!("{} {} {}", event.time, event.event, event.source)
}

/// The job, and those that it waits for, as far as they are known.
async fn why(
    job: &str,
    json: bool,
    client: &Client,
    console: &mut Console<'_>,
) -> Result<(), LiveError> {
    let first = client.job(job).await?;
    if json {
        writeln!(console.out, "{}", serde_json::to_string_pretty(&first)?)?;
        return Ok(());
    }
    let mut seen = HashSet::from([job.to_owned()]);
    let mut open = vec![(0, first)];
    while let Some((depth, detail)) = open.pop() {
        let text = columns::reasons(&detail, depth);
        console.out.write_all(text.as_bytes())?;
        for name in awaited(&detail) {
            if seen.len() < CHAIN
                && seen.insert(name.clone())
                && let Ok(detail) = client.job(&name).await
            {
                open.push((depth + 1, detail));
            }
        }
    }
    Ok(())
}

/// The jobs that it waits for at this moment.
fn awaited(detail: &JobDetail) -> Vec<String> {
    if detail.job.state != "waiting" {
        return Vec::new();
    }
    let unmet = detail.conditions.iter().filter(|condition| !condition.met);
    let names = unmet.map(|condition| {
        let source = condition.source.as_str();
        source.strip_prefix("check.").unwrap_or(source).to_owned()
    });
    names.collect()
}
