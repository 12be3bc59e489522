//! What clients ask of the jobs as they run: done in one turn of the loop, and never waited for.

use std::time::Instant;

use super::app::App;
use crate::control::{Feed, Live, OperateError};
use crate::events::{CustomName, Event, EventCode, JobId, NotAName, PublicEvent, Source};
use crate::jobs::{Operation, Progress};
use crate::logging::Follower;

impl App {
    /// Does what a client asks and answers it. A client that has gone away is not missed.
    pub(super) fn on_live(&mut self, request: Live) {
        match request {
            Live::Status { reply } => {
                let _ = reply.send(self.show_all(Instant::now()));
            }
            Live::Job { name, reply } => {
                let job = self.job_called(&name);
                let _ = reply.send(job.and_then(|job| self.show_job(job, Instant::now())));
            }
            Live::Operate {
                job,
                operation,
                reply,
            } => {
                let _ = reply.send(self.operate(&job, operation));
            }
            Live::Publish { event, reply } => {
                let published = self.publish(&event).map_err(|error| error.to_string());
                let _ = reply.send(published);
            }
            Live::Events { feed, reply } => {
                let _ = reply.send(self.chronicle.events(feed, &self.names));
            }
            Live::Lines { job, feed, reply } => {
                let known = self.job_called(&job).is_some();
                let lines = known.then(|| self.logging.lines(&job, feed.map(follower)));
                let _ = reply.send(lines);
            }
        }
    }

    pub(super) fn job_called(&self, name: &str) -> Option<JobId> {
        let mut jobs = self.jobs.iter();
        jobs.find(|(_, spec)| spec.name == name).map(|(id, _)| id)
    }

    fn operate(&mut self, name: &str, operation: Operation) -> Result<Progress, OperateError> {
        let job = self.job_called(name).ok_or(OperateError::Unknown)?;
        self.chronicle.asked(job, operation);
        let (result, effects) = self.jobs.operate(job, operation, Instant::now());
        match &result {
            Ok(progress) => {
                let progress = progress.name();
                tracing::info!(job = name, "control: {operation} {name}: {progress}");
            }
            Err(refused) => tracing::info!(job = name, "control: {operation} {name}: {refused}"),
        }
        self.perform(effects);
        self.answer();
        result.map_err(OperateError::Refused)
    }

    /// Says how many jobs hear it.
    fn publish(&mut self, name: &str) -> Result<usize, NotAName> {
        let name: CustomName = name.parse()?;
        let event = PublicEvent {
            code: EventCode::Custom,
            source: Source::Custom(name),
        };
        let heard = self.jobs.subscribers(event);
        tracing::debug!("control: event {name} published");
        self.tell(&Event::Published(event));
        Ok(heard)
    }
}

fn follower(feed: Feed) -> Follower {
    Box::new(move |run, bytes| feed.output(run, bytes))
}
