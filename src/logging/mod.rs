//! Logging: our own messages and the jobs' output, on their way to one destination.
//!
//! Two sources share one queue and one writer (decision 27). [`Logging::subscriber`] takes what the program says through
//! `tracing`; [`Logging::pump`] reads a run's pipe, frames its lines and hands them on in batches. A line looks as the
//! original's did in its three formats, except where the original lost or garbled something (D11, D22, D47, D48).
//!
//! What the room promises:
//! - **It never waits for a reader.** Pipes and terminals are opened anew without blocking; where that cannot be done the
//!   writer asks before each small write. The flag is never set on the descriptor that children share (L04, L11).
//! - **Lines stay whole.** A line of a job, a field of a message: either all of it is written or none (L07). A line above
//!   [`MAX_LINE`] bytes is passed on in marked pieces (D11, L01); the last line needs no newline (D22, L02).
//! - **Memory is bounded.** The queue has a fixed size; when it is full jobs wait in their writes or whole lines are
//!   dropped, counted and reported (decision 20). Our own messages never wait: they are dropped and counted.
//! - **The last lines of each job are kept**, all of them together in a bounded part of memory, for who asks. That costs
//!   one copy of the end of each read.
//! - **No fault of the log stops anything.** A closed reader, a full disk or a file that is gone costs lines, not
//!   supervision; a file that fails is replaced by stderr until it works again (L05, L10, X05).
//! - **A job's output does not depend on our level** (D47).
//!
//! What it never does: seek, truncate or rotate; read or print the environment; hide a secret that a caller put in a
//! field. A write to a regular file is an ordinary write: a disk that hangs is waited for, as the kernel offers no other way.
//!
//! The way of a line: `frame` (bytes to lines) → `style` (line to record) → `queue` → `destination` → `sink`. `Output` joins
//! these and is plain, synchronous code; `shared`, `pump` and `task` are the asynchronous shell around it.

mod buffer;
mod clock;
mod destination;
mod drops;
mod error;
mod escape;
mod frame;
mod handle;
mod output;
mod pump;
mod queue;
mod recent;
mod record;
mod shared;
mod sink;
mod style;
mod subscriber;
mod tail;
mod task;
#[cfg(test)]
mod tests;
mod watched;

pub use drops::Dropped;
pub use error::LogError;
pub use frame::MAX_LINE;
pub use handle::Logging;
pub use pump::PumpHandle;
pub use recent::Follower;
pub use style::{Label, OutputKind};
pub use subscriber::LogSubscriber;
