//! The connections of a moment, and who has to go when there are too many.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, error};

use super::limits;
use super::request::Desk;

/// At most [`limits::EdgeLimits::connections`] connections.
#[derive(Debug)]
pub(super) struct Connections {
    desk: Desk,
    tasks: JoinSet<()>,
    slots: Vec<Slot>,
    idling: Arc<Idling>,
}

/// Who came to be idle last, over all connections.
#[derive(Debug, Default)]
pub(super) struct Idling {
    count: AtomicU64,
    /// Rings when one more is idle: it may have to make room.
    bell: Notify,
}

impl Idling {
    /// Waits until one may have come to be idle since the last call.
    pub(super) async fn one_more(&self) {
        self.bell.notified().await;
    }
}

#[derive(Debug)]
struct Slot {
    task: AbortHandle,
    signs: Arc<Signs>,
}

/// What a connection shows of itself.
#[derive(Debug)]
struct Signs {
    /// A whole request has arrived and is not answered yet; a waiting query, for instance.
    answering: AtomicBool,
    /// When it last came to be idle, by the common count.
    idle_since: AtomicU64,
}

impl Slot {
    fn is_answering(&self) -> bool {
        self.signs.answering.load(Ordering::Relaxed)
    }
}

impl Connections {
    pub(super) fn new(desk: Desk) -> Connections {
        Connections {
            desk,
            tasks: JoinSet::new(),
            slots: Vec::new(),
            idling: Arc::default(),
        }
    }

    /// Whether another connection can be taken, possibly in place of an idle one.
    pub(super) fn have_room(&self) -> bool {
        !self.are_full() || self.slots.iter().any(|slot| !slot.is_answering())
    }

    fn are_full(&self) -> bool {
        self.slots.len() >= self.desk.limits.connections
    }

    /// Serves a client in a task of its own; only while they [have room](Connections::have_room).
    pub(super) fn add(&mut self, stream: TcpStream) {
        if self.are_full() {
            self.drop_longest_idle();
        }
        let signs = Arc::new(Signs {
            answering: AtomicBool::new(false),
            idle_since: AtomicU64::new(self.idling.count.fetch_add(1, Ordering::Relaxed)),
        });
        let idling = Arc::clone(&self.idling);
        let conversation = converse(stream, self.desk.clone(), Arc::clone(&signs), idling);
        let task = self.tasks.spawn(conversation);
        self.slots.push(Slot { task, signs });
    }

    /// Drops the connection that has been idle for longest; gives its descriptor back.
    pub(super) fn drop_longest_idle(&mut self) {
        let idle = self.slots.iter().enumerate();
        let idle = idle.filter(|(_, slot)| !slot.is_answering());
        let longest = idle.min_by_key(|(_, slot)| slot.signs.idle_since.load(Ordering::Relaxed));
        if let Some((at, _)) = longest {
            self.slots.swap_remove(at).task.abort();
        }
    }

    /// What tells that one may have to make room.
    pub(super) fn idling(&self) -> Arc<Idling> {
        Arc::clone(&self.idling)
    }

    /// Waits until one has ended; at once and `false` when there is none.
    pub(super) async fn one_ended(&mut self) -> bool {
        let Some(ended) = self.tasks.join_next().await else {
            return false;
        };
        if ended.is_err_and(|error| error.is_panic()) {
            error!("catalog: a request ended in a fault of our own");
        }
        self.slots.retain(|slot| !slot.task.is_finished());
        true
    }

    /// Drops the idle ones at once and the others, waiting queries among them, when `limits.close` has passed.
    pub(super) async fn close(mut self) {
        for slot in self.slots.iter().filter(|slot| !slot.is_answering()) {
            slot.task.abort();
        }
        let grace = self.desk.limits.close;
        let under_way = async { while self.one_ended().await {} };
        if timeout(grace, under_way).await.is_err() {
            debug!("catalog: requests under way were dropped");
        }
        self.tasks.shutdown().await;
    }
}

async fn converse(stream: TcpStream, desk: Desk, signs: Arc<Signs>, idling: Arc<Idling>) {
    // Answers are small and whole; waiting to fill a segment would only delay them.
    let _ = stream.set_nodelay(true);
    let head = desk.limits.head;
    let service = service_fn(|request| {
        let (desk, signs, idling) = (&desk, &signs, &idling);
        async move {
            let all_read = || signs.answering.store(true, Ordering::Relaxed);
            let answer = desk.serve(request, all_read).await;
            let now = idling.count.fetch_add(1, Ordering::Relaxed);
            signs.idle_since.store(now, Ordering::Relaxed);
            signs.answering.store(false, Ordering::Relaxed);
            idling.bell.notify_one();
            Ok::<_, Infallible>(answer.into_response())
        }
    });
    // No half-closed connections: a waiting query whose client is gone ends at once.
    let connection = http1::Builder::new()
        .title_case_headers(true)
        .max_buf_size(limits::HEAD)
        .max_headers(limits::HEADERS)
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        debug!(%error, "catalog: connection ended early");
    }
}
