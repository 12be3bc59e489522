//! The addresses of this host, for `interfaces`.

use std::net::IpAddr;

use crate::config::InterfaceAddress;

/// All addresses of all interfaces, up or down (getifaddrs(3)). Empty, with the reason, where they cannot be read.
pub(super) fn addresses() -> Result<Vec<InterfaceAddress>, nix::Error> {
    let mut found = Vec::new();
    for interface in nix::ifaddrs::getifaddrs()? {
        let Some(storage) = interface.address else {
            continue;
        };
        let v4 = storage
            .as_sockaddr_in()
            .map(|address| IpAddr::V4(address.ip()));
        let v6 = || {
            storage
                .as_sockaddr_in6()
                .map(|address| IpAddr::V6(address.ip()))
        };
        if let Some(address) = v4.or_else(v6) {
            found.push(InterfaceAddress {
                name: interface.interface_name,
                address,
            });
        }
    }
    Ok(found)
}
