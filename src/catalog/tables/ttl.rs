//! Heartbeats, expiry, and the end of what stays critical.

use std::time::Instant;

use super::limits::OUTPUT;
use super::model::{Check, CheckKind, Status};
use super::problem::Problem;
use super::{Tables, Timer};

impl Tables {
    /// A heartbeat. A change of status is published at once, a mere change of output later (`Limits::output_delay`):
    /// outputs that carry a time would wake every watcher at every beat.
    ///
    /// # Errors
    ///
    /// When there is no such check, or it has no TTL.
    pub(crate) fn heartbeat(
        &mut self,
        id: &str,
        status: Status,
        output: &str,
        now: Instant,
    ) -> Result<(), Problem> {
        let kind = self.own_check(id).map(|check| check.kind);
        let known = self.agent_checks.get_mut(id);
        let (Some(CheckKind::Ttl { ttl }), Some(agent)) = (kind, known) else {
            return Err(Problem::NoTtl(id.to_owned()));
        };
        let output = clipped(output);
        agent.heartbeat.clone_from(&output);
        self.timers
            .set(Timer::Ttl(id.to_owned()), now.checked_add(ttl));
        self.set_status(id, status, output, now);
        Ok(())
    }

    pub(super) fn on_ttl(&mut self, id: &str, now: Instant) {
        let Some(agent) = self.agent_checks.get(id) else {
            return;
        };
        let output = if agent.heartbeat.is_empty() {
            "TTL expired".to_owned()
        } else {
            let last = &agent.heartbeat;
            format!("TTL expired (last output before timeout follows): {last}")
        };
        self.set_status(id, Status::Critical, output, now);
    }

    fn set_status(&mut self, id: &str, status: Status, output: String, now: Instant) {
        let Some(agent) = self.agent_checks.get_mut(id) else {
            return;
        };
        agent.output = output;
        agent.critical_since = match status {
            Status::Critical => agent.critical_since.or(Some(now)),
            Status::Passing | Status::Warning => None,
        };
        let limit = self.limits.reap_after;
        let reap = agent.critical_since.zip(agent.deregister_after);
        let reap = reap.and_then(|(since, after)| since.checked_add(after.max(limit)));
        self.timers.set(Timer::Reap(id.to_owned()), reap);
        self.show(id, status, now);
    }

    /// Brings the catalogue up to date, or has that done later.
    fn show(&mut self, id: &str, status: Status, now: Instant) {
        let later = Timer::Output(id.to_owned());
        let (Some(shown), Some(agent)) = (self.own_check(id), self.agent_checks.get(id)) else {
            return;
        };
        if shown.status != status {
            let check = Check {
                status,
                output: agent.output.clone(),
                ..shown.clone()
            };
            self.timers.set(later, None);
            let own = self.own.clone();
            self.put_check(&own, check, now);
        } else if shown.output == agent.output {
            self.timers.set(later, None);
        } else if !self.timers.is_set(&later) {
            let at = now.checked_add(self.limits.output_delay);
            self.timers.set(later, at);
        }
    }

    pub(super) fn publish_output(&mut self, id: &str, now: Instant) {
        let (Some(shown), Some(agent)) = (self.own_check(id), self.agent_checks.get(id)) else {
            return;
        };
        let check = Check {
            output: agent.output.clone(),
            ..shown.clone()
        };
        let own = self.own.clone();
        self.put_check(&own, check, now);
    }

    /// Critical for too long: the service goes, with all its checks. A check of the node has no service to remove.
    pub(super) fn on_reap(&mut self, id: &str, now: Instant) {
        let service = self.own_check(id).map(|check| check.service_id.clone());
        if let Some(service) = service.filter(|service| !service.is_empty()) {
            self.deregister_service(&service, now);
        }
    }
}

/// At most [`OUTPUT`] bytes, with Consul's remark on the rest.
fn clipped(output: &str) -> String {
    if output.len() <= OUTPUT {
        return output.to_owned();
    }
    let kept = &output[..output.floor_char_boundary(OUTPUT)];
    let total = output.len();
    format!("{kept} ... (captured {OUTPUT} of {total} bytes)")
}
