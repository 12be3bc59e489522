use std::time::{Duration, Instant};

use super::super::numbers::Numbers;
use super::super::recorder::{Recorder, What};
use super::super::report::Names;
use crate::config::{Addresses, Config, Input, Variables, Zones, load};
use crate::events::{EventCode, Exit, JobId, PublicEvent, Run, RunId, RunKind, Source};
use crate::jobs::Note;

fn config(names: &[&str]) -> Config {
    let jobs: Vec<String> = names
        .iter()
        .map(|name| format!("{{ name: '{name}', exec: 'a' }}"))
        .collect();
    let input = Input {
        file: "a",
        text: &format!("{{ jobs: [{}] }}", jobs.join(", ")),
        variables: &Variables::new(),
        addresses: Addresses::NotLookedUp,
        zones: Zones::NotLookedUp,
        app: None,
    };
    load(&input).unwrap().config
}

fn names(names: &[&str], numbers: &mut Numbers) -> Names {
    let mut config = config(names);
    let ids = numbers.number(&mut config);
    numbers.settle(&ids);
    Names::new(&config, &ids)
}

fn run(id: u64) -> Run {
    Run {
        id: RunId(id),
        job: JobId(0),
        kind: RunKind::Main,
    }
}

fn of_check(code: EventCode) -> What {
    let source = Source::Check(JobId(0));
    What::Event(PublicEvent { code, source })
}

/// A recorder to which everything happened at one-second intervals, the last thing a second ago.
fn recorded(all: impl IntoIterator<Item = What>) -> (Recorder, Instant) {
    let mut recorder = Recorder::default();
    let mut at = Instant::now();
    for what in all {
        recorder.record(what, at);
        at += Duration::from_secs(1);
    }
    (recorder, at)
}

#[test]
fn entries_are_told_with_their_ages_oldest_first() {
    let names = names(&["app"], &mut Numbers::default());
    let exit = Exit::Code(3);
    let delay = Duration::from_millis(100);
    let (recorder, now) = recorded([
        What::Started {
            run: run(1),
            pid: 7,
        },
        What::Exited { run: run(1), exit },
        What::Event(PublicEvent::job(EventCode::ExitFailed, JobId(0))),
        What::Note(JobId(0), Note::BackingOff { delay }),
    ]);
    let expected = [
        "-4.000 app started, pid 7",
        "-3.000 app ended: exit status 3",
        "-2.000 event exitFailed of app",
        "-1.000 app: waits 100ms for its next start",
    ];
    assert_eq!(recorder.lines(&names, now), expected);
}

#[test]
fn what_a_check_says_again_is_one_entry() {
    let names = names(&["app"], &mut Numbers::default());
    let good = || of_check(EventCode::ExitSuccess);
    let (recorder, now) = recorded([
        good(),
        good(),
        of_check(EventCode::ExitFailed),
        good(),
        What::Started {
            run: run(2),
            pid: 8,
        },
        good(),
        good(),
        good(),
    ]);
    let expected = [
        "-7.000 event exitSuccess of check.app (2 times)",
        "-6.000 event exitFailed of check.app",
        "-5.000 event exitSuccess of check.app",
        "-4.000 app started, pid 8",
        "-1.000 event exitSuccess of check.app (3 times)",
    ];
    assert_eq!(recorder.lines(&names, now), expected);
}

#[test]
fn a_flood_keeps_the_last_entries_alone() {
    let names = names(&["app"], &mut Numbers::default());
    let (recorder, now) = recorded((0..10_000).map(|id| What::Killed(run(id))));
    assert_eq!(recorder.lines(&names, now).len(), 256);
    assert!(
        recorder
            .text(&[], "r")
            .contains("(9744 older entries are gone)")
    );
}

#[test]
fn a_job_that_a_reload_removed_keeps_its_name() {
    let mut numbers = Numbers::default();
    let old = names(&["app", "other"], &mut numbers);
    let (recorder, now) = recorded([What::Killed(run(1))]);
    let mut new = names(&["other"], &mut numbers);
    new.keep(&old, recorder.jobs(), recorder.watches());
    let mut newest = names(&["third"], &mut numbers);
    newest.keep(&new, recorder.jobs(), recorder.watches());
    assert_eq!(recorder.lines(&newest, now), ["-1.000 killing app"]);
}
