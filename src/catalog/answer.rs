//! Answers: Consul's headers, JSON or one line of text.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use super::tables::Problem;
use super::wire::{DecodeError, Refusal};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const INDEX: HeaderName = HeaderName::from_static("x-consul-index");
const CONSISTENCY: HeaderName = HeaderName::from_static("x-consul-effective-consistency");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-consul-contenthash");

/// What is written back.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    /// Boxed: an answer is the error of most functions here, and is moved often.
    headers: Box<HeaderMap>,
    body: Vec<u8>,
}

impl Answer {
    /// Done, and nothing to say.
    pub(super) fn empty(status: StatusCode) -> Answer {
        Answer {
            status,
            headers: Box::default(),
            body: Vec::new(),
        }
    }

    pub(super) fn done() -> Answer {
        Answer::empty(StatusCode::OK)
    }

    pub(super) fn json(value: &impl Serialize) -> Answer {
        // Our own types have text keys only, the one thing that serialising can fail on.
        let body = serde_json::to_vec(value).unwrap_or_default();
        let mut answer = Answer::done();
        answer.headers.insert(CONTENT_TYPE, JSON);
        answer.body = body;
        answer
    }

    pub(super) fn text(status: StatusCode, text: &str) -> Answer {
        let mut answer = Answer::empty(status);
        answer.headers.insert(CONTENT_TYPE, TEXT);
        answer.body = text.as_bytes().to_vec();
        answer
    }

    /// A value of a key, which a browser must not take for a page.
    pub(super) fn raw(value: Vec<u8>) -> Answer {
        let mut answer = Answer::done();
        let headers = [
            ("content-type", "text/plain"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox"),
        ];
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            answer.headers.insert(name, HeaderValue::from_static(value));
        }
        answer.body = value;
        answer
    }

    pub(super) fn bad_request(text: &str) -> Answer {
        Answer::text(StatusCode::BAD_REQUEST, text)
    }

    /// Consul's usual status for what went wrong behind the endpoint.
    pub(super) fn failed(text: &str) -> Answer {
        Answer::text(StatusCode::INTERNAL_SERVER_ERROR, text)
    }

    pub(super) fn wrong_method(method: &hyper::Method, allow: &str) -> Answer {
        let text = format!("method {method} not allowed");
        Answer::text(StatusCode::METHOD_NOT_ALLOWED, &text).allowing(allow)
    }

    pub(super) fn allowing(mut self, allow: &str) -> Answer {
        if let Ok(value) = HeaderValue::from_str(allow) {
            self.headers.insert(ALLOW, value);
        }
        self
    }

    pub(super) fn moved(to: &str) -> Answer {
        let mut answer = Answer::empty(StatusCode::MOVED_PERMANENTLY);
        if let Ok(to) = HeaderValue::from_str(to) {
            answer.headers.insert(LOCATION, to);
        }
        answer
    }

    /// What Consul says with every answer that has an index.
    pub(super) fn at_index(mut self, index: u64) -> Answer {
        self.headers.insert(INDEX, HeaderValue::from(index));
        let headers = [
            ("x-consul-knownleader", "true"),
            ("x-consul-lastcontact", "0"),
        ];
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            self.headers.insert(name, HeaderValue::from_static(value));
        }
        self
    }

    /// The consistency that was asked for.
    pub(super) fn with_consistency(mut self, mode: &'static str) -> Answer {
        let value = HeaderValue::from_static(mode);
        self.headers.insert(CONSISTENCY, value);
        self
    }

    pub(super) fn with_hash(mut self, hash: &str) -> Answer {
        if let Ok(value) = HeaderValue::from_str(hash) {
            self.headers.insert(CONTENT_HASH, value);
        }
        self
    }

    /// For `?pretty`: with indents and a line break, if it is JSON.
    pub(super) fn pretty(mut self) -> Answer {
        if self.headers.get(CONTENT_TYPE) != Some(&JSON) {
            return self;
        }
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(&self.body) else {
            return self;
        };
        let mut pretty = Vec::new();
        let style = PrettyFormatter::with_indent(b"    ");
        let mut writer = serde_json::Serializer::with_formatter(&mut pretty, style);
        if value.serialize(&mut writer).is_ok() {
            pretty.push(b'\n');
            self.body = pretty;
        }
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        *response.headers_mut() = *self.headers;
        response
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Answer {
        let status = match &problem {
            Problem::NoServiceForMaintenance(_)
            | Problem::UnknownService(_)
            | Problem::SessionGone(_) => StatusCode::NOT_FOUND,
            Problem::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Answer::text(status, &problem.to_string())
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        let text = refusal.to_string();
        match refusal {
            Refusal::Decode(_) | Refusal::Invalid(_) => Answer::bad_request(&text),
            Refusal::Failed(_) => Answer::failed(&text),
        }
    }
}

impl From<DecodeError> for Answer {
    fn from(error: DecodeError) -> Answer {
        Answer::bad_request(&error.to_string())
    }
}
