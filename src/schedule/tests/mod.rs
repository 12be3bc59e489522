//! Calendars, zones and clocks that are set; every time is given, none is read.

mod cron;
mod next;
mod timetable;

use super::{Cron, Schedule, Zone};

/// The rules of Berlin since 1996, in the words of POSIX: no file is needed.
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn schedule(cron: &str, zone: Zone) -> Schedule {
    Schedule {
        cron: Cron::parse(cron).unwrap_or_else(|fault| panic!("{cron}: {fault}")),
        zone,
    }
}

fn in_berlin(cron: &str) -> Schedule {
    schedule(cron, Zone::from_rule(BERLIN).expect("a rule"))
}

fn in_utc(cron: &str) -> Schedule {
    schedule(cron, Zone::utc())
}

/// Seconds since 1970 of a text such as `2026-03-29T01:00:00Z`.
fn at(text: &str) -> i64 {
    let time = chrono::DateTime::parse_from_rfc3339(text);
    time.unwrap_or_else(|error| panic!("{text}: {error}"))
        .timestamp()
}

fn shown(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).expect("a time that chrono knows");
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The next moments after a time.
fn moments(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut last = at(after);
    for _ in 0..count {
        let Some(next) = schedule.next_after(last) else {
            break;
        };
        assert!(next > last, "{} is not after {}", shown(next), shown(last));
        found.push(shown(next));
        last = next;
    }
    found
}
