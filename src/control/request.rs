//! From a request to a command, and from its outcome to an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::{Method, Request, StatusCode, Uri};
use reqwest::Url;
use serde_json::json;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tracing::debug;

use super::access::{Access, Peer, Verb};
use super::answer::{Answer, Dialect, Reply};
use super::body;
use super::command::{Command, Outcome};
use super::limits::{self, Limits};
use super::patience::Patience;
use super::requests::Requests;
use super::route::LiveRoute;
use super::version::{GIT_HASH, VERSION};

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Route {
    Ping,
    Reload,
    ReloadPlan,
    Environ,
    Metric,
    Maintenance { enable: bool },
    Health { job: Option<String> },
    Version,
    Live(LiveRoute),
}

impl Route {
    fn verb(&self) -> Verb {
        match self {
            Route::Ping | Route::ReloadPlan | Route::Health { .. } | Route::Version => Verb::Reads,
            Route::Reload | Route::Environ | Route::Metric | Route::Maintenance { .. } => {
                Verb::Changes
            }
            Route::Live(route) => route.verb(),
        }
    }
}

/// What every request needs.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    /// To the supervisor. Bounded; a full queue is answered with 503 at once.
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) limits: Limits,
    pub(super) requests: Requests,
    pub(super) access: Arc<Access>,
    /// Places for followers: each holds a connection for as long as it likes.
    pub(super) followers: Arc<Semaphore>,
}

impl Desk {
    /// Reads the whole request, asks the supervisor if need be, and answers. `answering` is set when nothing more is
    /// needed from the client: from then on its connection is not dropped in favour of another.
    pub(super) async fn serve(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        answering: &AtomicBool,
        patience: &Patience,
    ) -> Reply {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let reply = match self.read(request, peer).await {
            Ok((route, body)) => {
                answering.store(true, Ordering::Relaxed);
                match route {
                    Route::Live(route) => self.live(route, &body, patience).await,
                    route => Reply::Whole(self.perform(route, &body).await),
                }
            }
            Err(answer) => Reply::Whole(answer),
        };
        let status = reply.status().as_u16();
        self.requests.count(&path, status);
        debug!(%method, path, status, "control: request");
        reply
    }

    async fn read(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Result<(Route, Vec<u8>), Answer> {
        let dialect = dialect(request.uri());
        let route = route(request.method(), request.uri())?;
        if !self.access.permits(peer, route.verb()) {
            let reason = match route.verb() {
                Verb::Reads => "your user may not read here: see `control.readers`",
                Verb::Changes => "your user may not change anything here: see `control.writers`",
            };
            return Err(Answer::failure(dialect, StatusCode::FORBIDDEN, reason));
        }
        let Ok(body) = timeout(self.limits.body, collect(request.into_body())).await else {
            let status = StatusCode::REQUEST_TIMEOUT;
            return Err(Answer::failure(dialect, status, "the body did not arrive"));
        };
        match body {
            Ok(body) => Ok((route, body)),
            Err(BodyError::TooLarge) => {
                let reason = format!("the body is larger than {} bytes", limits::BODY);
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Err(Answer::failure(dialect, status, &reason))
            }
            Err(BodyError::Broken) => {
                let reason = "the body is damaged or ends too early";
                Err(Answer::failure(dialect, StatusCode::BAD_REQUEST, reason))
            }
        }
    }

    async fn perform(&self, route: Route, body: &[u8]) -> Answer {
        match route {
            Route::Ping => Answer::done(),
            Route::Version => {
                let version = json!({ "version": VERSION, "gitHash": GIT_HASH });
                Answer::json(StatusCode::OK, &version)
            }
            Route::Reload => self.order(|reply| Command::Reload { reply }).await,
            Route::ReloadPlan => self.reload_plan().await,
            Route::Environ => match body::environ(body) {
                Ok(changes) if changes.is_empty() => Answer::done(),
                Ok(changes) => {
                    self.order(|reply| Command::Environ { changes, reply })
                        .await
                }
                Err(reason) => unprocessable(&reason),
            },
            Route::Metric => match body::metric(body) {
                Ok(values) if values.is_empty() => Answer::done(),
                Ok(values) => self.order(|reply| Command::Metric { values, reply }).await,
                Err(reason) => unprocessable(&reason),
            },
            Route::Maintenance { enable } => {
                self.order(|reply| Command::Maintenance { enable, reply })
                    .await
            }
            Route::Health { job } => self.health(job).await,
            // Answered before, since its answer may go on.
            Route::Live(_) => Answer::not_found(Dialect::Api),
        }
    }

    /// One of the original's orders.
    async fn order(&self, command: impl FnOnce(oneshot::Sender<Outcome>) -> Command) -> Answer {
        match self.ask(command).await {
            Ok(Ok(())) => Answer::done(),
            Ok(Err(reason)) => unprocessable(&reason),
            Err(silence) => silence.answer(Dialect::Original),
        }
    }

    async fn reload_plan(&self) -> Answer {
        match self.ask(|reply| Command::ReloadPlan { reply }).await {
            Ok(Ok(plan)) => Answer::json(StatusCode::OK, &plan),
            Ok(Err(reason)) => {
                Answer::failure(Dialect::Api, StatusCode::UNPROCESSABLE_ENTITY, &reason)
            }
            Err(silence) => silence.answer(Dialect::Api),
        }
    }

    async fn health(&self, job: Option<String>) -> Answer {
        let name = job.clone().unwrap_or_default();
        match self.ask(|reply| Command::Health { job, reply }).await {
            Ok(Some(health)) if health.healthy => Answer::json(StatusCode::OK, &health),
            Ok(Some(health)) => Answer::json(StatusCode::SERVICE_UNAVAILABLE, &health),
            Ok(None) => {
                let reason = format!("no job is called `{name}`");
                Answer::failure(Dialect::Api, StatusCode::NOT_FOUND, &reason)
            }
            Err(silence) => silence.answer(Dialect::Api),
        }
    }

    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Silence> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .try_send(command(reply))
            .map_err(|error| match error {
                TrySendError::Full(_) => Silence::Busy,
                TrySendError::Closed(_) => Silence::Stopping,
            })?;
        match timeout(self.limits.answer, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Silence::Stopping),
            Err(_) => Err(Silence::Late),
        }
    }
}

