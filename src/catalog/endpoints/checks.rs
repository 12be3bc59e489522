//! The agent's checks: registering, heartbeats.

use std::collections::BTreeMap;

use super::named_or_failed;
use crate::catalog::answer::Answer;
use crate::catalog::request::{Call, Desk};
use crate::catalog::routes::Endpoint;
use crate::catalog::tables::Status;
use crate::catalog::wire::{self, AgentCheckView, Fields};

pub(super) fn all(desk: &Desk) -> Answer {
    desk.shared.with(|tables, _| {
        let views = tables.agent_checks().map(|(node, check, output)| {
            let view = AgentCheckView::new(node, check, output);
            (check.id.as_str(), view)
        });
        Answer::json(&views.collect::<BTreeMap<_, _>>())
    })
}

pub(super) fn register(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let (check, service) = wire::check(Fields::parse(&call.body)?)?;
    desk.shared
        .with(|tables, now| tables.register_check(check, &service, now))?;
    Ok(Answer::done())
}

/// One that is not there is no mistake, as in Consul 1.8.
pub(super) fn deregister(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let id = named_or_failed(call, "CheckID")?;
    desk.shared
        .with(|tables, now| tables.deregister_check(id, now));
    Ok(Answer::done())
}

/// `pass`, `warn`, `fail`.
pub(super) fn beat(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let status = match call.endpoint {
        Endpoint::AgentCheckPass => Status::Passing,
        Endpoint::AgentCheckWarn => Status::Warning,
        _ => Status::Critical,
    };
    set(desk, call, status, call.query.get("note"))
}

pub(super) fn update(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let (status, output) = wire::heartbeat(Fields::parse(&call.body)?)?;
    set(desk, call, status, &output)
}

fn set(desk: &Desk, call: &Call, status: Status, output: &str) -> Result<Answer, Answer> {
    desk.shared
        .with(|tables, now| tables.heartbeat(&call.rest, status, output, now))?;
    Ok(Answer::done())
}
