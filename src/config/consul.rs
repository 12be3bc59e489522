//! `consul`: where the catalogue is.

use std::path::PathBuf;

use super::keys;
use super::section::Section;
use super::settings::{ConsulSettings, Scheme, TlsSettings};
use super::tree::Kind;
use super::walk::{Field, Finding, Walk, quoted};

/// More sockets than that are a mistake in any container.
const MAX_CONNECTIONS: u16 = 10_000;

const SCHEME: [(&str, Option<Scheme>); 3] = [
    ("http", Some(Scheme::Http)),
    ("https", Some(Scheme::Https)),
    ("", None),
];

/// Reads the section; `None` has been reported.
pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<ConsulSettings> {
    match &field.node.kind {
        Kind::String(text) => {
            let mut settings = ConsulSettings::default();
            address(walk, field, text, &mut settings);
            // The original's text form means http unless it says https.
            settings.scheme = settings.scheme.or(Some(Scheme::Http));
            Some(settings)
        }
        Kind::Object(_) => object(walk, field),
        _ => {
            let shown = field.node.kind_name();
            let finding = Finding::new(format!("cannot use {shown}: no discovery backend defined"));
            walk.error(
                &field.place,
                finding.help("write `consul: \"localhost:8500\"`, an object, or leave it out"),
            );
            None
        }
    }
}

fn object(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<ConsulSettings> {
    let mut section = walk.section(field, &keys::CONSUL)?;
    let mut settings = ConsulSettings::default();
    let given = section.take(walk, "address");
    let scheme = section.take(walk, "scheme");
    settings.scheme = scheme
        .as_ref()
        .and_then(|scheme| walk.choice(scheme, &SCHEME))
        .flatten();
    if let Some(given) = &given
        && let Some(text) = walk.text(given)
    {
        address(walk, given, &text, &mut settings);
    }
    let token = section.take(walk, "token");
    settings.token = token.as_ref().and_then(|token| filled(walk.text(token)));
    if let Some(field) = &token
        && settings
            .token
            .as_ref()
            .is_some_and(|text| text.chars().any(char::is_control))
    {
        let finding = Finding::new("the token has a line break or another control character");
        walk.error(&field.place, finding.help("write it on one line"));
    }
    let token_file = section.take(walk, "tokenFile");
    settings.token_file = token_file.as_ref().and_then(|file| read_path(walk, file));
    if let Some(file) = &token_file
        && settings.token.is_some()
        && settings.token_file.is_some()
    {
        let finding = Finding::new("the file is preferred to `token`");
        walk.warning(&file.place, finding.help("remove one of them"));
    }
    let tls = section.take(walk, "tls");
    if let Some(tls) = tls.as_ref().and_then(|tls| walk.section(tls, &keys::TLS)) {
        settings.tls = read_tls(walk, tls);
    }
    let datacenter = section.take(walk, "datacenter");
    settings.datacenter = datacenter.and_then(|field| read_datacenter(walk, &field));
    settings.namespace = filled(section.text(walk, "namespace"));
    settings.partition = filled(section.text(walk, "partition"));
    if let Some(field) = section.take(walk, "maxConnections") {
        max_connections(walk, &field, &mut settings);
    }
    let embedded = section.take(walk, "embedded");
    let switch = embedded.as_ref().and_then(|field| walk.boolean(field));
    settings.embedded = switch.unwrap_or_default();
    if settings.embedded {
        let is_https = settings.scheme == Some(Scheme::Https);
        let https = scheme.or(given.clone()).filter(|_| is_https);
        let path = given.filter(|_| settings.address.contains("://"));
        for field in https.into_iter().chain(path) {
            let shown = walk.shown(field.node);
            let finding = Finding::new(format!("cannot use {shown} with `embedded`"));
            walk.error(&field.place, finding.help(EMBEDDED_HELP));
        }
        if let Some(field) = &embedded
            && settings.embedded_at().is_none()
            && !settings.address.contains("://")
        {
            let finding = Finding::new(format!(
                "cannot listen on {}: not an address and a port",
                quoted(&settings.address)
            ));
            let help = "write for example `address: \"127.0.0.1:8500\"`, or leave it out";
            walk.error(&field.place, finding.help(help));
        }
        let out_of_place = [("token", token), ("tokenFile", token_file), ("tls", tls)];
        for (key, field) in out_of_place {
            if let Some(field) = field {
                let finding = Finding::new(format!("cannot use `{key}` with `embedded`"));
                walk.error(&field.place, finding.help(EMBEDDED_HELP));
            }
        }
    }
    section.finish(walk);
    Some(settings)
}

const EMBEDDED_HELP: &str = "the embedded catalogue listens on `host:port` and speaks plain HTTP without a token; \
    remove `embedded` to use a Consul agent";

fn max_connections(walk: &mut Walk<'_>, field: &Field<'_>, settings: &mut ConsulSettings) {
    let Some(number) = walk.integer(field) else {
        return;
    };
    if let Ok(maximum @ 1..=MAX_CONNECTIONS) = u16::try_from(number) {
        settings.max_connections = maximum;
        return;
    }
    let finding = Finding::new(format!(
        "cannot use `{number}`: must be 1 to {MAX_CONNECTIONS}"
    ));
    walk.error(
        &field.place,
        finding.help("an agent permits one client 200 connections by default"),
    );
}

/// The name of a datacenter, as Consul takes them.
fn read_datacenter(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let name = filled(walk.text(field))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() <= 64 && name.chars().all(fits) {
        return Some(name);
    }
    let finding = Finding::new(format!("cannot use {}: not a datacenter", quoted(&name)));
    walk.error(
        &field.place,
        finding.help("use at most 64 letters, digits, `-` and `_`"),
    );
    None
}

/// An empty text is as good as none.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn read_path(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<PathBuf> {
    filled(walk.text(field)).map(PathBuf::from)
}

