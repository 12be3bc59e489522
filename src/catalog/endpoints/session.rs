//! Sessions.

use serde_json::json;

use super::named;
use crate::catalog::answer::Answer;
use crate::catalog::blocking;
use crate::catalog::request::{Call, Desk};
use crate::catalog::routes::Endpoint;
use crate::catalog::tables::Topic;
use crate::catalog::wire::{self, Fields, SessionView};

/// Without a body: a session with Consul's defaults.
pub(super) fn create(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let body: &[u8] = if call.body.is_empty() {
        b"{}"
    } else {
        &call.body
    };
    let spec = wire::session(Fields::parse(body)?)?;
    let id = desk.shared.chance.uuid();
    desk.shared
        .with(|tables, now| tables.create_session(id.clone(), spec, now))?;
    Ok(Answer::json(&json!({ "ID": id })))
}

pub(super) fn destroy(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let id = named(call, "session")?;
    desk.shared
        .with(|tables, now| tables.destroy_session(id, now))?;
    Ok(Answer::json(&true))
}

pub(super) fn renew(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let id = named(call, "session")?;
    desk.shared.with(|tables, now| {
        let session = tables.renew_session(id, now)?;
        Ok(Answer::json(&[SessionView::new(session)]))
    })
}

pub(super) async fn info(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let id = named(call, "session")?;
    let topic = Topic::Session(id.to_owned());
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        match tables.session(id) {
            Ok(session) => {
                let views: Vec<_> = session.into_iter().map(SessionView::new).collect();
                Answer::json(&views)
            }
            Err(problem) => problem.into(),
        }
    })
    .await
}

/// All of them, or those of one node.
pub(super) async fn list(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let node = match call.endpoint {
        Endpoint::SessionNode => Some(named(call, "node name")?),
        _ => None,
    };
    blocking::answer(&desk.shared, &call.query, Topic::Sessions, |tables| {
        let of_node = |name: &String| node.is_none_or(|node| name.eq_ignore_ascii_case(node));
        let sessions = tables.sessions().filter(|it| of_node(&it.spec.node));
        Answer::json(&sessions.map(SessionView::new).collect::<Vec<_>>())
    })
    .await
}
