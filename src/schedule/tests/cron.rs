use std::time::{Duration, Instant};

use super::*;
use crate::schedule::CronFault;

#[test]
fn fields_lists_ranges_steps_and_names() {
    // A Wednesday.
    let after = "2026-07-01T12:02:30Z";
    for (cron, expected) in [
        (
            "*/5 * * * *",
            ["2026-07-01T12:05:00Z", "2026-07-01T12:10:00Z"],
        ),
        (
            "0 9-17/4 * * *",
            ["2026-07-01T13:00:00Z", "2026-07-01T17:00:00Z"],
        ),
        (
            "30 2,14 * * *",
            ["2026-07-01T14:30:00Z", "2026-07-02T02:30:00Z"],
        ),
        (
            "0 0 * * 7",
            ["2026-07-05T00:00:00Z", "2026-07-12T00:00:00Z"],
        ),
        (
            "0 0 * * MON-WED",
            ["2026-07-06T00:00:00Z", "2026-07-07T00:00:00Z"],
        ),
        (
            "0 0 1 jan,feb *",
            ["2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"],
        ),
        // Both days given: one of them is enough.
        (
            "0 0 13 * FRI",
            ["2026-07-03T00:00:00Z", "2026-07-10T00:00:00Z"],
        ),
        (
            "0 0 L * *",
            ["2026-07-31T00:00:00Z", "2026-08-31T00:00:00Z"],
        ),
        (
            "0 0 * * FRI#2",
            ["2026-07-10T00:00:00Z", "2026-08-14T00:00:00Z"],
        ),
        // A Saturday, and a Tuesday.
        (
            "0 0 15W 8,9 *",
            ["2026-08-14T00:00:00Z", "2026-09-15T00:00:00Z"],
        ),
        (
            "0 0 29 2 *",
            ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"],
        ),
        (
            "*/20 * * * * *",
            ["2026-07-01T12:02:40Z", "2026-07-01T12:03:00Z"],
        ),
        ("@hourly", ["2026-07-01T13:00:00Z", "2026-07-01T14:00:00Z"]),
        ("@daily", ["2026-07-02T00:00:00Z", "2026-07-03T00:00:00Z"]),
        ("@weekly", ["2026-07-05T00:00:00Z", "2026-07-12T00:00:00Z"]),
        ("@monthly", ["2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z"]),
        ("@yearly", ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
    ] {
        assert_eq!(moments(&in_utc(cron), after, 2), expected, "{cron}");
    }
}

#[test]
fn how_often_and_at_which_times_are_told_apart() {
    for (cron, repeats) in [
        ("* * * * *", true),
        ("*/5 2 * * *", true),
        ("0 */2 * * *", true),
        ("@hourly", true),
        ("*/10 * * * * *", true),
        ("* 0 2 * * *", true),
        ("30 2 * * *", false),
        ("30 2,14 * * 1-5", false),
        ("0-59/10 2 * * *", false),
        ("0 30 2 * * *", false),
        ("@daily", false),
    ] {
        let parsed = Cron::parse(cron).expect(cron);
        assert_eq!(parsed.repeats_within_a_day(), repeats, "{cron}");
        assert_eq!(parsed.text(), cron);
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    for (cron, part) in [
        ("", "0 fields"),
        ("5", "1 field,"),
        ("* * * *", "4 fields"),
        ("* * * * * * *", "7 fields"),
        ("60 * * * *", "`60` is no minute, which is 0 to 59"),
        ("* 24 * * *", "`24` is no hour"),
        ("61 * * * * *", "`61` is no second"),
        ("* * 0 * *", "`0` is no day of the month"),
        ("* * * 13 *", "`13` is no month"),
        ("* * * * 8", "`8` is no day of the week"),
        ("x * * * *", "`x` is no minute"),
        ("5-1 * * * *", "`5-1` is no minute"),
        ("*/0 * * * *", "`*/0` is no minute"),
        ("@reboot", "no such name"),
        ("@every 5m", "no such name"),
        (&"1,".repeat(400), "longer than 512"),
    ] {
        match Cron::parse(cron) {
            Err(CronFault::Syntax(said)) => assert!(said.contains(part), "{cron}: {said}"),
            other => panic!("{cron}: {other:?}"),
        }
    }
}

#[test]
fn what_never_matches_is_found_out_soon() {
    let begun = Instant::now();
    for cron in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "* * * 31 2 *"] {
        assert_eq!(Cron::parse(cron), Err(CronFault::Never), "{cron}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "a search without end"
    );
}
