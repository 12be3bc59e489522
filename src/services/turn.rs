//! What one turn of the rules reads and writes beside the service itself.

use std::time::Instant;

use super::order::{CallId, Note, Order};
use crate::events::{Jitter, JobId};

#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    pub(super) jitter: &'a mut Jitter,
    pub(super) calls: &'a mut CallId,
    pub(super) orders: &'a mut Vec<Order>,
}

impl Turn<'_> {
    pub(super) fn report(&mut self, job: JobId, note: Note) {
        self.orders.push(Order::Report(job, note));
    }

    pub(super) fn next_call(&mut self) -> CallId {
        let id = *self.calls;
        self.calls.0 += 1;
        id
    }
}
