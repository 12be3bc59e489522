//! Sessions: who may hold locks, for how long, and what happens to the locks afterwards.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::limits::{SESSION_TTL, SESSION_TTL_TIMES};
use super::model::Status;
use super::problem::Problem;
use super::topic::Topic;
use super::{Tables, Timer};

/// What happens to the keys of a session that ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// Their locks are free.
    #[default]
    Release,
    /// They go.
    Delete,
}

/// A session as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionSpec {
    pub(crate) name: String,
    /// Empty: this node.
    pub(crate) node: String,
    /// For how long nobody can lock what it held.
    pub(crate) lock_delay: Duration,
    pub(crate) behavior: Behavior,
    /// None, or zero: it lasts until it is destroyed.
    pub(crate) ttl: Option<Duration>,
    /// The TTL as it was written.
    pub(crate) ttl_text: String,
    /// Checks of its node: when one is critical or gone, so is the session.
    pub(crate) checks: Vec<String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) spec: SessionSpec,
    pub(crate) create: u64,
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_id: BTreeMap<String, Session>,
}

impl Tables {
    /// All sessions, by id.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.by_id.values()
    }

    /// One session, if it is there.
    ///
    /// # Errors
    ///
    /// When the name is no session's.
    pub(crate) fn session(&self, id: &str) -> Result<Option<&Session>, Problem> {
        // Consul looks no further either.
        if id.len() != 36 {
            return Err(Problem::NotAUuid);
        }
        Ok(self.sessions.by_id.get(id))
    }

    pub(super) fn known_session(&self, id: &str) -> Result<&Session, Problem> {
        let session = self.session(id)?;
        session.ok_or_else(|| Problem::NoSession(id.to_owned()))
    }

    /// Makes a session with this id, which must be new.
    ///
    /// # Errors
    ///
    /// When its node or a check is not there or not well, its TTL is out of range, or a bound is reached.
    pub(crate) fn create_session(
        &mut self,
        id: String,
        mut spec: SessionSpec,
        now: Instant,
    ) -> Result<(), Problem> {
        if spec.node.is_empty() {
            spec.node.clone_from(&self.own);
        }
        let ttl = spec.ttl.filter(|ttl| !ttl.is_zero());
        if let Some(ttl) = ttl.filter(|ttl| !SESSION_TTL.contains(ttl)) {
            return Err(Problem::SessionTtl(ttl.as_nanos()));
        }
        let node = self.node(&spec.node).ok_or(Problem::NoNode)?;
        for check in &spec.checks {
            match node.checks.get(check).map(|check| check.status) {
                None => return Err(Problem::NoCheck(check.clone())),
                Some(Status::Critical) => return Err(Problem::CheckIsCritical(check.clone())),
                Some(Status::Passing | Status::Warning) => {}
            }
        }
        let limit = self.limits.sessions;
        if self.sessions.by_id.len() >= limit {
            let what = "sessions";
            return Err(Problem::Full { what, limit });
        }
        let create = self.indexes.bump();
        self.touch_session(&id);
        self.set_session_timer(&id, ttl, now);
        let session = Session {
            id: id.clone(),
            spec,
            create,
        };
        self.sessions.by_id.insert(id, session);
        Ok(())
    }

    /// Gives a session its whole TTL again.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub(crate) fn renew_session(&mut self, id: &str, now: Instant) -> Result<&Session, Problem> {
        let gone = || Problem::SessionGone(id.to_owned());
        let ttl = self.session(id)?.ok_or_else(gone)?.spec.ttl;
        self.set_session_timer(id, ttl.filter(|ttl| !ttl.is_zero()), now);
        self.sessions.by_id.get(id).ok_or_else(gone)
    }

    /// Ends a session; one that is gone is no mistake.
    ///
    /// # Errors
    ///
    /// When the name is no session's.
    pub(crate) fn destroy_session(&mut self, id: &str, now: Instant) -> Result<(), Problem> {
        self.session(id)?;
        self.invalidate(id, now);
        Ok(())
    }

    fn set_session_timer(&mut self, id: &str, ttl: Option<Duration>, now: Instant) {
        let at = ttl.and_then(|ttl| now.checked_add(ttl.saturating_mul(SESSION_TTL_TIMES)));
        self.timers.set(Timer::Session(id.to_owned()), at);
    }

    fn touch_session(&mut self, id: &str) {
        self.indexes.touch(Topic::Sessions);
        self.indexes.touch(Topic::Session(id.to_owned()));
    }

    /// The end of a session, whatever the reason.
    pub(super) fn invalidate(&mut self, id: &str, now: Instant) {
        let Some(session) = self.sessions.by_id.remove(id) else {
            return;
        };
        self.timers.set(Timer::Session(id.to_owned()), None);
        self.indexes.bump();
        self.touch_session(id);
        let delete = session.spec.behavior == Behavior::Delete;
        self.unlock_all(id, delete, session.spec.lock_delay, now);
    }

    /// A check of a node is critical or gone.
    pub(super) fn invalidate_by_check(&mut self, node: &str, check: &str, now: Instant) {
        self.invalidate_where(node, now, |spec| spec.checks.iter().any(|it| it == check));
    }

    pub(super) fn invalidate_by_node(&mut self, node: &str, now: Instant) {
        self.invalidate_where(node, now, |_| true);
    }

    fn invalidate_where(
        &mut self,
        node: &str,
        now: Instant,
        does_end: impl Fn(&SessionSpec) -> bool,
    ) {
        let sessions = self.sessions.by_id.values();
        let ending =
            sessions.filter(|it| it.spec.node.to_lowercase() == node && does_end(&it.spec));
        let ids: Vec<String> = ending.map(|session| session.id.clone()).collect();
        for id in ids {
            self.invalidate(&id, now);
        }
    }
}
