//! Where the catalogue is: the texts that Consul's own tools accept.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use crate::config::Scheme;

use super::error::SettingsError;
use super::secret::Secret;

const PORT: u16 = 8500;

/// A catalogue that can be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) place: Place,
    /// The path before `/v1`, for a server behind another one; empty or with a slash at its start and none at its end.
    pub(super) prefix: String,
}

/// What is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A name or an address, without brackets.
    Host { host: String, port: u16 },
    /// A Unix socket.
    Socket(PathBuf),
}

/// An address as it is written, with what may be packed into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// `None` where it names none.
    pub(super) scheme: Option<Scheme>,
    pub(super) place: Place,
    pub(super) prefix: String,
    /// `user:password@`, which goes before the host in a URL.
    pub(super) user: Option<Secret>,
}

/// Reads `host`, `host:port`, `[v6]:port`, each with or without `http://` or `https://`, or `unix:///path`.
///
/// A host without a port gets Consul's; no host at all is this one, as it was for the original.
pub(super) fn parse(text: &str) -> Result<Written, SettingsError> {
    let (scheme, rest) = match text.split_once("://") {
        Some(("http", rest)) => (Some(Scheme::Http), rest),
        Some(("https", rest)) => (Some(Scheme::Https), rest),
        Some(("unix", path)) if path.len() > 1 && path.starts_with('/') => {
            return Ok(Written {
                scheme: None,
                place: Place::Socket(PathBuf::from(path)),
                prefix: String::new(),
                user: None,
            });
        }
        Some(_) => {
            return Err(wrong(
                text,
                "use `http://`, `https://` or `unix:///path` before it",
            ));
        }
        None => (None, text),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(Secret::new(user)), authority),
        None => (None, authority),
    };
    let (host, port) = host_and_port(authority).ok_or_else(|| {
        wrong(
            text,
            "write `host:port`, and an IPv6 address in square brackets",
        )
    })?;
    let prefix = path.trim_end_matches('/');
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!("/{prefix}")
    };
    Ok(Written {
        scheme,
        place: Place::Host { host, port },
        prefix,
        user,
    })
}

fn host_and_port(authority: &str) -> Option<(String, u16)> {
    // `::1` alone has too many colons to be a host and a port.
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Some((authority.to_owned(), PORT));
    }
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        (host, port)
    } else {
        authority.split_at(authority.find(':').unwrap_or(authority.len()))
    };
    let port = match port {
        "" | ":" => PORT,
        port => port
            .strip_prefix(':')?
            .parse()
            .ok()
            .filter(|port| *port > 0)?,
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "?#\\%".contains(c);
    if host.contains(odd) {
        return None;
    }
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    Some((host.to_owned(), port))
}

/// An error without what stands before an `@`, which may be a password.
fn wrong(text: &str, reason: &str) -> SettingsError {
    let shown = text.rsplit_once('@').map_or(text, |(_, shown)| shown);
    SettingsError::Address {
        address: shown.escape_debug().take(120).collect(),
        reason: reason.to_owned(),
    }
}

impl Target {
    /// Whether it is on this host, where no proxy belongs in between.
    pub(super) fn is_local(&self) -> bool {
        match &self.place {
            Place::Host { host, .. } => is_loopback(host),
            Place::Socket(_) => true,
        }
    }

    /// `host:port` for a URL or a `Host` header.
    pub(super) fn authority(&self) -> String {
        match &self.place {
            Place::Host { host, port } => authority(host, *port),
            Place::Socket(_) => "localhost".to_owned(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Host { .. } => write!(
                out,
                "{}://{}{}",
                scheme_name(self.scheme),
                self.authority(),
                self.prefix
            ),
            Place::Socket(path) => write!(out, "unix://{}", path.display()),
        }
    }
}

pub(super) fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Whether a name or an address is this host's own, without looking anything up.
pub(super) fn is_loopback(host: &str) -> bool {
    let is_address = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_address || host.eq_ignore_ascii_case("localhost")
}
