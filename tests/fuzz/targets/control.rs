//! The control API: the bytes of one connection to the socket.
//!
//! * One connection gets at most one answer, whole, with a status that the API has; then it is closed.
//! * At most one command comes of it, and what a command promises of its values is so.
//! * What `/api/` answers is JSON, and an error has the one shape of errors.

use std::path::PathBuf;

use pilothouse::config::ControlSettings;
use pilothouse::control::{
    Command, EventView, Feed, HealthAnswer, JobDetail, JobView, Live, OperateError, ReloadPlan,
    Server, ServerHandle, Status,
};
use pilothouse::jobs::Progress;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::http::{Answer, PATIENCE, converse};

/// What the server may say.
const STATUSES: [u16; 11] = [200, 400, 403, 404, 405, 413, 414, 422, 431, 501, 503];

/// The server, once for all inputs: it keeps nothing of its clients but counts.
struct Site {
    runtime: Runtime,
    commands: mpsc::Receiver<Command>,
    socket: PathBuf,
    _server: ServerHandle,
    _folder: TempDir,
}

thread_local! {
    static SITE: std::cell::RefCell<Site> = std::cell::RefCell::new(Site::new());
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let socket = folder.path().join("s");
        let settings = ControlSettings {
            socket: socket.clone(),
            ..ControlSettings::default()
        };
        let runtime = super::runtime();
        let (sender, commands) = mpsc::channel(4);
        let inside = runtime.enter();
        let server = Server::bind(&settings).expect("the socket is free");
        let server = server.serve(sender).expect("the runtime can watch it");
        drop(inside);
        Site {
            runtime,
            commands,
            socket,
            _server: server,
            _folder: folder,
        }
    }
}

pub(super) fn run(input: &[u8]) {
    SITE.with_borrow_mut(|site| {
        let Site {
            runtime,
            commands,
            socket,
            ..
        } = site;
        let mut asked = 0;
        let answer = runtime.block_on(async {
            let stream = UnixStream::connect(socket).await;
            let stream = stream.expect("the server listens");
            let performing = async {
                while let Some(command) = commands.recv().await {
                    asked += 1;
                    perform(command, input.len());
                }
            };
            tokio::select! {
                () = performing => unreachable!("the server holds the sender"),
                answer = converse(stream, input, PATIENCE) => answer,
            }
        });
        assert!(asked <= 1, "{asked} commands of one connection");
        check(
            input,
            &answer.expect("the server neither answers nor closes"),
        );
    });
}

fn check(input: &[u8], answer: &[u8]) {
    if answer.is_empty() {
        // Not even a head: hyper closes without a word.
        return;
    }
    let mut rest = answer;
    let mut answer = Answer::take(&mut rest, input.starts_with(b"HEAD "));
    if answer.status == 100 {
        // The client waits to be told to go on.
        answer = Answer::take(&mut rest, input.starts_with(b"HEAD "));
    }
    assert!(rest.is_empty(), "more than one answer");
    assert!(STATUSES.contains(&answer.status), "{answer:?}");
    if answer.is_json() && !answer.body.is_empty() {
        let body = answer.json();
        if answer.status >= 400 && answer.status != 503 {
            let error = &body["error"];
            let is_text = error["code"].is_string() && error["message"].is_string();
            assert!(is_text, "an error of another shape: {body}");
        }
    }
}

/// Does what the supervisor would: answers, in one of several ways, or not at all.
fn perform(command: Command, way: usize) {
    let outcome = || match way % 3 {
        0 => Ok(()),
        _ => Err("it\ndoes \"not\" \u{1F980}".to_owned()),
    };
    // Nobody listens any more: the client has gone.
    match command {
        Command::Reload { reply } | Command::Maintenance { reply, .. } => {
            let _ = reply.send(outcome());
        }
        Command::ReloadPlan { reply } => {
            let _ = reply.send(outcome().map(|()| ReloadPlan::default()));
        }
        Command::Environ { changes, reply } => {
            assert!(!changes.is_empty());
            for (name, value) in changes {
                assert!(!name.is_empty() && !name.contains(['=', '\0']), "{name:?}");
                assert!(!value.unwrap_or_default().contains('\0'));
            }
            let _ = reply.send(outcome());
        }
        Command::Metric { values, reply } => {
            assert!(!values.is_empty());
            assert!(values.iter().all(|(_, value)| value.is_finite()));
            let _ = reply.send(outcome());
        }
        Command::Health { reply, .. } => {
            let health = HealthAnswer {
                healthy: way.is_multiple_of(2),
                reason: None,
            };
            let _ = reply.send((!way.is_multiple_of(3)).then_some(health));
        }
        Command::Live(live) => perform_live(live, way),
    }
}

fn perform_live(live: Live, way: usize) {
    let is_known = !way.is_multiple_of(3);
    let job = || JobView {
        name: "app".to_owned(),
        ..JobView::default()
    };
    match live {
        Live::Status { reply } => {
            let status = Status {
                jobs: vec![job()],
                ..Status::default()
            };
            let _ = reply.send(status);
        }
        Live::Job { reply, .. } => {
            let detail = JobDetail {
                job: job(),
                ..JobDetail::default()
            };
            let _ = reply.send(is_known.then_some(detail));
        }
        Live::Operate { reply, .. } => {
            let done = if is_known {
                Ok(Progress::Begun)
            } else {
                Err(OperateError::Unknown)
            };
            let _ = reply.send(done);
        }
        Live::Publish { reply, .. } => {
            let _ = reply.send(if is_known {
                Ok(way)
            } else {
                Err("nobody waits for it".to_owned())
            });
        }
        Live::Events { feed, reply } => {
            let _ = reply.send(vec![EventView::default()]);
            if let Some(feed) = feed {
                write(&feed);
            }
        }
        Live::Lines { feed, reply, .. } => {
            let _ = reply.send(is_known.then(|| vec!["a line".to_owned()]));
            if let Some(feed) = feed {
                write(&feed);
            }
        }
    }
}

/// A feed that has something to say, and ends.
fn write(feed: &Feed) {
    feed.message("{}".to_owned());
    feed.output(1, b"one\ntwo\xff\x1b[0m\n\nthree");
}
