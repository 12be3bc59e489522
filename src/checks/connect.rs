//! Connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Prober;
use super::failure::Failure;
use crate::jobs::Target;

/// Addresses of one name that are tried.
const ADDRESSES: usize = 8;

/// Both ways over whatever connects.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Prober {
    pub(super) async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, Failure> {
        match target {
            Target::Socket(path) => {
                let stream = UnixStream::connect(unix_path(path)).await;
                let stream = stream.map_err(|error| Failure::of(shown(target), &error))?;
                Ok(Box::new(stream))
            }
            Target::Port { host, port } => Ok(Box::new(self.connect_to(host, *port).await?)),
        }
    }

    async fn connect_to(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let mut last = Failure::failed(format!("{host} has no address"));
        for address in self.addresses(host).await? {
            let address = SocketAddr::new(address, port);
            match TcpStream::connect(address).await {
                // Where nobody listens the kernel may give the connection the very port that it is for.
                Ok(stream) if stream.local_addr().ok() == Some(address) => {
                    last = Failure::failed(format!("{address}: nobody listens"));
                }
                Ok(stream) => return Ok(stream),
                Err(error) => last = Failure::of(address, &error),
            }
        }
        Err(last)
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        if !self.names {
            return Err(Failure::failed(format!(
                "cannot look up {host}: this build asks no name server, use an address, or the build for musl"
            )));
        }
        let name = host.to_owned();
        let found = self.beside(move || (name.as_str(), 0).to_socket_addrs());
        let found = found.await?.map_err(|error| Failure::of(host, &error))?;
        Ok(found.take(ADDRESSES).map(|address| address.ip()).collect())
    }
}

/// An abstract name begins with a zero byte for the kernel, and with `@` for people.
fn unix_path(path: &str) -> String {
    match path.strip_prefix('@') {
        Some(name) => format!("\0{name}"),
        None => path.to_owned(),
    }
}

/// A target as a person writes it, and as HTTP calls it.
pub(super) fn shown(target: &Target) -> String {
    match target {
        Target::Socket(path) => path.clone(),
        Target::Port { host, port } => format!("{}:{port}", bracketed(host)),
    }
}

/// `Host` and `:authority`: without the port that is the usual one.
pub(super) fn authority(target: &Target) -> String {
    match target {
        Target::Socket(_) => "localhost".to_owned(),
        Target::Port { host, port: 80 } => bracketed(host),
        Target::Port { .. } => shown(target),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// What the end of a connection is, where an answer should be.
pub(super) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed")
}
