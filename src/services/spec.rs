//! What a service is, after the configuration has been checked.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// What the catalogue is told of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// The name it is known by: the job's name as written unless the file says another, also where a second job of that name is `name#2` inside.
    pub name: String,
    /// Its id in the catalogue; `None`: the name and the host's name (spec 6.2).
    pub id: Option<String>,
    /// Its check has the id of the service itself, as in `ContainerPilot` 2, instead of `service:` and that.
    pub plain_check_id: bool,
    /// Of several jobs with this name, which one it is, counted from 1: an id is not to be taken twice (D35).
    pub ordinal: u32,
    /// The advertised port, 1 to 65535.
    pub port: u16,
    /// The advertised address: the first that the job's `interfaces` match. `None` when nothing was looked up
    /// (a mere check of the file), or nothing matched and no catalogue is configured.
    pub address: Option<IpAddr>,
    /// An address that is not looked up: `consul.address` of the job, or `static:` text that is no IP address.
    pub static_address: Option<String>,
    /// The interface specifications that the address came from, to look it up again when the host's addresses change
    /// (D53). Empty when nothing is to be looked up.
    pub interfaces: Vec<String>,
    /// The status of the first registration; with it, the service is registered before it has run.
    pub initial_status: Option<InitialStatus>,
    /// Tags, in the order of the file.
    pub tags: Vec<String>,
    /// Metadata: keys and values for the catalogue's other users.
    pub meta: BTreeMap<String, String>,
    /// What share of requests the service is to get from those who look at it.
    pub weights: Option<Weights>,
    /// Lets others change the tags in the catalogue.
    pub enable_tag_override: bool,
    /// After this time in critical state the catalogue drops the service; the text as the catalogue reads it.
    pub deregister_critical_after: Option<Duration>,
}

/// The health that a service is first registered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialStatus {
    Passing,
    Warning,
    Critical,
}

/// The share of requests by health; Consul's default is 1 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// While passing; at least 1.
    pub passing: u16,
    /// While in warning; 0 is none.
    pub warning: u16,
}
