//! How a job is, asked from outside: probes over HTTP, TCP, gRPC and files, and what a job says of itself.
//!
//! A probe needs no program in the image. It is bounded in every way: by its time limit, which the rules hold and which
//! ends it by dropping it; by what is read of an answer; by the threads that look at files and names. It never follows a
//! redirect, keeps a connection or tries twice: what a check says is what one look has found.
//!
//! The room does not decide: when a probe runs and what its result means is the rules' business.

mod connect;
mod failure;
mod file;
mod grpc;
mod http;
mod line;
mod notify;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::jobs::Probe;

pub use failure::Failure;
pub use line::{newline, readiness_pipe};
pub use notify::{Message, NotifySocket};

/// So much of an answer's body is looked at, or of all frames of one over HTTP/2.
const LONGEST: usize = 64 * 1024;

/// Files and names that are looked at at once. A file system or a name server that hangs keeps its thread, and the
/// program has few.
const THREADS: usize = 2;

/// Who looks.
#[derive(Clone, Debug)]
pub struct Prober {
    /// Names can be looked up by the C library.
    names: bool,
    threads: Arc<Semaphore>,
}

impl Prober {
    /// `names`: the C library can be asked for the addresses of names; one that is linked statically with glibc cannot.
    #[must_use]
    pub fn new(names: bool) -> Prober {
        Prober {
            names,
            threads: Arc::new(Semaphore::new(THREADS)),
        }
    }

    /// Looks once. To be dropped when its time is over.
    ///
    /// # Errors
    ///
    /// Why the check has not passed.
    pub async fn look(&self, probe: &Probe) -> Result<(), Failure> {
        match probe {
            Probe::Http(probe) => http::look(self, probe).await,
            Probe::Tcp(target) => self.connect(target).await.map(drop),
            Probe::Grpc { target, service } => grpc::look(self, target, service).await,
            Probe::File { path, max_age } => file::look(self, path, *max_age).await,
            // Commands are processes, which are somebody else's.
            Probe::Exec(_) => Err(Failure::failed("a command is not looked at")),
        }
    }

    /// Does something that may block for as long as a dead file system or name server wants.
    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.threads).acquire_owned().await;
        let place = place.map_err(|_| Failure::failed("the program ends"))?;
        // The place is kept by the thread: a check that is given up does not free what still hangs.
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(Failure::failed)
    }
}
