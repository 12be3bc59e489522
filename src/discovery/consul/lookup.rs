//! From a name to addresses.

use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::limits::FILE;

/// Who is asked for the addresses of a name. Literal addresses and sockets ask nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The C library, on a thread of the runtime's that ends a few seconds later.
    System,
    /// This file alone, in the form of hosts(5). For a program that is linked statically with glibc, whose name service
    /// loads the modules of the image it runs in and dies of them.
    HostsFile(PathBuf),
}

impl Lookup {
    /// `/etc/hosts`, where names of this host and its neighbours stand; container runtimes write it.
    pub fn hosts_file() -> Lookup {
        Lookup::HostsFile(PathBuf::from("/etc/hosts"))
    }
}

/// Looks names up for new connections.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    lookup: Lookup,
    /// A name that stands for another: the one that the certificate is for, and the host that is connected to.
    alias: Option<(String, String)>,
}

impl Resolver {
    pub(super) fn new(lookup: Lookup, alias: Option<(String, String)>) -> Resolver {
        Resolver { lookup, alias }
    }

    /// The addresses of a name; the port in them is 0.
    pub(super) async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let name = match &self.alias {
            Some((alias, host)) if alias.eq_ignore_ascii_case(name) => host.as_str(),
            _ => name,
        };
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, 0)]);
        }
        match &self.lookup {
            Lookup::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            Lookup::HostsFile(file) => ask_file(file.clone(), name.to_owned()).await,
        }
    }
}

async fn ask_file(path: PathBuf, name: String) -> io::Result<Vec<SocketAddr>> {
    let read = move || {
        let mut text = Vec::new();
        match std::fs::File::open(path) {
            Ok(file) => file.take(FILE).read_to_end(&mut text)?,
            // Images from scratch have none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&text);
        Ok(in_hosts(&text, &name))
    };
    let found = tokio::task::spawn_blocking(read)
        .await
        .map_err(io::Error::other)??;
    if found.is_empty() {
        return Err(io::Error::other(
            "the name is not in /etc/hosts, and this build asks no name server: use an address, or the build for musl",
        ));
    }
    let found = found.into_iter();
    Ok(found.map(|address| SocketAddr::new(address, 0)).collect())
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The addresses that a file in the form of hosts(5) has for a name, in its order. `localhost` is this host even where
/// nothing says so.
pub(super) fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else {
            continue;
        };
        if words.any(|word| word.eq_ignore_ascii_case(name)) && !found.contains(&address) {
            found.push(address);
        }
    }
    if found.is_empty() && name.eq_ignore_ascii_case("localhost") {
        found = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    found
}