fn read_tls(walk: &mut Walk<'_>, mut section: Section<'_>) -> TlsSettings {
    let mut path = |walk: &mut Walk<'_>, key| {
        let text = section.text(walk, key).filter(|text| !text.is_empty());
        text.map(PathBuf::from)
    };
    let ca_file = path(walk, "cafile");
    let ca_path = path(walk, "capath");
    let client_cert = path(walk, "clientcert");
    let client_key = path(walk, "clientkey");
    let server_name = section
        .text(walk, "servername")
        .filter(|name| !name.is_empty());
    let verify = section.boolean(walk, "verify");
    section.finish(walk);
    TlsSettings {
        ca_file,
        ca_path,
        client_cert,
        client_key,
        server_name,
        verify,
    }
}

/// `host:port` with or without a scheme. The scheme is taken off once, as the original does, and once more, as its client
/// library does; `unix://` stays, because it says that the rest is a path.
fn address(walk: &mut Walk<'_>, field: &Field<'_>, text: &str, settings: &mut ConsulSettings) {
    let mut rest = text;
    for _ in 0..2 {
        rest = match rest.split_once("://") {
            Some(("http", after)) => {
                settings.scheme = settings.scheme.or(Some(Scheme::Http));
                after
            }
            Some(("https", after)) => {
                settings.scheme = Some(Scheme::Https);
                after
            }
            _ => rest,
        };
    }
    match rest.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => {}
        Some((scheme, _)) => {
            let finding = Finding::new(format!(
                "cannot use {}: Unknown protocol scheme: {scheme}",
                quoted(text)
            ));
            walk.error(
                &field.place,
                finding.help("use `http://`, `https://` or `unix:///path`"),
            );
        }
        None if has_wrong_port(rest) => {
            let finding = Finding::new(format!("cannot use {}: no port", quoted(text)));
            walk.error(
                &field.place,
                finding.help("a port is a number from 1 to 65535"),
            );
        }
        None if rest.starts_with(':') => {
            let finding = Finding::new(format!("{} has no host", quoted(text)));
            walk.warning(
                &field.place,
                finding.help("is a variable of the template not set?"),
            );
        }
        None => {}
    }
    rest.clone_into(&mut settings.address);
}

/// Whether digits behind the last colon are too large for a port, or 0. Anything else may be meant otherwise: a path, an
/// IPv6 address, a user.
fn has_wrong_port(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or_default();
    let Some((before, port)) = host.rsplit_once(':') else {
        return false;
    };
    let bare_v6 = before.contains(':') && !before.ends_with(']');
    let digits = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    digits && !bare_v6 && !port.parse::<u16>().is_ok_and(|port| port > 0)
}
