//! Health: instances with their checks, and checks alone.

use super::catalog::fits;
use super::named;
use crate::catalog::answer::Answer;
use crate::catalog::blocking;
use crate::catalog::query::Query;
use crate::catalog::request::{Call, Desk};
use crate::catalog::tables::{Node, Service, Status, Topic};
use crate::catalog::wire::{CheckView, InstanceView};

pub(super) async fn service(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let name = named(call, "service name")?;
    let passing = match call.query.get("passing") {
        "" => call.query.has("passing"),
        text => {
            Query::boolean(text).ok_or_else(|| Answer::bad_request("Invalid value for ?passing"))?
        }
    };
    let topic = Topic::service(name);
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let found = tables.instances(name);
        let found = found.filter(|(node, service)| {
            fits(call, node, service) && (!passing || is_passing(node, service))
        });
        let views =
            found.map(|(node, service)| InstanceView::new(node, service, &desk.site.datacenter));
        Answer::json(&views.collect::<Vec<_>>())
    })
    .await
}

/// All checks of the service and of its node pass.
fn is_passing(node: &Node, service: &Service) -> bool {
    let mut checks = node.own_checks().chain(node.checks_of(&service.id));
    checks.all(|check| check.status == Status::Passing)
}

pub(super) async fn checks(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let name = named(call, "service name")?;
    let topic = Topic::service(name);
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let instances = tables.instances(name);
        let views = instances.flat_map(|(node, service)| {
            let checks = node.checks_of(&service.id);
            checks.map(move |check| CheckView::new(node, check))
        });
        Answer::json(&views.collect::<Vec<_>>())
    })
    .await
}

pub(super) async fn node(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let name = named(call, "node name")?;
    let topic = Topic::node(name);
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let node = tables.node(name).into_iter();
        let views = node.flat_map(|node| {
            let checks = node.checks.values();
            checks.map(move |check| CheckView::new(node, check))
        });
        Answer::json(&views.collect::<Vec<_>>())
    })
    .await
}

pub(super) async fn state(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let word = named(call, "check state")?;
    let status = Status::parse(word);
    blocking::answer(&desk.shared, &call.query, Topic::Checks, |tables| {
        // An unknown state is nobody's.
        let is_known = word == "any" || status.is_some();
        let checks = tables.checks(status).filter(|_| is_known);
        let views = checks.map(|(node, check)| CheckView::new(node, check));
        Answer::json(&views.collect::<Vec<_>>())
    })
    .await
}
