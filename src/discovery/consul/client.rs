//! The calls.

use std::sync::{Arc, Mutex};

use reqwest::{Method, StatusCode};

use crate::events::Failure;
use crate::services::{CheckStatus, Registered, Registration};
use crate::watches::{Answer, Mode, Question};

use super::answer;
use super::credentials::Material;
use super::error::SetupError;
use super::exchange::{Reply, exchange};
use super::limits::Limits;
use super::lookup::Lookup;
use super::outcome::Telling;
use super::payload;
use super::request::{Request, path};
use super::rotation::Rotation;
use super::session::Session;
use super::settings::Settings;
use super::standing::Way;
use super::tls;

/// A client of one catalogue; clones are the same client.
///
/// Every method is one request, ends within its limit and tries nothing again. Dropping its future closes the
/// connection. It wants a tokio runtime with timers and I/O.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) lookup: Lookup,
    pub(super) limits: Limits,
    /// The credentials in force. Locked for the moment of taking or replacing it, never over an await.
    session: Mutex<Arc<Session>>,
    pub(super) rotation: tokio::sync::Mutex<Rotation>,
}

impl Client {
    /// A client with what its files hold now. Connects to nothing. Reads files, so it blocks: call it where that does no
    /// harm.
    ///
    /// An own certificate that is out of date is taken, with a warning: the server has the last word, and a better one
    /// may come.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or not be used.
    pub fn new(settings: Settings, lookup: Lookup) -> Result<Client, SetupError> {
        Client::with_limits(settings, lookup, Limits::DEFAULT)
    }

    pub(super) fn with_limits(
        settings: Settings,
        lookup: Lookup,
        limits: Limits,
    ) -> Result<Client, SetupError> {
        // Before the files are read: a change in between is found by the next look.
        let rotation = Rotation::new(&settings);
        let material = Material::read(&settings)?;
        let session = Session::new(&settings, &material, lookup.clone(), limits)?;
        if let Err(error) = tls::check_dates(&material) {
            tracing::warn!(%error, "the client certificate for Consul is out of date");
        }
        Ok(Client {
            inner: Arc::new(Inner {
                settings,
                lookup,
                limits,
                session: Mutex::new(Arc::new(session)),
                rotation: tokio::sync::Mutex::new(rotation),
            }),
        })
    }

    /// Where it asks, for messages: without user and password.
    #[must_use]
    pub fn address(&self) -> String {
        self.inner.settings.target.to_string()
    }

    /// Whether another client would ask the same place in the same way. What is in its files may be otherwise: that is
    /// followed as it changes.
    #[must_use]
    pub fn serves_as(&self, other: &Client) -> bool {
        self.inner.settings == other.inner.settings
    }

    /// How many blocking queries may stand at once (decision 25). The client does not count them.
    #[must_use]
    pub fn max_connections(&self) -> usize {
        self.inner.settings.max_connections()
    }

    /// Writes the service with its check into the agent, over what stands there. `status` is what the check starts
    /// with; without one, the agent says critical until the first update.
    pub async fn register(
        &self,
        registration: &Registration,
        status: Option<CheckStatus>,
    ) -> Result<(), Failure> {
        let body = payload::registration(registration, status)?;
        let path = "/v1/agent/service/register".to_owned();
        self.put("register with", path, Some(body)).await
    }

    /// Says how a check stands, which is what keeps it alive. [`Failure::Unknown`] if the agent does not have it.
    pub async fn update(
        &self,
        check_id: &str,
        status: CheckStatus,
        output: &str,
    ) -> Result<(), Failure> {
        let path = path("/v1/agent/check/update", check_id)?;
        let body = payload::update(status, output)?;
        self.put("update the check in", path, Some(body)).await
    }

    /// Takes a service out, with its checks. One that is not there is taken out already.
    pub async fn deregister(&self, id: &str) -> Result<(), Failure> {
        let path = path("/v1/agent/service/deregister", id)?;
        match self.put("deregister from", path, None).await {
            Err(Failure::Unknown(_)) => Ok(()),
            result => result,
        }
    }

