//! The endpoints: a call in, an answer out. `Err` is an answer too, the early kind.

mod agent;
mod catalog;
mod checks;
mod health;
mod kv;
mod session;
mod site;

use hyper::StatusCode;

use super::answer::Answer;
use super::request::{Call, Desk};
use super::routes::Endpoint as E;

/// Does what is asked for.
///
/// # Errors
///
/// An answer that says why not.
pub(super) async fn perform(desk: &Desk, call: Call) -> Result<Answer, Answer> {
    match call.endpoint {
        E::AgentSelf => Ok(site::about(desk)),
        E::AgentMembers => Ok(site::members(desk)),
        // Consul would end here. Who runs this program ends it.
        E::AgentLeave => Ok(Answer::done()),
        E::StatusLeader => Ok(site::leader(desk)),
        E::StatusPeers => Ok(site::peers(desk)),
        E::CatalogDatacenters => Ok(Answer::json(&[&desk.site.datacenter])),
        E::AgentServices => Ok(agent::services(desk)),
        E::AgentService => agent::service(desk, &call),
        E::AgentServiceRegister => agent::register(desk, &call),
        E::AgentServiceDeregister => agent::deregister(desk, &call),
        E::AgentServiceMaintenance => agent::service_maintenance(desk, &call),
        E::AgentMaintenance => agent::node_maintenance(desk, &call),
        E::AgentChecks => Ok(checks::all(desk)),
        E::AgentCheckRegister => checks::register(desk, &call),
        E::AgentCheckDeregister => checks::deregister(desk, &call),
        E::AgentCheckPass | E::AgentCheckWarn | E::AgentCheckFail => checks::beat(desk, &call),
        E::AgentCheckUpdate => checks::update(desk, &call),
        E::CatalogServices => catalog::services(desk, &call).await,
        E::CatalogService => catalog::service(desk, &call).await,
        E::CatalogNodes => catalog::nodes(desk, &call).await,
        E::CatalogNode => catalog::node(desk, &call).await,
        E::CatalogRegister => catalog::register(desk, &call),
        E::CatalogDeregister => catalog::deregister(desk, &call),
        E::HealthService => health::service(desk, &call).await,
        E::HealthChecks => health::checks(desk, &call).await,
        E::HealthNode => health::node(desk, &call).await,
        E::HealthState => health::state(desk, &call).await,
        E::Kv => kv::perform(desk, call).await,
        E::SessionCreate => session::create(desk, &call),
        E::SessionDestroy => session::destroy(desk, &call),
        E::SessionRenew => session::renew(desk, &call),
        E::SessionInfo => session::info(desk, &call).await,
        E::SessionNode | E::SessionList => session::list(desk, &call).await,
    }
}

/// What follows the endpoint's path, which must be something.
fn named<'a>(call: &'a Call, what: &str) -> Result<&'a str, Answer> {
    if call.rest.is_empty() {
        return Err(Answer::bad_request(&format!("Missing {what}")));
    }
    Ok(&call.rest)
}

/// The same where Consul has the wrong status for it.
fn named_or_failed<'a>(call: &'a Call, what: &str) -> Result<&'a str, Answer> {
    if call.rest.is_empty() {
        return Err(Answer::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("{what} missing"),
        ));
    }
    Ok(&call.rest)
}
