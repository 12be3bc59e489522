//! From a body to what the tables take, with Consul's refusals.

use std::net::IpAddr;
use std::time::Duration;

use super::fields::{DecodeError, Fields};
use crate::catalog::tables::{
    Behavior, Check, CheckKind, CheckSpec, NodeSpec, Service, ServiceSpec, SessionSpec, Status,
    Weights,
};

/// The longest name or id. Consul has no bound of its own here.
const NAME: usize = 1_024;

/// Why a body was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::catalog) enum Refusal {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// 400 with these words.
    #[error("{0}")]
    Invalid(String),
    /// 500 with these words.
    #[error("{0}")]
    Failed(String),
}

fn invalid(text: &str) -> Refusal {
    Refusal::Invalid(text.to_owned())
}

fn name(text: String) -> Result<String, Refusal> {
    if text.len() > NAME {
        return Err(Refusal::Invalid(format!(
            "a name has at most {NAME} bytes here"
        )));
    }
    Ok(text)
}

/// `agent/service/register`.
pub(in crate::catalog) fn service(
    mut fields: Fields,
    replace_checks: bool,
) -> Result<ServiceSpec, Refusal> {
    let mut service = common_service(&mut fields, "Name")?;
    let mut checks: Vec<Fields> = fields.nested("Check")?.into_iter().collect();
    // An empty one is none.
    checks.retain(|check| !check.is_blank());
    checks.extend(fields.list("Checks")?);
    fields.ignore(&["Token", "Namespace"]);
    if let Some(word) = fields.first_of(&["Kind", "Proxy", "Connect"]) {
        return Err(unsupported(word));
    }
    fields.finish()?;
    if service.name.is_empty() {
        return Err(invalid("Missing service name"));
    }
    if service.id.is_empty() {
        service.id.clone_from(&service.name);
    }
    if matches!(service.address.as_str(), "0.0.0.0" | "::" | "[::]") {
        return Err(invalid("Invalid service address"));
    }
    tag_addresses(&mut service);
    let bad_status = "Status for checks must 'passing', 'warning', 'critical'";
    let read = |mut fields: Fields| {
        let id = name(fields.text("CheckID")?)?;
        let check = ttl_check(&mut fields, id, bad_status)?;
        fields.finish()?;
        Ok(check)
    };
    let checks: Result<Vec<CheckSpec>, Refusal> = checks.into_iter().map(read).collect();
    Ok(ServiceSpec {
        service,
        checks: checks?,
        replace_checks,
    })
}

fn unsupported(word: &str) -> Refusal {
    Refusal::Invalid(format!(
        "`{word}` is not supported by the embedded catalogue: use a Consul server"
    ))
}

/// What both endpoints that take a service have in common.
fn common_service(fields: &mut Fields, name_field: &str) -> Result<Service, Refusal> {
    let mut service = Service {
        id: name(fields.text("ID")?)?,
        name: name(fields.text(name_field)?)?,
        tags: fields.texts("Tags")?.unwrap_or_default(),
        address: fields.text("Address")?,
        meta: fields.map("Meta")?,
        port: fields.integer("Port")?.unwrap_or(0),
        enable_tag_override: fields.flag("EnableTagOverride")?,
        ..Service::default()
    };
    if let Some(mut fields) = fields.nested("Weights")? {
        service.weights = Weights {
            passing: fields.integer("Passing")?.unwrap_or(0),
            warning: fields.integer("Warning")?.unwrap_or(0),
        };
        fields.finish()?;
        if service.weights.passing < 1 {
            return Err(invalid("Invalid Weights: Passing must be greater than 0"));
        }
        if service.weights.warning < 0 {
            return Err(invalid(
                "Invalid Weights: Warning must be greater or equal than 0",
            ));
        }
    }
    for (kind, mut fields) in fields.nested_map("TaggedAddresses")? {
        let address = fields.text("Address")?;
        let port = fields.integer("Port")?.unwrap_or(0);
        fields.finish()?;
        service.tagged.insert(kind, (address, port));
    }
    Ok(service)
}

/// Consul names an address that is a number by its kind.
fn tag_addresses(service: &mut Service) {
    let Ok(address) = service.address.parse::<IpAddr>() else {
        return;
    };
    let kinds = if address.is_ipv4() {
        ["lan_ipv4", "wan_ipv4"]
    } else {
        ["lan_ipv6", "wan_ipv6"]
    };
    for kind in kinds {
        let own = || (service.address.clone(), service.port);
        let entry = service.tagged.entry(kind.to_owned());
        entry.or_insert_with(own);
    }
}

