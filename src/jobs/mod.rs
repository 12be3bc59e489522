//! Jobs: what they are and the rules by which they start, end and start again.
mod spec;
pub use spec::{
    Exec, HealthSpec, InitialStatus, JobIo, JobSpec, Orphans, Overlap, Restarts, ServiceSpec,
    Start, Stdin, StopLimits,
};
