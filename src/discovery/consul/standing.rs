//! Standing questions over plain connections.
//!
//! A blocking query has a connection to itself for a minute, and five hundred watches have five hundred. What a client
//! library keeps for a connection (buffers, a queue of requests) is 25 KiB each, for nothing: while a question stands,
//! nothing happens. So here the question is written by hand, and then nothing is held but the socket until it can be read.
//! Only then hyper is given the connection, to read the answer: it believes that it has sent the same question itself. TLS
//! and proxies stay with reqwest, and so does everything that is short.

use std::error::Error;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::{CONNECTION, HOST};
use hyper_util::rt::TokioIo;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::events::Failure;

use super::address::{Place, Target};
use super::exchange::{Reply, read};
use super::limits;
use super::lookup::Resolver;
use super::outcome::Telling;
use super::request::Request;

/// Connections that wait for their next question. The subjects of watches ask again at once, so few ever do.
const IDLE: usize = 16;

/// The plain connections of one session.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Those without a question, with the time of their last one. Locked for a push or a pop, never over an await.
    idle: Mutex<Vec<(Instant, Line)>>,
}

/// What a question needs beside itself.
#[derive(Debug)]
pub(super) struct Way<'w> {
    pub(super) target: &'w Target,
    pub(super) resolver: &'w Resolver,
    pub(super) headers: &'w hyper::HeaderMap,
    /// For lookup and connection.
    pub(super) connect: Duration,
}

impl Lines {
    /// Asks, and reads the answer. Dropping it closes the connection.
    pub(super) async fn exchange(
        &self,
        way: &Way<'_>,
        request: &Request,
        telling: &Telling<'_>,
    ) -> Result<Reply, Failure> {
        let whole = async {
            // One that waited may have been closed meanwhile; the question is then asked on a new one.
            if let Some(line) = self.take()
                && let Ok(line) = put(line, way, request).await
                && let Ok(reply) = self.answer(line, request.most, telling).await
            {
                return Ok(reply);
            }
            let line = timeout(way.connect, connect(way)).await;
            let line = line.map_err(|_| telling.unreachable("no connection in time"))?;
            let line = line.map_err(|error| telling.broken(&error))?;
            let line = put(line, way, request).await;
            let line = line.map_err(|error| telling.broken(&error))?;
            self.answer(line, request.most, telling).await
        };
        match timeout(request.time, whole).await {
            Ok(reply) => reply,
            Err(_) => Err(telling.late(request.time)),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Line)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that has not waited for too long, so that a server that moved is found (C17).
    fn take(&self) -> Option<Line> {
        let mut idle = self.idle();
        idle.retain(|(since, _)| since.elapsed() < limits::IDLE);
        idle.pop().map(|(_, line)| line)
    }

    fn keep(&self, line: Line) {
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push((Instant::now(), line));
        }
    }

    /// Waits until the server speaks, and reads what it says. This is where a question stands.
    async fn answer(
        &self,
        line: Line,
        most: usize,
        telling: &Telling<'_>,
    ) -> Result<Reply, Failure> {
        let broken = |error: &(dyn Error + 'static)| telling.broken(error);
        line.readable().await.map_err(|error| broken(&error))?;
        let sent = TokioIo::new(Sent {
            line,
            early: None,
            asked: false,
        });
        let (mut asker, connection) = handshake(sent).await.map_err(|error| broken(&error))?;
        // Ends with the asker, and gives the socket back. It lives in this future: dropping one drops both.
        let mut connection = std::pin::pin!(connection.without_shutdown());
        let reading = async {
            let response = asker.send_request(question()).await;
            let response = response.map_err(|error| broken(&error))?;
            let reusable = response.headers().get(CONNECTION).is_none();
            let reply = read(response, most, telling).await?;
            drop(asker);
            Ok((reply, reusable))
        };
        let mut reading = std::pin::pin!(reading);
        let (reply, reusable) = tokio::select! {
            biased;
            read = &mut reading => read?,
            // The connection has ended first; whatever it had is there to be read.
            _ = &mut connection => return reading.await.map(|(reply, _)| reply),
        };
        // Nothing is on its way any more, so this is at once; a server that speaks without being asked is not kept.
        if reusable
            && reply.status.is_success()
            && let Ok(Ok(parts)) = timeout(Duration::ZERO, connection).await
            && parts.read_buf.is_empty()
        {
            self.keep(parts.io.into_inner().line);
        }
        Ok(reply)
    }
}

/// What hyper is told to ask; it is not sent, see [`Sent`].
fn question() -> hyper::Request<Empty<Bytes>> {
    hyper::Request::new(Empty::new())
}

/// Writes the question.
async fn put(mut line: Line, way: &Way<'_>, request: &Request) -> io::Result<Line> {
    let mut text = Vec::with_capacity(512);
    // Writing to memory cannot fail. Path and query are encoded, and a header has no line break in it.
    let _ = write!(
        text,
        "{} {}{} HTTP/1.1\r\n",
        request.method, way.target.prefix, request.path
    );
    if !way.headers.contains_key(HOST) {
        let _ = write!(text, "host: {}\r\n", way.target.authority());
    }
    for (name, value) in way.headers {
        let _ = write!(text, "{name}: ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    line.write_all(&text).await?;
    Ok(line)
}

async fn connect(way: &Way<'_>) -> io::Result<Line> {
    match &way.target.place {
        Place::Socket(path) => UnixStream::connect(path).await.map(Line::Unix),
        Place::Host { host, port } => {
            let mut last = io::Error::other("the name has no address");
            for mut address in way.resolver.addresses(host).await? {
                address.set_port(*port);
                match TcpStream::connect(address).await {
                    Ok(stream) => {
                        watch_over(&stream)?;
                        return Ok(Line::Tcp(stream));
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
    }
}

/// As the other connections: nothing waits to be sent, and a peer that vanished is noticed.
fn watch_over(stream: &TcpStream) -> io::Result<()> {
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let millis = u32::try_from(limits::UNACKNOWLEDGED.as_millis()).unwrap_or(u32::MAX);
    stream.set_nodelay(true)?;
    let fd = stream.as_fd();
    setsockopt(&fd, sockopt::KeepAlive, &true)?;
    setsockopt(&fd, sockopt::TcpKeepIdle, &seconds(limits::SILENCE))?;
    setsockopt(
        &fd,
        sockopt::TcpKeepInterval,
        &seconds(limits::PROBE_INTERVAL),
    )?;
    setsockopt(&fd, sockopt::TcpKeepCount, &limits::PROBES)?;
    setsockopt(&fd, sockopt::TcpUserTimeout, &millis)?;
    Ok(())
}

/// A socket.
#[derive(Debug)]
enum Line {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Line {
    /// Waits for something to read, or the end, without a buffer.
    async fn readable(&self) -> io::Result<()> {
        match self {
            Line::Tcp(stream) => stream.readable().await,
            Line::Unix(stream) => stream.readable().await,
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Line::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Line::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Line::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Line::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Line::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// A socket on which the question was sent already: what is written again goes nowhere. Until then nothing is to be read,
/// since hyper takes an answer that comes before its question for a fault.
#[derive(Debug)]
struct Sent {
    line: Line,
    /// Who wants to read before it has asked; `None` once it has.
    early: Option<Waker>,
    asked: bool,
}

impl AsyncRead for Sent {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let sent = self.get_mut();
        if !sent.asked {
            sent.early = Some(context.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut sent.line).poll_read(context, buffer)
    }
}

impl AsyncWrite for Sent {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = self.get_mut();
        sent.asked = true;
        if let Some(early) = sent.early.take() {
            early.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