/// `agent/check/register`: the check, and the id of its service.
pub(in crate::catalog) fn check(mut fields: Fields) -> Result<(CheckSpec, String), Refusal> {
    let service_id = fields.text("ServiceID")?;
    fields.ignore(&["Token", "Namespace"]);
    let id = name(fields.text("ID")?)?;
    let check = ttl_check(&mut fields, id, "Bad check status")?;
    fields.finish()?;
    if check.name.is_empty() {
        return Err(invalid("Missing check name"));
    }
    Ok((check, service_id))
}

/// Kinds of checks that Consul runs itself.
const ACTIVE: [&str; 12] = [
    "HTTP",
    "TCP",
    "GRPC",
    "Args",
    "ScriptArgs",
    "Script",
    "DockerContainerID",
    "AliasNode",
    "AliasService",
    "Interval",
    "Shell",
    "OutputMaxSize",
];

/// What such checks are described by.
const OF_ACTIVE: [&str; 9] = [
    "Header",
    "Method",
    "Body",
    "TLSSkipVerify",
    "GRPCUseTLS",
    "Timeout",
    "SuccessBeforePassing",
    "FailuresBeforeCritical",
    "ProxyHTTP",
];

fn ttl_check(fields: &mut Fields, id: String, bad_status: &str) -> Result<CheckSpec, Refusal> {
    let title = name(fields.text("Name")?)?;
    let notes = fields.text("Notes")?;
    let status = fields.text("Status")?;
    let ttl = fields.duration("TTL")?.unwrap_or(0);
    let after = fields.duration("DeregisterCriticalServiceAfter")?;
    if let Some(word) = fields.first_of(&ACTIVE) {
        return Err(Refusal::Invalid(format!(
            "Invalid check: `{word}` is not supported by the embedded catalogue, which has TTL checks only"
        )));
    }
    fields.ignore(&OF_ACTIVE);
    fields.ignore(&["ProxyGRPC"]);
    let status = match status.as_str() {
        "" => Status::Critical,
        word => Status::parse(word).ok_or_else(|| invalid(bad_status))?,
    };
    let Some(ttl) = span(ttl).filter(|ttl| !ttl.is_zero()) else {
        return Err(invalid("Invalid check: TTL must be > 0 for TTL checks"));
    };
    Ok(CheckSpec {
        id,
        name: title,
        notes,
        status,
        ttl,
        deregister_after: after.and_then(span).filter(|after| !after.is_zero()),
    })
}

/// Nothing for a negative span.
fn span(nanoseconds: i64) -> Option<Duration> {
    u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
}

/// `agent/check/update`.
pub(in crate::catalog) fn heartbeat(mut fields: Fields) -> Result<(Status, String), Refusal> {
    let status = fields.text("Status")?;
    let output = fields.text("Output")?;
    let known = Status::parse(&status);
    let known =
        known.ok_or_else(|| Refusal::Invalid(format!("Invalid check status: '{status}'")))?;
    Ok((known, output))
}

/// `session/create`. Unknown names are ignored, as in Consul.
pub(in crate::catalog) fn session(mut fields: Fields) -> Result<SessionSpec, Refusal> {
    let lock_delay = match fields.duration("LockDelay")? {
        None => Duration::from_secs(15),
        // A small number is one of seconds.
        Some(number @ 0..1_000) => Duration::from_secs(number.unsigned_abs()),
        Some(nanoseconds) => span(nanoseconds).unwrap_or_default(),
    };
    let behavior = match fields.text("Behavior")?.as_str() {
        "" | "release" => Behavior::Release,
        "delete" => Behavior::Delete,
        other => {
            let text = format!("Invalid Behavior setting '{other}'");
            return Err(Refusal::Failed(text));
        }
    };
    let ttl_text = fields.text("TTL")?;
    let ttl = match ttl_text.as_str() {
        "" => None,
        text => {
            let wrong = || format!("Session TTL '{text}' invalid: time: invalid duration {text:?}");
            let read = super::parse_duration(text).and_then(span);
            Some(read.ok_or_else(|| Refusal::Failed(wrong()))?)
        }
    };
    let alive = || vec!["serfHealth".to_owned()];
    let checks = fields.texts("NodeChecks")?;
    let checks = fields.texts("Checks")?.or(checks);
    Ok(SessionSpec {
        name: name(fields.text("Name")?)?,
        node: fields.text("Node")?,
        lock_delay,
        behavior,
        ttl,
        ttl_text,
        checks: checks.unwrap_or_else(alive),
    })
}

