//! What starts a job: what it waits for, its triggers, its ticks, and a wait that was too long.

use super::{Cause, Fate, Job, Phase};
use crate::events::{EventCode, PublicEvent};
use crate::jobs::effect::Note;
use crate::jobs::spec::{Expiry, First, Overlap, Restarts, Trigger, Wait};
use crate::jobs::turn::Turn;

impl Job {
    /// An event that this job waits for, or is triggered by, was published.
    pub(in crate::jobs) fn on_subscribed(&mut self, event: PublicEvent, turn: &mut Turn<'_>) {
        if !self.opened {
            self.gate.on_event(event);
        }
        let Trigger::Each(events) = &self.spec.start.trigger else {
            return;
        };
        if !events.contains(&event) {
            return;
        }
        if self.opened {
            self.start(Some(event), turn);
        } else {
            self.early = Some(event);
        }
    }

    /// What it waits for has come true; `cause` is the event that made it so.
    pub(in crate::jobs) fn open(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        self.opened = true;
        match self.spec.start.trigger {
            Trigger::Once => self.start(cause, turn),
            Trigger::Each(_) => {
                if let Some(event) = self.early.take() {
                    self.start(Some(event), turn);
                }
            }
            Trigger::Interval { every, first, .. } => {
                if first == First::Interval {
                    self.ticks_from = turn.now;
                    self.phase = Phase::Idle;
                } else {
                    self.start(cause, turn);
                }
                self.tick = Some(turn.next_tick(self.ticks_from, every));
            }
            // The next time of its schedule is the first.
            Trigger::Cron { .. } => self.phase = Phase::Idle,
        }
    }

    /// A start is asked for.
    fn start(&mut self, cause: Cause, turn: &mut Turn<'_>) {
        if !self.may_start() {
            return;
        }
        match &mut self.phase {
            Phase::Running { again, .. } => *again = again.or(Some(cause)),
            // One run is to come already; it is told of the later event.
            Phase::Backoff { cause: told, .. } => *told = cause,
            Phase::Keeping { .. } | Phase::Halting { .. } | Phase::Complete => {}
            Phase::Waiting { .. } | Phase::Idle => {
                if let Restarts::Limited(left) = &mut self.starts {
                    *left -= 1;
                }
                let cause = cause.filter(|event| event.code != EventCode::Startup);
                self.begin(cause, turn);
            }
        }
    }

    pub(super) fn on_wait_expired(&mut self, wait: Wait, turn: &mut Turn<'_>) {
        let Wait { limit, then } = wait;
        turn.report(self.id, Note::WaitExpired { limit, then });
        turn.publish_job(EventCode::TimerExpired, self.id);
        match then {
            Expiry::Skip => {
                self.fate = Some(Fate::Skipped);
                turn.finals.push((self.id, None));
                self.halt(turn);
            }
            Expiry::Fail => self.give_up(None, turn),
            Expiry::Start => {
                self.phase = Phase::Waiting { until: None };
                self.open(None, turn);
                if matches!(self.phase, Phase::Waiting { .. }) {
                    self.start(None, turn);
                }
            }
        }
    }

    pub(super) fn on_tick(&mut self, turn: &mut Turn<'_>) {
        let Trigger::Interval { every, overlap, .. } = self.spec.start.trigger else {
            return;
        };
        let next = turn.next_tick(self.ticks_from, every);
        self.tick = Some(next);
        if self.spec.start.pauses && turn.maintenance {
            return;
        }
        let half_way = turn.now + (next - turn.now) / 2;
        match &mut self.phase {
            Phase::Idle => self.begin_tick(turn),
            Phase::Running { live, again, .. } => {
                // A run that is ending, or that its own time limit is about to end, makes room for this tick.
                if !live.is_up() || live.times_out_before(half_way) || overlap == Overlap::Queue {
                    *again = Some(None);
                } else if overlap == Overlap::Kill {
                    live.kill(turn.now, turn.effects);
                    *again = Some(None);
                } else {
                    turn.report(self.id, Note::TickSkipped);
                }
            }
            Phase::Waiting { .. }
            | Phase::Keeping { .. }
            | Phase::Backoff { .. }
            | Phase::Halting { .. }
            | Phase::Complete => {}
        }
    }

    /// The wall clock shows a time of its schedule.
    pub(in crate::jobs) fn on_clock(&mut self, turn: &mut Turn<'_>) {
        let Trigger::Cron { overlap, .. } = self.spec.start.trigger else {
            return;
        };
        // What it waits for has not come, or everything stops but this.
        let pauses = self.spec.start.pauses && turn.maintenance;
        if !self.opened || self.held || pauses {
            return;
        }
        match &mut self.phase {
            Phase::Waiting { .. } | Phase::Idle => self.begin_tick(turn),
            Phase::Running { live, again, .. } => match overlap {
                // A run that is ending makes room.
                Overlap::Skip if live.is_up() => turn.report(self.id, Note::TickSkipped),
                Overlap::Skip | Overlap::Queue => *again = Some(None),
                Overlap::Kill => {
                    live.terminate(turn.now, turn.effects);
                    *again = Some(None);
                }
            },
            // A start that failed for want of resources is to come already.
            Phase::Backoff { .. }
            | Phase::Keeping { .. }
            | Phase::Halting { .. }
            | Phase::Complete => {}
        }
    }

    fn begin_tick(&mut self, turn: &mut Turn<'_>) {
        if self.started {
            self.begin_again(None, turn);
        } else {
            self.begin(None, turn);
        }
    }
}
