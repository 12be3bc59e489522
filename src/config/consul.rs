//! `consul`: where the catalogue is.

use std::path::PathBuf;

use super::json5::Kind;
use super::section::Section;
use super::settings::{ConsulSettings, Scheme, TlsSettings};
use super::walk::{Field, Finding, Walk, quoted};

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
    let mut section = walk.section(field)?;
    let mut settings = ConsulSettings::default();
    let given = section.take(walk, "address");
    let scheme = section.take(walk, "scheme");
    settings.scheme = scheme
        .and_then(|scheme| walk.choice(&scheme, &SCHEME))
        .flatten();
    if let Some(given) = given
        && let Some(text) = walk.text(&given)
    {
        address(walk, &given, &text, &mut settings);
    }
    settings.token = section
        .text(walk, "token")
        .filter(|token| !token.is_empty());
    if let Some(tls) = section.section(walk, "tls") {
        settings.tls = read_tls(walk, tls);
    }
    section.finish(walk);
    Some(settings)
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
