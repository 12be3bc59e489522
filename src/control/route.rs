//! Paths of `/api/v1/` about what runs.
//!
//! | | |
//! | --- | --- |
//! | `GET status`, `jobs`, `watches`, `services` | all of them; with `/NAME` one |
//! | `POST jobs/NAME/start`, `stop`, `restart` | |
//! | `POST jobs/NAME/signal` | `{ "signal": "HUP" }` |
//! | `POST jobs/NAME/check/enable`, `disable`; `jobs/NAME/maintenance/enable`, `disable` | |
//! | `POST maintenance/enable`, `disable` | |
//! | `GET events`, `jobs/NAME/logs` | the last; with `?follow` also what comes, as server-sent events |
//! | `POST events` | `{ "event": "NAME" }` |

use hyper::{Method, Uri};
use reqwest::Url;

use super::access::Verb;
use super::answer::{Answer, Dialect};

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LiveRoute {
    Status,
    /// All, or one of them.
    List(Kind, Option<String>),
    Operate(String, Order),
    Maintenance(bool),
    Events {
        follow: bool,
    },
    Publish,
    Lines {
        job: String,
        follow: bool,
    },
}

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jobs,
    Watches,
    Services,
}

/// What is to be done to a job; the signal is in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Start,
    Stop,
    Restart,
    Signal,
    Check(bool),
    Maintenance(bool),
}

impl LiveRoute {
    /// The route of a path below `/api/v1/`; `None`: there is none.
    pub(super) fn find(method: &Method, uri: &Uri) -> Option<Result<LiveRoute, Answer>> {
        let path = uri.path().strip_prefix("/api/v1/")?;
        let segments: Vec<String> = path.split('/').map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let reads = method == Method::GET || method == Method::HEAD;
        let route = match segments.as_slice() {
            ["status"] => LiveRoute::Status,
            ["jobs"] => LiveRoute::List(Kind::Jobs, None),
            ["watches"] => LiveRoute::List(Kind::Watches, None),
            ["services"] => LiveRoute::List(Kind::Services, None),
            ["jobs", name] => LiveRoute::List(Kind::Jobs, Some((*name).to_owned())),
            ["watches", name] => LiveRoute::List(Kind::Watches, Some((*name).to_owned())),
            ["services", name] => LiveRoute::List(Kind::Services, Some((*name).to_owned())),
            ["jobs", name, "logs"] => LiveRoute::Lines {
                job: (*name).to_owned(),
                follow: follows(uri),
            },
            ["events"] if reads => LiveRoute::Events {
                follow: follows(uri),
            },
            ["events"] => LiveRoute::Publish,
            ["maintenance", switch] => LiveRoute::Maintenance(switched(switch)?),
            ["jobs", name, order @ ..] => LiveRoute::Operate((*name).to_owned(), ordered(order)?),
            _ => return None,
        };
        let right = match route.verb() {
            Verb::Reads => reads,
            Verb::Changes => method == Method::POST,
        };
        Some(if right {
            Ok(route)
        } else {
            Err(Answer::wrong_method(Dialect::Api, route.methods()))
        })
    }

    pub(super) fn verb(&self) -> Verb {
        match self {
            LiveRoute::Status
            | LiveRoute::List(..)
            | LiveRoute::Events { .. }
            | LiveRoute::Lines { .. } => Verb::Reads,
            LiveRoute::Operate(..) | LiveRoute::Maintenance(_) | LiveRoute::Publish => {
                Verb::Changes
            }
        }
    }

    fn methods(&self) -> &'static str {
        match (self, self.verb()) {
            (LiveRoute::Publish, _) => "GET, HEAD, POST",
            (_, Verb::Reads) => "GET, HEAD",
            (_, Verb::Changes) => "POST",
        }
    }
}

fn ordered(words: &[&str]) -> Option<Order> {
    Some(match words {
        ["start"] => Order::Start,
        ["stop"] => Order::Stop,
        ["restart"] => Order::Restart,
        ["signal"] => Order::Signal,
        ["check", switch] => Order::Check(switched(switch)?),
        ["maintenance", switch] => Order::Maintenance(switched(switch)?),
        _ => return None,
    })
}

fn switched(word: &str) -> Option<bool> {
    match word {
        "enable" => Some(true),
        "disable" => Some(false),
        _ => None,
    }
}

/// `?follow`, with any value but `false` and `0`.
fn follows(uri: &Uri) -> bool {
    let Some(query) = uri.query() else {
        return false;
    };
    pairs(query).any(|(name, value)| name == "follow" && value != "false" && value != "0")
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    // `Url` knows the escapes; it wants a base that it can read.
    let url = Url::parse(&format!("http://control/?{query}")).ok();
    let pairs = url.map(|url| url.query_pairs().into_owned().collect::<Vec<_>>());
    pairs.into_iter().flatten()
}

/// Without percent escapes. A plus is a plus in a path.
fn decoded(segment: &str) -> String {
    let query = format!("s={}", segment.replace('+', "%2B").replace('&', "%26"));
    let found = pairs(&query).next();
    found.map_or_else(|| segment.to_owned(), |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &str, path: &str) -> Option<Result<LiveRoute, u16>> {
        let method: Method = method.parse().unwrap();
        let uri: Uri = path.parse().unwrap();
        let found = LiveRoute::find(&method, &uri)?;
        Some(found.map_err(|answer| answer.status.as_u16()))
    }

    #[test]
    fn every_path_has_one_meaning() {
        let job = || "a b/c+d#2&e".to_owned();
        let escaped = "/api/v1/jobs/a%20b%2Fc+d%232&e";
        let orders = [
            ("start", Order::Start),
            ("stop", Order::Stop),
            ("restart", Order::Restart),
            ("signal", Order::Signal),
            ("check/enable", Order::Check(true)),
            ("check/disable", Order::Check(false)),
            ("maintenance/enable", Order::Maintenance(true)),
            ("maintenance/disable", Order::Maintenance(false)),
        ];
        for (words, order) in orders {
            let path = format!("{escaped}/{words}");
            let route = LiveRoute::Operate(job(), order);
            assert_eq!(find("POST", &path), Some(Ok(route)), "{words}");
            assert_eq!(find("GET", &path), Some(Err(405)), "{words}");
        }
        let one = LiveRoute::List(Kind::Jobs, Some(job()));
        assert_eq!(find("GET", escaped), Some(Ok(one)));
        let follow = true;
        let lines = LiveRoute::Lines { job: job(), follow };
        let path = format!("{escaped}/logs?x=1&follow");
        assert_eq!(find("GET", &path), Some(Ok(lines)));
        let events = |follow| Some(Ok(LiveRoute::Events { follow }));
        assert_eq!(find("GET", "/api/v1/events?follow=true"), events(true));
        assert_eq!(find("GET", "/api/v1/events?follow=false"), events(false));
        assert_eq!(find("POST", "/api/v1/events"), Some(Ok(LiveRoute::Publish)));
        assert_eq!(find("POST", "/api/v1/jobs"), Some(Err(405)));
        for path in [
            "/api/v1/jobs/a/kill",
            "/api/v1/jobs/a/check/on",
            "/api/v1/x",
            "/v3/jobs",
        ] {
            assert_eq!(find("POST", path), None, "{path}");
        }
    }
}
