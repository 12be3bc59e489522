//! One contract, two servers: what is written here holds for a real Consul and for `pilothouse catalog`.
//!
//! Each contract is one function and two tests, `embedded::…` and `real::…`. Where the two differ the real one is right.
//! An agent of Consul tells its catalogue a moment later what was registered, so a contract waits for what it expects.

mod blocking;
mod checks;
mod keys;
mod services;
mod sessions;
mod site;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Consul, HttpResponse, NODE, PATIENCE, wait_until};

/// Makes two tests of each contract.
macro_rules! contracts {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(
                #[test]
                fn $name() {
                    super::$name(&crate::support::Consul::embedded());
                }
            )*
        }

        mod real {
            $(
                #[test]
                fn $name() {
                    if let Some(consul) = crate::support::Consul::real() {
                        super::$name(&consul);
                    }
                }
            )*
        }
    };
}
use contracts;

/// A limit for what must not happen: the test passes as soon as the wait has failed.
const SHORT: Duration = Duration::from_millis(100);

/// Does what changes something, which must be answered with 200. The answer's body is returned; a Consul for development
/// ends it with a line break.
fn done(consul: &Consul, path: &str, body: &str) -> String {
    let answer = consul.put(path, body);
    assert_eq!(answer.status, 200, "PUT {path} {body}: {answer:?}");
    answer.body.trim_end().to_owned()
}

fn register(consul: &Consul, service: &Value) {
    let body = done(consul, "/v1/agent/service/register", &service.to_string());
    assert_eq!(body, "");
}

/// Registers a service with a check of this TTL.
fn register_ttl(consul: &Consul, name: &str, ttl: &str) {
    let check = json!({ "TTL": ttl });
    register(consul, &json!({ "Name": name, "Check": check }));
}

fn pass(consul: &Consul, service: &str) {
    done(
        consul,
        &format!("/v1/agent/check/pass/service:{service}"),
        "",
    );
}

/// Waits until a path's JSON is as expected, apart from indexes and the node's id.
fn wait_shown(consul: &Consul, path: &str, expected: &Value) {
    let deadline = Instant::now() + PATIENCE;
    let mut last = Value::Null;
    while last != *expected && Instant::now() < deadline {
        let answer = consul.get(path);
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        last = without_numbers(answer.json());
    }
    assert_eq!(last, *expected, "GET {path}");
}

/// Leaves out what is different in each run.
fn without_numbers(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let volatile = ["CreateIndex", "ModifyIndex", "ContentHash"];
            let members = members.into_iter();
            let members = members.filter(|(name, value)| {
                let is_node_id = name == "ID" && value.as_str().is_some_and(is_uuid);
                !volatile.contains(&name.as_str()) && !is_node_id
            });
            members
                .map(|(name, value)| (name, without_numbers(value)))
                .collect()
        }
        Value::Array(values) => values.into_iter().map(without_numbers).collect(),
        other => other,
    }
}

fn is_uuid(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || is_digit(c))
}

/// The path of a query that waits for more than this index.
fn after(path: &str, index: u64) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}index={index}&wait=60s")
}

/// Waits on from an answer until one is as expected: Consul may change a thing in several steps, and what is not there
/// has the index of all that is.
fn follow(
    consul: &Consul,
    path: &str,
    mut answer: HttpResponse,
    holds: impl Fn(&HttpResponse) -> bool,
) -> HttpResponse {
    let deadline = Instant::now() + PATIENCE;
    while !holds(&answer) && Instant::now() < deadline {
        answer = consul.ask(&after(path, answer.index())).answer();
    }
    assert!(holds(&answer), "{path}: {answer:?}");
    answer
}

/// The status and the output of a service's checks, in the order of their ids.
fn statuses(consul: &Consul, service: &str) -> Vec<(String, String)> {
    let answer = consul.get(&format!("/v1/health/checks/{service}")).json();
    let checks = answer.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut checks: Vec<_> = checks
        .iter()
        .map(|it| {
            (
                text(&it["CheckID"]),
                text(&it["Status"]),
                text(&it["Output"]),
            )
        })
        .collect();
    checks.sort();
    let shown = checks.into_iter();
    shown.map(|(_, status, output)| (status, output)).collect()
}

/// Waits until a service has exactly these checks.
fn wait_statuses(consul: &Consul, service: &str, expected: &[(&str, &str)]) {
    let what = format!("{service} with {expected:?}");
    wait_until(PATIENCE, &what, || {
        let shown = statuses(consul, service);
        let shown: Vec<_> = shown
            .iter()
            .map(|(status, output)| (status.as_str(), output.as_str()))
            .collect();
        shown == expected
    });
}

/// The ids of the instances at a path, sorted.
fn instances(consul: &Consul, path: &str) -> Vec<String> {
    let answer = consul.get(path);
    assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
    let answer = answer.json();
    let found = answer.as_array().into_iter().flatten();
    let id = |it: &Value| match &it["Service"]["ID"] {
        Value::String(id) => id.clone(),
        _ => it["ServiceID"].as_str().unwrap_or_default().to_owned(),
    };
    let mut found: Vec<_> = found.map(id).collect();
    found.sort();
    found
}
