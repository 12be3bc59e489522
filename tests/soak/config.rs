//! What runs in a soak.

/// Jobs with a check a second.
pub(super) const CHECKED: usize = 200;

/// Of those, jobs that are registered in the catalogue.
pub(super) const SERVICES: usize = 20;

/// Watches beside the one whose hook is counted: some of services that are there, most of some that are not.
const WATCHES: usize = 99;

/// Jobs that end at once, for ever.
const CRASHING: usize = 10;

/// `version` tells one configuration from the next one.
pub(super) fn configuration(consul: &str, version: u32) -> String {
    let mut jobs: Vec<String> = (0..CHECKED).map(checked).collect();
    jobs.extend((0..CRASHING).map(|number| {
        format!(
            r#"{{ name: "crash{number}", exec: "false", restarts: "unlimited",
                 backoff: {{ initial: "200ms", max: "2s" }} }}"#
        )
    }));
    jobs.push(
        r#"{ name: "tick", exec: { shell: "echo tick >> @DIR@/ticks" }, timeout: "20s", when: { interval: "1s" } },
           { name: "flood", exec: "seq 1 2000", timeout: "20s", when: { interval: "1s" } },
           { name: "heard", exec: { shell: "echo heard >> @DIR@/heard" }, when: { source: "event.soak" } },
           { name: "restarted", exec: { shell: "echo up >> @DIR@/restarted; exec sleep 100002" } },
           { name: "hook", exec: { shell: 'echo "$CONTAINERPILOT_WATCH_INSTANCES" >> @DIR@/seen' },
             when: { source: "watch.target", each: "changed" } }"#
            .to_owned(),
    );
    jobs.push(format!(
        r#"{{ name: "changing", exec: {{ shell: "echo up >> @DIR@/changing; exec sleep 100003" }}, env: {{ VERSION: "{version}" }} }}"#
    ));
    let mut watches = vec![r#"{ name: "target", interval: 10 }"#.to_owned()];
    watches.extend(
        (0..WATCHES).map(|number| format!(r#"{{ name: "checked{}", interval: 10 }}"#, number * 3)),
    );
    format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, consul: "{consul}", stopTimeout: 5,
             logging: {{ output: "/dev/null" }}, jobs: [ {} ], watches: [ {} ] }}"#,
        jobs.join(",\n"),
        watches.join(",\n")
    )
}

fn checked(number: usize) -> String {
    let service = if number < SERVICES {
        format!(
            r#"port: {}, interfaces: "static:127.0.0.1","#,
            30_000 + number
        )
    } else {
        String::new()
    };
    format!(
        r#"{{ name: "checked{number}", exec: "sleep 100001", {service}
             health: {{ exec: "true", interval: 1, ttl: 30 }} }}"#
    )
}
