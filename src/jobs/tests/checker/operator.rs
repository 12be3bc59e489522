//! An operator in a schedule, and what must always hold then.

use super::Checker;
use crate::events::{JobId, RunKind};
use crate::jobs::{Effect, JobState, Operation, Progress, Refused};

impl Checker {
    /// An operator wanted it back, or the job that it is a hook of.
    pub(super) fn on_anew(&mut self, job: JobId) {
        assert!(
            self.stop_asked.is_none(),
            "nothing begins anew after a stop"
        );
        assert!(
            !self.down.contains(&job),
            "what an operator stopped stays so"
        );
        assert!(
            self.stopped.remove(&job),
            "only what is at its end begins anew"
        );
        let left = self
            .live
            .keys()
            .any(|run| run.job == job && run.kind == RunKind::Main);
        assert!(!left, "nothing is left of what begins anew");
        self.renewals += 1;
        self.forget(job);
    }

    pub(super) fn forget(&mut self, job: JobId) {
        self.starts.remove(&job);
        self.stopped.remove(&job);
        self.stopping.remove(&job);
        self.leaving.remove(&job);
        self.left.remove(&job);
    }

    pub(super) fn operate(&mut self, pick: usize, operation: Operation) {
        let job = JobId(u32::try_from(pick % self.specs.len()).expect("few jobs"));
        let before = self.jobs.status(job).expect("there");
        let leaves = self.jobs.leaving().any(|other| other == job);
        let is_free = !self.jobs.is_ending() && !leaves;
        let starts = matches!(operation, Operation::Start | Operation::Restart);
        if starts && is_free {
            self.down.remove(&job);
            *self.asked.entry(job).or_default() += 1;
        }
        let changes = self.changes;
        let (result, effects) = self.jobs.operate(job, operation, self.now);
        self.trace.push(format!("{job:?}: {result:?}"));
        match operation {
            Operation::Stop if is_free => {
                assert!(result.is_ok(), "a stop is never refused");
                let at_end = matches!(before.state, JobState::Stopping | JobState::Complete)
                    || matches!(before.state, JobState::Skipped | JobState::Failed)
                    || before.state == JobState::Stopped;
                assert_eq!(
                    result == Ok(Progress::Already),
                    at_end && !before.is_wanted,
                    "a stop tells whether it does something"
                );
            }
            Operation::Signal(_) => {
                let sent = effects
                    .iter()
                    .any(|effect| matches!(effect, Effect::Signal(..)));
                assert_eq!(result.is_ok(), sent, "a signal is sent or refused");
            }
            Operation::Start | Operation::Restart if is_free => {
                assert!(result.is_ok(), "a start is never refused");
            }
            Operation::Start | Operation::Restart => {
                let refused = matches!(result, Err(Refused::Ending | Refused::Leaving));
                assert!(refused, "no start in an end");
            }
            _ => {}
        }
        self.perform(effects);
        self.call_if_due();
        if operation == Operation::Stop && is_free && self.changes == changes {
            if result == Ok(Progress::Begun) {
                self.down.insert(job);
            }
            let (again, effects) = self.jobs.operate(job, operation, self.now);
            let idle = again == Ok(Progress::Already) && effects.is_empty();
            assert!(idle || self.jobs.is_ending(), "a second stop does nothing");
        }
    }
}
