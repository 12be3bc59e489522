//! A catalogue that says what it is told to say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::limits::Limits;
use super::super::{Client, Lookup, Settings};
use crate::config::{ConsulSettings, Variables};
use crate::watches::{Mode, Question, Subject, Target};

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Sends this and keeps the connection.
    Say(Vec<u8>),
    /// Sends this and closes.
    SayAndClose(Vec<u8>),
    /// Sends this and then nothing more, for ever.
    Stop(Vec<u8>),
    /// Sends the first once, and the second for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// Waits until the test releases it, then as `Say`.
    Held(Vec<u8>),
}

/// Short enough for a test, long enough for a busy machine where nothing should run out.
pub(super) const LIMITS: Limits = Limits {
    connect: Duration::from_secs(10),
    call: Duration::from_secs(10),
    grace: Duration::from_secs(10),
    poll: Duration::from_millis(10),
    answer: 64 << 10,
};

/// For tests in which a limit is what is waited for.
pub(super) const HASTY: Limits = Limits {
    call: Duration::from_millis(300),
    grace: Duration::from_millis(300),
    ..LIMITS
};

pub(super) struct Fake {
    pub(super) address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    replies: Mutex<Vec<Reply>>,
    seen: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    release: tokio::sync::Notify,
}

impl Fake {
    /// A server that gives these answers in turn, and the last of them for ever. It ends with the runtime of the test.
    pub(super) async fn start(replies: Vec<Reply>) -> Fake {
        Fake::listen("127.0.0.1:0", replies, None).await
    }

    /// One at this address of loopback.
    pub(super) async fn start_at(address: &str, replies: Vec<Reply>) -> Fake {
        Fake::listen(address, replies, None).await
    }

    pub(super) async fn start_tls(replies: Vec<Reply>, config: rustls::ServerConfig) -> Fake {
        let tls = TlsAcceptor::from(Arc::new(config));
        Fake::listen("127.0.0.1:0", replies, Some(tls)).await
    }

    async fn listen(address: &str, replies: Vec<Reply>, tls: Option<TlsAcceptor>) -> Fake {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            replies: Mutex::new(replies),
            ..Shared::default()
        });
        let of_tasks = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&of_tasks);
                let tls = tls.clone();
                tokio::spawn(async move {
                    *shared.connections.lock().unwrap() += 1;
                    match tls {
                        None => serve(stream, &shared).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &shared).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Fake { address, shared }
    }

    /// Head and body of every request so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(super) fn last(&self) -> String {
        self.seen().pop().expect("a request")
    }

    pub(super) fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    pub(super) fn release(&self) {
        self.shared.release.notify_one();
    }

    /// Waits until this many requests have come.
    pub(super) async fn has_seen(&self, count: usize) {
        while self.seen().len() < count {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// A client of it with nothing special.
    pub(super) fn client(&self) -> Client {
        self.client_with(ConsulSettings::default(), LIMITS)
    }

    pub(super) fn client_with(&self, consul: ConsulSettings, limits: Limits) -> Client {
        let address = if consul.address.is_empty() {
            self.address.clone()
        } else {
            consul.address.clone()
        };
        client(&ConsulSettings { address, ..consul }, limits)
    }
}

pub(super) fn client(consul: &ConsulSettings, limits: Limits) -> Client {
    let settings = Settings::resolve(consul, &Variables::new()).unwrap();
    Client::with_limits(settings, Lookup::System, limits).unwrap()
}

/// Serves one connection; `None` when the client is gone.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> Option<()> {
    loop {
        let request = read_request(&mut stream).await?;
        let reply = {
            let mut seen = shared.seen.lock().unwrap();
            seen.push(request);
            let replies = shared.replies.lock().unwrap();
            let index = (seen.len() - 1).min(replies.len() - 1);
            replies[index].clone()
        };
        match reply {
            Reply::Say(bytes) => stream.write_all(&bytes).await.ok()?,
            Reply::SayAndClose(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.shutdown().await.ok()?;
                return None;
            }
            Reply::Stop(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.flush().await.ok()?;
                // Until the client has had enough.
                let _ = stream.read(&mut [0]).await;
                return None;
            }
            Reply::Endless(start, more) => {
                stream.write_all(&start).await.ok()?;
                loop {
                    stream.write_all(&more).await.ok()?;
                }
            }
            Reply::Held(bytes) => {
                shared.release.notified().await;
                stream.write_all(&bytes).await.ok()?;
            }
        }
        stream.flush().await.ok()?;
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.unwrap_or_default() {
            return Some(text.into_owned());
        }
    }
}

/// An answer with this status and body, and an index.
pub(super) fn answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nX-Consul-Index: 42\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

pub(super) fn say(status: u16, body: &str) -> Vec<Reply> {
    vec![Reply::Say(answer(status, body))]
}

/// A question about the service `app`.
pub(super) fn question(tags: &[&str], mode: Mode) -> Question {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    about(
        Target::Service {
            name: "app".to_owned(),
            tags,
            passing_only: true,
        },
        mode,
    )
}

/// One that stands until something changes, or for the time.
pub(super) fn standing(wait: Duration) -> Question {
    question(&[], Mode::Change { since: 7, wait })
}

pub(super) fn about(target: Target, mode: Mode) -> Question {
    Question {
        subject: Subject { target, dc: None },
        mode,
    }
}
