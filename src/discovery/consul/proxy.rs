//! Whether a request goes through a proxy: the rules of Go's transport, which the original had (spec 1.6).

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

use crate::config::{Scheme, Variables};

use super::address::{Place, Target};
use super::error::SettingsError;
use super::secret::Secret;

/// The proxy for this target: a URL, in which there may be a password. None for this host and for sockets.
pub(super) fn choose(
    target: &Target,
    variables: &Variables,
) -> Result<Option<Secret>, SettingsError> {
    let Place::Host { host, port } = &target.place else {
        return Ok(None);
    };
    let names = match target.scheme {
        Scheme::Http => ["HTTP_PROXY", "http_proxy"],
        Scheme::Https => ["HTTPS_PROXY", "https_proxy"],
    };
    let Some((variable, text)) = given(variables, names) else {
        return Ok(None);
    };
    let exempt = given(variables, ["NO_PROXY", "no_proxy"]).map_or("", |(_, text)| text);
    if target.is_local() || is_exempt(host, *port, exempt) {
        return Ok(None);
    }
    let url = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let usable = Url::parse(&url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if usable {
        Ok(Some(Secret::new(&url)))
    } else {
        Err(SettingsError::Variable {
            variable,
            reason: "write `http://host:port` or `https://host:port`, or name the host of Consul in `NO_PROXY`"
                .to_owned(),
        })
    }
}

/// The first variable that is not empty, with its text.
fn given<'v>(
    variables: &'v Variables,
    names: [&'static str; 2],
) -> Option<(&'static str, &'v str)> {
    let mut texts = names.into_iter().filter_map(|name| {
        let text = variables.get(name)?.trim();
        Some((name, text)).filter(|(_, text)| !text.is_empty())
    });
    texts.next()
}

/// Whether one of the entries of `NO_PROXY` is the host: `*`, an address, a network, or a domain with or without a dot
/// before it; each but a network with or without a port.
fn is_exempt(host: &str, port: u16, entries: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    let mut entries = entries.split(',').map(str::trim).filter(|e| !e.is_empty());
    entries.any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let (Ok(network), Some(address)) = (entry.parse::<IpNet>(), address) {
            return network.contains(&address);
        }
        let (name, only_port) = without_port(&entry);
        if only_port.is_some_and(|only| only != port) {
            return false;
        }
        let name = name.trim_matches(['[', ']']);
        if let Some(address) = address {
            return name.parse() == Ok(address);
        }
        let domain = name.strip_prefix("*.").or(name.strip_prefix('.'));
        match domain {
            // With a dot only what is below it, as in Go.
            Some(domain) => is_below(&host, domain),
            None => host == name || is_below(&host, name),
        }
    })
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|start| start.ends_with('.') && start.len() > 1)
}

fn without_port(entry: &str) -> (&str, Option<u16>) {
    let is_v6 = entry.parse::<IpAddr>().is_ok();
    match entry.rsplit_once(':').filter(|_| !is_v6) {
        Some((name, port)) => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        None => (entry, None),
    }
}
