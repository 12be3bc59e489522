//! What is to be served, and where.

use std::net::{Ipv4Addr, SocketAddr};

/// The settings of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it listens. Port 0 takes a free one. Anything but loopback lets everybody in who can reach it.
    pub bind: SocketAddr,
    /// The name of the only datacentre.
    pub datacenter: String,
    /// The name of the only node that has an agent: this one.
    pub node: String,
}

impl Settings {
    /// Consul's port for HTTP.
    pub const PORT: u16 = 8500;
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, Settings::PORT)),
            datacenter: "dc1".to_owned(),
            node: "localhost".to_owned(),
        }
    }
}
