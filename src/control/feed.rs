//! What a follower is sent, as server-sent events (the HTML standard, section 9.2).
//!
//! A [`Feed`] is in the hands of whoever has something to tell; the body of the answer is at its other end. What waits in
//! between is bounded in bytes: a follower that reads too slowly is dropped, and told so as far as it still listens.
//! Whoever drops a feed ends the answer.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::patience::Patience;

/// What may wait for one follower, in bytes.
const WAITING: usize = 1024 * 1024;

/// The longest line that is put together of pieces, in bytes; a longer one is passed on as several.
const LINE: usize = 16 * 1024;

/// Runs of one job whose unfinished lines are kept apart.
const UNFINISHED: usize = 8;

/// A follower that has gone away shows only when it is written to (the sending half of a client that waits may be closed).
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Something to tell.
#[derive(Debug)]
enum Piece {
    /// One message, without a newline.
    Message(String),
    /// Output of the run with this number, as it was read.
    Output(u64, Box<[u8]>),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Piece::Message(text) => text.len(),
            Piece::Output(_, bytes) => bytes.len(),
        }
    }
}

/// The end in which something is told.
#[derive(Debug)]
pub struct Feed {
    pieces: mpsc::UnboundedSender<Piece>,
    shared: Arc<Shared>,
    patience: Patience,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes that wait; they bound the channel.
    waiting: AtomicUsize,
    /// The follower was dropped because too much waited.
    slow: AtomicBool,
}

impl Feed {
    /// Tells a message; newlines in it are not kept. `false`: the follower has gone, or reads too slowly, and gets nothing more.
    pub fn message(&self, text: String) -> bool {
        self.offer(Piece::Message(text))
    }

    /// Tells what the run with this number has written; nothing, if that is empty. Answers as [`Feed::message`].
    pub fn output(&self, run: u64, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return self.is_heard();
        }
        self.offer(Piece::Output(run, bytes.into()))
    }

    /// Whether the follower is still there, as far as is known.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        !self.pieces.is_closed()
    }

    fn offer(&self, piece: Piece) -> bool {
        let len = piece.len().max(1);
        let before = self.shared.waiting.fetch_add(len, Ordering::Relaxed);
        if before + len > WAITING {
            self.shared.slow.store(true, Ordering::Relaxed);
            return false;
        }
        self.pieces.send(piece).is_ok()
    }
}

impl Drop for Feed {
    /// The last words may still be taken; a client that does not is not waited for.
    fn drop(&mut self) {
        self.patience.limit();
    }
}

/// The end that a client reads.
#[derive(Debug)]
pub(super) struct Stream {
    /// What is to be written next.
    ready: VecDeque<Bytes>,
    pieces: mpsc::UnboundedReceiver<Piece>,
    shared: Arc<Shared>,
    /// The beginnings of lines, by run.
    unfinished: HashMap<u64, Vec<u8>>,
    sign_of_life: Interval,
    over: bool,
    /// One of the places for followers.
    _place: OwnedSemaphorePermit,
}

/// A feed and the body that it feeds.
pub(super) fn feed(place: OwnedSemaphorePermit, patience: Patience) -> (Feed, Stream) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared::default());
    let mut sign_of_life = interval_at(Instant::now() + SIGN_OF_LIFE, SIGN_OF_LIFE);
    sign_of_life.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed {
        pieces: sender,
        shared: Arc::clone(&shared),
        patience,
    };
    let stream = Stream {
        ready: VecDeque::new(),
        pieces,
        shared,
        unfinished: HashMap::new(),
        sign_of_life,
        over: false,
        _place: place,
    };
    (feed, stream)
}

impl Stream {
    /// Puts these messages before everything else.
    pub(super) fn begin_with(&mut self, messages: impl IntoIterator<Item = String>) {
        self.ready
            .extend(messages.into_iter().map(|text| message(&text)));
    }

