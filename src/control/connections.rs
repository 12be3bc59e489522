//! The connections of a moment, and who has to go when there are too many.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::UnixStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, error};

use super::access::Peer;
use super::limits;
use super::patience::Patience;
use super::request::Desk;

/// At most [`super::limits::Limits::connections`] connections, oldest first.
#[derive(Debug)]
pub(super) struct Connections {
    desk: Desk,
    tasks: JoinSet<()>,
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    task: AbortHandle,
    /// Set by the connection when its whole request has arrived.
    answering: Arc<AtomicBool>,
}

impl Slot {
    fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed)
    }
}

impl Connections {
    pub(super) fn new(desk: Desk) -> Connections {
        Connections {
            desk,
            tasks: JoinSet::new(),
            slots: Vec::new(),
        }
    }

    /// Whether another connection can be taken, possibly in place of one that has not said what it wants.
    pub(super) fn have_room(&self) -> bool {
        !self.are_full() || self.slots.iter().any(|slot| !slot.is_answering())
    }

    fn are_full(&self) -> bool {
        self.slots.len() >= self.desk.limits.connections
    }

    /// Serves a client in a task of its own; only while they [have room](Connections::have_room).
    pub(super) fn add(&mut self, stream: UnixStream) {
        if self.are_full() {
            self.drop_oldest_idle();
        }
        let answering = Arc::new(AtomicBool::new(false));
        let conversation = converse(stream, self.desk.clone(), Arc::clone(&answering));
        let task = self.tasks.spawn(conversation);
        self.slots.push(Slot { task, answering });
    }

    /// Drops the connection that has been silent for longest; gives its descriptor back.
    pub(super) fn drop_oldest_idle(&mut self) {
        let oldest = self.slots.iter().position(|slot| !slot.is_answering());
        if let Some(oldest) = oldest {
            self.slots.remove(oldest).task.abort();
        }
    }

    /// Waits until one has ended; at once and `false` when there is none.
    pub(super) async fn one_ended(&mut self) -> bool {
        let Some(ended) = self.tasks.join_next().await else {
            return false;
        };
        if ended.is_err_and(|error| error.is_panic()) {
            error!("control: a request ended in a fault of our own");
        }
        self.slots.retain(|slot| !slot.task.is_finished());
        true
    }

    /// Drops the silent ones at once and the others when `limits.close` has passed.
    pub(super) async fn close(mut self) {
        for slot in self.slots.iter().filter(|slot| !slot.is_answering()) {
            slot.task.abort();
        }
        let grace = self.desk.limits.close;
        let under_way = async { while self.one_ended().await {} };
        if timeout(grace, under_way).await.is_err() {
            debug!("control: requests under way were dropped");
        }
        self.tasks.shutdown().await;
    }
}

/// One request, one answer, one close, as in the original.
async fn converse(stream: UnixStream, desk: Desk, answering: Arc<AtomicBool>) {
    let limits = desk.limits;
    let peer = Peer::of(&stream);
    let lasting = Patience::new(limits.connection());
    let patience = &lasting;
    let service = service_fn(|request| {
        let (desk, answering) = (&desk, &answering);
        async move {
            let reply = desk.serve(request, peer, answering, patience).await;
            Ok::<_, Infallible>(reply.into_response())
        }
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
    tokio::select! {
        ended = connection => if let Err(error) = ended {
            debug!(%error, "control: connection ended early");
        },
        () = patience.over() => debug!("control: connection took too long"),
    }
}
