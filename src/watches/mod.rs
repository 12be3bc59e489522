//! Watches: which services of the catalogue the configuration wants to hear of.
//!
//! The room holds the checked description of each watch. What counts as a change, and the asking, are built with the
//! catalogue client; until then a watch is a name that `when` may refer to (`watch.<name>`).

mod question;
mod spec;

pub use question::{Answer, Entry, Found, Instance, Mode, Question, Subject, Target};
pub use spec::WatchSpec;
