//! What a reload would do, for people and for tools.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a reload of the configuration as it is now would do, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadPlan {
    /// Every job of either configuration.
    pub jobs: Vec<Planned>,
    /// The watches that come or go.
    pub watches: Vec<Planned>,
    /// The top-level keys that say something else, beside jobs and watches.
    pub settings: Vec<String>,
}

/// What would become of one job or watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    pub name: String,
    pub action: PlannedAction,
    /// Why, for people; empty where the action says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// What would be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlannedAction {
    /// It goes on as it is.
    Keep,
    /// It goes on, with what has changed applied to it.
    Adjust,
    /// It is stopped and begins anew.
    Restart,
    /// It is new.
    Start,
    /// It is stopped, and is no more.
    Stop,
}

impl fmt::Display for PlannedAction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            PlannedAction::Keep => "keep",
            PlannedAction::Adjust => "adjust",
            PlannedAction::Restart => "restart",
            PlannedAction::Start => "start",
            PlannedAction::Stop => "stop",
        })
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.action, self.name)?;
        if self.why.is_empty() {
            return Ok(());
        }
        write!(out, ": {}", self.why)
    }
}

impl ReloadPlan {
    /// Whether the reload would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none() && self.watches.is_empty() && self.settings.is_empty()
    }

    /// The jobs that do not go on as they are.
    pub fn changes(&self) -> impl Iterator<Item = &Planned> {
        let jobs = self.jobs.iter();
        jobs.filter(|job| job.action != PlannedAction::Keep)
    }
}

/// One line for each thing that changes, and one for what does not.
impl fmt::Display for ReloadPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for job in self.changes() {
            writeln!(out, "{job}")?;
        }
        for watch in &self.watches {
            writeln!(out, "{} watch {}", watch.action, watch.name)?;
        }
        for key in &self.settings {
            writeln!(out, "change {key}")?;
        }
        match self.jobs.len() - self.changes().count() {
            0 => Ok(()),
            1 => writeln!(out, "keep 1 job as it is"),
            kept => writeln!(out, "keep {kept} jobs as they are"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(name: &str, action: PlannedAction, why: &str) -> Planned {
        Planned {
            name: name.to_owned(),
            action,
            why: why.to_owned(),
        }
    }

    #[test]
    fn a_plan_reads_well_and_survives_json() {
        let plan = ReloadPlan {
            jobs: vec![
                planned("app", PlannedAction::Restart, "exec has changed"),
                planned("web", PlannedAction::Keep, ""),
                planned("db", PlannedAction::Keep, ""),
                planned("new", PlannedAction::Start, ""),
            ],
            watches: vec![planned("cache", PlannedAction::Stop, "")],
            settings: vec!["consul".to_owned()],
        };
        assert_eq!(
            plan.to_string(),
            "restart app: exec has changed\nstart new\nstop watch cache\nchange consul\nkeep 2 jobs as they are\n"
        );
        let json = serde_json::to_string(&plan).unwrap();
        assert!(json.contains(r#"{"name":"web","action":"keep"}"#), "{json}");
        assert_eq!(serde_json::from_str::<ReloadPlan>(&json).unwrap(), plan);
        assert!(!plan.is_empty());
        assert!(ReloadPlan::default().is_empty());
    }
}
