//! What is written into the catalogue for a service, and whether what stands there is that.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::spec::{InitialStatus, ServiceSpec, Weights};

/// The health of a service or an instance, as the catalogue has it. Worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CheckStatus {
    Passing,
    Warning,
    Critical,
}

impl CheckStatus {
    /// The word for it in the catalogue.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CheckStatus::Passing => "passing",
            CheckStatus::Warning => "warning",
            CheckStatus::Critical => "critical",
        }
    }

    /// The status that the catalogue calls `name`. What it may say beside the three words (`maintenance`) is no health.
    #[must_use]
    pub fn from_name(name: &str) -> CheckStatus {
        match name {
            "passing" => CheckStatus::Passing,
            "warning" => CheckStatus::Warning,
            _ => CheckStatus::Critical,
        }
    }
}

impl From<InitialStatus> for CheckStatus {
    fn from(status: InitialStatus) -> CheckStatus {
        match status {
            InitialStatus::Passing => CheckStatus::Passing,
            InitialStatus::Warning => CheckStatus::Warning,
            InitialStatus::Critical => CheckStatus::Critical,
        }
    }
}

impl fmt::Display for CheckStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A service with its one TTL check, as it is to stand in the agent (spec 6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Unique within the agent.
    pub id: String,
    /// The check has the same id; otherwise the agent makes one.
    pub plain_check_id: bool,
    /// What others ask for.
    pub name: String,
    pub tags: Vec<String>,
    /// `None`: the agent's own address.
    pub address: Option<String>,
    pub port: u16,
    pub meta: BTreeMap<String, String>,
    pub weights: Option<Weights>,
    pub enable_tag_override: bool,
    /// How long a passed check is believed.
    pub ttl: Duration,
    pub deregister_critical_after: Option<Duration>,
}

impl Registration {
    /// What a job's service comes to on the host of this name.
    #[must_use]
    pub fn new(spec: &ServiceSpec, ttl: Duration, hostname: &str) -> Registration {
        let looked_up = spec.address.map(|address| address.to_string());
        Registration {
            id: spec.id.clone().unwrap_or_else(|| match spec.ordinal {
                0 | 1 => format!("{}-{hostname}", spec.name),
                ordinal => format!("{}-{hostname}-{ordinal}", spec.name),
            }),
            plain_check_id: spec.plain_check_id,
            name: spec.name.clone(),
            tags: spec.tags.clone(),
            address: spec.static_address.clone().or(looked_up),
            port: spec.port,
            meta: spec.meta.clone(),
            weights: spec.weights,
            enable_tag_override: spec.enable_tag_override,
            ttl,
            deregister_critical_after: spec.deregister_critical_after,
        }
    }

    /// The id of the check: the one that it was registered with, or the one that the agent gives to a check that came with
    /// its service.
    #[must_use]
    pub fn check_id(&self) -> String {
        if self.plain_check_id {
            return self.id.clone();
        }
        format!("service:{}", self.id)
    }

    /// The note of the check, by which people find who made it.
    #[must_use]
    pub fn notes(&self) -> String {
        format!("TTL for {} set by containerpilot", self.name)
    }

    /// Whether what stands in the agent is this. Where others may change the tags, their tags are right.
    #[must_use]
    pub fn is(&self, standing: &Registered) -> bool {
        let address = self.address.as_deref().unwrap_or_default();
        let tags = self.enable_tag_override || self.tags == standing.tags;
        let weights = self.weights.is_none_or(|own| standing.weights == Some(own));
        self.name == standing.name
            && address == standing.address
            && self.port == standing.port
            && self.meta == standing.meta
            && self.enable_tag_override == standing.enable_tag_override
            && tags
            && weights
    }
}

/// A service as it stands in the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    pub name: String,
    pub tags: Vec<String>,
    /// Empty: the agent's own address.
    pub address: String,
    pub port: u16,
    pub meta: BTreeMap<String, String>,
    /// `None` where the server does not say.
    pub weights: Option<Weights>,
    pub enable_tag_override: bool,
}
