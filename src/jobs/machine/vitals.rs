//! What a job's health and its own words do to the job.

use super::{Job, Phase};
use crate::events::{Notice, Run};
use crate::jobs::effect::Note;
use crate::jobs::turn::Turn;

impl Job {
    /// The processes of a run said something. Only the present run of the command speaks for the job.
    pub(in crate::jobs) fn on_notice(&mut self, run: Run, notice: Notice, turn: &mut Turn<'_>) {
        let Phase::Running { live, .. } = &self.phase else {
            return;
        };
        if live.run != run || !live.is_up() {
            return;
        }
        if let Some(check) = &mut self.check {
            check.on_notice(notice, turn);
        }
    }

    /// After whatever has happened: what is not there is not ready, and a check that has failed for good may end the run,
    /// which is then started again like any other (J09).
    pub(in crate::jobs) fn heed_health(&mut self, turn: &mut Turn<'_>) {
        let Some(check) = &mut self.check else {
            return;
        };
        if !matches!(self.phase, Phase::Running { .. } | Phase::Keeping { .. }) {
            return check.on_down();
        }
        if let Phase::Running { live, .. } = &mut self.phase
            && live.is_up()
            && check.wants_restart()
            && !turn.stopping
        {
            turn.report(self.id, Note::Restarting);
            self.unwell = true;
            live.terminate(turn.now, turn.effects);
        }
    }
}
