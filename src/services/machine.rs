//! The states of one service.
//!
//! ```text
//!              first pass, initial status                 check result: Update
//!   Absent ──────────────────────────────> Register ──> Present ⟲ now and then: Inspect
//!     ^                                        ^            │ │
//!     │                                        └────────────┘ │ lost, or not as it should be
//!     └───────────────────── Deregister <────────────────────┘ maintenance, the job's end
//! ```
//!
//! Two facts make the state: what is *wanted* and what is *standing*. Whenever no call is under way, the difference between
//! them names the next one, so every fault ends in the same place: the difference is looked at again. At most one call of
//! a service is under way at a time, so its calls reach the agent in the order of the decisions. What an answer changes is in
//! `machine/answers.rs`.

mod answers;

use std::time::{Duration, Instant};

use super::fleet::Plan;
use super::order::{Call, CallId, Order, Presence};
use super::registration::{CheckStatus, Registration};
use super::turn::Turn;
use crate::events::{JobId, Retry, later};

/// How often a service that is left in peace is compared with what stands in the agent; spread by chance.
const INSPECTION: Duration = Duration::from_secs(30);

/// Bounds of the longest wait for another try, whatever the interval of the check.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    job: JobId,
    pub(super) registration: Registration,
    pub(super) initial: Option<CheckStatus>,
    /// The longest wait for another try: the interval of the check, so that it is back within one (C01, C03).
    pub(super) patience: Duration,
    pub(super) wanted: Option<Wanted>,
    standing: Standing,
    call: Option<(CallId, Kind)>,
    /// The registration that is under way is not the present one.
    outdated: bool,
    pub(super) retry: Retry,
    /// No call of this kind before this time. Another one is another matter: a refused update holds up no removal.
    pub(super) not_before: Option<(Kind, Instant)>,
    /// When what stands there is looked at again.
    inspect_at: Option<Instant>,
    /// Registrations in a row that were not found by the update that followed.
    strays: u32,
    pub(super) end: End,
}

/// What is to stand in the catalogue.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    status: CheckStatus,
    output: String,
    /// A result that the agent has not been told yet.
    pub(super) owed: bool,
}

/// What stands there, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nobody has looked yet.
    Unknown,
    Absent,
    /// An earlier program left it there, and it is as it should be: it stays until a check says otherwise.
    Remnant,
    /// `current`: as it should be. `proven`: a call after the registration found it.
    Present {
        current: bool,
        proven: bool,
    },
    /// Somewhere else than where the last call went: removed as far as can be before it is registered again.
    Astray,
}

/// Whether the job is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    No,
    /// The job waits for the service to leave.
    Awaited,
    /// The job knows.
    Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Register,
    Update,
    Deregister,
    Inspect,
}

impl Service {
    pub(super) fn of(plan: Plan) -> Service {
        let Plan {
            job,
            registration,
            initial,
            interval,
        } = plan;
        Service {
            job,
            registration,
            initial,
            patience: patience(interval),
            wanted: None,
            standing: Standing::Unknown,
            call: None,
            outdated: false,
            retry: Retry::default(),
            not_before: None,
            inspect_at: None,
            strays: 0,
            end: End::No,
        }
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Whether it stands in the catalogue, as far as is known.
    pub(super) fn is_present(&self) -> bool {
        matches!(self.standing, Standing::Present { .. })
    }

    /// Whether a call is under way that changes what stands there.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.call, Some((_, Kind::Register | Kind::Deregister)))
    }

    /// Whether no call is under way and nothing has to be removed.
    pub(super) fn is_settled(&self) -> bool {
        self.call.is_none() && self.next_kind(None) != Some(Kind::Deregister)
    }

    /// The call that is under way.
    pub(super) fn call(&self) -> Option<CallId> {
        self.call.map(|(id, _)| id)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.call.is_some() {
            return None;
        }
        if let Some(kind) = self.next_kind(None) {
            return self.held_until(kind);
        }
        let watched = self.wanted.is_some() && self.is_present();
        let inspection = self.inspect_at.filter(|_| watched);
        let held = self.held_until(Kind::Inspect);
        inspection.map(|at| held.map_or(at, |other| at.max(other)))
    }

    /// Until when a kind of call has to wait.
    fn held_until(&self, kind: Kind) -> Option<Instant> {
        let held = self.not_before.filter(|(held, _)| *held == kind);
        held.map(|(_, at)| at)
    }

    pub(super) fn on_presence(&mut self, presence: Presence, output: &str, turn: &mut Turn<'_>) {
        if presence == Presence::Back {
            self.end = End::No;
            return self.act(turn);
        }
        if self.end != End::No {
            return;
        }
        match presence {
            Presence::Initial if self.wanted.is_some() => {}
            Presence::Initial => {
                // What still stands there from before may have another status; a registration brings its own.
                let owed = self.is_present() || self.call.is_some();
                self.wanted = self.initial.map(|status| Wanted {
                    status,
                    output: String::new(),
                    owed,
                });
            }
            Presence::Passing => self.want(CheckStatus::Passing, "ok"),
            Presence::Critical if self.wanted.is_some() => {
                self.want(CheckStatus::Critical, output);
            }
            Presence::Critical | Presence::Back => {}
            Presence::Absent => {
                self.wanted = None;
                self.own_remnant();
            }
            Presence::Leaving => self.leave(turn),
        }
        self.act(turn);
    }

    fn want(&mut self, status: CheckStatus, output: &str) {
        self.wanted = Some(Wanted {
            status,
            output: output.to_owned(),
            owed: true,
        });
    }

