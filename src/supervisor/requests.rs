//! What the control socket asks for.

use super::app::App;
use super::fault::planted;
use super::reload::Asker;
use crate::control::{Command, HealthAnswer};
use crate::events::{Event, JobId};
use crate::jobs::{Health, JobState};

impl App {
    /// Does what a client asks and answers it. A client that has gone away is not missed.
    pub(super) fn on_command(&mut self, command: Command) {
        planted("request");
        match command {
            Command::Reload { reply } => {
                tracing::debug!("control: reloading app via control plane");
                self.request_reload(Some(Asker::Reload(reply)));
            }
            Command::ReloadPlan { reply } => self.request_reload(Some(Asker::Plan(reply))),
            Command::Environ { changes, reply } => {
                let _ = reply.send(self.environment.overlay(changes));
            }
            Command::Metric { values, reply } => {
                let _ = reply.send(self.record(&values));
            }
            Command::Maintenance { enable, reply } => {
                if self.jobs.in_maintenance() != enable {
                    let what = if enable { "entering" } else { "leaving" };
                    tracing::info!("control: {what} maintenance");
                }
                self.tell(&Event::Maintenance(enable));
                let _ = reply.send(Ok(()));
            }
            Command::Live(request) => self.on_live(request),
            Command::Health { job, reply } => {
                let _ = reply.send(self.health(job.as_deref()));
            }
        }
    }

    /// The health of one job, or of everything; `None` if there is no such job.
    fn health(&self, job: Option<&str>) -> Option<HealthAnswer> {
        if self.jobs.is_ending() {
            return Some(unhealthy("stopping".to_owned()));
        }
        let asked: Vec<JobId> = match job {
            Some(name) => vec![self.jobs.iter().find(|(_, spec)| spec.name == name)?.0],
            None => self.jobs.iter().map(|(id, _)| id).collect(),
        };
        // An operator who asked for maintenance does not want the container replaced for it.
        let judged = !self.jobs.in_maintenance();
        let reason = asked
            .iter()
            .find_map(|id| self.complaint(*id, job.is_some()).filter(|_| judged));
        Some(reason.map_or(
            HealthAnswer {
                healthy: true,
                reason: None,
            },
            unhealthy,
        ))
    }

    /// Why a job is not healthy. Asked for by name, a job without a check has to run.
    fn complaint(&self, id: JobId, by_name: bool) -> Option<String> {
        let status = self.jobs.status(id)?;
        let name = self.names.job(id);
        match status.health {
            Health::Unhealthy => Some(format!("{name} is unhealthy")),
            Health::Unknown
                if status.is_checked
                    && status.is_started
                    && !status.is_unchecked
                    && !status.in_maintenance
                    && !matches!(status.state, JobState::Complete | JobState::Stopped) =>
            {
                Some(format!("{name} has not passed a health check yet"))
            }
            Health::Unknown
                if by_name && !matches!(status.state, JobState::Running | JobState::Idle) =>
            {
                Some(format!("{name} does not run"))
            }
            Health::Healthy | Health::Unknown => None,
        }
    }
}

fn unhealthy(reason: String) -> HealthAnswer {
    HealthAnswer {
        healthy: false,
        reason: Some(reason),
    }
}
