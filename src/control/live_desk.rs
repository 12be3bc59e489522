//! Answers about what runs.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Dialect, Reply};
use super::command::Command;
use super::feed::{Feed, Stream, feed};
use super::live::{Live, OperateError, Status};
use super::patience::Patience;
use super::request::Desk;
use super::route::{Kind, LiveRoute, Order};
use crate::events::Signal;
use crate::jobs::{Operation, Progress, Refused};
use hyper::StatusCode;

impl Desk {
    /// Does what the route asks for.
    pub(super) async fn live(&self, route: LiveRoute, body: &[u8], patience: &Patience) -> Reply {
        let answer = match route {
            LiveRoute::Status => self.status(|status| json(&status)).await,
            LiveRoute::List(Kind::Jobs, Some(name)) => self.job(name).await,
            LiveRoute::List(kind, name) => {
                self.status(|status| list(&status, kind, name.as_deref()))
                    .await
            }
            LiveRoute::Operate(job, order) => match operation(order, body) {
                Ok(operation) => self.operate(job, operation).await,
                Err(answer) => answer,
            },
            LiveRoute::Maintenance(enable) => self.maintenance(enable).await,
            LiveRoute::Events { follow } => return self.events(follow, patience).await,
            LiveRoute::Lines { job, follow } => return self.lines(job, follow, patience).await,
            LiveRoute::Publish => self.publish(body).await,
        };
        Reply::Whole(answer)
    }

    async fn status(&self, show: impl FnOnce(Status) -> Answer) -> Answer {
        match self.ask_live(|reply| Live::Status { reply }).await {
            Ok(status) => show(status),
            Err(answer) => answer,
        }
    }

    async fn job(&self, name: String) -> Answer {
        let asked = name.clone();
        match self.ask_live(|reply| Live::Job { name, reply }).await {
            Ok(Some(job)) => json(&job),
            Ok(None) => unknown("job", &asked),
            Err(answer) => answer,
        }
    }

    async fn operate(&self, job: String, operation: Operation) -> Answer {
        let name = job.clone();
        let ask = |reply| Live::Operate {
            job,
            operation,
            reply,
        };
        match self.ask_live(ask).await {
            Ok(Ok(progress)) => json(&json!({ "job": name, "result": progress.name() })),
            Ok(Err(OperateError::Unknown)) => unknown("job", &name),
            Ok(Err(OperateError::Refused(refused))) => {
                let status = match refused {
                    Refused::Ending => StatusCode::SERVICE_UNAVAILABLE,
                    Refused::Leaving | Refused::NotRunning | Refused::NoCheck => {
                        StatusCode::CONFLICT
                    }
                };
                Answer::error(status, refused.code(), &refused.to_string())
            }
            Err(answer) => answer,
        }
    }

    async fn maintenance(&self, enable: bool) -> Answer {
        match self
            .ask(|reply| Command::Maintenance { enable, reply })
            .await
        {
            Ok(Ok(())) => json(&json!({ "result": Progress::Begun.name() })),
            Ok(Err(reason)) => Answer::error(StatusCode::CONFLICT, "refused", &reason),
            Err(silence) => silence.answer(Dialect::Api),
        }
    }

    async fn events(&self, follow: bool, patience: &Patience) -> Reply {
        let (feed, stream) = match self.place(follow, patience) {
            Ok(place) => place.unzip(),
            Err(answer) => return Reply::Whole(answer),
        };
        let events = match self.ask_live(|reply| Live::Events { feed, reply }).await {
            Ok(events) => events,
            Err(answer) => return Reply::Whole(answer),
        };
        let Some(stream) = stream else {
            return Reply::Whole(json(&json!({ "events": events })));
        };
        let texts = events.iter().map(serde_json::to_string);
        following(stream, texts.filter_map(Result::ok), patience)
    }

