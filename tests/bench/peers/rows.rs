//! What is measured, row by row.

mod busy;
mod discovery;
mod reload;
mod rest;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::arena::{Arena, LIMIT};
use super::supervisors::{Kind, Plan, Supervisor};
use super::table::Row;

/// What every measurement needs.
pub(super) struct Setup {
    pub(super) stub: PathBuf,
    pub(super) supervisors: Vec<Supervisor>,
    pub(super) quick: bool,
}

/// Rows that come from the same runs.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) measure: fn(&Setup) -> Vec<Row>,
}

/// All groups, in the order of the table.
pub(super) const GROUPS: &[Group] = &[
    Group {
        name: "start",
        measure: busy::start,
    },
    Group {
        name: "memory",
        measure: rest::memory,
    },
    Group {
        name: "many",
        measure: rest::many,
    },
    Group {
        name: "orphans",
        measure: busy::orphans,
    },
    Group {
        name: "crash",
        measure: busy::crash,
    },
    Group {
        name: "restarts",
        measure: busy::restarts,
    },
    Group {
        name: "lines",
        measure: busy::lines,
    },
    Group {
        name: "stop",
        measure: busy::stop,
    },
    Group {
        name: "idle",
        measure: rest::idle,
    },
    Group {
        name: "signals",
        measure: busy::signals,
    },
    Group {
        name: "reload",
        measure: reload::reload,
    },
    Group {
        name: "discovery",
        measure: discovery::discovery,
    },
    Group {
        name: "size",
        measure: rest::size,
    },
];

impl Setup {
    /// The number of rounds; few of them for the slow and in a quick run.
    fn rounds(&self, usual: usize) -> usize {
        if self.quick { usual.div_ceil(8) } else { usual }
    }

    /// Calls for each supervisor in turn, round after round. supervisord starts and restarts in steps of a second and
    /// gets fewer rounds.
    fn each_round(
        &self,
        usual: usize,
        wanted: impl Fn(Kind) -> bool,
        mut run: impl FnMut(&Supervisor),
    ) {
        let rounds = self.rounds(usual);
        for round in 0..rounds {
            for supervisor in self.supervisors.iter().filter(|it| wanted(it.kind)) {
                if supervisor.kind != Kind::Supervisord || round < rounds.div_ceil(5) {
                    run(supervisor);
                }
            }
        }
    }

    fn start(&self, supervisor: &Supervisor, plan: &Plan) -> Result<Arena, String> {
        Arena::start(supervisor, plan, &self.stub, Stdio::null())
    }

    /// The same, and waits until all its jobs run; the moment of the last one's first instruction.
    fn start_all(&self, supervisor: &Supervisor, plan: &Plan) -> Result<(Arena, u64), String> {
        let arena = self.start(supervisor, plan)?;
        let starts = arena.wait_records("job", plan.jobs.len(), LIMIT);
        match starts.and_then(|starts| starts.into_iter().max()) {
            Some(last) => Ok((arena, last)),
            None => Err(format!("the jobs did not start: {}", arena.last_words())),
        }
    }
}

/// Says for all single-child programs why a row is empty.
fn single_child(row: &mut Row, why: &str) {
    for kind in [Kind::None, Kind::Tini, Kind::DumbInit] {
        row.remark(kind, why);
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
fn as_float(value: u64) -> f64 {
    value as f64
}

/// Nanoseconds between two moments, as milliseconds.
fn ms_between(from: u64, to: u64) -> f64 {
    as_float(to.saturating_sub(from)) / 1e6
}

fn pause(time: Duration) {
    std::thread::sleep(time);
}
