//! Blocking queries: an answer when the index has passed the client's, or when its wait is over.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::timeout_at;

use super::answer::Answer;
use super::limits::WAIT_JITTER;
use super::query::{Query, Wait};
use super::shared::{Look, Shared};
use super::tables::{Tables, Topic};

/// Answers from the tables. What is asked for is read in the same step in which the index is, so the answer is never
/// older than the index it carries.
///
/// # Errors
///
/// When the query's `index` or `wait` cannot be read.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    query: &Query,
    topic: Topic,
    read: impl Fn(&Tables) -> Answer,
) -> Result<Answer, Answer> {
    let consistency = if query.has("stale") {
        "stale"
    } else if query.has("consistent") {
        "consistent"
    } else {
        "leader"
    };
    // Consul tells it for nodes and services alone.
    let tells_consistency = !matches!(
        topic,
        Topic::Key(_) | Topic::Prefix(_) | Topic::Session(_) | Topic::Sessions
    );
    let complete = |tables: &Tables, index| {
        let answer = read(tables).at_index(index);
        if tells_consistency {
            answer.with_consistency(consistency)
        } else {
            answer
        }
    };
    let (mut after, deadline) = match query.wait()? {
        Wait::No => (None, Instant::now()),
        Wait::Until { after, at_most } => {
            let wait = at_most + shared.chance.part_of(at_most / WAIT_JITTER);
            (Some(after), Instant::now() + wait)
        }
    };
    loop {
        match shared.look(&topic, after, complete) {
            Look::Seen(answer) => return Ok(answer),
            Look::Wait(mut waiting) => {
                let woken = timeout_at(deadline.into(), waiting.woken()).await;
                if woken.is_err() {
                    after = None;
                }
            }
        }
    }
}