    fn take(&mut self, piece: Piece) {
        let len = piece.len().max(1);
        self.shared.waiting.fetch_sub(len, Ordering::Relaxed);
        match piece {
            Piece::Message(text) => self.ready.push_back(message(&text)),
            Piece::Output(run, bytes) => self.take_output(run, &bytes),
        }
    }

    fn take_output(&mut self, run: u64, bytes: &[u8]) {
        if self.unfinished.len() >= UNFINISHED && !self.unfinished.contains_key(&run) {
            self.finish_lines();
        }
        let held = self.unfinished.entry(run).or_default();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            held.extend_from_slice(part);
            if held.ends_with(b"\n") || held.len() > LINE {
                self.ready.push_back(line(held));
                held.clear();
            }
        }
        if held.is_empty() {
            self.unfinished.remove(&run);
        }
    }

    fn finish_lines(&mut self) {
        for (_, held) in self.unfinished.drain() {
            self.ready.push_back(line(&held));
        }
    }

    fn end(&mut self) {
        self.finish_lines();
        let reason = if self.shared.slow.load(Ordering::Relaxed) {
            "too slow: more has come than was read"
        } else {
            "the supervisor has ended this"
        };
        let data = json!({ "reason": reason });
        let text = format!("event: end\ndata: {data}\n\n");
        self.ready.push_back(Bytes::from(text));
        self.over = true;
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if self.over {
                return Poll::Ready(None);
            }
            match self.pieces.poll_recv(context) {
                Poll::Ready(Some(piece)) => self.take(piece),
                Poll::Ready(None) => self.end(),
                Poll::Pending => {
                    ready!(self.sign_of_life.poll_tick(context));
                    self.ready.push_back(Bytes::from_static(b":\n\n"));
                }
            }
        }
    }
}

fn line(bytes: &[u8]) -> Bytes {
    message(&String::from_utf8_lossy(bytes))
}

/// A message in its form. A carriage return ends a line as well, and a lone one within would end the message.
fn message(text: &str) -> Bytes {
    let text = text.trim_end_matches(['\r', '\n']);
    Bytes::from(format!("data: {}\n\n", text.replace(['\r', '\n'], " ")))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    async fn place() -> OwnedSemaphorePermit {
        let places = Arc::new(Semaphore::new(1));
        places.acquire_owned().await.unwrap()
    }

    async fn everything(stream: Stream) -> String {
        let bytes = stream.collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    const ENDED: &str = "event: end\ndata: {\"reason\":\"the supervisor has ended this\"}\n\n";

    #[tokio::test]
    async fn lines_are_put_together_by_run() {
        let (feed, mut stream) = feed(place().await, Patience::new(Duration::from_secs(1)));
        stream.begin_with(["before".to_owned()]);
        assert!(feed.output(1, b"one\nt") && feed.output(2, b"other\r\n"));
        assert!(feed.output(1, b"wo\nrest") && feed.message("a\nb".to_owned()));
        drop(feed);
        let lines = ["before", "one", "other", "two", "a b", "rest"];
        let expected: String = lines.map(|line| format!("data: {line}\n\n")).concat();
        assert_eq!(everything(stream).await, expected + ENDED);
    }

    #[tokio::test]
    async fn a_feed_knows_that_nobody_is_there() {
        let (feed, stream) = feed(place().await, Patience::new(Duration::from_secs(1)));
        assert!(feed.is_heard() && feed.output(1, b""));
        drop(stream);
        assert!(!feed.is_heard() && !feed.output(1, b"") && !feed.message(String::new()));
    }

    #[tokio::test]
    async fn who_reads_too_slowly_is_dropped_and_told() {
        let (feed, stream) = feed(place().await, Patience::new(Duration::from_secs(1)));
        let block = vec![b'x'; 1023];
        let taken = (0..WAITING).take_while(|_| feed.output(1, &block)).count();
        assert_eq!(taken, WAITING / block.len());
        drop(feed);
        let text = everything(stream).await;
        assert!(
            text.contains("event: end\ndata: {\"reason\":\"too slow"),
            "told at the end"
        );
    }
}