    /// What was left there is ours to remove now.
    pub(super) fn own_remnant(&mut self) {
        if self.standing == Standing::Remnant {
            self.standing = Standing::Present {
                current: true,
                proven: true,
            };
        }
    }

    fn leave(&mut self, turn: &mut Turn<'_>) {
        self.own_remnant();
        self.wanted = None;
        self.not_before = None;
        self.end = End::Awaited;
        // Whatever these would say changes nothing any more, and a slow agent must not hold up the end. A registration may
        // still arrive: removing the service before would leave it there for good.
        if let Some((id, Kind::Update | Kind::Inspect)) = self.call {
            self.call = None;
            turn.orders.push(Order::Abandon(id));
        }
        let nothing_there = matches!(self.standing, Standing::Absent | Standing::Unknown);
        if nothing_there && self.call.is_none() {
            self.standing = Standing::Absent;
            self.tell_left(false, turn);
        }
    }

    fn tell_left(&mut self, was_there: bool, turn: &mut Turn<'_>) {
        if self.end == End::Awaited {
            self.end = End::Told;
            turn.orders.push(Order::Left {
                job: self.job,
                was_there,
            });
        }
    }

    /// The host has another address, so that another registration is to stand.
    pub(super) fn readdress(&mut self, address: String, turn: &mut Turn<'_>) {
        self.registration.address = Some(address);
        self.expire();
        self.act(turn);
    }

    /// Another registration is to stand than what stands, or is on its way.
    pub(super) fn expire(&mut self) {
        self.own_remnant();
        self.outdated = matches!(self.call, Some((_, Kind::Register)));
        if let Standing::Present { current, .. } = &mut self.standing {
            *current = false;
        }
    }

    /// The program was frozen for a while: the TTL is renewed before anything else (X08).
    pub(super) fn on_thaw(&mut self, turn: &mut Turn<'_>) {
        if let Some(wanted) = &mut self.wanted
            && wanted.status == CheckStatus::Passing
            && self.standing.is_present()
        {
            wanted.owed = true;
            self.act(turn);
        }
    }

    /// What may have been refused before may be permitted now (C06).
    pub(super) fn try_now(&mut self, turn: &mut Turn<'_>) {
        self.retry.reset();
        self.not_before = None;
        self.act(turn);
    }

    pub(super) fn on_time(&mut self, turn: &mut Turn<'_>) {
        self.act(turn);
    }

    fn wait(&mut self, kind: Kind, delay: Duration, turn: &mut Turn<'_>) {
        self.not_before = Some((kind, later(turn.now, delay)));
    }

    fn plan_inspection(&mut self, turn: &mut Turn<'_>) {
        self.inspect_at = Some(later(turn.now, turn.jitter.spread(INSPECTION)));
    }

    /// Makes the one call that brings what stands there nearer to what is wanted.
    fn act(&mut self, turn: &mut Turn<'_>) {
        let gone = matches!(self.standing, Standing::Absent | Standing::Unknown);
        if gone && self.call.is_none() {
            self.tell_left(true, turn);
        }
        if self.call.is_some() {
            return;
        }
        let Some(kind) = self.next_kind(Some(turn.now)) else {
            return;
        };
        if self.held_until(kind).is_some_and(|at| at > turn.now) {
            return;
        }
        self.not_before = None;
        let call = self.call_of(kind);
        let id = turn.next_call();
        self.call = Some((id, kind));
        turn.orders.push(Order::Call {
            job: self.job,
            id,
            call,
        });
    }

    /// The difference between what is wanted and what stands there. `now`: with an inspection that is due then.
    fn next_kind(&self, now: Option<Instant>) -> Option<Kind> {
        let due = || now.is_some_and(|now| self.inspect_at.is_some_and(|at| at <= now));
        match (&self.wanted, self.standing) {
            (_, Standing::Astray) | (None, Standing::Present { .. }) => Some(Kind::Deregister),
            (None, Standing::Absent | Standing::Remnant) => None,
            (None, Standing::Unknown) => (self.end == End::No).then_some(Kind::Inspect),
            (
                Some(_),
                Standing::Unknown
                | Standing::Absent
                | Standing::Remnant
                | Standing::Present { current: false, .. },
            ) => Some(Kind::Register),
            (Some(wanted), Standing::Present { current: true, .. }) if wanted.owed => {
                Some(Kind::Update)
            }
            (Some(_), Standing::Present { current: true, .. }) => due().then_some(Kind::Inspect),
        }
    }

    fn call_of(&mut self, kind: Kind) -> Call {
        let id = self.registration.id.clone();
        match (kind, &mut self.wanted) {
            (Kind::Register, Some(wanted)) => {
                Call::Register(Box::new(self.registration.clone()), wanted.status)
            }
            (Kind::Update, Some(wanted)) => {
                wanted.owed = false;
                Call::Update {
                    check: self.registration.check_id(),
                    status: wanted.status,
                    output: wanted.output.clone(),
                }
            }
            (Kind::Inspect, _) => Call::Inspect(id),
            (Kind::Deregister, _) | (Kind::Register | Kind::Update, None) => Call::Deregister(id),
        }
    }
}

/// The longest wait for another try, by the interval of the check.
pub(super) fn patience(interval: Duration) -> Duration {
    interval.clamp(PATIENCE.0, PATIENCE.1)
}

impl Standing {
    fn is_present(self) -> bool {
        matches!(self, Standing::Present { .. })
    }
}