    /// What stands in the agent under this id.
    pub async fn inspect(&self, id: &str) -> Result<Option<Registered>, Failure> {
        let request = self.short(
            "inspect a service in",
            Method::GET,
            path("/v1/agent/service", id)?,
        );
        let done = self.success(request).await;
        match done {
            Ok((reply, session)) => {
                let telling = self.telling("inspect a service in", &session);
                let read = answer::registered(&reply.body);
                read.map(Some).map_err(|reason| telling.unreadable(&reason))
            }
            Err(Failure::Unknown(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Asks a question. With [`crate::watches::Mode::Change`] the answer comes when something has changed, or after
    /// somewhat more than the wait.
    pub async fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        let inner = &self.inner;
        let request = Request::question(question, &inner.settings, inner.limits)?;
        let target = &question.subject.target;
        let session = self.session();
        let telling = self.telling(request.doing, &session);
        let stands = matches!(question.mode, Mode::Change { .. });
        let reply = match session.lines.as_ref().filter(|_| stands) {
            Some(lines) => {
                let way = Way {
                    target: &inner.settings.target,
                    resolver: &session.resolver,
                    headers: &session.headers,
                    connect: inner.limits.connect,
                };
                lines.exchange(&way, &request, &telling).await?
            }
            None => exchange(&session, request, &telling).await?,
        };
        // A key that is not there. Without an index it is not Consul that says so.
        if reply.status == StatusCode::NOT_FOUND && reply.index.is_some() && reply.body.is_empty() {
            return Ok(Answer {
                index: reply.index,
                found: answer::nothing(target),
            });
        }
        if !reply.status.is_success() {
            return Err(telling.refused(&reply));
        }
        let found = answer::found(target, &reply.body);
        Ok(Answer {
            index: reply.index,
            found: found.map_err(|reason| telling.unreadable(&reason))?,
        })
    }

    /// Asks whether the catalogue works: it answers, and its servers have a leader.
    pub async fn pulse(&self) -> Result<(), Failure> {
        let doing = "use";
        let request = self.short(doing, Method::GET, "/v1/status/leader".to_owned());
        let (reply, session) = self.success(request).await?;
        let telling = self.telling(doing, &session);
        match serde_json::from_slice::<String>(&reply.body) {
            Ok(leader) if leader.is_empty() => Err(telling.busy("its servers have no leader")),
            Ok(_) => Ok(()),
            Err(error) => Err(telling.unreadable(&error.to_string())),
        }
    }

    async fn put(
        &self,
        doing: &'static str,
        path: String,
        body: Option<Vec<u8>>,
    ) -> Result<(), Failure> {
        let mut request = self.short(doing, Method::PUT, path);
        if let Some(body) = body {
            request = request.body(body);
        }
        self.success(request).await.map(|_| ())
    }

    fn short(&self, doing: &'static str, method: Method, path: String) -> Request {
        let inner = &self.inner;
        Request::short(doing, method, path, &inner.settings, inner.limits)
    }

    /// An answer that is a success, with the session that it came through.
    async fn success(&self, request: Request) -> Result<(Reply, Arc<Session>), Failure> {
        let session = self.session();
        let telling = self.telling(request.doing, &session);
        let reply = exchange(&session, request, &telling).await?;
        if reply.status.is_success() {
            return Ok((reply, session));
        }
        Err(telling.refused(&reply))
    }

    fn telling<'t>(&'t self, doing: &'static str, session: &'t Session) -> Telling<'t> {
        Telling {
            doing,
            settings: &self.inner.settings,
            secrets: &session.secrets,
        }
    }

    /// The credentials in force.
    pub(super) fn session(&self) -> Arc<Session> {
        Arc::clone(&self.inner.lock())
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<Session>> {
        // Nothing in the two lines that hold it can panic.
        let locked = self.session.lock();
        locked.unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Puts other credentials in force. Requests under way keep theirs.
    pub(super) fn replace(&self, session: Session) {
        *self.lock() = Arc::new(session);
    }
}
