//! What the rules order, and what must hold of every order.

use super::{Checker, Seen};
use crate::events::{EventCode, JobId, PublicEvent, Run, RunKind};
use crate::jobs::{Action, Effect, JobState, Note, Orphans, Restarts, Trigger};
use crate::services::Presence;

impl Checker {
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        assert!(effects.len() < 10_000, "publishing ends");
        for effect in effects {
            self.trace
                .push(format!("{:?} {effect:?}", self.now - self.start));
            match effect {
                Effect::Spawn { run, .. } => self.on_spawn(run),
                Effect::Terminate(run) | Effect::Kill(run) => {
                    let killed = matches!(effect, Effect::Kill(_));
                    let waits = run.kind == RunKind::Main && self.leaving.contains(&run.job);
                    let asked = killed || self.live[&run].exited;
                    assert!(asked || !waits, "no TERM before the service has left");
                    let seen = self.live.get_mut(&run);
                    let seen = seen.expect("a signal only goes to a live run");
                    seen.signalled = true;
                    seen.killed |= killed;
                    assert!(killed || !seen.killed, "no TERM after KILL");
                }
                Effect::Signal(run, _) => {
                    assert!(!self.live[&run].exited, "a signal only goes to a live run");
                }
                Effect::Announce(event) => self.on_announce(event),
                Effect::Show(job, presence) => self.on_show(job, presence),
                Effect::Report(job, Note::Anew) => self.on_anew(job),
                Effect::Report(..) => {}
            }
        }
    }

    fn on_show(&mut self, job: JobId, presence: Presence) {
        let spec = &self.specs[job.0 as usize];
        assert!(spec.service.is_some(), "only services are shown");
        assert!(!self.left.contains(&job), "a service leaves once, for good");
        if presence == Presence::Leaving {
            assert!(!self.stopping.contains(&job), "it leaves before `stopping`");
            self.leaving.insert(job);
            self.left.insert(job);
        } else if !matches!(presence, Presence::Absent | Presence::Back) {
            assert!(
                !self.jobs.in_maintenance(),
                "nothing is shown in maintenance"
            );
        }
    }

    fn on_spawn(&mut self, run: Run) {
        assert!(self.numbers.insert(run.id), "a run number is used once");
        assert!(!self.stopped.contains(&run.job), "no start after the end");
        let same = self
            .live
            .iter()
            .filter(|(other, _)| other.job == run.job && other.kind == run.kind);
        let keeps = self.specs[run.job.0 as usize].orphans == Orphans::Keep;
        let busy = same
            .filter(|(_, seen)| !(keeps && seen.exited && run.kind == RunKind::Main))
            .count();
        assert_eq!(busy, 0, "at most one live run of a command");
        if run.kind == RunKind::Main {
            assert!(
                self.stop_asked.is_none() || self.is_hook(run.job),
                "no start after a stop but of hooks"
            );
            assert!(
                !self.down.contains(&run.job),
                "what an operator stopped stays so"
            );
            self.count_start(run.job);
        } else {
            assert!(self.stop_asked.is_none(), "no check after a stop");
            assert!(!self.jobs.in_maintenance(), "no check in maintenance");
            let status = self.jobs.status(run.job).expect("there");
            assert!(!status.in_maintenance, "nor in the job's own");
            assert!(!status.is_unchecked, "no check that is switched off");
        }
        self.live.insert(
            run,
            Seen {
                exited: false,
                signalled: false,
                killed: false,
            },
        );
    }

    pub(super) fn is_hook(&self, job: JobId) -> bool {
        self.specs[job.0 as usize].start.hook_of().is_some()
    }

    fn count_start(&mut self, job: JobId) {
        let starts = self.starts.entry(job).or_default();
        *starts += 1;
        let spec = &self.specs[job.0 as usize];
        let renewed = self
            .specs
            .iter()
            .any(|spec| spec.action == Some(Action::Restart(job)));
        let each = matches!(spec.start.trigger, Trigger::Each(_));
        if let Restarts::Limited(limit) = spec.restarts
            && !each
            && !renewed
        {
            let asked = self.asked.get(&job).copied().unwrap_or_default();
            assert!(*starts <= limit + 1 + asked, "no more starts than allowed");
        }
    }

    fn on_announce(&mut self, event: PublicEvent) {
        let crate::events::Source::Job(job) = event.source else {
            return;
        };
        match event.code {
            EventCode::Stopping => {
                assert!(self.stopping.insert(job), "`stopping` exactly once");
                let served = self.specs[job.0 as usize].service.is_some();
                assert_eq!(self.left.contains(&job), served, "it left before");
                // The answer came, or its time is over.
                self.leaving.remove(&job);
            }
            EventCode::Stopped => {
                assert!(
                    self.stopping.contains(&job),
                    "`stopping` comes before `stopped`"
                );
                assert!(self.stopped.insert(job), "`stopped` exactly once");
                let left = self.live.keys().any(|run| run.job == job);
                assert!(!left, "`stopped` with nothing alive");
            }
            _ => {}
        }
    }

    /// A stop is over the moment nothing lives any more, and leaves no run that is no hook's in peace.
    pub(super) fn stop_is_not_held_up(&self) {
        // A hook for which there was no process is tried again.
        let mut jobs = (0..).map(JobId).zip(&self.specs);
        let retried =
            jobs.any(|(job, _)| self.jobs.status(job).expect("there").state == JobState::Backoff);
        let waits = retried || !self.leaving.is_empty();
        if self.stop_asked.is_some() && self.live.is_empty() && !waits {
            assert!(
                self.jobs.outcome().is_some(),
                "a stop in which nothing lives is over"
            );
        }
    }

    pub(super) fn deadline_is_in_the_future(&self) {
        self.stop_is_not_held_up();
        let next = self.jobs.next_deadline();
        assert!(
            next.is_none_or(|at| at > self.now),
            "the next deadline is none or later than now"
        );
    }
}
