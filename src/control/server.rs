//! The server: one task that accepts, and its handle.

use std::path::Path;
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use super::access::Access;
use super::command::Command;
use super::connections::Connections;
use super::error::BindError;
use super::limits::Limits;
use super::request::Desk;
use super::requests::Requests;
use super::socket::{self, BoundSocket, SocketFile};
use crate::config::ControlSettings;

/// A socket that listens and is not served yet: clients wait in its backlog. Dropping it removes the socket.
#[derive(Debug)]
pub struct Server {
    socket: BoundSocket,
    access: Access,
}

/// A server at work. Dropping the handle closes the server as well, without waiting for it.
#[derive(Debug)]
pub struct ServerHandle {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    requests: Requests,
}

impl Server {
    /// Makes the socket as `settings` say, with its mode and owner. Needs no runtime. Blocks for at most a second, and
    /// that only while another starter is at the same directory.
    ///
    /// # Errors
    ///
    /// See [`BindError`]. Nothing stays behind, nothing that was there is gone.
    pub fn bind(settings: &ControlSettings) -> Result<Server, BindError> {
        let access = Access::resolve(settings)?;
        let socket = socket::bind(settings)?;
        Ok(Server { socket, access })
    }

    /// Where the socket is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.socket.file.path()
    }

    /// Serves clients from now on, in tasks of the present runtime. Each request becomes at most one [`Command`]. A full
    /// queue is answered with 503; so is everything once the receiver is gone.
    ///
    /// # Errors
    ///
    /// When the runtime cannot watch the socket.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and input enabled.
    pub fn serve(self, commands: mpsc::Sender<Command>) -> Result<ServerHandle, BindError> {
        self.serve_within(commands, Limits::DEFAULT)
    }

    pub(super) fn serve_within(
        self,
        commands: mpsc::Sender<Command>,
        limits: Limits,
    ) -> Result<ServerHandle, BindError> {
        let BoundSocket { file, listener } = self.socket;
        let listener = UnixListener::from_std(listener).map_err(|source| BindError::Bind {
            path: file.path().to_owned(),
            source,
        })?;
        info!("control: serving at {}", file.path().display());
        let (stop, stopped) = oneshot::channel();
        let requests = Requests::default();
        let room = Reception {
            file,
            listener,
            connections: Connections::new(Desk {
                commands,
                limits,
                requests: requests.clone(),
                access: Arc::new(self.access),
                followers: Arc::new(Semaphore::new(limits.followers)),
            }),
            limits,
        };
        let task = tokio::spawn(room.run(stopped));
        Ok(ServerHandle {
            stop,
            task,
            requests,
        })
    }
}

impl ServerHandle {
    /// Requests to paths that exist, by path and status.
    #[must_use]
    pub fn requests(&self) -> Vec<(&'static str, u16, u64)> {
        self.requests.counts()
    }

    /// Ends the server: removes its socket, accepts nobody, drops silent clients at once and gives requests under way
    /// 100 ms (D7, S17). Where the receiver of the commands is dropped first, they are answered with 503 and nothing
    /// is waited for.
    pub async fn close(self) {
        // An error means that the task is over already.
        let _ = self.stop.send(());
        if self.task.await.is_err_and(|error| error.is_panic()) {
            error!("control: the server ended in a fault of our own");
        }
    }
}

/// Where clients come in.
#[derive(Debug)]
struct Reception {
    /// Before the listener, see [`BoundSocket`].
    file: SocketFile,
    listener: UnixListener,
    connections: Connections,
    limits: Limits,
}

impl Reception {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        // At the door: accepted, and served as soon as there is room.
        let mut waiting: Option<UnixStream> = None;
        // Set after a failed `accept`: the time of the next try.
        let mut pause: Option<Instant> = None;
        let mut failing = false;
        loop {
            if let Some(stream) = waiting.take_if(|_| self.connections.have_room()) {
                self.connections.add(stream);
                // A request that has arrived already is read before a later client can push this one out (K04).
                yield_now().await;
            }
            let may_accept = waiting.is_none() && pause.is_none();
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                true = self.connections.one_ended() => {}
                () = until(pause), if pause.is_some() => pause = None,
                accepted = self.listener.accept(), if may_accept => match accepted {
                    Ok((stream, _)) => {
                        failing = false;
                        waiting = Some(stream);
                    }
                    Err(error) => {
                        if !failing {
                            warn!(%error, "control: cannot accept a connection");
                        }
                        failing = true;
                        // Most often descriptors are short, and a silent client's is the cheapest to give back (X01).
                        self.connections.drop_oldest_idle();
                        pause = Some(Instant::now() + self.limits.accept_pause);
                    }
                },
            }
        }
        drop(self.file);
        drop(self.listener);
        drop(waiting);
        self.connections.close().await;
    }
}

async fn until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        sleep_until(moment).await;
    }
}
