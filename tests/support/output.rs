//! Both output streams of a program, read by a thread each so that the program never waits for the test.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a test keeps of one stream. A program that writes more belongs into a file or an unread pipe.
const KEPT_BYTES: usize = 64 << 20;

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// The lines so far, and a bell that rings when there are more.
#[derive(Debug, Default)]
pub(super) struct Output {
    // Held only to add or to look; the condition variable wakes those who wait for a line.
    kept: Mutex<Kept>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    lines: Vec<(Stream, Vec<u8>)>,
    bytes: usize,
    open: usize,
    /// Lines beyond the bound, counted and thrown away.
    dropped: usize,
}

impl Output {
    /// Reads a stream to its end in a thread of its own.
    pub(super) fn collect(self: &Arc<Self>, stream: Stream, source: impl Read + Send + 'static) {
        self.locked().open += 1;
        let output = Arc::clone(self);
        std::thread::spawn(move || output.read_all(stream, source));
    }

    fn read_all(&self, stream: Stream, source: impl Read) {
        let mut source = BufReader::with_capacity(1 << 16, source);
        loop {
            let mut line = Vec::new();
            // A read error ends the stream like its end does; what came before it is kept.
            if source.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                break;
            }
            let mut kept = self.locked();
            if kept.bytes < KEPT_BYTES {
                kept.bytes += line.len();
                kept.lines.push((stream, line));
            } else {
                kept.dropped += 1;
            }
            self.bell.notify_all();
        }
        self.locked().open -= 1;
        self.bell.notify_all();
    }

    /// Waits until `count` lines contain `pattern`; `None` when the limit or the end of both streams comes first.
    pub(super) fn wait_for(
        &self,
        pattern: &str,
        count: usize,
        limit: Duration,
    ) -> Option<Vec<String>> {
        let deadline = Instant::now() + limit;
        let mut kept = self.locked();
        loop {
            let found = kept.matching(pattern);
            if found.len() >= count {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || kept.open == 0 {
                return None;
            }
            kept = self
                .bell
                .wait_timeout(kept, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits until both streams have ended. Whoever inherited one can hold it open, hence the limit.
    pub(super) fn wait_closed(&self, limit: Duration) {
        let kept = self.locked();
        let _unused = self
            .bell
            .wait_timeout_while(kept, limit, |kept| kept.open > 0);
    }

    /// The bytes of one stream so far.
    pub(super) fn bytes(&self, stream: Stream) -> Vec<u8> {
        let kept = self.locked();
        let of_stream = kept.lines.iter().filter(|(from, _)| *from == stream);
        of_stream.flat_map(|(_, line)| line.clone()).collect()
    }

    /// Lines that were not kept.
    pub(super) fn dropped(&self) -> usize {
        self.locked().dropped
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Lines stay whole whatever a panicking holder did, so poison tells nothing.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn matching(&self, pattern: &str) -> Vec<String> {
        let text = |line: &[u8]| String::from_utf8_lossy(line).trim_end().to_owned();
        let lines = self.lines.iter().map(|(_, line)| text(line));
        lines.filter(|line| line.contains(pattern)).collect()
    }
}
