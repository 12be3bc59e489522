//! The paths: which endpoint, which methods, which parameters count.

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    AgentSelf,
    AgentMembers,
    AgentLeave,
    AgentServices,
    AgentService,
    AgentServiceRegister,
    AgentServiceDeregister,
    AgentServiceMaintenance,
    AgentMaintenance,
    AgentChecks,
    AgentCheckRegister,
    AgentCheckDeregister,
    AgentCheckPass,
    AgentCheckWarn,
    AgentCheckFail,
    AgentCheckUpdate,
    CatalogDatacenters,
    CatalogServices,
    CatalogService,
    CatalogNodes,
    CatalogNode,
    CatalogRegister,
    CatalogDeregister,
    HealthService,
    HealthChecks,
    HealthNode,
    HealthState,
    Kv,
    SessionCreate,
    SessionDestroy,
    SessionRenew,
    SessionInfo,
    SessionNode,
    SessionList,
    StatusLeader,
    StatusPeers,
}

/// Which of the common parameters an endpoint looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// None.
    Bare,
    /// `ns`, which is refused.
    Agent,
    /// `ns`, and `dc`, which must be ours.
    Datacenter,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    /// After `/v1/`. With a slash at its end, anything may follow.
    path: &'static str,
    /// Besides `OPTIONS`.
    pub(super) methods: &'static [&'static str],
    pub(super) scope: Scope,
    pub(super) endpoint: Endpoint,
}

impl Route {
    /// As Consul writes it.
    pub(super) fn allow(&self) -> String {
        format!("OPTIONS,{}", self.methods.join(","))
    }
}

const fn route(
    path: &'static str,
    methods: &'static [&'static str],
    scope: Scope,
    endpoint: Endpoint,
) -> Route {
    Route {
        path,
        methods,
        scope,
        endpoint,
    }
}

const GET: &[&str] = &["GET"];
const PUT: &[&str] = &["PUT"];

/// Of two lines with the same beginning the longer comes first.
#[rustfmt::skip]
const ROUTES: [Route; 36] = {
    use Endpoint as E;
    use Scope::{Agent, Bare, Datacenter};
    [
        route("agent/self", GET, Bare, E::AgentSelf),
        route("agent/members", GET, Bare, E::AgentMembers),
        route("agent/leave", PUT, Bare, E::AgentLeave),
        route("agent/services", GET, Agent, E::AgentServices),
        route("agent/service/register", PUT, Agent, E::AgentServiceRegister),
        route("agent/service/deregister/", PUT, Agent, E::AgentServiceDeregister),
        route("agent/service/maintenance/", PUT, Agent, E::AgentServiceMaintenance),
        route("agent/service/", GET, Agent, E::AgentService),
        route("agent/maintenance", PUT, Bare, E::AgentMaintenance),
        route("agent/checks", GET, Agent, E::AgentChecks),
        route("agent/check/register", PUT, Agent, E::AgentCheckRegister),
        route("agent/check/deregister/", PUT, Agent, E::AgentCheckDeregister),
        route("agent/check/pass/", PUT, Agent, E::AgentCheckPass),
        route("agent/check/warn/", PUT, Agent, E::AgentCheckWarn),
        route("agent/check/fail/", PUT, Agent, E::AgentCheckFail),
        route("agent/check/update/", PUT, Agent, E::AgentCheckUpdate),
        route("catalog/datacenters", GET, Bare, E::CatalogDatacenters),
        route("catalog/services", GET, Datacenter, E::CatalogServices),
        route("catalog/service/", GET, Datacenter, E::CatalogService),
        route("catalog/nodes", GET, Datacenter, E::CatalogNodes),
        route("catalog/node/", GET, Datacenter, E::CatalogNode),
        route("catalog/register", PUT, Agent, E::CatalogRegister),
        route("catalog/deregister", PUT, Agent, E::CatalogDeregister),
        route("health/service/", GET, Datacenter, E::HealthService),
        route("health/checks/", GET, Datacenter, E::HealthChecks),
        route("health/node/", GET, Datacenter, E::HealthNode),
        route("health/state/", GET, Datacenter, E::HealthState),
        route("kv/", &["GET", "PUT", "DELETE"], Datacenter, E::Kv),
        route("session/create", PUT, Datacenter, E::SessionCreate),
        route("session/destroy/", PUT, Datacenter, E::SessionDestroy),
        route("session/renew/", PUT, Datacenter, E::SessionRenew),
        route("session/info/", GET, Datacenter, E::SessionInfo),
        route("session/node/", GET, Datacenter, E::SessionNode),
        route("session/list", GET, Datacenter, E::SessionList),
        route("status/leader", GET, Bare, E::StatusLeader),
        route("status/peers", GET, Bare, E::StatusPeers),
    ]
};

/// Where a path really is, if that is somewhere else: empty segments and dots do not count, as in Consul.
pub(super) fn elsewhere(path: &str) -> Option<String> {
    if path == "/v1/kv" {
        return Some("/v1/kv/".to_owned());
    }
    let is_odd = |segment: &str| matches!(segment, "" | "." | "..");
    let inner = path.strip_prefix('/')?;
    let (inner, end) = match inner.strip_suffix('/') {
        Some(inner) => (inner, "/"),
        None => (inner, ""),
    };
    if inner.is_empty() || !inner.split('/').any(is_odd) {
        return None;
    }
    let mut kept = Vec::new();
    for segment in inner.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let end = if kept.is_empty() { "" } else { end };
    Some(format!("/{}{end}", kept.join("/")))
}

/// The line for what follows `/v1/`, and what follows its own path, with escapes.
pub(super) fn find(path: &str) -> Option<(Route, &str)> {
    let fits = |route: &Route| {
        let rest = path.strip_prefix(route.path)?;
        (rest.is_empty() || route.path.ends_with('/')).then_some((*route, rest))
    };
    ROUTES.iter().find_map(fits)
}

#[cfg(test)]
mod tests {
    use super::elsewhere;

    #[test]
    fn odd_paths_lead_to_plain_ones() {
        for (path, plain) in [
            ("/v1/kv", "/v1/kv/"),
            ("/v1/kv//x", "/v1/kv/x"),
            ("/v1/kv/a//b/", "/v1/kv/a/b/"),
            ("//host/x", "/host/x"),
            ("/v1/./kv/../status/leader", "/v1/status/leader"),
            ("/../../", "/"),
        ] {
            assert_eq!(elsewhere(path).as_deref(), Some(plain), "{path}");
            assert_eq!(elsewhere(plain), None, "{plain}");
        }
        for path in ["/", "/v1/kv/", "/v1/kv/a.b/c", "/v1/kv/a/", "*", ""] {
            assert_eq!(elsewhere(path), None, "{path}");
        }
    }
}
