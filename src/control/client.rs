//! The other end: what the command line asks a running supervisor.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use super::command::HealthAnswer;
use super::error::ClientError;
use super::plan::ReloadPlan;

/// Total time of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Total time of a reload: longer than the server waits for the supervisor.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(1);
/// Who follows something does so for as long as it takes.
pub(super) const FOLLOW_TIMEOUT: Duration = Duration::from_hours(24 * 365);
/// How much of an answer is read, in bytes; more is cut off.
const ANSWER_LIMIT: usize = 256 * 1024;

/// A client of one socket. Every method is one request; every status but a success is an error (D46).
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) socket: PathBuf,
}

impl Client {
    /// A client of the supervisor at `socket`. Connects to nothing yet, and never through a proxy.
    pub fn new(socket: &Path) -> Result<Client, ClientError> {
        let setup = |reason: String| ClientError::Setup {
            socket: socket.to_owned(),
            reason,
        };
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .no_proxy()
            .tls_backend_preconfigured(no_tls().map_err(|error| setup(error.to_string()))?)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| setup(innermost(&error)))?;
        Ok(Client {
            http,
            socket: socket.to_owned(),
        })
    }

    /// Asks whether the socket answers.
    pub async fn ping(&self) -> Result<(), ClientError> {
        self.expect_success(self.http.get(url("/v3/ping"))).await
    }

    /// Has the configuration read again; the error says what is wrong with it.
    pub async fn reload(&self) -> Result<(), ClientError> {
        let request = self.http.post(url("/v3/reload")).timeout(RELOAD_TIMEOUT);
        self.expect_success(request).await
    }

    /// Asks what a reload would do; the error says what is wrong with the configuration.
    pub async fn reload_plan(&self) -> Result<ReloadPlan, ClientError> {
        let request = self.http.get(url("/api/v1/reload/plan"));
        let (status, text) = self
            .send(request.timeout(RELOAD_TIMEOUT), ANSWER_LIMIT)
            .await?;
        match serde_json::from_str(&text) {
            Ok(plan) if status.is_success() => Ok(plan),
            _ => Err(refused(status, &text)),
        }
    }

    /// Enters or leaves maintenance.
    pub async fn maintenance(&self, enable: bool) -> Result<(), ClientError> {
        let path = if enable {
            "/v3/maintenance/enable"
        } else {
            "/v3/maintenance/disable"
        };
        self.expect_success(self.http.post(url(path))).await
    }

    /// Sets environment variables for later runs.
    pub async fn put_environ(&self, pairs: &BTreeMap<String, String>) -> Result<(), ClientError> {
        let request = self.http.post(url("/v3/environ")).json(pairs);
        self.expect_success(request).await
    }

    /// Records metric values; as texts, the way the original's client did.
    pub async fn put_metric(&self, pairs: &BTreeMap<String, String>) -> Result<(), ClientError> {
        let request = self.http.post(url("/v3/metric")).json(pairs);
        self.expect_success(request).await
    }

    /// Asks for the health of a job, or of everything. An unhealthy job is an answer, not an error.
    pub async fn health(&self, job: Option<&str>) -> Result<HealthAnswer, ClientError> {
        let mut address =
            Url::parse(&url("/api/v1/health")).map_err(|error| ClientError::Setup {
                socket: self.socket.clone(),
                reason: error.to_string(),
            })?;
        if let Some(job) = job {
            address.query_pairs_mut().append_pair("job", job);
        }
        let request = self.http.get(address);
        let (status, text) = self.send(request, ANSWER_LIMIT).await?;
        if (status.is_success() || status == StatusCode::SERVICE_UNAVAILABLE)
            && let Ok(answer) = serde_json::from_str(&text)
        {
            return Ok(answer);
        }
        Err(refused(status, &text))
    }

    async fn expect_success(&self, request: RequestBuilder) -> Result<(), ClientError> {
        let (status, text) = self.send(request, ANSWER_LIMIT).await?;
        if status.is_success() {
            return Ok(());
        }
        Err(refused(status, &text))
    }

    /// Of an answer at most so many bytes are read.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<(StatusCode, String), ClientError> {
        let failed = |error| self.failed(&error);
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let text = text(response, limit).await.map_err(failed)?;
        Ok((status, text))
    }

    pub(super) fn failed(&self, error: &reqwest::Error) -> ClientError {
        let socket = self.socket.clone();
        if error.is_timeout() {
            return ClientError::TimedOut { socket };
        }
        ClientError::Unreachable {
            socket,
            reason: innermost(error),
        }
    }
}

/// The host is of no meaning over a socket; the original wrote this one.
fn url(path: &str) -> String {
    format!("http://control{path}")
}

/// A Unix socket needs no TLS, but reqwest wants a configuration of it; without one it asks for a process-wide default,
/// which there is not. This one trusts nobody.
fn no_tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    let nobody = rustls::RootCertStore::empty();
    Ok(builder.with_root_certificates(nobody).with_no_client_auth())
}

async fn text(mut response: Response, limit: usize) -> reqwest::Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            bytes.truncate(limit);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn refused(status: StatusCode, text: &str) -> ClientError {
    let error: Option<Value> = serde_json::from_str(text).ok();
    let message = error
        .as_ref()
        .and_then(|error| error.pointer("/error/message"));
    let reason = message.and_then(Value::as_str).unwrap_or(text);
    ClientError::Refused {
        status: status.as_u16(),
        reason: reason.trim_end().to_owned(),
    }
}

/// The cause at the bottom: what the system said, without the layers that passed it on.
fn innermost(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}