/// What `catalog/register` asks for.
#[derive(Debug)]
pub(in crate::catalog) struct Registration {
    pub(in crate::catalog) datacenter: String,
    pub(in crate::catalog) node: NodeSpec,
    pub(in crate::catalog) skip_node_update: bool,
    pub(in crate::catalog) service: Option<Service>,
    pub(in crate::catalog) checks: Vec<Check>,
}

/// `catalog/register`.
pub(in crate::catalog) fn registration(mut fields: Fields) -> Result<Registration, Refusal> {
    let mut registration = Registration {
        datacenter: fields.text("Datacenter")?,
        node: NodeSpec {
            name: name(fields.text("Node")?)?,
            id: fields.text("ID")?,
            address: fields.text("Address")?,
            tagged: fields.map("TaggedAddresses")?,
            meta: fields.map("NodeMeta")?,
        },
        skip_node_update: fields.flag("SkipNodeUpdate")?,
        service: None,
        checks: Vec::new(),
    };
    let service = fields.nested("Service")?;
    let mut checks: Vec<Fields> = fields.nested("Check")?.into_iter().collect();
    checks.extend(fields.list("Checks")?);
    fields.ignore(&["Namespace", "WriteRequest"]);
    fields.finish()?;
    if registration.node.name.is_empty() {
        return Err(Refusal::Failed("Must provide node".to_owned()));
    }
    registration.service = service.map(external_service).transpose()?;
    let checks: Result<Vec<Check>, Refusal> = checks.into_iter().map(external_check).collect();
    registration.checks = checks?;
    Ok(registration)
}

fn external_service(mut fields: Fields) -> Result<Service, Refusal> {
    let mut service = common_service(&mut fields, "Service")?;
    if let Some(word) = fields.first_of(&["Kind", "Proxy", "Connect"]) {
        return Err(unsupported(word));
    }
    fields.ignore(&["Namespace", "CreateIndex", "ModifyIndex"]);
    fields.finish()?;
    if service.name.is_empty() {
        let text = "failed inserting service: a service has a name";
        return Err(Refusal::Failed(text.to_owned()));
    }
    if service.id.is_empty() {
        service.id.clone_from(&service.name);
    }
    Ok(service)
}

fn external_check(mut fields: Fields) -> Result<Check, Refusal> {
    let mut check = Check {
        id: name(fields.text("CheckID")?)?,
        name: name(fields.text("Name")?)?,
        status: Status::Critical,
        notes: fields.text("Notes")?,
        output: fields.text("Output")?,
        service_id: fields.text("ServiceID")?,
        kind: CheckKind::External,
        create: 0,
        modify: 0,
    };
    let status = fields.text("Status")?;
    fields.ignore(&["Node", "ServiceName", "ServiceTags", "Type", "Definition"]);
    fields.ignore(&["Namespace", "CreateIndex", "ModifyIndex"]);
    fields.finish()?;
    if check.id.is_empty() {
        check.id.clone_from(&check.name);
    }
    if check.id.is_empty() {
        return Err(invalid("a check has a name or an id"));
    }
    if !status.is_empty() {
        let known = Status::parse(&status);
        check.status = known.ok_or_else(|| invalid("Bad check status"))?;
    }
    Ok(check)
}

/// What `catalog/deregister` asks for.
#[derive(Debug)]
pub(in crate::catalog) struct Deregistration {
    pub(in crate::catalog) datacenter: String,
    pub(in crate::catalog) node: String,
    pub(in crate::catalog) service: String,
    pub(in crate::catalog) check: String,
}

/// `catalog/deregister`.
pub(in crate::catalog) fn deregistration(mut fields: Fields) -> Result<Deregistration, Refusal> {
    let asked = Deregistration {
        datacenter: fields.text("Datacenter")?,
        node: fields.text("Node")?,
        service: fields.text("ServiceID")?,
        check: fields.text("CheckID")?,
    };
    fields.ignore(&["Address", "Namespace", "WriteRequest"]);
    fields.finish()?;
    if asked.node.is_empty() {
        return Err(Refusal::Failed("Must provide node".to_owned()));
    }
    Ok(asked)
}
