//! From a request to its endpoint: who may ask, what is read, within which bounds.

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::{Method, Request, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::debug;

use super::answer::Answer;
use super::endpoints;
use super::host;
use super::limits::{self, EdgeLimits};
use super::query::Query;
use super::routes::{self, Endpoint, Route, Scope};
use super::shared::Shared;
use super::wire;

/// What is the same for every request.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) datacenter: String,
    pub(super) node: String,
    pub(super) node_id: String,
    /// Of the node; also the host of the leader.
    pub(super) address: String,
    pub(super) port: u16,
    /// Only who names us by address or as `localhost` is answered.
    pub(super) guarded: bool,
}

/// What every request needs.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) shared: Arc<Shared>,
    pub(super) site: Arc<Site>,
    pub(super) limits: EdgeLimits,
    /// Permits for bytes of bodies that are being read, see [`limits::BODIES`].
    pub(super) bodies: Arc<Semaphore>,
}

/// A request that was read as a whole.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) endpoint: Endpoint,
    /// What follows the endpoint's path, without escapes.
    pub(super) rest: String,
    pub(super) query: Query,
    pub(super) body: Vec<u8>,
}

impl Desk {
    /// Reads the whole request and answers it. `all_read` is called when nothing more is needed from the client.
    pub(super) async fn serve(
        &self,
        request: Request<Incoming>,
        all_read: impl FnOnce() + Send,
    ) -> Answer {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let answer = match self.read(request).await {
            Ok(call) => {
                all_read();
                let pretty = call.query.has("pretty");
                let answer = endpoints::perform(self, call).await;
                let answer = answer.unwrap_or_else(|answer| answer);
                if pretty { answer.pretty() } else { answer }
            }
            Err(answer) => answer,
        };
        let status = answer.status().as_u16();
        debug!(%method, path, status, "catalog: request");
        answer
    }

    async fn read(&self, request: Request<Incoming>) -> Result<Call, Answer> {
        if self.site.guarded && !host::is_ours(&request) {
            let text = "refused: this catalogue answers to `localhost` or an address only; use one of them as the host";
            return Err(Answer::text(StatusCode::FORBIDDEN, text));
        }
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if let Some(clean) = routes::elsewhere(path) {
            let query = head.uri.query().map(|query| format!("?{query}"));
            return Err(Answer::moved(&(clean + &query.unwrap_or_default())));
        }
        let found = path.strip_prefix("/v1/").and_then(routes::find);
        let (route, rest) = found.ok_or_else(|| Answer::empty(StatusCode::NOT_FOUND))?;
        if head.method == Method::OPTIONS {
            return Err(Answer::done().allowing(&route.allow()));
        }
        if !route.methods.contains(&head.method.as_str()) {
            return Err(Answer::wrong_method(&head.method, &route.allow()));
        }
        let query = Query::parse(head.uri.query().unwrap_or(""));
        let namespace = head.headers.get("x-consul-namespace");
        self.check_scope(route, &query, namespace.is_some_and(|it| !it.is_empty()))?;
        let rest = wire::unescape(rest);
        let rest = rest.ok_or_else(|| Answer::bad_request("the path is not UTF-8"))?;
        let body = self.read_body(route, body).await?;
        Ok(Call {
            method: head.method,
            endpoint: route.endpoint,
            rest,
            query,
            body,
        })
    }

    fn check_scope(&self, route: Route, query: &Query, in_header: bool) -> Result<(), Answer> {
        if route.scope == Scope::Bare {
            return Ok(());
        }
        let refuse = |what: &str| {
            Err(Answer::bad_request(&format!(
                "Bad request: Invalid {what} - Namespaces are a Consul Enterprise feature"
            )))
        };
        if in_header {
            return refuse("header: \"X-Consul-Namespace\"");
        }
        if !query.get("ns").is_empty() {
            return refuse("query parameter: \"ns\"");
        }
        if route.scope == Scope::Datacenter {
            self.check_datacenter(query.get("dc"))?;
        }
        if !query.get("filter").is_empty() {
            let text = "`filter` is not supported by the embedded catalogue: use a Consul server";
            return Err(Answer::bad_request(text));
        }
        Ok(())
    }

    /// Empty means ours.
    pub(super) fn check_datacenter(&self, name: &str) -> Result<(), Answer> {
        if name.is_empty() || name == self.site.datacenter {
            return Ok(());
        }
        Err(Answer::failed("No path to datacenter"))
    }

    async fn read_body(&self, route: Route, body: Incoming) -> Result<Vec<u8>, Answer> {
        let limit = match route.endpoint {
            Endpoint::Kv => limits::VALUE,
            _ => limits::BODY,
        };
        if body.is_end_stream() {
            return Ok(Vec::new());
        }
        let announced = body.size_hint().exact();
        let kept = announced.map_or(limit, |size| {
            usize::try_from(size).unwrap_or(limit).min(limit)
        });
        let permits = u32::try_from(kept).unwrap_or(u32::MAX);
        let reading = async {
            // The semaphore is never closed; without a permit the body is read all the same, one at a time is no danger.
            let _permit = self.bodies.acquire_many(permits).await;
            collect(body, limit).await
        };
        match timeout(self.limits.body, reading).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(BodyError::TooLarge)) => {
                let size =
                    announced.map_or("of unknown size".to_owned(), |it| format!("{it} bytes"));
                let text = format!("Request body({size}) too large, max size: {limit} bytes.");
                Err(Answer::text(StatusCode::PAYLOAD_TOO_LARGE, &text))
            }
            Ok(Err(BodyError::Broken)) => {
                Err(Answer::bad_request("the body is damaged or ends too early"))
            }
            Err(_) => Err(Answer::text(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive",
            )),
        }
    }
}

/// Why there is no body.
#[derive(Clone, Copy, Debug)]
enum BodyError {
    TooLarge,
    Broken,
}

/// Reads a body of at most `limit` bytes. Never keeps more; of a larger one it reads on for a while.
async fn collect(mut body: Incoming, limit: usize) -> Result<Vec<u8>, BodyError> {
    if body.size_hint().lower() > limits::DISCARDED as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut kept = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        if seen > limits::DISCARDED {
            break;
        }
        if seen <= limit {
            kept.extend_from_slice(&data);
        }
    }
    if seen > limit {
        return Err(BodyError::TooLarge);
    }
    Ok(kept)
}
