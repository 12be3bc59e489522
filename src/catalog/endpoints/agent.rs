//! What this node registers: services, maintenance.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{named, named_or_failed};
use crate::catalog::answer::Answer;
use crate::catalog::query::Query;
use crate::catalog::request::{Call, Desk};
use crate::catalog::wire::{self, AgentServiceView, Fields};

pub(super) fn services(desk: &Desk) -> Answer {
    desk.shared.with(|tables, _| {
        let views = tables
            .agent_services()
            .map(|service| (service.id.as_str(), AgentServiceView::new(service)));
        Answer::json(&views.collect::<BTreeMap<_, _>>())
    })
}

pub(super) fn service(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    desk.shared.with(|tables, _| {
        let mut view = AgentServiceView::new(tables.agent_service(&call.rest)?);
        // The hash stands for the content; how it is made is nobody's business, in Consul as here.
        let content = serde_json::to_string(&view).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        view.content_hash = format!("{:x}", hasher.finish());
        Ok(Answer::json(&view).with_hash(&view.content_hash))
    })
}

pub(super) fn register(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let replace = match call.query.get("replace-existing-checks") {
        "" => call.query.has("replace-existing-checks"),
        text => Query::boolean(text).unwrap_or(false),
    };
    let spec = wire::service(Fields::parse(&call.body)?, replace)?;
    desk.shared
        .with(|tables, now| tables.register_service(spec, now))?;
    Ok(Answer::done())
}

/// One that is not there is no mistake, as in Consul 1.8.
pub(super) fn deregister(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let id = named_or_failed(call, "ServiceID")?;
    desk.shared
        .with(|tables, now| tables.deregister_service(id, now));
    Ok(Answer::done())
}

fn enable(call: &Call) -> Result<bool, Answer> {
    if !call.query.has("enable") {
        return Err(Answer::bad_request("Missing value for enable"));
    }
    let text = call.query.get("enable");
    Query::boolean(text)
        .ok_or_else(|| Answer::bad_request(&format!("Invalid value for enable: {text:?}")))
}

fn reason(call: &Call) -> Option<&str> {
    Some(call.query.get("reason")).filter(|reason| !reason.is_empty())
}

pub(super) fn service_maintenance(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let id = named(call, "service ID")?;
    let enable = enable(call)?;
    desk.shared
        .with(|tables, now| tables.service_maintenance(id, reason(call), enable, now))?;
    Ok(Answer::done())
}

pub(super) fn node_maintenance(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let enable = enable(call)?;
    desk.shared
        .with(|tables, now| tables.node_maintenance(reason(call), enable, now))?;
    Ok(Answer::done())
}