/// Why the supervisor gave no answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Silence {
    Busy,
    Stopping,
    Late,
}

impl Silence {
    pub(super) fn answer(self, dialect: Dialect) -> Answer {
        let (status, reason) = match self {
            Silence::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many requests are waiting",
            ),
            Silence::Stopping => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the supervisor is stopping",
            ),
            Silence::Late => (
                StatusCode::GATEWAY_TIMEOUT,
                "the supervisor did not answer in time",
            ),
        };
        Answer::failure(dialect, status, reason)
    }
}

fn unprocessable(reason: &str) -> Answer {
    Answer::failure(Dialect::Original, StatusCode::UNPROCESSABLE_ENTITY, reason)
}

fn dialect(uri: &Uri) -> Dialect {
    if uri.path().starts_with("/api/") {
        Dialect::Api
    } else {
        Dialect::Original
    }
}

/// Paths match exactly, as in the original: a slash at the end makes another path.
fn route(method: &Method, uri: &Uri) -> Result<Route, Answer> {
    let dialect = dialect(uri);
    let found = match uri.path() {
        "/v3/ping" => Route::Ping,
        "/v3/reload" => Route::Reload,
        "/v3/environ" | "/v3/env" => Route::Environ,
        "/v3/metric" => Route::Metric,
        "/v3/maintenance/enable" => Route::Maintenance { enable: true },
        "/v3/maintenance/disable" => Route::Maintenance { enable: false },
        "/api/v1/health" => Route::Health { job: job(uri) },
        "/api/v1/reload/plan" => Route::ReloadPlan,
        "/api/v1/version" => Route::Version,
        _ => {
            let live = LiveRoute::find(method, uri);
            return live.map_or_else(
                || Err(Answer::not_found(dialect)),
                |route| route.map(Route::Live),
            );
        }
    };
    let reads = method == Method::GET || method == Method::HEAD;
    match (&found, dialect) {
        (Route::Ping, _) => Ok(found),
        (_, Dialect::Api) if reads => Ok(found),
        (_, Dialect::Api) => Err(Answer::wrong_method(dialect, "GET, HEAD")),
        (_, Dialect::Original) if method == Method::POST => Ok(found),
        (_, Dialect::Original) => Err(Answer::wrong_method(dialect, "POST")),
    }
}

/// The last `job` of the query.
fn job(uri: &Uri) -> Option<String> {
    // `Url` knows the escapes; it wants a base that it can read.
    let url = Url::parse(&format!("http://control/?{}", uri.query()?)).ok()?;
    let jobs = url.query_pairs().filter(|(name, _)| name == "job");
    jobs.last().map(|(_, job)| job.into_owned())
}

/// Why there is no body.
#[derive(Clone, Copy, Debug)]
enum BodyError {
    TooLarge,
    Broken,
}

/// Reads a body of at most [`limits::BODY`] bytes. Never keeps more; of a larger one it reads on for a while.
async fn collect(mut body: Incoming) -> Result<Vec<u8>, BodyError> {
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
        if seen <= limits::BODY {
            kept.extend_from_slice(&data);
        }
    }
    if seen > limits::BODY {
        return Err(BodyError::TooLarge);
    }
    Ok(kept)
}
