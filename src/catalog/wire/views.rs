//! What is answered: the members of Consul 1.8's JSON, in its order.

use std::collections::BTreeMap;

use serde::Serialize;

use super::base64;
use crate::catalog::tables::{Behavior, Check, Entry, Node, Service, Session};

type Texts = BTreeMap<String, String>;

/// Consul shows a map that nobody gave as null.
fn or_null<K, V>(map: &BTreeMap<K, V>) -> Option<&BTreeMap<K, V>> {
    (!map.is_empty()).then_some(map)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AddressView<'a> {
    address: &'a str,
    port: i64,
}

fn addresses(service: &Service) -> BTreeMap<&str, AddressView<'_>> {
    let all = service.tagged.iter();
    all.map(|(kind, (address, port))| {
        let port = *port;
        (kind.as_str(), AddressView { address, port })
    })
    .collect()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct WeightsView {
    passing: i64,
    warning: i64,
}

impl WeightsView {
    fn of(service: &Service) -> WeightsView {
        WeightsView {
            passing: service.weights.passing,
            warning: service.weights.warning,
        }
    }
}

/// An empty object.
#[derive(Debug, Default, Serialize)]
struct Nothing {}

/// Of a feature that is not here, as it looks when it is not used.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProxyView {
    mesh_gateway: Nothing,
    expose: Nothing,
}

/// A node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct NodeView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    node: &'a str,
    address: &'a str,
    datacenter: &'a str,
    tagged_addresses: Option<&'a Texts>,
    meta: Option<&'a Texts>,
    create_index: u64,
    modify_index: u64,
}

impl<'a> NodeView<'a> {
    pub(in crate::catalog) fn new(node: &'a Node, datacenter: &'a str) -> NodeView<'a> {
        NodeView {
            id: &node.spec.id,
            node: &node.spec.name,
            address: &node.spec.address,
            datacenter,
            tagged_addresses: or_null(&node.spec.tagged),
            meta: or_null(&node.spec.meta),
            create_index: node.create,
            modify_index: node.modify,
        }
    }
}

/// A service of `health/service` and `catalog/node`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct ServiceView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    service: &'a str,
    tags: &'a [String],
    address: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tagged_addresses: BTreeMap<&'a str, AddressView<'a>>,
    meta: Option<&'a Texts>,
    port: i64,
    weights: WeightsView,
    enable_tag_override: bool,
    proxy: ProxyView,
    connect: Nothing,
    create_index: u64,
    modify_index: u64,
}

impl<'a> ServiceView<'a> {
    pub(in crate::catalog) fn new(service: &'a Service) -> ServiceView<'a> {
        ServiceView {
            id: &service.id,
            service: &service.name,
            tags: &service.tags,
            address: &service.address,
            tagged_addresses: addresses(service),
            meta: or_null(&service.meta),
            port: service.port,
            weights: WeightsView::of(service),
            enable_tag_override: service.enable_tag_override,
            proxy: ProxyView::default(),
            connect: Nothing {},
            create_index: service.create,
            modify_index: service.modify,
        }
    }
}

/// A service of `catalog/service`, one with its node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct CatalogServiceView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    node: &'a str,
    address: &'a str,
    datacenter: &'a str,
    tagged_addresses: Option<&'a Texts>,
    node_meta: Option<&'a Texts>,
    service_kind: &'static str,
    #[serde(rename = "ServiceID")]
    service_id: &'a str,
    service_name: &'a str,
    service_tags: &'a [String],
    service_address: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    service_tagged_addresses: BTreeMap<&'a str, AddressView<'a>>,
    service_weights: WeightsView,
    /// Never null here, unlike elsewhere.
    service_meta: &'a Texts,
    service_port: i64,
    service_enable_tag_override: bool,
    service_proxy: ProxyView,
    service_connect: Nothing,
    create_index: u64,
    modify_index: u64,
}

impl<'a> CatalogServiceView<'a> {
    pub(in crate::catalog) fn new(
        node: &'a Node,
        service: &'a Service,
        datacenter: &'a str,
    ) -> CatalogServiceView<'a> {
        CatalogServiceView {
            id: &node.spec.id,
            node: &node.spec.name,
            address: &node.spec.address,
            datacenter,
            tagged_addresses: or_null(&node.spec.tagged),
            node_meta: or_null(&node.spec.meta),
            service_kind: "",
            service_id: &service.id,
            service_name: &service.name,
            service_tags: &service.tags,
            service_address: &service.address,
            service_tagged_addresses: addresses(service),
            service_weights: WeightsView::of(service),
            service_meta: &service.meta,
            service_port: service.port,
            service_enable_tag_override: service.enable_tag_override,
            service_proxy: ProxyView::default(),
            service_connect: Nothing {},
            create_index: service.create,
            modify_index: service.modify,
        }
    }
}

