//! Why there is no catalogue.

use std::io;
use std::net::SocketAddr;

/// What keeps a catalogue from serving.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Most often another catalogue, or a Consul.
    #[error(
        "cannot listen at `{bind}`: it is in use; stop who serves there, or choose another address or port 0"
    )]
    InUse { bind: SocketAddr },
    /// A port below 1024, as a rule.
    #[error(
        "cannot listen at `{bind}`: permission denied; choose a port from 1024 on, or start with the right to do so"
    )]
    NotPermitted { bind: SocketAddr },
    /// The address is no host's own.
    #[error(
        "cannot listen at `{bind}`: this machine does not have that address; choose one of its own, such as 127.0.0.1"
    )]
    NotOurs { bind: SocketAddr },
    /// A name that cannot stand in a path or an answer.
    #[error(
        "cannot use `{name}` as the name of the {what}: write letters, digits, `-`, `_` and `.`, 128 at most"
    )]
    Name { what: &'static str, name: String },
    #[error("cannot listen at `{bind}`: {source}")]
    Listen { bind: SocketAddr, source: io::Error },
}

impl CatalogError {
    pub(super) fn listen(bind: SocketAddr, source: io::Error) -> CatalogError {
        match source.kind() {
            io::ErrorKind::AddrInUse => CatalogError::InUse { bind },
            io::ErrorKind::PermissionDenied => CatalogError::NotPermitted { bind },
            io::ErrorKind::AddrNotAvailable => CatalogError::NotOurs { bind },
            _ => CatalogError::Listen { bind, source },
        }
    }
}
