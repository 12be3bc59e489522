//! Reading a run's output.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::Interest;
use tokio::sync::{MutexGuard, Notify};

use super::error::LogError;
use super::frame::{Flow, Framer};
use super::shared::{READ, Scratch, Shared};
use super::style::{Label, OutputKind};
use super::tail::Tail;
use super::watched::{Watched, watch};

/// What is read of a pipe whose run is gone: as much as a pipe of ours can hold. A grandchild that writes on for ever
/// loses the rest (S10).
const LEFTOVER: usize = 1024 * 1024;

/// A job that fills its pipe so many times in a row gets a larger one.
const FULL_READS: u32 = 4;

/// The larger pipe: what the kernel allows everyone (pipe(7), `pipe-max-size`).
const LARGE_PIPE: libc::c_int = 1024 * 1024;

/// One run's output being read. Dropping it changes nothing: the pump reads on until the last writer closes.
#[derive(Debug)]
#[must_use = "call finish() when the run is gone, or its last output may wait for a grandchild"]
pub struct PumpHandle {
    shared: Arc<Shared>,
    number: u64,
    tail: Option<Tail>,
}

impl PumpHandle {
    /// The end of what a health check has written so far, as text; empty for a job's command, whose output is only in the
    /// log.
    #[must_use]
    pub fn tail(&self) -> String {
        self.tail.as_ref().map(Tail::text).unwrap_or_default()
    }

    /// The run is gone: what its pipe holds is read, the last line is written even without a newline, and the pipe is
    /// closed, whoever else still has it open (D30, S10). Returns at once; the pump does it in its own time.
    ///
    /// Not for a run that left a daemon behind on purpose (`orphans: "keep"`): it would lose its output. Drop the handle
    /// instead.
    pub fn finish(self) {
        self.shared.with(|output| output.finish_pump(self.number));
    }
}

/// How others tell a pump to end.
#[derive(Debug, Default)]
pub(super) struct PumpState {
    finishing: AtomicBool,
    finish: Notify,
    /// No turn is waited for any more: too many runs that are gone do.
    abandoned: AtomicBool,
    abandon: Notify,
}

impl PumpState {
    pub(super) fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::Relaxed)
    }

    /// Returns whether this is news.
    pub(super) fn finish(&self, abandon: bool) -> bool {
        if self.finishing.swap(true, Ordering::Relaxed) {
            return false;
        }
        self.finish.notify_one();
        if abandon {
            self.abandoned.store(true, Ordering::Relaxed);
            self.abandon.notify_one();
        }
        true
    }

    async fn abandoned(&self) {
        if !self.abandoned.load(Ordering::Relaxed) {
            self.abandon.notified().await;
        }
    }

    /// Waits for the turn; `None` when it is not to be waited for.
    async fn turn<'a>(&self, shared: &'a Shared) -> Option<MutexGuard<'a, Scratch>> {
        tokio::select! {
            biased;
            scratch = shared.turn.lock() => Some(scratch),
            () = self.abandoned() => None,
        }
    }
}

/// The task's own state.
struct Pump {
    shared: Arc<Shared>,
    state: Arc<PumpState>,
    number: u64,
    fd: Watched,
    label: Label,
    framer: Framer,
    tail: Option<Tail>,
    /// Reads in a row that filled the buffer; stops counting when the pipe has been enlarged.
    full_reads: u32,
}

/// What came of one turn.
enum Turn {
    /// So many bytes; there may be more.
    Read(usize),
    /// Nothing is there now.
    Empty,
    /// Nothing will come any more.
    End,
}

/// Starts the pump of one pipe. Must be called inside the runtime.
pub(super) fn start(
    shared: &Arc<Shared>,
    fd: OwnedFd,
    label: Label,
) -> Result<PumpHandle, LogError> {
    let cannot = |source| LogError::Watch {
        name: label.name.to_string(),
        source,
    };
    // The reading end is ours alone: the flag does not reach the child's writing end.
    set_nonblocking(&fd).map_err(cannot)?;
    let fd = watch(Arc::new(fd), Interest::READABLE).map_err(cannot)?;
    let state = Arc::new(PumpState::default());
    let number = shared.with(|output| output.add_pump(Arc::clone(&state)));
    let tail = (label.kind == OutputKind::Check).then(Tail::default);
    let pump = Pump {
        tail: tail.clone(),
        shared: Arc::clone(shared),
        state,
        number,
        fd,
        label,
        framer: Framer::default(),
        full_reads: 0,
    };
    tokio::spawn(pump.run());
    Ok(PumpHandle {
        shared: Arc::clone(shared),
        number,
        tail,
    })
}

impl Drop for Pump {
    /// Also when the runtime drops the task: a pump never stays registered behind its end.
    fn drop(&mut self) {
        self.shared.with(|output| output.remove_pump(self.number));
    }
}

impl Pump {
    async fn run(mut self) {
        if self.read_while_run_lives().await {
            self.read_leftover().await;
        }
        self.write_last_line().await;
    }

