//! What the rules of watches order.

use super::question::Question;
use crate::events::PublicEvent;

/// The number of one question or pulse; never used twice while the program lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AskId(pub u64);

/// An order, in the imperative. The shell performs orders in the sequence in which they come and waits for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Ask; answered by [`super::Watches::on_answer`] with the same number.
    Ask { id: AskId, question: Question },
    /// Ask whether the catalogue works at all; answered by [`super::Watches::on_pulse`].
    Pulse(AskId),
    /// The answer to this is not waited for any more.
    Abandon(AskId),
    /// Tell everybody; what was found is there to be read by then.
    Publish(PublicEvent),
    /// Tell the operator.
    Report(Note),
}

/// What an operator wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// There are more subjects than questions may stand at once: they take turns (decision 25).
    TakingTurns { subjects: usize, room: usize },
    /// The catalogue does not take so many connections: fewer questions stand at once (C13).
    Crowded { room: usize },
}
