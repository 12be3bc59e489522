//! One live run: its time limit, and the ladder from TERM to KILL to gone.
//!
//! ```text
//!            terminate                 kill_at
//!   Up ────────────────────> Ending ───────────> Killed ──(2 s)──> unkillable: reported once
//!    │  timeout_at                                 ^
//!    └─────────────────────────────────────────────┘
//! ```
//!
//! In every stage the first process may be collected while others that the run owns are left; the run is over only when
//! nothing is left (decision 22). A process that outlives the run's first one is asked to end as if the job were being
//! stopped, unless the job keeps its orphans.

use std::time::{Duration, Instant};

use super::effect::{Effect, Note};
use crate::events::later;
use crate::events::{Exit, Run};

/// A run that KILL has not ended after this time waits in the kernel (uninterruptible sleep) and may do so for ever.
const UNKILLABLE_AFTER: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub(super) struct LiveRun {
    pub(super) run: Run,
    pub(super) since: Instant,
    /// From TERM to KILL.
    grace: Duration,
    stage: Stage,
    /// How the first process ended, once it has.
    exit: Option<Exit>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Up {
        timeout: Option<(Instant, Duration)>,
    },
    Ending {
        kill_at: Instant,
    },
    Killed {
        hopeless_at: Instant,
    },
    /// Reported; only the kernel can end it.
    Unkillable,
}

impl LiveRun {
    pub(super) fn new(
        run: Run,
        now: Instant,
        timeout: Option<Duration>,
        grace: Duration,
    ) -> LiveRun {
        // A limit beyond what the clock can count is no limit.
        let timeout = timeout.and_then(|limit| Some((now.checked_add(limit)?, limit)));
        LiveRun {
            run,
            since: now,
            grace,
            stage: Stage::Up { timeout },
            exit: None,
        }
    }

    /// From now on it has so long from TERM to KILL; one that is ending already keeps what it was given.
    pub(super) fn set_grace(&mut self, grace: Duration) {
        if self.is_up() {
            self.grace = grace;
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Up { timeout } => timeout.map(|(at, _)| at),
            Stage::Ending { kill_at } => Some(kill_at),
            Stage::Killed { hopeless_at } => Some(hopeless_at),
            Stage::Unkillable => None,
        }
    }

    /// Whether nobody has asked it to end yet.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up { .. })
    }

    /// Whether its own time limit will end it before `instant`.
    pub(super) fn times_out_before(&self, instant: Instant) -> bool {
        matches!(self.stage, Stage::Up { timeout: Some((at, _)) } if at <= instant)
    }

    pub(super) fn is_unkillable(&self) -> bool {
        matches!(self.stage, Stage::Unkillable)
    }

    /// The first process's exit, if it has been collected.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// The first process was collected; what it left may stay for as long as the job does.
    pub(super) fn into_kept(self, exit: Exit) -> LiveRun {
        LiveRun {
            stage: Stage::Up { timeout: None },
            exit: Some(exit),
            ..self
        }
    }

    /// The first process was collected and others are left.
    pub(super) fn on_exit_with_leftovers(
        &mut self,
        exit: Exit,
        now: Instant,
        out: &mut Vec<Effect>,
    ) {
        self.exit = Some(exit);
        match self.stage {
            Stage::Up { .. } => self.terminate(now, out),
            // What was started after the request has not heard it. Who has is not asked twice, see `process::terminate`.
            Stage::Ending { .. } => out.push(Effect::Terminate(self.run)),
            // What the first process had started but nobody had seen before deserves no second chance.
            Stage::Killed { .. } | Stage::Unkillable => out.push(Effect::Kill(self.run)),
        }
    }

    /// Asks it to end; asking twice changes nothing.
    pub(super) fn terminate(&mut self, now: Instant, out: &mut Vec<Effect>) {
        if !self.is_up() {
            return;
        }
        if self.grace.is_zero() {
            return self.kill(now, out);
        }
        out.push(Effect::Terminate(self.run));
        self.stage = Stage::Ending {
            kill_at: later(now, self.grace),
        };
    }

    /// Kills it; asking twice changes nothing.
    pub(super) fn kill(&mut self, now: Instant, out: &mut Vec<Effect>) {
        if matches!(self.stage, Stage::Killed { .. } | Stage::Unkillable) {
            return;
        }
        out.push(Effect::Kill(self.run));
        self.stage = Stage::Killed {
            hopeless_at: later(now, UNKILLABLE_AFTER),
        };
    }

    /// The program was frozen for `by`, and so was the run: its limits move on (X08).
    pub(super) fn thaw(&mut self, by: Duration) {
        match &mut self.stage {
            Stage::Up {
                timeout: Some((at, _)),
            } => *at = later(*at, by),
            Stage::Ending { kill_at } => *kill_at = later(*kill_at, by),
            Stage::Killed { hopeless_at } => *hopeless_at = later(*hopeless_at, by),
            Stage::Up { timeout: None } | Stage::Unkillable => {}
        }
    }

    /// Does what is due at `now`.
    pub(super) fn on_time(&mut self, now: Instant, out: &mut Vec<Effect>) {
        let note = match self.stage {
            Stage::Up {
                timeout: Some((at, limit)),
            } if at <= now => {
                self.kill(now, out);
                Note::TimedOut {
                    run: self.run,
                    limit,
                }
            }
            Stage::Ending { kill_at } if kill_at <= now => {
                self.kill(now, out);
                Note::StopTimedOut {
                    run: self.run,
                    limit: self.grace,
                }
            }
            Stage::Killed { hopeless_at } if hopeless_at <= now => {
                self.stage = Stage::Unkillable;
                Note::Unkillable { run: self.run }
            }
            _ => return,
        };
        out.push(Effect::Report(self.run.job, note));
    }
}