    /// Returns whether the run is gone; otherwise the pipe has ended first (L06: then it is closed, and nothing spins).
    async fn read_while_run_lives(&mut self) -> bool {
        loop {
            tokio::select! {
                biased;
                () = self.state.finish.notified() => return true,
                ready = self.fd.readable() => {
                    if ready.is_err() {
                        return false;
                    }
                }
            }
            match self.turn().await {
                // One slice a turn: others come first, however much is left (L03).
                Turn::Read(READ) => tokio::task::yield_now().await,
                Turn::Read(_) | Turn::Empty => {}
                Turn::End => return false,
            }
        }
    }

    async fn read_leftover(&mut self) {
        let mut left = LEFTOVER;
        while left > 0 {
            let Turn::Read(count) = self.turn().await else {
                return;
            };
            left = left.saturating_sub(count);
            tokio::task::yield_now().await;
        }
    }

    /// Waits for its turn, reads once, and hands the lines on.
    async fn turn(&mut self) -> Turn {
        let shared = Arc::clone(&self.shared);
        match self.state.turn(&shared).await {
            Some(scratch) => self.turn_with(scratch).await,
            None => self.give_up(),
        }
    }

    async fn turn_with(&mut self, mut scratch: MutexGuard<'_, Scratch>) -> Turn {
        let buffer = scratch.buffer();
        let count = match self.read(buffer) {
            Turn::Read(count) => count,
            other => return other,
        };
        let mut input = &buffer[..count];
        if self.label.kind == OutputKind::Job {
            self.shared
                .recent(|recent| recent.push(&self.label.name, self.number, input));
        }
        if let Some(tail) = &self.tail {
            tail.push(input);
        }
        while !input.is_empty() {
            input = self.hand_on(input);
            if !input.is_empty() {
                self.shared.room.notified().await;
            }
        }
        Turn::Read(count)
    }

    /// Adds as many lines as there is room for, drops the others if that is the policy, and returns what has to wait.
    fn hand_on<'a>(&mut self, input: &'a [u8]) -> &'a [u8] {
        let (label, framer) = (&self.label, &mut self.framer);
        if label.quiet {
            return &[];
        }
        self.shared.with(|output| {
            let mut rest = input;
            while output.has_room() && !rest.is_empty() {
                let used = output.feed(label, framer, rest);
                rest = &rest[used..];
            }
            if !output.waits() && !rest.is_empty() {
                let lines = count_lines(framer, rest);
                output.drop_lines(label, lines);
                rest = &[];
            }
            rest
        })
    }

    /// Reads what is there without keeping it.
    fn give_up(&mut self) -> Turn {
        let mut buffer = vec![0; READ];
        let turn = self.read(&mut buffer);
        if let Turn::Read(count) = turn {
            let lines = count_lines(&mut self.framer, &buffer[..count]);
            self.shared
                .with(|output| output.drop_lines(&self.label, lines));
        }
        turn
    }

    async fn write_last_line(&mut self) {
        if self.framer.is_empty() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let scratch = self.state.turn(&shared).await;
        while scratch.is_some() && shared.with(|output| output.waits() && !output.has_room()) {
            shared.room.notified().await;
        }
        shared.with(|output| {
            if output.has_room() {
                output.finish(&self.label, &mut self.framer);
            } else {
                output.drop_lines(&self.label, 1);
            }
        });
    }

    /// One read. Forgets the readiness when the pipe has been emptied.
    fn read(&mut self, buffer: &mut [u8]) -> Turn {
        let read = loop {
            match nix::unistd::read(self.fd.get_ref(), buffer) {
                Err(nix::Error::EINTR) => {}
                other => break other,
            }
        };
        match read {
            Ok(0) => Turn::End,
            Ok(count) => {
                if count < buffer.len() {
                    self.forget_readiness();
                    self.full_reads = 0;
                } else {
                    self.enlarge();
                }
                Turn::Read(count)
            }
            Err(nix::Error::EAGAIN) => {
                self.forget_readiness();
                Turn::Empty
            }
            Err(_) => Turn::End,
        }
    }

    /// The pipe is empty: the next `readable` waits for the kernel to say otherwise. What it said since stays known.
    fn forget_readiness(&self) {
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        if let std::task::Poll::Ready(Ok(mut guard)) = self.fd.poll_read_ready(&mut context) {
            guard.clear_ready();
        }
    }

    fn enlarge(&mut self) {
        self.full_reads = self.full_reads.saturating_add(1);
        if self.full_reads == FULL_READS {
            // A wish: the user's pipe quota may be spent, and then the small pipe does.
            let _ = fcntl(self.fd.get_ref(), FcntlArg::F_SETPIPE_SZ(LARGE_PIPE));
        }
    }
}

/// What a pump's task needs of memory.
#[cfg(test)]
pub(super) fn task_size() -> usize {
    fn size_of_output<F>(_: fn(Pump) -> F) -> usize {
        size_of::<F>()
    }
    size_of_output(Pump::run)
}

/// Takes the lines of `input` away.
fn count_lines(framer: &mut Framer, input: &[u8]) -> u64 {
    let mut lines = 0;
    framer.feed(input, |_, _| {
        lines += 1;
        Flow::Go
    });
    lines
}

fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}
