//! Calls and questions, each a task beside the loop.

use std::sync::Arc;
use std::time::Instant;

use super::{Answered, Discovery};
use crate::discovery::consul::Client;
use crate::events::{Failure, JobId};
use crate::services::{Call, CallId, Reply, Subject};
use crate::watches::{AskId, Mode, Question};

impl Discovery {
    /// Makes a call beside the loop.
    pub(in crate::supervisor) fn call(&mut self, job: JobId, id: CallId, call: Call) {
        let Some(client) = self.client.clone() else {
            return;
        };
        let places = match call {
            Call::Deregister(_) => Arc::clone(&self.exits),
            Call::Register(..) | Call::Update { .. } | Call::Inspect(_) => Arc::clone(&self.places),
        };
        let answers = self.answers.clone();
        let task = async move {
            // Never closed: it lives as long as a task holds it.
            let _place = places.acquire().await;
            let asked = Instant::now();
            let (subject, result) = perform(&client, call).await;
            // Nobody listens any more only at the end of the program.
            let _ = answers
                .send(Answered::Call {
                    job,
                    id,
                    subject,
                    result,
                    took: asked.elapsed(),
                })
                .await;
        };
        self.calls.insert(id, tokio::spawn(task).abort_handle());
    }

    /// Asks beside the loop.
    pub(in crate::supervisor) fn ask(&mut self, id: AskId, question: Question) {
        let Some(client) = self.client.clone() else {
            return;
        };
        let (answers, places) = (self.answers.clone(), Arc::clone(&self.places));
        let task = async move {
            // What stands is counted by the rules. What is answered at once waits for a place, so that five hundred
            // watches do not make five hundred connections in one moment.
            let stands = matches!(question.mode, Mode::Change { .. });
            let place = if stands {
                None
            } else {
                places.acquire().await.ok()
            };
            let result = client.ask(&question).await;
            drop(place);
            let _ = answers.send(Answered::Ask { id, result }).await;
        };
        self.asks.insert(id, tokio::spawn(task).abort_handle());
    }

    pub(in crate::supervisor) fn pulse(&mut self, id: AskId) {
        let Some(client) = self.client.clone() else {
            return;
        };
        let answers = self.answers.clone();
        let task = async move {
            let result = client.pulse().await;
            let _ = answers.send(Answered::Pulse { id, result }).await;
        };
        self.asks.insert(id, tokio::spawn(task).abort_handle());
    }

    pub(in crate::supervisor) fn abandon_call(&mut self, id: CallId) {
        if let Some(task) = self.calls.remove(&id) {
            task.abort();
        }
    }

    pub(in crate::supervisor) fn abandon_ask(&mut self, id: AskId) {
        if let Some(task) = self.asks.remove(&id) {
            task.abort();
        }
    }
}

async fn perform(client: &Client, call: Call) -> (Subject, Result<Reply, Failure>) {
    match call {
        Call::Register(registration, status) => {
            let result = client.register(&registration, Some(status)).await;
            (Subject::Registration, result.map(|()| Reply::Done))
        }
        Call::Update {
            check,
            status,
            output,
        } => {
            let result = client.update(&check, status, &output).await;
            (Subject::HealthUpdate, result.map(|()| Reply::Done))
        }
        Call::Deregister(id) => {
            let result = client.deregister(&id).await;
            (Subject::Deregistration, result.map(|()| Reply::Done))
        }
        Call::Inspect(id) => {
            let result = client.inspect(&id).await;
            (Subject::Inspection, result.map(Reply::Found))
        }
    }
}
