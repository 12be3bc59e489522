//! The catalogue of all nodes.

use std::collections::BTreeMap;

use serde_json::json;

use super::named;
use crate::catalog::answer::Answer;
use crate::catalog::blocking;
use crate::catalog::request::{Call, Desk};
use crate::catalog::tables::{Node, Problem, Service, Topic};
use crate::catalog::wire::{self, CatalogServiceView, Fields, NodeView, ServiceView};

/// Whether a service has all tags and its node all metadata that the query asks for.
pub(super) fn fits(call: &Call, node: &Node, service: &Service) -> bool {
    let tags = call.query.all("tag").all(|tag| service.has_tag(tag));
    tags && has_meta(call, node)
}

/// `node-meta=key:value`, any number of them.
fn has_meta(call: &Call, node: &Node) -> bool {
    call.query.all("node-meta").all(|pair| {
        let (key, value) = pair.split_once(':').unwrap_or((pair, ""));
        node.spec.meta.get(key).is_some_and(|known| known == value)
    })
}

pub(super) async fn services(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    blocking::answer(&desk.shared, &call.query, Topic::Services, |tables| {
        Answer::json(&tables.service_names())
    })
    .await
}

pub(super) async fn service(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let name = named(call, "service name")?;
    let topic = Topic::service(name);
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let found = tables.instances(name);
        let found = found.filter(|(node, service)| fits(call, node, service));
        let views = found
            .map(|(node, service)| CatalogServiceView::new(node, service, &desk.site.datacenter));
        Answer::json(&views.collect::<Vec<_>>())
    })
    .await
}

pub(super) async fn nodes(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    blocking::answer(&desk.shared, &call.query, Topic::Nodes, |tables| {
        let nodes = tables.nodes().filter(|node| has_meta(call, node));
        let views = nodes.map(|node| NodeView::new(node, &desk.site.datacenter));
        Answer::json(&views.collect::<Vec<_>>())
    })
    .await
}

pub(super) async fn node(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let name = named(call, "node name")?;
    let topic = Topic::node(name);
    blocking::answer(&desk.shared, &call.query, topic, |tables| {
        let Some(node) = tables.node(name) else {
            return Answer::json(&());
        };
        let services = node.services.values();
        let services: BTreeMap<_, _> = services
            .map(|service| (service.id.as_str(), ServiceView::new(service)))
            .collect();
        let node = NodeView::new(node, &desk.site.datacenter);
        Answer::json(&json!({ "Node": node, "Services": services }))
    })
    .await
}

pub(super) fn register(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let asked = wire::registration(Fields::parse(&call.body)?)?;
    if asked.node.address.is_empty() && !asked.skip_node_update {
        return Err(Problem::AddressMissing.into());
    }
    desk.check_datacenter(&asked.datacenter)?;
    desk.shared.with(|tables, now| {
        let name = asked.node.name.clone();
        let keeps_node = asked.skip_node_update && tables.node(&name).is_some();
        let node = (!keeps_node).then_some(asked.node);
        tables.register(&name, node, asked.service, asked.checks, now)
    })?;
    Ok(Answer::json(&true))
}

pub(super) fn deregister(desk: &Desk, call: &Call) -> Result<Answer, Answer> {
    let asked = wire::deregistration(Fields::parse(&call.body)?)?;
    desk.check_datacenter(&asked.datacenter)?;
    let given = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
    let (service, check) = (given(&asked.service), given(&asked.check));
    desk.shared.with(|tables, now| {
        tables.deregister(&asked.node, service.as_deref(), check.as_deref(), now);
    });
    Ok(Answer::json(&true))
}
