//! The server: one task that listens and accepts, and its handle.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info, warn};

use super::ask::Ask;
use super::limits::{self, Limits};
use super::request::{Desk, Scrapes};

/// A server at work, or one that is still trying to listen. Dropping it ends it at once, with all of its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scrapes: Arc<Scrapes>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens at this address and serves clients, in tasks of the present runtime. What they ask comes out of the
    /// receiver. An address that cannot be had is told of, and tried again for as long as the server lives: the jobs are
    /// not ended for it.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and input enabled.
    #[must_use]
    pub fn start(address: SocketAddr) -> (Server, mpsc::Receiver<Ask>) {
        Self::start_within(address, Limits::DEFAULT)
    }

    pub(super) fn start_within(
        address: SocketAddr,
        limits: Limits,
    ) -> (Server, mpsc::Receiver<Ask>) {
        let (sender, receiver) = mpsc::channel(limits::ASKS);
        let scrapes = Arc::<Scrapes>::default();
        let desk = Desk {
            asks: sender,
            scrapes: Arc::clone(&scrapes),
            limits,
        };
        // Tried here, so that it listens before the first job can ask it.
        let first = listen(address);
        let task = tokio::spawn(async move {
            let listener = until_listening(address, first, limits).await;
            info!("telemetry: serving at {address}");
            Reception {
                listener,
                desk,
                tasks: JoinSet::new(),
                order: VecDeque::new(),
            }
            .run()
            .await;
        });
        let server = Server {
            address,
            scrapes,
            task,
        };
        (server, receiver)
    }

    /// Where it listens, or tries to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often it was scraped.
    #[must_use]
    pub fn scrapes(&self) -> &Scrapes {
        &self.scrapes
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn until_listening(
    address: SocketAddr,
    first: io::Result<TcpListener>,
    limits: Limits,
) -> TcpListener {
    let mut tried = first;
    let mut failures = 0_u32;
    loop {
        let failure = match tried {
            Ok(listener) => return listener,
            Err(failure) => failure,
        };
        failures = failures.saturating_add(1);
        if failures == 1 {
            warn!("telemetry: cannot listen at {address}, trying again: {failure}");
        } else if failures == limits.binds {
            error!("telemetry: there is none, still cannot listen at {address}: {failure}");
        }
        let patient = failures >= limits.binds;
        sleep(limits.pause * if patient { 10 } else { 1 }).await;
        tried = listen(address);
    }
}

/// Where clients come in.
#[derive(Debug)]
struct Reception {
    listener: TcpListener,
    desk: Desk,
    /// Ends with the server.
    tasks: JoinSet<()>,
    /// The connections, oldest first.
    order: VecDeque<AbortHandle>,
}

impl Reception {
    async fn run(mut self) {
        let mut failing = false;
        loop {
            tokio::select! {
                Some(ended) = self.tasks.join_next() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        error!("telemetry: a request ended in a fault of our own");
                    }
                    self.order.retain(|task| !task.is_finished());
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        failing = false;
                        self.add(stream);
                    }
                    Err(error) => {
                        if !failing {
                            warn!(%error, "telemetry: cannot accept a connection");
                        }
                        failing = true;
                        // Most often descriptors are short; an old connection's is the cheapest to give back (X01).
                        self.drop_oldest();
                        sleep(self.desk.limits.pause).await;
                    }
                },
            }
        }
    }

    fn add(&mut self, stream: TcpStream) {
        if self.order.len() >= self.desk.limits.connections {
            self.drop_oldest();
        }
        let task = self.tasks.spawn(converse(stream, self.desk.clone()));
        self.order.push_back(task);
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            oldest.abort();
        }
    }
}

/// One request, one answer, one close.
async fn converse(stream: TcpStream, desk: Desk) {
    let limits = desk.limits;
    let service = service_fn(|request| {
        let desk = &desk;
        async move { Ok::<_, Infallible>(desk.serve(&request).await) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        // A client that closes its sending half after the request still gets its answer.
        .half_close(true)
        .max_buf_size(limits::HEAD)
        .max_headers(limits::HEADERS)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(limits.connection, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "telemetry: connection ended early"),
        Err(_) => debug!("telemetry: connection took too long"),
    }
}
