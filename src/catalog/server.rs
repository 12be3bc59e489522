//! The server: one task that accepts and keeps time, and its handle.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use super::chance::Chance;
use super::connections::Connections;
use super::error::CatalogError;
use super::limits::{self, EdgeLimits};
use super::request::{Desk, Site};
use super::settings::Settings;
use super::shared::Shared;
use super::tables::{Limits, NodeSpec, Tables};

/// A catalogue that listens and is not served yet: clients wait in its backlog.
#[derive(Debug)]
pub struct Catalog {
    listener: StdListener,
    address: SocketAddr,
    settings: Settings,
}

/// A catalogue at work. Dropping the handle ends it as well, without waiting for it.
#[derive(Debug)]
pub struct Handle {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    address: SocketAddr,
}

/// Listens as `settings` say. Needs no runtime, waits for nothing.
///
/// # Errors
///
/// See [`CatalogError`]; the text says what to do.
pub fn bind(settings: Settings) -> Result<Catalog, CatalogError> {
    check_name("datacenter", &settings.datacenter)?;
    check_name("node", &settings.node)?;
    let bind = settings.bind;
    let listen = |error| CatalogError::listen(bind, error);
    let listener = StdListener::bind(bind).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok(Catalog {
        listener,
        address,
        settings,
    })
}

fn check_name(what: &'static str, name: &str) -> Result<(), CatalogError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 128 || !name.chars().all(fits) {
        let name = name.to_owned();
        return Err(CatalogError::Name { what, name });
    }
    Ok(())
}

impl Catalog {
    /// Where it listens; with the real port if 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves clients from now on, in tasks of the present runtime, which may have one thread.
    ///
    /// # Errors
    ///
    /// When the runtime cannot watch the socket.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and input enabled.
    pub fn serve(self) -> Result<Handle, CatalogError> {
        let served = self.serve_within(EdgeLimits::DEFAULT, Limits::DEFAULT);
        served.map(|(handle, _)| handle)
    }

    /// The same within other limits, and what the connections share.
    pub(super) fn serve_within(
        self,
        edge: EdgeLimits,
        limits: Limits,
    ) -> Result<(Handle, Arc<Shared>), CatalogError> {
        let address = self.address;
        let listener = TcpListener::from_std(self.listener);
        let listener = listener.map_err(|error| CatalogError::listen(address, error))?;
        let desk = desk(&self.settings, address, edge, limits);
        info!("catalog: serving at {address}");
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&desk.shared);
        let reception = Reception {
            listener,
            shared: Arc::clone(&shared),
            connections: Connections::new(desk),
            edge,
        };
        let task = tokio::spawn(reception.run(stopped));
        let handle = Handle {
            stop,
            task,
            address,
        };
        Ok((handle, shared))
    }
}

/// The node's address: what it listens at, unless that is every address.
fn desk(settings: &Settings, address: SocketAddr, edge: EdgeLimits, limits: Limits) -> Desk {
    let ip = address.ip();
    let ip = if ip.is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        ip.to_string()
    };
    let chance = Chance::default();
    let node_id = chance.uuid();
    let kind = if ip.contains(':') { "ipv6" } else { "ipv4" };
    let places = ["lan", "wan"].map(|place| [place.to_owned(), format!("{place}_{kind}")]);
    let places = places.into_iter().flatten();
    let node = NodeSpec {
        name: settings.node.clone(),
        id: node_id.clone(),
        address: ip.clone(),
        tagged: places.map(|place| (place, ip.clone())).collect(),
        meta: [("consul-network-segment".to_owned(), String::new())].into(),
    };
    Desk {
        shared: Arc::new(Shared::new(Tables::new(node, limits), chance)),
        site: Arc::new(Site {
            datacenter: settings.datacenter.clone(),
            node: settings.node.clone(),
            node_id,
            address: ip,
            port: address.port(),
            guarded: address.ip().is_loopback(),
        }),
        limits: edge,
        bodies: Arc::new(Semaphore::new(limits::BODIES)),
    }
}

impl Handle {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Ends the catalogue: accepts nobody, drops idle clients at once, and gives requests under way 100 ms. Everything
    /// it knew is gone.
    pub async fn close(self) {
        // An error means that the task is over already.
        let _ = self.stop.send(());
        if self.task.await.is_err_and(|error| error.is_panic()) {
            error!("catalog: the server ended in a fault of our own");
        }
    }
}

/// Where clients come in.
#[derive(Debug)]
struct Reception {
    listener: TcpListener,
    shared: Arc<Shared>,
    connections: Connections,
    edge: EdgeLimits,
}

impl Reception {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        // At the door: accepted, and served as soon as there is room.
        let mut waiting: Option<TcpStream> = None;
        // Set after a failed `accept`: the time of the next try.
        let mut pause: Option<Instant> = None;
        let mut failing = false;
        let idling = self.connections.idling();
        loop {
            if let Some(stream) = waiting.take_if(|_| self.connections.have_room()) {
                self.connections.add(stream);
                // A request that has arrived already is read before a later client can push this one out.
                yield_now().await;
            }
            let may_accept = waiting.is_none() && pause.is_none();
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                () = self.shared.keep_time() => {}
                true = self.connections.one_ended() => {}
                () = idling.one_more(), if waiting.is_some() => {}
                () = until(pause), if pause.is_some() => pause = None,
                accepted = self.listener.accept(), if may_accept => match accepted {
                    Ok((stream, _)) => {
                        failing = false;
                        waiting = Some(stream);
                    }
                    Err(error) => {
                        if !failing {
                            warn!(%error, "catalog: cannot accept a connection");
                        }
                        failing = true;
                        // Most often descriptors are short, and an idle client's is the cheapest to give back.
                        self.connections.drop_longest_idle();
                        pause = Some(Instant::now() + self.edge.accept_pause);
                    }
                },
            }
        }
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
