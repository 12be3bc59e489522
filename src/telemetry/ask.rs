//! What is asked of the supervisor.

use tokio::sync::oneshot;

use super::status::Status;
use crate::metrics::Format;

/// A question of a client. A `reply` that is dropped tells it 503.
#[derive(Debug)]
pub enum Ask {
    /// Everything that is counted and measured.
    Metrics {
        format: Format,
        reply: oneshot::Sender<String>,
    },
    /// What there is, and how it is.
    Status { reply: oneshot::Sender<Status> },
    /// Whether the loop turns: the answer is all.
    Health { reply: oneshot::Sender<()> },
    /// Whether the container can be given work; else why not.
    Ready {
        reply: oneshot::Sender<Result<(), String>>,
    },
}
