//! Every test here uses real sockets in a directory of its own and waits for conditions. [`soon`] only turns a hang into a
//! failure.

mod client;
mod close;
mod endpoints;
mod hostile;
mod owner;
mod socket;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::limits::Limits;
use super::{Command, HealthAnswer, ReloadPlan, Server, ServerHandle};
use crate::config::ControlSettings;

/// Limits that no test runs into unless it shortens one.
const PATIENT: Limits = Limits {
    head: Duration::from_hours(1),
    body: Duration::from_hours(1),
    answer: Duration::from_hours(1),
    close: Duration::from_hours(1),
    ..Limits::DEFAULT
};

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .expect("it hangs")
}

fn settings(socket: &Path) -> ControlSettings {
    ControlSettings {
        socket: socket.to_owned(),
        ..ControlSettings::default()
    }
}

/// A served socket.
struct Fixture {
    _directory: TempDir,
    path: PathBuf,
    handle: ServerHandle,
}

impl Fixture {
    fn new(commands: mpsc::Sender<Command>, limits: Limits) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.socket");
        let server = Server::bind(&settings(&path)).unwrap();
        Fixture {
            _directory: directory,
            path,
            handle: server.serve_within(commands, limits).unwrap(),
        }
    }

    /// With a supervisor that answers at once and remembers what it was asked.
    fn answered(limits: Limits) -> (Fixture, Supervisor) {
        let (commands, inbox) = mpsc::channel(16);
        (Fixture::new(commands, limits), Supervisor::start(inbox))
    }

    async fn connect(&self) -> UnixStream {
        soon(UnixStream::connect(&self.path)).await.unwrap()
    }

    /// Sends the bytes, closes the sending half, and reads to the end.
    async fn talk(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        stream.shutdown().await.unwrap();
        rest(&mut stream).await
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> String {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: control\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.talk(request).await
    }
}

async fn rest(stream: &mut UnixStream) -> String {
    let mut text = Vec::new();
    // A reset after the answer is the other way in which a connection ends.
    let _ = soon(stream.read_to_end(&mut text)).await;
    String::from_utf8(text).unwrap()
}

/// Waits until the other side has closed.
async fn closed(stream: &mut UnixStream) {
    assert_eq!(rest(stream).await, "");
}

/// The status of an answer, and what follows its head.
fn split(answer: &str) -> (u16, &str) {
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    match (status, body) {
        (Some(status), Some(body)) => (status, body),
        _ => panic!("no answer: {answer:?}"),
    }
}

/// A job called `app` that is healthy, one called `sick app` that is not, and an opinion on `BAD` and `bad_metric`.
struct Supervisor {
    task: JoinHandle<()>,
    seen: mpsc::UnboundedReceiver<String>,
}

impl Supervisor {
    fn start(mut inbox: mpsc::Receiver<Command>) -> Supervisor {
        let (log, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Some(command) = inbox.recv().await {
                let _ = log.send(describe(&command));
                answer(command);
            }
        });
        Supervisor { task, seen }
    }

    fn seen(&mut self) -> Option<String> {
        self.seen.try_recv().ok()
    }
}

/// With the values, which the `Debug` of a command leaves out.
fn describe(command: &Command) -> String {
    match command {
        Command::Environ { changes, .. } => format!("Environ({changes:?})"),
        other => format!("{other:?}"),
    }
}

fn answer(command: Command) {
    // A client that has gone away does not want its answer.
    match command {
        Command::Reload { reply } | Command::Maintenance { reply, .. } => {
            let _ = reply.send(Ok(()));
        }
        Command::Environ { changes, reply } => {
            let refused = changes.iter().any(|(name, _)| name == "BAD");
            let _ = reply.send(if refused {
                Err("it is bad".into())
            } else {
                Ok(())
            });
        }
        Command::Metric { values, reply } => {
            let refused = values.iter().any(|(name, _)| name == "bad_metric");
            let _ = reply.send(if refused {
                Err("it is bad".into())
            } else {
                Ok(())
            });
        }
        Command::ReloadPlan { reply } => {
            let plan = ReloadPlan {
                settings: vec!["consul".to_owned()],
                ..ReloadPlan::default()
            };
            let _ = reply.send(Ok(plan));
        }
        // The program's own tests have real ones.
        Command::Live(_) => {}
        Command::Health { job, reply } => {
            let _ = reply.send(match job.as_deref() {
                None | Some("app") => Some(HealthAnswer {
                    healthy: true,
                    reason: None,
                }),
                Some("sick app") => Some(HealthAnswer {
                    healthy: false,
                    reason: Some("its check failed".to_owned()),
                }),
                Some(_) => None,
            });
        }
    }
}
