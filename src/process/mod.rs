//! Processes: every fork, every wait and every signal of the program, in one place.
//!
//! Why one place: an exit status can be collected once only. A second waiter anywhere in the program would take statuses
//! that belong to somebody else, so nothing outside of this room starts, waits for or signals a process.
//!
//! What the room promises:
//! * A child is registered in the same step in which it is started, and forgotten in the same step in which it is
//!   collected. No status is lost or given to another run (P01, P03), and no signal reaches a recycled pid (D28).
//! * Whatever is reparented to this process is buried at once and never mistaken for a job (P04, P05).
//! * A run owns more than its first process: its process group, the session of that group, the descendants that were
//!   seen below it, and whatever still carries the run's marker in its start environment (decision 22). [`Processes`]
//!   says when nothing of all that is left.
//! * Children start with default dispositions, an empty mask, the limits this program was started with, and exactly the
//!   environment they were given plus the marker (P11, P19).
//! * What a job says of its user, directory, limits and the like is so before its first instruction, or the start fails
//!   and says what was refused (P17).
//!
//! What it never does: block, sleep, read the configuration, or decide. When to stop, to kill or to give up is the
//! caller's business; after a natural exit nothing is signalled before the caller says so. The exception is a system
//! without procfs (P08): there the rest of a group is killed while its leader still pins the number, because afterwards
//! nobody could tell who it was.
//!
//! How the end of a run is found. This process is PID 1 or a child subreaper, so every process that outlives its parent
//! becomes a direct child of ours. What an ended run left behind is therefore below one of our children that is not the
//! first process of a live run: a *stranger*. The list of our children is read once for all exits of one
//! [`Processes::reap`], and each stranger is looked into once in its life. With no strangers, which is the common case,
//! an exit costs the reading of that list and nothing else. Not even that where the numbers that the kernel gave out since
//! the start of a run prove that it has made no process.
//!
//! Everything is synchronous and belongs to the one thread that owns [`Processes`]; only [`Signals::recv`] waits.

mod attributes;
mod child;
mod error;
mod executable;
mod limits;
mod linkage;
mod marker;
mod oom;
mod owner;
mod precedence;
mod procfs;
mod reap;
mod registry;
mod reserve;
mod role;
mod signals;
mod spawn;
mod stop;
mod streak;
mod survivors;
mod sys;
#[cfg(test)]
mod tests;
mod usage;

pub use attributes::Identity;
pub use error::SpawnError;
pub use executable::look_for;
pub use linkage::is_static_glibc;
pub use precedence::Precedence;
pub use reap::ProcessEvent;
pub use registry::{Counters, Processes};
pub use role::{Role, adopt_role};
pub use signals::{Received, Signals};
pub use spawn::{Output, SpawnRequest, Spawned};
pub use usage::{Usage, own_usage};
