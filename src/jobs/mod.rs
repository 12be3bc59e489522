//! Jobs: what they are, and the rules by which they start, end and start again.
//!
//! [`Jobs`] is one value that takes facts ([`crate::events::Event`]) and the time, and gives orders ([`Effect`]). It
//! starts no process and reads no clock; the shell does both. That makes every rule with time and order testable in
//! virtual time, and its behaviour under any order of facts can be explored by the million.
//!
//! | file | the rule in it |
//! | --- | --- |
//! | `spec.rs` | what a job is |
//! | `condition.rs` | what has to have happened before a job starts |
//! | `attributes.rs`, `accounts.rs` | what its processes are; users and groups as text |
//! | `machine.rs` | the states of one job |
//! | `run.rs` | one live run: time limit, TERM, KILL, gone |
//! | `check.rs` | when one check runs and what its results mean |
//! | `health.rs` | what all checks of a job, its readiness and its watchdog mean together |
//! | `backoff.rs` | how long a restart waits |
//! | `needs.rs` | the order in which jobs stop |
//! | `operation.rs` | what an operator asks of one job |
//! | `fleet.rs` | between jobs: who hears what, the order of the end |
//! | `ending.rs` | why everything ends, until when, with which status |
//! | `difference.rs`, `renumber.rs` | what a new configuration makes of each job; numbers that outlast a configuration |

mod accounts;
mod attributes;
mod backoff;
mod check;
mod condition;
mod difference;
mod effect;
mod ending;
mod fleet;
mod health;
mod machine;
mod needs;
mod operation;
mod renumber;
mod run;
mod spec;
mod turn;

#[cfg(test)]
mod tests;

pub use accounts::{Account, Databases, account, groups_of, id, id_of};
pub use attributes::{Attributes, Limit, Resource, Variable, Who};
pub use condition::{Condition, Is, Leaf, State};
pub use difference::{Difference, Next, Reason, Verdict};
pub use effect::{Effect, Note};
pub use ending::Outcome;
pub use fleet::{JobState, JobStatus, Jobs};
pub use health::Health;
pub use operation::{Operation, Progress, Refused};
pub use renumber::Numbering;
pub use spec::{
    Action, BackoffSpec, CheckSpec, Essential, Exec, Expiry, First, HealthSpec, HttpProbe, JobIo,
    JobSpec, MaxRestarts, Orphans, Overlap, Probe, Ready, Restarts, Start, Stdin, StopLimits,
    Target, Trigger, Wait,
};
