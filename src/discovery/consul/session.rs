//! One set of credentials with the connections that were made with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Proxy, redirect};

use crate::config::Scheme;

use super::address::{Place, authority, scheme_name};
use super::credentials::Material;
use super::error::{SettingsError, SetupError};
use super::limits::{self, Limits};
use super::lookup::{Lookup, Resolver};
use super::settings::Settings;
use super::standing::Lines;
use super::tls;

/// The header that Consul takes a token from.
const TOKEN: HeaderName = HeaderName::from_static("x-consul-token");

/// What requests are sent with. A set of credentials that is replaced takes its connections with it; requests that are
/// under way keep it until they end.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) http: reqwest::Client,
    /// For questions that stand; `None` where TLS or a proxy lies in between.
    pub(super) lines: Option<Lines>,
    pub(super) resolver: Resolver,
    /// What paths are put behind.
    pub(super) base: String,
    /// Sent with every request.
    pub(super) headers: HeaderMap,
    /// Texts that no message may have in it.
    pub(super) secrets: Vec<super::secret::Secret>,
    /// Which set it is.
    pub(super) digest: u64,
}

impl Session {
    /// A session that has connected to nothing yet. Reads the system's authorities where they are used, so it blocks.
    pub(super) fn new(
        settings: &Settings,
        material: &Material,
        lookup: Lookup,
        limits: Limits,
    ) -> Result<Session, SetupError> {
        let target = &settings.target;
        let is_https = target.scheme == Scheme::Https;
        let config = tls::configure(&settings.tls, material, is_https)?;
        let alias = alias(settings);
        let resolver = Resolver::new(lookup, alias.clone());
        let is_plain = !is_https && settings.proxy.is_none();
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .user_agent(concat!("pilothouse/", env!("CARGO_PKG_VERSION")))
            // A proxy of the environment is looked at with the settings; here it would take loopback as well.
            .no_proxy()
            // A redirect would carry the token to wherever it points.
            .redirect(redirect::Policy::none())
            .http1_only()
            .connect_timeout(limits.connect)
            .pool_idle_timeout(limits::IDLE)
            .tcp_nodelay(true)
            .tcp_keepalive(limits::SILENCE)
            .tcp_keepalive_interval(limits::PROBE_INTERVAL)
            .tcp_keepalive_retries(limits::PROBES)
            .tcp_user_timeout(limits::UNACKNOWLEDGED)
            .dns_resolver(resolver.clone());
        if let Place::Socket(path) = &target.place {
            http = http.unix_socket(path.as_path());
        }
        if let Some(proxy) = &settings.proxy {
            // Its own text would show the password.
            let proxy = Proxy::all(proxy.expose())
                .map_err(|_| SetupError::Library("the proxy cannot be used".to_owned()))?;
            http = http.proxy(proxy);
        }
        let http = http
            .build()
            .map_err(|error| SetupError::Library(error.to_string()))?;
        let shown = match (&alias, &target.place) {
            (Some((name, _)), Place::Host { port, .. }) => authority(name, *port),
            _ => target.authority(),
        };
        let base = format!("{}://{shown}{}", scheme_name(target.scheme), target.prefix);
        if reqwest::Url::parse(&base).is_err() {
            return Err(SetupError::Settings(SettingsError::Address {
                address: target.to_string(),
                reason: "it is no host".to_owned(),
            }));
        }
        let mut secrets: Vec<_> = settings.auth.iter().cloned().collect();
        secrets.extend(material.token.clone());
        Ok(Session {
            http,
            lines: is_plain.then(Lines::default),
            resolver,
            base,
            headers: headers(settings, material, alias.is_some())?,
            secrets,
            digest: material.digest(),
        })
    }
}

/// With `tls.servername` the URL names that server, so that it is also the one that the handshake asks for (SNI), and
/// the lookup leads to the configured host. A proxy would look for it itself; there only the certificate is compared.
fn alias(settings: &Settings) -> Option<(String, String)> {
    let name = settings.tls.server_name.clone()?;
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let is_direct = settings.proxy.is_none() && settings.target.scheme == Scheme::Https;
    match &settings.target.place {
        Place::Host { host, .. } if is_direct && !is_address => Some((name, host.clone())),
        _ => None,
    }
}

fn headers(
    settings: &Settings,
    material: &Material,
    is_alias: bool,
) -> Result<HeaderMap, SetupError> {
    let value = |what, text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| SettingsError::Variable {
            variable: what,
            reason: "it has characters that no header can carry".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok::<_, SettingsError>(value)
    };
    let mut headers = HeaderMap::new();
    if let Some(token) = &material.token {
        headers.insert(TOKEN, value("consul.token", token.expose())?);
    }
    if let Some(auth) = &settings.auth {
        let encoded = STANDARD.encode(auth.expose());
        headers.insert(
            AUTHORIZATION,
            value("CONSUL_HTTP_AUTH", &format!("Basic {encoded}"))?,
        );
    }
    if is_alias {
        headers.insert(HOST, value("consul.address", &settings.target.authority())?);
    }
    Ok(headers)
}
