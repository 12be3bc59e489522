//! Watches: what the configuration wants to hear of the catalogue, and when it hears it.
//!
//! The room is pure: [`Watches`] takes answers and the time, and orders questions and events. It knows no server; the
//! shell asks and tells what came of it.
//!
//! What it promises: `changed`, then `healthy` or `unhealthy`, once for each real change of ids, addresses, ports, tags and
//! health (spec 5); the first answer at once; state for each subject of its own (D15); nothing lost and nothing invented
//! while the catalogue is away, restarts, answers with nothing or jumps in its index (C01, C08–C13).
//!
//! | file | the rule in it |
//! | --- | --- |
//! | `spec.rs` | what a watch is |
//! | `question.rs` | what is asked of the catalogue, and what it answers |
//! | `query.rs` | the asking about one subject: the index, the pace, the next question |
//! | `machine.rs` | all watches: who shares what, who hears what |
//! | `pulse.rs` | whether the server works, and what follows when it does not |
//! | `change.rs` | what a reload keeps of them |
//! | `order.rs` | what the rules order |

mod change;
mod machine;
mod order;
mod pulse;
mod query;
mod question;
mod spec;

#[cfg(test)]
mod tests;

pub use machine::Watches;
pub use order::{AskId, Note, Order};
pub use question::{Answer, Entry, Found, Instance, Mode, Question, Subject, Target};
pub use spec::{Debounce, WatchSpec};
