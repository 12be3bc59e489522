//! From a request to a question, and from its answer to a response.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, VARY};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::ask::Ask;
use super::limits::Limits;
use crate::metrics::Format;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// What every request needs.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    /// To the loop. Bounded; a full queue is answered with 503 at once.
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) scrapes: Arc<Scrapes>,
    pub(super) limits: Limits,
}

/// How often `/metrics` was answered, and how often it could not be.
#[derive(Debug, Default)]
pub struct Scrapes {
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Scrapes {
    fn count(&self, status: StatusCode) {
        let count = if status == StatusCode::OK {
            &self.answered
        } else {
            &self.failed
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Answered with 200, and with 503.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        (count(&self.answered), count(&self.failed))
    }
}

type Answer = Response<Full<Bytes>>;

impl Desk {
    /// Answers a request. Its body, which none of these has, is not looked at.
    pub(super) async fn serve<B>(&self, request: &Request<B>) -> Answer {
        let path = request.uri().path();
        if !["/metrics", "/status", "/healthz", "/readyz"].contains(&path) {
            return answer(
                StatusCode::NOT_FOUND,
                TEXT,
                "404 page not found\n".to_owned(),
            );
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let mut answer = answer(status, TEXT, "Method Not Allowed\n".to_owned());
            let allowed = HeaderValue::from_static("GET, HEAD");
            answer.headers_mut().insert(ALLOW, allowed);
            return answer;
        }
        match path {
            "/metrics" => {
                let answer = self.metrics(request.headers()).await;
                if request.method() == Method::GET {
                    self.scrapes.count(answer.status());
                }
                answer
            }
            "/status" => match self.ask(|reply| Ask::Status { reply }).await {
                Ok(status) => answer(StatusCode::OK, JSON, status.to_string()),
                Err(silence) => silence,
            },
            "/healthz" => match self.ask(|reply| Ask::Health { reply }).await {
                Ok(()) => answer(StatusCode::OK, TEXT, "ok\n".to_owned()),
                Err(silence) => silence,
            },
            _ => match self.ask(|reply| Ask::Ready { reply }).await {
                Ok(Ok(())) => answer(StatusCode::OK, TEXT, "ok\n".to_owned()),
                Ok(Err(reason)) => unavailable(&reason),
                Err(silence) => silence,
            },
        }
    }

    async fn metrics(&self, headers: &HeaderMap) -> Answer {
        let accepts = headers.get_all(ACCEPT).into_iter();
        let accepts: Vec<&str> = accepts.filter_map(|value| value.to_str().ok()).collect();
        let format = Format::accepted(&accepts.join(","));
        match self.ask(|reply| Ask::Metrics { format, reply }).await {
            Ok(text) => {
                let mut answer = answer(StatusCode::OK, format.content_type(), text);
                let accept = HeaderValue::from_static("Accept");
                answer.headers_mut().insert(VARY, accept);
                answer
            }
            Err(silence) => silence,
        }
    }

    /// Asks the loop; the error is what the client is told instead.
    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Answer> {
        let (reply, answer) = oneshot::channel();
        if self.asks.try_send(ask(reply)).is_err() {
            return Err(unavailable(
                "too many requests are waiting, or the supervisor is stopping",
            ));
        }
        match timeout(self.limits.answer, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(unavailable("the supervisor is stopping")),
            Err(_) => Err(unavailable("the supervisor's loop does not turn")),
        }
    }
}

fn unavailable(reason: &str) -> Answer {
    answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{reason}\n"))
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
