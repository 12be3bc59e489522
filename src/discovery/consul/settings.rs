//! What the client does, from the configuration and the environment (spec 6.1).

use std::path::PathBuf;

use crate::config::{ConsulSettings, Scheme, TlsSettings, Variables};

use super::address::{self, Place, Target, Written};
use super::error::SettingsError;
use super::proxy;
use super::secret::Secret;

/// The settings of a client: checked as far as that is possible without a file or a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(super) target: Target,
    /// Used where there is no file, or an empty one.
    pub(super) token: Option<Secret>,
    pub(super) token_file: Option<PathBuf>,
    /// `user:password`.
    pub(super) auth: Option<Secret>,
    /// Client certificate and key are there both or not at all.
    pub(super) tls: TlsSettings,
    /// The URL of a proxy.
    pub(super) proxy: Option<Secret>,
    pub(super) datacenter: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) partition: Option<String>,
    pub(super) max_connections: u16,
}

impl Settings {
    /// What the file says, replaced and completed by the environment. Variables replace the file, except that
    /// `CONSUL_HTTP_ADDR` is asked only where the file names no address and `CONSUL_HTTP_SSL` only where nothing names a
    /// scheme. An empty variable is as good as none.
    ///
    /// What the original ignored (a word that is no boolean, half of a key pair) is ignored here with a warning.
    ///
    /// # Errors
    ///
    /// An address, or a variable that matters for it, that cannot be used.
    pub fn resolve(
        consul: &ConsulSettings,
        variables: &Variables,
    ) -> Result<Settings, SettingsError> {
        let given = |name: &str| variables.get(name).filter(|text| !text.is_empty());
        let text = match consul.address.as_str() {
            "" => given("CONSUL_HTTP_ADDR").map_or("127.0.0.1:8500", String::as_str),
            text => text,
        };
        let written = address::parse(text)?;
        let target = Target {
            scheme: scheme(consul, &written, variables),
            place: written.place,
            prefix: written.prefix,
        };
        let (token, token_file) = token(consul, variables);
        let auth = given("CONSUL_HTTP_AUTH").map(|auth| Secret::new(auth));
        let own = |name, text: &Option<String>| given(name).or(text.as_ref()).cloned();
        Ok(Settings {
            proxy: proxy::choose(&target, variables)?,
            target,
            token,
            token_file,
            auth: auth.or(written.user),
            tls: tls(&consul.tls, variables),
            datacenter: consul.datacenter.clone(),
            namespace: own("CONSUL_NAMESPACE", &consul.namespace),
            partition: own("CONSUL_PARTITION", &consul.partition),
            max_connections: consul.max_connections,
        })
    }

    /// How many blocking queries may stand at once (decision 25).
    #[must_use]
    pub fn max_connections(&self) -> usize {
        usize::from(self.max_connections)
    }

    /// Whether there are files that may be replaced while the program runs.
    #[must_use]
    pub fn has_credential_files(&self) -> bool {
        let tls = &self.tls;
        let files = [
            &self.token_file,
            &tls.ca_file,
            &tls.ca_path,
            &tls.client_cert,
            &tls.client_key,
        ];
        files.iter().any(|file| file.is_some())
    }
}

/// `https://` in the address is never taken back, and `http://` there never takes back what was asked for elsewhere; so
/// says the original's client library. Through a Unix socket nobody speaks TLS.
fn scheme(consul: &ConsulSettings, written: &Written, variables: &Variables) -> Scheme {
    match (written.scheme, &written.place) {
        (_, Place::Socket(_)) => return Scheme::Http,
        (Some(Scheme::Https), _) => return Scheme::Https,
        _ => {}
    }
    consul.scheme.unwrap_or_else(|| {
        if boolean(variables, "CONSUL_HTTP_SSL").unwrap_or_default() {
            Scheme::Https
        } else {
            Scheme::Http
        }
    })
}

/// Both of the environment go before both of the file; among equals the file goes first, as in Consul's own tools.
fn token(consul: &ConsulSettings, variables: &Variables) -> (Option<Secret>, Option<PathBuf>) {
    let given = |name: &str| variables.get(name).filter(|text| !text.is_empty());
    let file = given("CONSUL_HTTP_TOKEN_FILE").map(PathBuf::from);
    let token = given("CONSUL_HTTP_TOKEN").map(|token| Secret::new(token));
    if file.is_some() || token.is_some() {
        return (token, file);
    }
    let token = consul.token.as_deref().map(Secret::new);
    (token, consul.token_file.clone())
}

fn tls(written: &TlsSettings, variables: &Variables) -> TlsSettings {
    let given = |name: &str| variables.get(name).filter(|text| !text.is_empty());
    let path = |name, own: &Option<PathBuf>| given(name).map(PathBuf::from).or(own.clone());
    let mut tls = TlsSettings {
        ca_file: path("CONSUL_CACERT", &written.ca_file),
        ca_path: path("CONSUL_CAPATH", &written.ca_path),
        client_cert: path("CONSUL_CLIENT_CERT", &written.client_cert),
        client_key: path("CONSUL_CLIENT_KEY", &written.client_key),
        server_name: given("CONSUL_TLS_SERVER_NAME")
            .or(written.server_name.as_ref())
            .cloned(),
        verify: boolean(variables, "CONSUL_HTTP_SSL_VERIFY").or(written.verify),
    };
    if tls.client_cert.is_some() != tls.client_key.is_some() {
        tracing::warn!("a client certificate without its key, or a key alone, is not used");
        tls.client_cert = None;
        tls.client_key = None;
    }
    tls
}

/// A word that is no boolean is ignored: for verification that leaves the safe side as it is.
fn boolean(variables: &Variables, name: &str) -> Option<bool> {
    let text = variables.get(name)?;
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        "" => None,
        _ => {
            tracing::warn!(variable = name, "ignored: write `true` or `false`");
            None
        }
    }
}
