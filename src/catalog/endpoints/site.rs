//! Who answers: the agent about itself, the cluster of one.

use serde_json::{Value, json};

use crate::catalog::answer::Answer;
use crate::catalog::request::Desk;

/// The release of Consul whose behaviour is matched, for clients that ask.
const VERSION: &str = "1.8.7";

/// Consul's port for its servers among themselves. Nobody listens there.
const SERVER_PORT: u16 = 8300;

/// `agent/self`, without the long list of settings that Consul calls unstable.
pub(super) fn about(desk: &Desk) -> Answer {
    let site = &desk.site;
    Answer::json(&json!({
        "Config": {
            "Datacenter": site.datacenter,
            "NodeName": site.node,
            "NodeID": site.node_id,
            "Revision": concat!("pilothouse-", env!("CARGO_PKG_VERSION")),
            "Server": true,
            "Version": VERSION,
        },
        "Member": member(desk),
        "Stats": { "agent": { "services": count(desk) } },
        "Meta": { "consul-network-segment": "" },
    }))
}

fn count(desk: &Desk) -> String {
    let count = desk
        .shared
        .with(|tables, _| tables.agent_services().count());
    count.to_string()
}

fn member(desk: &Desk) -> Value {
    let site = &desk.site;
    json!({
        "Name": site.node,
        "Addr": site.address,
        "Port": site.port,
        "Tags": { "build": format!("{VERSION}:"), "dc": site.datacenter, "id": site.node_id, "role": "consul" },
        "Status": 1,
        "ProtocolMin": 1,
        "ProtocolMax": 5,
        "ProtocolCur": 2,
        "DelegateMin": 2,
        "DelegateMax": 5,
        "DelegateCur": 4,
    })
}

pub(super) fn members(desk: &Desk) -> Answer {
    Answer::json(&[member(desk)])
}

fn server(desk: &Desk) -> String {
    let host = &desk.site.address;
    if host.contains(':') {
        format!("[{host}]:{SERVER_PORT}")
    } else {
        format!("{host}:{SERVER_PORT}")
    }
}

pub(super) fn leader(desk: &Desk) -> Answer {
    Answer::json(&server(desk))
}

pub(super) fn peers(desk: &Desk) -> Answer {
    Answer::json(&[server(desk)])
}
