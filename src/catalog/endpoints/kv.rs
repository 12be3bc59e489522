//! Keys.

use hyper::{Method, StatusCode};

use super::named;
use crate::catalog::answer::Answer;
use crate::catalog::blocking;
use crate::catalog::request::{Call, Desk};
use crate::catalog::tables::{Condition, Tables, Topic};
use crate::catalog::wire::KeyView;

/// The longest key. Consul has no bound of its own here.
const KEY: usize = 1_024;

pub(super) async fn perform(desk: &Desk, call: Call) -> Result<Answer, Answer> {
    if call.rest.len() > KEY {
        let text = format!("a key has at most {KEY} bytes here");
        return Err(Answer::bad_request(&text));
    }
    match call.method {
        Method::GET if call.query.has("keys") => names(desk, &call).await,
        Method::GET if call.query.has("recurse") => below(desk, &call).await,
        Method::GET => one(desk, &call).await,
        Method::PUT => put(desk, call),
        _ => delete(desk, &call),
    }
}

fn absent() -> Answer {
    Answer::empty(StatusCode::NOT_FOUND)
}

async fn one(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let key = named(call, "key name")?;
    let raw = call.query.has("raw");
    let topic = Topic::Key(key.to_owned());
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let Some(entry) = tables.key(key) else {
            return absent();
        };
        if raw {
            return Answer::raw(entry.value.clone());
        }
        Answer::json(&[KeyView::new(entry)])
    })
    .await
}

async fn below(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let prefix = call.rest.as_str();
    let topic = Topic::Prefix(prefix.to_owned());
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let views: Vec<KeyView<'_>> = tables.keys_below(prefix).map(KeyView::new).collect();
        if views.is_empty() {
            return absent();
        }
        Answer::json(&views)
    })
    .await
}

async fn names(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let prefix = call.rest.as_str();
    let separator = call.query.get("separator");
    let topic = Topic::Prefix(prefix.to_owned());
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let names = level(tables, prefix, separator);
        // Of all keys there is always a list.
        if names.is_empty() && !prefix.is_empty() {
            return absent();
        }
        Answer::json(&names)
    })
    .await
}

/// The keys below a prefix, each up to and with the next separator.
fn level<'a>(tables: &'a Tables, prefix: &'a str, separator: &str) -> Vec<&'a str> {
    let cut = |key: &'a str| {
        let after = key.get(prefix.len()..)?;
        let end = after
            .find(separator)
            .filter(|_| !separator.is_empty())
            .map(|at| prefix.len() + at + separator.len());
        key.get(..end.unwrap_or(key.len()))
    };
    let entries = tables.keys_below(prefix);
    let mut names: Vec<&str> = entries.filter_map(|entry| cut(&entry.key)).collect();
    // Equal ones are neighbours, as the keys are in order.
    names.dedup();
    names
}

/// Of these at most one may be there.
fn no_conflict(call: &Call, names: &[&str]) -> Result<(), Answer> {
    if names.iter().filter(|name| call.query.has(name)).count() > 1 {
        let text = format!("Conflicting flags: {}", call.query.encoded());
        return Err(Answer::bad_request(&text));
    }
    Ok(())
}

fn session_of(call: &Call, name: &str) -> Result<String, Answer> {
    let session = call.query.get(name);
    if session.is_empty() {
        return Err(Answer::failed("missing session"));
    }
    Ok(session.to_owned())
}

fn put(desk: &Desk, call: Call) -> Result<Answer, Answer> {
    named(&call, "key name")?;
    no_conflict(&call, &["cas", "acquire", "release"])?;
    let flags = call.query.number("flags")?.unwrap_or(0);
    let condition = if let Some(index) = call.query.number("cas")? {
        Condition::Unchanged(index)
    } else if call.query.has("acquire") {
        Condition::Acquire(session_of(&call, "acquire")?)
    } else if call.query.has("release") {
        Condition::Release(session_of(&call, "release")?)
    } else {
        Condition::Always
    };
    let done = desk
        .shared
        .with(|tables, now| tables.put_key(&call.rest, call.body, flags, &condition, now))?;
    Ok(Answer::json(&done))
}

fn delete(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    no_conflict(call, &["recurse", "cas"])?;
    if call.query.has("recurse") {
        desk.shared
            .with(|tables, _| tables.delete_below(&call.rest));
        return Ok(Answer::json(&true));
    }
    let key = named(call, "key name")?;
    let unchanged = call.query.number("cas")?;
    let done = desk
        .shared
        .with(|tables, _| tables.delete_key(key, unchanged));
    Ok(Answer::json(&done))
}
