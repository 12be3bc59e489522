//! Answers: the original's texts under `/v3/`, JSON under `/api/v1/`.

use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::feed::Stream;

/// Which of the two interfaces a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Plain text, one line.
    Original,
    /// JSON.
    Api,
}

/// What a client gets.
#[derive(Debug)]
pub(super) enum Reply {
    Whole(Answer),
    /// What comes, for as long as it comes.
    Stream(Box<Stream>),
}

impl Reply {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Reply::Whole(answer) => answer.status,
            Reply::Stream(_) => StatusCode::OK,
        }
    }

    pub(super) fn into_response(self) -> Response<Either<Full<Bytes>, Stream>> {
        match self {
            Reply::Whole(answer) => answer.into_response().map(Either::Left),
            Reply::Stream(stream) => {
                let mut response = Response::new(Either::Right(*stream));
                let headers = response.headers_mut();
                let kind = HeaderValue::from_static("text/event-stream");
                headers.insert(CONTENT_TYPE, kind);
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
        }
    }
}

/// What is written back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) dialect: Dialect,
    pub(super) body: String,
    /// The methods that would have been right, for a 405.
    pub(super) allow: Option<&'static str>,
}

impl Answer {
    /// The original's success: an empty line.
    pub(super) fn done() -> Answer {
        Answer {
            status: StatusCode::OK,
            dialect: Dialect::Original,
            body: "\n".to_owned(),
            allow: None,
        }
    }

    /// A JSON value of ours.
    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
        // Our own types have text keys only, the one thing that serialising to text can fail on.
        let mut body = serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned());
        body.push('\n');
        Answer {
            status,
            dialect: Dialect::Api,
            body,
            allow: None,
        }
    }

    /// A failure: the original's words for the status, then the reason; or our JSON with the same in it.
    pub(super) fn failure(dialect: Dialect, status: StatusCode, reason: &str) -> Answer {
        let words = status.canonical_reason().unwrap_or("Error");
        match dialect {
            Dialect::Original => Answer {
                status,
                dialect,
                body: format!("{words}: {}\n", reason.trim_end()),
                allow: None,
            },
            Dialect::Api => {
                let code = words.to_ascii_lowercase().replace(' ', "_");
                Answer::error(status, &code, reason)
            }
        }
    }

    /// A failure of ours with a code of its own.
    pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Answer {
        let error = json!({ "error": { "code": code, "message": message } });
        Answer::json(status, &error)
    }

    /// No such path.
    pub(super) fn not_found(dialect: Dialect) -> Answer {
        match dialect {
            Dialect::Original => Answer {
                status: StatusCode::NOT_FOUND,
                dialect,
                body: "404 page not found\n".to_owned(),
                allow: None,
            },
            Dialect::Api => Answer::failure(dialect, StatusCode::NOT_FOUND, "no such path"),
        }
    }

    /// The path is right, the method is not.
    pub(super) fn wrong_method(dialect: Dialect, allow: &'static str) -> Answer {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let mut answer = match dialect {
            Dialect::Original => Answer {
                status,
                dialect,
                body: "Method Not Allowed\n".to_owned(),
                allow: None,
            },
            Dialect::Api => Answer::failure(dialect, status, &format!("use {allow}")),
        };
        answer.allow = Some(allow);
        answer
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let kind = match self.dialect {
            Dialect::Original => "text/plain; charset=utf-8",
            Dialect::Api => "application/json",
        };
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
