//! Where a check connects to.

use std::net::IpAddr;

use crate::config::keys;
use crate::config::section::Section;
use crate::config::tree::Kind;
use crate::config::walk::{Field, Finding, Walk, quoted};
use crate::jobs::Target;

const HELP: &str = "write a port, `host:port`, or the path of a socket";

/// Who serves what is checked, unless the file says another.
const HERE: &str = "localhost";

/// A port, `host:port` or the path of a socket. `None` has been reported.
pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Target> {
    let text = match &field.node.kind {
        Kind::Object(_) => {
            let mut section = walk.section(field, &keys::TARGET)?;
            let target = from_keys(walk, &mut section, None);
            section.finish(walk);
            return target;
        }
        _ => walk.text(field)?,
    };
    let target = parse(&text);
    if target.is_none() {
        let finding = Finding::new(format!("cannot connect to {}", quoted(&text)));
        walk.error(&field.place, finding.help(HELP));
    }
    target
}

/// The keys `socket`, or `host` and `port`. `None` has been reported.
pub(super) fn from_keys(
    walk: &mut Walk<'_>,
    section: &mut Section<'_>,
    default_port: Option<u16>,
) -> Option<Target> {
    let socket = section.take(walk, "socket");
    let host = section.take(walk, "host");
    let port = section.take(walk, "port");
    if let Some(socket) = socket {
        if let Some(other) = port {
            let finding = Finding::new("a check connects to a `socket` or a `port`, not to both");
            walk.error(&other.place, finding.help("remove one of them"));
        }
        return read_socket(walk, &socket);
    }
    let host = match host {
        Some(host) => read_host(walk, &host)?,
        None => HERE.to_owned(),
    };
    let port = match (port, default_port) {
        (Some(field), _) => read_port(walk, &field)?,
        (None, Some(port)) => port,
        (None, None) => {
            let finding = Finding::new("`port` is missing");
            walk.error(&section.place, finding.help("write a port, or a `socket`"));
            return None;
        }
    };
    Some(Target::Port { host, port })
}

fn read_socket(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Target> {
    let text = walk.text(field)?;
    let socket = socket(&text);
    if socket.is_none() {
        let finding = Finding::new(format!(
            "cannot use {}: not the path of a socket",
            quoted(&text)
        ));
        walk.error(
            &field.place,
            finding.help("write an absolute path, or `@` and an abstract name"),
        );
    }
    socket
}

fn read_host(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let text = walk.text(field)?;
    let host = host(&text);
    if host.is_none() {
        let finding = Finding::new(format!("cannot use {}: not a host", quoted(&text)));
        walk.error(&field.place, finding.help("write an address or a name"));
    }
    host
}

fn read_port(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<u16> {
    let number = walk.integer(field)?;
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    if port.is_none() {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!("cannot use {shown}: not a port"));
        walk.error(&field.place, finding.help("write a number from 1 to 65535"));
    }
    port
}

pub(super) fn parse(text: &str) -> Option<Target> {
    if let Some(path) = text.strip_prefix("unix:") {
        return socket(path.strip_prefix("//").unwrap_or(path));
    }
    if text.starts_with(['/', '@']) {
        return socket(text);
    }
    let (host_text, port) = text.rsplit_once(':').unwrap_or(("", text));
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port: u16 = port.parse().ok().filter(|port| *port > 0 && digits)?;
    let host = match host_text {
        "" => HERE.to_owned(),
        text => host(text)?,
    };
    Some(Target::Port { host, port })
}

/// An address, with or without brackets, or a name.
pub(super) fn host(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if inner.unwrap_or(text).parse::<IpAddr>().is_ok() {
        return Some(inner.unwrap_or(text).to_owned());
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let named = !text.is_empty() && text.len() < 256 && text.chars().all(is_name);
    named.then(|| text.to_owned())
}

/// What fits into an address of the kernel.
fn socket(path: &str) -> Option<Target> {
    let starts = path.starts_with(['/', '@']);
    let fits = path.len() > 1 && path.len() < 108 && !path.contains('\0');
    (starts && fits).then(|| Target::Socket(path.to_owned()))
}
