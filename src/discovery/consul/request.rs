//! What is asked: paths, queries and limits.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::Method;

use crate::events::Failure;
use crate::watches::{Mode, Question, Target};

use super::limits::{Limits, SHORT_ANSWER};
use super::payload::go_duration;
use super::settings::Settings;

/// One request, before it is sent.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Path and query, encoded.
    pub(super) path: String,
    pub(super) body: Option<Vec<u8>>,
    /// The whole time it may take.
    pub(super) time: Duration,
    /// The largest answer, in bytes.
    pub(super) most: usize,
    /// What to say when this failed: "cannot … Consul at …".
    pub(super) doing: &'static str,
}

impl Request {
    /// A call that does not wait, with a small answer.
    pub(super) fn short(
        doing: &'static str,
        method: Method,
        path: String,
        settings: &Settings,
        limits: Limits,
    ) -> Request {
        let mut query = Query::default();
        query.scope(settings);
        Request {
            method,
            path: path + &query.0,
            body: None,
            time: limits.call,
            most: SHORT_ANSWER,
            doing,
        }
    }

    /// The question of a watch.
    pub(super) fn question(
        question: &Question,
        settings: &Settings,
        limits: Limits,
    ) -> Result<Request, Failure> {
        let mut query = Query::default();
        let path = match &question.subject.target {
            Target::Service {
                name,
                tags,
                passing_only,
            } => {
                if *passing_only {
                    query.add("passing", "1");
                }
                for tag in tags {
                    query.add("tag", tag);
                }
                path("/v1/health/service", name)?
            }
            Target::Key(key) => key_path(key)?,
            Target::Prefix(prefix) => {
                query.flag("recurse");
                key_path(prefix)?
            }
        };
        let dc = question
            .subject
            .dc
            .as_ref()
            .or(settings.datacenter.as_ref());
        if let Some(dc) = dc {
            query.add("dc", dc);
        }
        let time = match question.mode {
            Mode::Now => limits.call,
            Mode::Confirmed => {
                query.flag("consistent");
                limits.call
            }
            Mode::Change { since, wait } => {
                // With 0 the server would answer at once, and the watch would spin (C09).
                query.add("index", &since.max(1).to_string());
                query.add("wait", &go_duration(wait));
                limits.blocking(wait)
            }
        };
        query.scope(settings);
        Ok(Request {
            method: Method::GET,
            path: path + &query.0,
            body: None,
            time,
            most: limits.answer,
            doing: "ask",
        })
    }

    pub(super) fn body(self, body: Vec<u8>) -> Request {
        Request {
            body: Some(body),
            ..self
        }
    }
}

/// A query in the making, with its question mark.
#[derive(Debug, Default)]
struct Query(String);

impl Query {
    fn flag(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
    }

    fn add(&mut self, name: &str, value: &str) {
        self.flag(name);
        self.0.push('=');
        encode(value, &mut self.0);
    }

    /// Namespace and partition, where there are any.
    fn scope(&mut self, settings: &Settings) {
        if let Some(namespace) = &settings.namespace {
            self.add("ns", namespace);
        }
        if let Some(partition) = &settings.partition {
            self.add("partition", partition);
        }
    }
}

/// `start/name`, with the name as one segment.
pub(super) fn path(start: &str, name: &str) -> Result<String, Failure> {
    check_segment(name)?;
    let mut path = format!("{start}/");
    encode(name, &mut path);
    // A colon may stand in a segment as it is, and the ids of checks have one: the line is then the original's.
    Ok(path.replace("%3A", ":"))
}

/// A key keeps its slashes.
fn key_path(key: &str) -> Result<String, Failure> {
    let mut path = "/v1/kv".to_owned();
    for segment in key.split('/') {
        check_segment(segment)?;
        path.push('/');
        encode(segment, &mut path);
    }
    Ok(path)
}

/// No encoding saves these two: every URL is cleaned of them on its way.
fn check_segment(segment: &str) -> Result<(), Failure> {
    if segment == "." || segment == ".." {
        let text = format!("cannot ask Consul for `{segment}`: no URL can name it");
        return Err(Failure::Rejected(text));
    }
    Ok(())
}

/// Everything but letters, digits and the four marks that RFC 3986 calls unreserved.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}