/// A check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct CheckView<'a> {
    node: &'a str,
    #[serde(rename = "CheckID")]
    check_id: &'a str,
    name: &'a str,
    status: &'static str,
    notes: &'a str,
    output: &'a str,
    #[serde(rename = "ServiceID")]
    service_id: &'a str,
    service_name: &'a str,
    service_tags: &'a [String],
    r#type: &'static str,
    definition: Nothing,
    create_index: u64,
    modify_index: u64,
}

impl<'a> CheckView<'a> {
    pub(in crate::catalog) fn new(node: &'a Node, check: &'a Check) -> CheckView<'a> {
        let service = node.services.get(&check.service_id);
        CheckView {
            node: &node.spec.name,
            check_id: &check.id,
            name: &check.name,
            status: check.status.word(),
            notes: &check.notes,
            output: &check.output,
            service_id: &check.service_id,
            service_name: service.map_or("", |service| &service.name),
            service_tags: service.map_or(&[], |service| &service.tags),
            r#type: check.kind.word(),
            definition: Nothing {},
            create_index: check.create,
            modify_index: check.modify,
        }
    }
}

/// A check as its agent shows it: the output of now, and no indexes.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::catalog) struct AgentCheckView<'a>(CheckView<'a>);

impl<'a> AgentCheckView<'a> {
    pub(in crate::catalog) fn new(
        node: &'a Node,
        check: &'a Check,
        output: &'a str,
    ) -> AgentCheckView<'a> {
        AgentCheckView(CheckView {
            output,
            create_index: 0,
            modify_index: 0,
            ..CheckView::new(node, check)
        })
    }
}

/// An instance of `health/service`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct InstanceView<'a> {
    node: NodeView<'a>,
    service: ServiceView<'a>,
    checks: Vec<CheckView<'a>>,
}

impl<'a> InstanceView<'a> {
    /// The checks of the node come first, as in Consul.
    pub(in crate::catalog) fn new(
        node: &'a Node,
        service: &'a Service,
        datacenter: &'a str,
    ) -> InstanceView<'a> {
        let checks = node.own_checks().chain(node.checks_of(&service.id));
        InstanceView {
            node: NodeView::new(node, datacenter),
            service: ServiceView::new(service),
            checks: checks.map(|check| CheckView::new(node, check)).collect(),
        }
    }
}

/// A service as its agent shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct AgentServiceView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    service: &'a str,
    tags: &'a [String],
    meta: &'a Texts,
    port: i64,
    address: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tagged_addresses: BTreeMap<&'a str, AddressView<'a>>,
    weights: WeightsView,
    enable_tag_override: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::catalog) content_hash: String,
}

impl<'a> AgentServiceView<'a> {
    pub(in crate::catalog) fn new(service: &'a Service) -> AgentServiceView<'a> {
        AgentServiceView {
            id: &service.id,
            service: &service.name,
            tags: &service.tags,
            meta: &service.meta,
            port: service.port,
            address: &service.address,
            tagged_addresses: addresses(service),
            weights: WeightsView::of(service),
            enable_tag_override: service.enable_tag_override,
            content_hash: String::new(),
        }
    }
}

/// A key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct KeyView<'a> {
    lock_index: u64,
    key: &'a str,
    flags: u64,
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    create_index: u64,
    modify_index: u64,
}

impl<'a> KeyView<'a> {
    pub(in crate::catalog) fn new(entry: &'a Entry) -> KeyView<'a> {
        KeyView {
            lock_index: entry.lock_index,
            key: &entry.key,
            flags: entry.flags,
            value: (!entry.value.is_empty()).then(|| base64::encode(&entry.value)),
            session: entry.session.as_deref(),
            create_index: entry.create,
            modify_index: entry.modify,
        }
    }
}

/// A session.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::catalog) struct SessionView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    name: &'a str,
    node: &'a str,
    lock_delay: u64,
    behavior: &'static str,
    #[serde(rename = "TTL")]
    ttl: &'a str,
    node_checks: &'a [String],
    service_checks: Option<()>,
    create_index: u64,
    modify_index: u64,
}

impl<'a> SessionView<'a> {
    pub(in crate::catalog) fn new(session: &'a Session) -> SessionView<'a> {
        let delay = session.spec.lock_delay.as_nanos();
        SessionView {
            id: &session.id,
            name: &session.spec.name,
            node: &session.spec.node,
            lock_delay: u64::try_from(delay).unwrap_or(u64::MAX),
            behavior: match session.spec.behavior {
                Behavior::Release => "release",
                Behavior::Delete => "delete",
            },
            ttl: &session.spec.ttl_text,
            node_checks: &session.spec.checks,
            service_checks: None,
            create_index: session.create,
            modify_index: session.create,
        }
    }
}
