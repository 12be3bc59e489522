//! `jobs[].action`: what a job does to another one instead of running a command.

use crate::events::Signal;
use crate::jobs::Action;

use super::keys;
use super::names::Names;
use super::walk::{Field, Finding, Place, Walk, nearest, quoted};

/// An action as it is written.
#[derive(Debug)]
pub(super) struct ActionDraft {
    pub(super) place: Place,
    /// `None`: a restart.
    signal: Option<Signal>,
    job: (String, Place),
}

impl ActionDraft {
    /// Reads `{ signal: "HUP", job: "app" }` or `{ restart: "app" }`; `None` has been reported.
    pub(super) fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<ActionDraft> {
        let mut section = walk.section(field, &keys::ACTION)?;
        let place = section.place.clone();
        let signal = section.take(walk, "signal");
        let job = section.take(walk, "job");
        let restart = section.take(walk, "restart");
        if !section.finish(walk) {
            return None;
        }
        let (signal, job) = match (signal, job, restart) {
            (Some(signal), Some(job), None) => (Some(read_signal(walk, &signal)?), job),
            (None, None, Some(job)) => (None, job),
            _ => {
                let finding = Finding::new("an action is a signal to a job, or the restart of one");
                let help = "write `{ signal: \"HUP\", job: \"app\" }` or `{ restart: \"app\" }`";
                walk.error(&place, finding.help(help));
                return None;
            }
        };
        let job = (walk.text(&job)?, job.place);
        Some(ActionDraft { place, signal, job })
    }

    /// The action, now that all names are known.
    pub(super) fn resolve(&self, walk: &mut Walk<'_>, names: &Names) -> Option<Action> {
        let (name, place) = &self.job;
        let Some(job) = names.jobs.get(name) else {
            let finding = Finding::new(format!("there is no job {}", quoted(name)));
            let finding = match nearest(name, names.jobs.keys().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            };
            walk.error(place, finding);
            return None;
        };
        Some(match self.signal {
            Some(signal) => Action::Signal(*job, signal),
            None => Action::Restart(*job),
        })
    }
}

fn read_signal(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Signal> {
    let text = walk.text(field)?;
    let signal = text.parse::<Signal>();
    if signal.is_err() {
        let finding = Finding::new(format!("cannot use {}: not a signal", quoted(&text)));
        let help = "write a name such as `HUP`, `USR1` or `RTMIN+3`, or a number";
        walk.error(&field.place, finding.help(help));
    }
    signal.ok()
}
