//! The catalogue that this program serves itself (`consul.embedded`).

use std::net::SocketAddr;

use super::app::App;
use crate::catalog::{self, Catalog, CatalogError, Handle, Settings};
use crate::config::{Config, ConsulSettings};

/// A catalogue at work, and what it was asked to be.
#[derive(Debug)]
pub(super) struct Embedded {
    consul: ConsulSettings,
    handle: Handle,
}

/// Listens as the configuration says; `None` if it wants no catalogue of our own, or one where one is `served`.
pub(super) fn listen(
    config: &Config,
    served: Option<SocketAddr>,
) -> Result<Option<Catalog>, CatalogError> {
    let Some(consul) = &config.consul else {
        return Ok(None);
    };
    let Some(bind) = consul.embedded_at().filter(|at| Some(*at) != served) else {
        return Ok(None);
    };
    let default = Settings::default();
    let datacenter = consul.datacenter.clone();
    let catalog = catalog::bind(Settings {
        bind,
        datacenter: datacenter.unwrap_or(default.datacenter),
        node: default.node,
    })?;
    Ok(Some(catalog))
}

/// Serves a catalogue in the present runtime.
pub(super) fn serve(config: &Config, catalog: Catalog) -> Result<Embedded, CatalogError> {
    let handle = catalog.serve()?;
    if !handle.local_addr().ip().is_loopback() {
        tracing::warn!(
            "the embedded catalogue is reachable from elsewhere at {}: it has no access control",
            handle.local_addr()
        );
    }
    Ok(Embedded {
        consul: config.consul.clone().unwrap_or_default(),
        handle,
    })
}

impl Embedded {
    /// Whether a configuration asks for this catalogue, with all that is in it.
    fn is_of(&self, config: &Config) -> bool {
        let place = |consul: &ConsulSettings| (consul.embedded_at(), consul.datacenter.clone());
        config
            .consul
            .as_ref()
            .is_some_and(|consul| place(consul) == place(&self.consul))
    }

    pub(super) async fn close(self) {
        self.handle.close().await;
    }
}

impl App {
    /// Where a catalogue of ours is served.
    pub(super) fn served_at(&self) -> Option<SocketAddr> {
        self.embedded
            .as_ref()
            .and_then(|embedded| embedded.consul.embedded_at())
    }

    /// Follows a reload: the catalogue stays, with all that is in it, unless its place or its datacenter has changed.
    /// `catalog` listens already if the place has.
    pub(super) async fn move_catalogue(&mut self, config: &Config, catalog: Option<Catalog>) {
        if self.embedded.as_ref().is_some_and(|old| old.is_of(config)) {
            return;
        }
        if let Some(old) = self.embedded.take() {
            old.close().await;
        }
        // Under another datacenter's name the old one had to make room first.
        let catalog = catalog.map_or_else(|| listen(config, None), |catalog| Ok(Some(catalog)));
        let new = catalog.and_then(|catalog| {
            let served = catalog.map(|catalog| serve(config, catalog));
            served.transpose()
        });
        match new {
            Ok(new) => self.embedded = new,
            Err(error) => tracing::error!("there is no embedded catalogue: {error}"),
        }
    }
}
