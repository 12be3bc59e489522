use proptest::prelude::*;

use super::*;

/// Clocks in Berlin go from 02:00 to 03:00 at 2026-03-29T01:00Z, and from 03:00 to 02:00 at 2026-10-25T01:00Z.
const FORWARD: &str = "2026-03-29T00:00:00Z";
const BACK: &str = "2026-10-24T23:00:00Z";

#[test]
fn p20_a_time_that_does_not_exist_is_made_up_for_once() {
    for (cron, expected) in [
        // 02:30 is passed over: it runs in the moment in which 03:00 begins, and the next day at 02:30.
        (
            "30 2 * * *",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        (
            "30 2,14 * * *",
            ["2026-03-29T01:00:00Z", "2026-03-29T12:30:00Z"],
        ),
        // Two that are passed over, and the first that exists again, are one run.
        (
            "0,30 2,3 * * *",
            ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        ),
        (
            "0 30 2 * * *",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        // One that exists is what it always was.
        (
            "30 3 * * *",
            ["2026-03-29T01:30:00Z", "2026-03-30T01:30:00Z"],
        ),
        // How often: the clock as it is.
        (
            "*/30 * * * *",
            ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"],
        ),
        (
            "*/30 2 * * *",
            ["2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        ("@hourly", ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]),
    ] {
        assert_eq!(moments(&in_berlin(cron), FORWARD, 2), expected, "{cron}");
    }
}

#[test]
fn p20_a_time_that_comes_twice_counts_once() {
    for (cron, expected) in [
        (
            "30 2 * * *",
            [
                "2026-10-25T00:30:00Z",
                "2026-10-26T01:30:00Z",
                "2026-10-27T01:30:00Z",
            ],
        ),
        (
            "30 2,3 * * *",
            [
                "2026-10-25T00:30:00Z",
                "2026-10-25T02:30:00Z",
                "2026-10-26T01:30:00Z",
            ],
        ),
        // How often: the clock as it is.
        (
            "30 * * * *",
            [
                "2026-10-24T23:30:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
            ],
        ),
        (
            "*/30 2 * * *",
            [
                "2026-10-25T00:00:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
            ],
        ),
    ] {
        assert_eq!(moments(&in_berlin(cron), BACK, 3), expected, "{cron}");
    }
}

#[test]
fn p20_asked_within_the_hour_that_comes_twice() {
    // The second 02:15.
    let second = "2026-10-25T01:15:00Z";
    assert_eq!(
        moments(&in_berlin("30 2 * * *"), second, 1),
        ["2026-10-26T01:30:00Z"]
    );
    assert_eq!(
        moments(&in_berlin("*/30 2 * * *"), second, 1),
        ["2026-10-25T01:30:00Z"]
    );
    // The first 02:45 of a schedule whose next match would be a year away, were it not for the second time.
    let yearly = in_berlin("*/20 2 25 10 *");
    assert_eq!(
        moments(&yearly, "2026-10-25T00:45:00Z", 1),
        ["2026-10-25T01:00:00Z"]
    );
}

#[test]
fn rare_days_and_the_other_half_of_the_world() {
    let leap = in_berlin("* 2 29 2 *");
    assert_eq!(
        moments(&leap, "2026-10-25T00:00:00Z", 1),
        ["2028-02-29T01:00:00Z"]
    );
    // West of Greenwich, with summer in January; clocks are put forward at midnight.
    let santiago = Zone::from_rule("<-04>4<-03>,M9.1.6/24,M4.1.6/24").expect("a rule");
    let midnight = schedule("0 0 * * *", santiago);
    assert_eq!(
        moments(&midnight, "2026-09-05T12:00:00Z", 2),
        ["2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"]
    );
    let kathmandu = Zone::from_rule("<+0545>-5:45").expect("a rule");
    assert_eq!(
        moments(&schedule("0 0 * * *", kathmandu), "2026-01-01T00:00:00Z", 1),
        ["2026-01-01T18:15:00Z"]
    );
}

#[test]
fn zones_without_a_file() {
    for name in ["UTC", "Etc/UTC"] {
        assert_eq!(Zone::utc_as(name).expect(name).name(), name);
    }
    assert_eq!(Zone::utc_as("Europe/Berlin"), None);
    for text in [
        "",
        "Europe/Berlin",
        "localtime",
        ":CET-1",
        "/etc/localtime1",
        "1",
        "CET-99",
    ] {
        assert_eq!(Zone::from_rule(text), None, "{text}");
    }
    assert!(Zone::from_file("x", b"no zone").is_err());
}

/// A file of version 2 (RFC 9636) as images have it now: one change of the past, and a rule for all that come.
fn file_of_berlin() -> Vec<u8> {
    let header = |counts: [u32; 6]| {
        let mut bytes = b"TZif2".to_vec();
        bytes.extend([0; 15]);
        bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        bytes
    };
    let kind = |offset: i32, is_summer: u8, name: u8| {
        let mut bytes = offset.to_be_bytes().to_vec();
        bytes.extend([is_summer, name]);
        bytes
    };
    let old = [
        header([0, 0, 0, 0, 1, 4]),
        kind(3600, 0, 0),
        b"CET\0".to_vec(),
    ];
    let new = [
        header([0, 0, 0, 1, 2, 9]),
        at("2025-10-26T01:00:00Z").to_be_bytes().to_vec(),
        vec![0],
        kind(3600, 0, 0),
        kind(7200, 1, 4),
        b"CET\0CEST\0".to_vec(),
        format!("\n{BERLIN}\n").into_bytes(),
    ];
    [old.concat(), new.concat()].concat()
}

#[test]
fn p20_a_file_goes_on_by_its_rule() {
    let zone = Zone::from_file("Europe/Berlin", &file_of_berlin()).expect("a zone");
    assert_eq!(zone.name(), "Europe/Berlin");
    for cron in ["30 2 * * *", "*/30 * * * *"] {
        let of_file = schedule(cron, zone.clone());
        for after in [FORWARD, BACK, "2045-03-25T12:00:00Z"] {
            assert_eq!(
                moments(&of_file, after, 4),
                moments(&in_berlin(cron), after, 4),
                "{cron} {after}"
            );
        }
    }
    // Torn before its rule it is no zone.
    let whole = file_of_berlin();
    for length in 0..whole.len() - BERLIN.len() - 1 {
        assert!(
            Zone::from_file("torn", &whole[..length]).is_err(),
            "{length}"
        );
    }
}

/// The moments by the definition, minute by minute: what the local clock shows, and how often it has shown that before.
fn by_definition(schedule: &Schedule, from: i64, to: i64) -> Vec<i64> {
    let repeats = schedule.cron.repeats_within_a_day();
    let is_match = |local: i64| schedule.cron.next_local(local - 1) == Some(local);
    let mut found = Vec::new();
    let mut latest = i64::MIN;
    for moment in (from - 7_200..=to).filter(|moment| moment % 60 == 0) {
        let local = moment + schedule.zone.offset(moment);
        let due = if repeats {
            is_match(local)
        } else {
            // Whatever the clock shows, or has passed over, for the first time.
            latest != i64::MIN
                && (latest + 1..=local).any(|local| local % 60 == 0 && is_match(local))
        };
        latest = latest.max(local);
        if due && moment > from {
            found.push(moment);
        }
    }
    found
}

fn field(values: std::ops::Range<u32>) -> impl Strategy<Value = String> {
    let list = prop::collection::vec(values, 1..3);
    prop_oneof![
        2 => list.prop_map(|list| list.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
        1 => Just("*".to_owned()),
        1 => (2u32..20).prop_map(|step| format!("*/{step}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p20_moments_are_those_of_the_definition(
        minute in field(0..60), hour in field(0..5), day in prop_oneof![Just("*"), Just("25"), Just("29")],
        spring in any::<bool>(), begin in 0i64..1500,
    ) {
        let schedule = in_berlin(&format!("{minute} {hour} {day} * *"));
        let change = at(if spring { FORWARD } else { BACK });
        let from = change - 86_400 + begin * 60 + 17;
        let to = from + 86_400;
        let mut found = Vec::new();
        let mut last = from;
        while let Some(next) = schedule.next_after(last).filter(|next| *next <= to) {
            found.push(next);
            last = next;
        }
        prop_assert_eq!(found, by_definition(&schedule, from, to));
    }
}
