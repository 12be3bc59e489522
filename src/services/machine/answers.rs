//! What came of a call, and what stands in the agent after it.

use std::time::Duration;

use super::{End, Kind, Service, Standing};
use crate::events::{Failure, later};
use crate::services::order::{CallId, Note, Reply};
use crate::services::registration::Registered;
use crate::services::turn::Turn;

/// A call that somebody has to change the configuration for is tried again so rarely (C19).
const REJECTED: Duration = Duration::from_mins(5);

/// Registrations in a row that the next call did not find before it counts as several servers under one address.
const STRAYS: u32 = 2;

impl Service {
    /// What came of the call with this number. Another number is an answer that nobody waits for.
    pub(in crate::services) fn on_answer(
        &mut self,
        id: CallId,
        result: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        let Some((_, kind)) = self.call.take_if(|(current, _)| *current == id) else {
            return;
        };
        match result {
            Ok(reply) => self.on_success(kind, reply, turn),
            Err(failure) => self.on_failure(kind, failure, turn),
        }
        self.act(turn);
    }

    fn on_success(&mut self, kind: Kind, reply: Reply, turn: &mut Turn<'_>) {
        self.retry.reset();
        self.not_before = None;
        match (kind, reply) {
            (Kind::Register, _) => {
                let proven = false;
                let current = !std::mem::take(&mut self.outdated);
                self.standing = Standing::Present { current, proven };
                self.plan_inspection(turn);
                // A service that is lost again and again is news once; that it strays is told otherwise.
                if self.strays == 0 {
                    turn.report(self.job, Note::Registered);
                }
            }
            (Kind::Update, _) => self.prove(),
            (Kind::Deregister, _) if self.standing == Standing::Astray => self.on_gathered(turn),
            (Kind::Deregister, _) => {
                if self.is_present() {
                    turn.report(self.job, Note::Deregistered);
                }
                self.standing = Standing::Absent;
                self.tell_left(true, turn);
            }
            (Kind::Inspect, Reply::Found(found)) => self.on_found(found.as_ref(), turn),
            (Kind::Inspect, Reply::Done) => self.plan_inspection(turn),
        }
    }

    fn prove(&mut self) {
        self.strays = 0;
        if let Standing::Present { proven, .. } = &mut self.standing {
            *proven = true;
        }
    }

    fn on_found(&mut self, found: Option<&Registered>, turn: &mut Turn<'_>) {
        self.plan_inspection(turn);
        let Some(found) = found else {
            if self.is_present() {
                self.on_lost(turn);
            } else {
                self.standing = Standing::Absent;
            }
            return;
        };
        let current = self.registration.is(found);
        match (&self.wanted, self.standing) {
            (None, Standing::Unknown) if current && self.end == End::No => {
                self.standing = Standing::Remnant;
                return;
            }
            (None, Standing::Unknown) => turn.report(self.job, Note::Remnant),
            (Some(_), Standing::Present { current: true, .. }) if !current => {
                turn.report(self.job, Note::Mended);
            }
            _ => {}
        }
        self.standing = Standing::Present {
            current,
            proven: true,
        };
    }

    /// It is not there though it was.
    fn on_lost(&mut self, turn: &mut Turn<'_>) {
        if let Standing::Present { proven: false, .. } = self.standing {
            self.strays = self.strays.saturating_add(1);
            if self.strays == STRAYS {
                turn.report(self.job, Note::Astray);
            }
            self.standing = Standing::Astray;
        } else {
            turn.report(self.job, Note::Lost);
            self.standing = Standing::Absent;
        }
    }

    /// What strayed was removed as far as one call can: the next registration follows at once the first time, later only
    /// after a wait, since it would stray again.
    fn on_gathered(&mut self, turn: &mut Turn<'_>) {
        self.standing = Standing::Absent;
        if self.strays >= STRAYS {
            self.wait(Kind::Register, self.patience, turn);
        }
    }

    fn on_failure(&mut self, kind: Kind, failure: Failure, turn: &mut Turn<'_>) {
        if let (Kind::Update, Some(wanted)) = (kind, &mut self.wanted) {
            // Told as soon as it can be; a newer result has taken its place meanwhile.
            wanted.owed = true;
        }
        match (kind, &failure) {
            (Kind::Update | Kind::Inspect, Failure::Unknown(_)) => return self.on_lost(turn),
            (Kind::Deregister, _) if self.standing == Standing::Astray => {
                return self.on_gathered(turn);
            }
            // It may have arrived all the same.
            (Kind::Register, failure) if failure.is_outage() => {
                self.standing = Standing::Present {
                    current: false,
                    proven: true,
                };
            }
            (Kind::Inspect, failure) if !failure.is_outage() => {
                // Reading may be forbidden or not be offered where writing is: it goes without.
                if self.standing == Standing::Unknown {
                    self.standing = Standing::Absent;
                }
                self.inspect_at = Some(later(turn.now, turn.jitter.spread(REJECTED)));
                return;
            }
            _ => {}
        }
        let delay = match &failure {
            Failure::Unreachable(_) | Failure::Busy(_) | Failure::Crowded(_) => {
                self.retry.after_failure(self.patience, turn.jitter)
            }
            Failure::Rejected(_) => turn.jitter.spread(REJECTED),
            Failure::Denied(_) | Failure::Unreadable(_) | Failure::Unknown(_) => {
                turn.jitter.within(self.patience)
            }
        };
        self.wait(kind, delay, turn);
        if self.end == End::Awaited && kind == Kind::Deregister {
            turn.report(self.job, Note::NotRemoved(failure));
            self.tell_left(true, turn);
        }
    }
}