    async fn lines(&self, job: String, follow: bool, patience: &Patience) -> Reply {
        let (feed, stream) = match self.place(follow, patience) {
            Ok(place) => place.unzip(),
            Err(answer) => return Reply::Whole(answer),
        };
        let name = job.clone();
        let lines = match self
            .ask_live(|reply| Live::Lines { job, feed, reply })
            .await
        {
            Ok(Some(lines)) => lines,
            Ok(None) => return Reply::Whole(unknown("job", &name)),
            Err(answer) => return Reply::Whole(answer),
        };
        match stream {
            None => Reply::Whole(json(&json!({ "job": name, "lines": lines }))),
            Some(stream) => following(stream, lines, patience),
        }
    }

    /// A place for a follower, if one is wanted: there are only so many.
    fn place(&self, follow: bool, patience: &Patience) -> Result<Option<(Feed, Stream)>, Answer> {
        if !follow {
            return Ok(None);
        }
        let place = std::sync::Arc::clone(&self.followers).try_acquire_owned();
        let place = place.map_err(|_| {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Answer::error(
                status,
                "too_many_followers",
                "too many clients follow something",
            )
        })?;
        Ok(Some(feed(place, patience.clone())))
    }

    async fn publish(&self, body: &[u8]) -> Answer {
        let Some(name) = text_in(body, "event") else {
            let reason = "the body is not `{ \"event\": \"NAME\" }`";
            return Answer::failure(Dialect::Api, StatusCode::UNPROCESSABLE_ENTITY, reason);
        };
        let event = name.clone();
        match self.ask_live(|reply| Live::Publish { event, reply }).await {
            Ok(Ok(heard)) => json(&json!({ "event": name, "heard": heard })),
            Ok(Err(reason)) => {
                Answer::failure(Dialect::Api, StatusCode::UNPROCESSABLE_ENTITY, &reason)
            }
            Err(answer) => answer,
        }
    }

    async fn ask_live<T>(
        &self,
        ask: impl FnOnce(tokio::sync::oneshot::Sender<T>) -> Live,
    ) -> Result<T, Answer> {
        let asked = self.ask(|reply| Command::Live(ask(reply))).await;
        asked.map_err(|silence| silence.answer(Dialect::Api))
    }
}

fn following(
    mut stream: Stream,
    first: impl IntoIterator<Item = String>,
    patience: &Patience,
) -> Reply {
    stream.begin_with(first);
    patience.lift();
    Reply::Stream(Box::new(stream))
}

fn json(value: &impl Serialize) -> Answer {
    Answer::json(StatusCode::OK, value)
}

fn unknown(kind: &str, name: &str) -> Answer {
    let reason = format!("no {kind} is called `{name}`");
    Answer::failure(Dialect::Api, StatusCode::NOT_FOUND, &reason)
}

fn list(status: &Status, kind: Kind, name: Option<&str>) -> Answer {
    match (kind, name) {
        (Kind::Jobs, _) => json(&json!({ "jobs": status.jobs })),
        (Kind::Watches, None) => json(&json!({ "watches": status.watches })),
        (Kind::Services, None) => json(&json!({ "services": status.services })),
        (Kind::Watches, Some(name)) => {
            let found = status.watches.iter().find(|watch| watch.name == name);
            found.map_or_else(|| unknown("watch", name), json)
        }
        (Kind::Services, Some(name)) => {
            let mut services = status.services.iter();
            let found = services.find(|service| service.name == name || service.id == name);
            found.map_or_else(|| unknown("service", name), json)
        }
    }
}

fn operation(order: Order, body: &[u8]) -> Result<Operation, Answer> {
    Ok(match order {
        Order::Start => Operation::Start,
        Order::Stop => Operation::Stop,
        Order::Restart => Operation::Restart,
        Order::Check(on) => Operation::Check(on),
        Order::Maintenance(on) => Operation::Maintenance(on),
        Order::Signal => {
            let reason = "the body is not `{ \"signal\": \"NAME\" }`, such as `HUP`";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let wrong = || Answer::failure(Dialect::Api, status, reason);
            let name = text_in(body, "signal").ok_or_else(wrong)?;
            Operation::Signal(name.parse::<Signal>().map_err(|_| wrong())?)
        }
    })
}

fn text_in(body: &[u8], key: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get(key)?.as_str()?.to_owned())
}
