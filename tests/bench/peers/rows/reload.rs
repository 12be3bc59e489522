//! A reload in which one job of a thousand has changed.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::super::supervisors::{Kind, Plan};
use super::super::table::{Better, Row};
use super::{Setup, ms_between, pause};

const UNCHANGED: usize = 1_000;

pub(super) fn reload(setup: &Setup) -> Vec<Row> {
    let title = "reload with 1,000 unchanged jobs and a changed one: SIGHUP to the first instruction of its new run, ms (p95)";
    let mut row = Row::new(title, Better::Neither).with_p95();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Ours) {
        row.remark(*kind, "no reload by a signal that leaves the others alone");
    }
    let Some(ours) = setup.supervisors.iter().find(|it| it.kind == Kind::Ours) else {
        return vec![row];
    };
    let plan = |round: usize| {
        let mut plan = Plan::idle(UNCHANGED);
        plan.jobs.push(format!("hold @/changed{round}"));
        plan
    };
    let arena = match setup.start(ours, &plan(0)) {
        Ok(arena) => arena,
        Err(why) => {
            row.failed(Kind::Ours, &why);
            return vec![row];
        }
    };
    let limit = Duration::from_secs(30);
    if arena.wait_records("job", UNCHANGED, limit).is_none() {
        row.failed(Kind::Ours, "the jobs did not start");
        return vec![row];
    }
    for round in 1..=setup.rounds(20) {
        // What the round before has left to do is done.
        pause(Duration::from_millis(200));
        arena.rewrite(ours, &plan(round));
        let sent = arena.signal(Signal::SIGHUP);
        match arena.wait_records(&format!("changed{round}"), 1, limit) {
            Some(records) => row.add(Kind::Ours, ms_between(sent, records[0])),
            None => row.failed(Kind::Ours, "the changed job was not started"),
        }
    }
    if arena.records("job").len() != UNCHANGED {
        row.failed(Kind::Ours, "an unchanged job was started again");
    }
    vec![row]
}
