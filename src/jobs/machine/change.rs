//! What a reload does to a job that goes on.

use std::collections::BTreeSet;

use super::{Job, Phase};
use crate::events::{JobId, PublicEvent};
use crate::jobs::backoff::{Backoff, RestartWindow};
use crate::jobs::health::Checks;
use crate::jobs::spec::JobSpec;
use crate::jobs::turn::Turn;

impl Job {
    /// Applies what can be applied to a job as it runs; see [`crate::jobs::Verdict::Adjust`].
    pub(in crate::jobs) fn adjust(&mut self, spec: JobSpec, turn: &mut Turn<'_>) {
        let old = std::mem::replace(&mut self.spec, spec);
        if old.backoff != self.spec.backoff {
            self.backoff = Backoff::new(self.spec.backoff);
        }
        if old.max_restarts != self.spec.max_restarts {
            self.window = RestartWindow::new(self.spec.max_restarts);
        }
        let grace = self.grace(turn);
        if let Phase::Running { live, .. } = &mut self.phase {
            live.set_grace(grace);
        }
        for kept in &mut self.kept {
            kept.set_grace(grace);
        }
        let is_advertised = |spec: &JobSpec| spec.service.is_some();
        if self.is_alive()
            && (old.health != self.spec.health || is_advertised(&old) != is_advertised(&self.spec))
        {
            let before = std::mem::replace(&mut self.check, Checks::of(self.id, &self.spec));
            let works = self.started && !self.held;
            match (&mut self.check, before) {
                (Some(check), before) => check.follow(before, works, turn),
                (None, Some(mut before)) => before.stop(turn),
                (None, None) => {}
            }
        }
    }

    /// The events that it still waits for, if it does.
    pub(in crate::jobs) fn awaited(&self) -> Vec<PublicEvent> {
        if self.opened {
            return Vec::new();
        }
        self.gate.events()
    }

    /// Remembers what came before it was there.
    pub(in crate::jobs) fn recall(&mut self, facts: &[PublicEvent]) {
        for fact in facts {
            self.gate.on_event(*fact);
        }
    }

    /// Forgets what came of jobs that begin anew: it waits for that to come again.
    pub(in crate::jobs) fn forget(&mut self, renewed: &BTreeSet<JobId>) {
        self.gate.forget(renewed);
    }
}
