//! Hooks, dependencies and limits of restarts, as a user drives them (S04, J07, J08).

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// A script that notes its words, then waits for TERM, which it notes as well.
const APP: &str = "trap 'echo term $1 >> @DIR@/journal; exit 0' TERM; echo up $1 >> @DIR@/journal; while :; do sleep 0.01; done";

fn note(word: &str) -> String {
    format!("['sh', '-c', 'echo {word} >> @DIR@/journal']")
}

fn app(name: &str) -> String {
    format!("['sh', '-c', \"{APP}\", 'sh', '{name}']")
}

fn stop(pilot: &mut Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn hooks_of_a_job_run_in_their_order() {
    let mut pilot = Pilot::jobs(&format!(
        "[{{ name: 'app', exec: {}, preStart: {}, postStart: {}, preStop: {}, postStop: {} }}]",
        app("app"),
        note("preStart"),
        note("postStart"),
        note("preStop"),
        note("postStop"),
    ))
    .start();
    pilot.journal().wait_for(3, PATIENCE);
    stop(&mut pilot);
    let lines = pilot.journal().lines();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(lines[0], "preStart");
    assert_eq!(lines[3..], ["preStop", "term app", "postStop"]);
}

#[test]
fn a_pre_start_that_fails_ends_the_container_with_its_status() {
    let mut pilot = Pilot::jobs(&format!(
        "[{{ name: 'app', exec: {}, preStart: ['sh', '-c', 'exit 7'] }}]",
        app("app")
    ))
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(7));
    assert!(pilot.journal().lines().is_empty());
}

#[test]
fn a_pre_start_may_be_tried_again_or_ignored() {
    let again = "['sh', '-c', '[ -e @DIR@/second ] || { touch @DIR@/second; exit 1; }']";
    for (exec, on_failure) in [(again, "retry"), ("['false']", "ignore")] {
        let mut pilot = Pilot::jobs(&format!(
            "[{{ name: 'app', exec: {}, preStart: {{ exec: {exec}, onFailure: '{on_failure}' }} }}]",
            app("app")
        ))
        .start();
        pilot.journal().wait_for_line("up app", PATIENCE);
        stop(&mut pilot);
    }
}

/// J07: what waits for a job that has failed for good is skipped, and so is what waits for that; nothing hangs.
#[test]
fn j07_who_waits_in_vain_is_skipped() {
    let mut pilot = Pilot::jobs(
        "[{ name: 'setup', exec: ['sh', '-c', 'exit 3'] },
          { name: 'app', exec: ['true'], when: { source: 'setup', once: 'exitSuccess' } },
          { name: 'last', exec: ['true'], when: { all: [
              { source: 'app', once: 'exitSuccess' }, { source: 'global', once: 'startup' } ] } }]",
    )
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(3));
    pilot.wait_for_line("app is skipped: it waits for setup", PATIENCE);
    pilot.wait_for_line("last is skipped: it waits for app", PATIENCE);
}

/// S04: jobs stop in the reverse of the order in which they depended on each other.
#[test]
fn s04_jobs_stop_in_the_reverse_order() {
    let mut pilot = Pilot::jobs(&format!(
        "[{{ name: 'db', exec: {} }},
          {{ name: 'app', exec: {}, when: {{ all: [{{ source: 'db', is: 'running' }}] }} }},
          {{ name: 'web', exec: {}, when: {{ all: [{{ source: 'app', is: 'running' }}] }} }}]",
        app("db"),
        app("app"),
        app("web")
    ))
    .start();
    pilot.journal().wait_for(3, PATIENCE);
    stop(&mut pilot);
    let lines = pilot.journal().lines();
    assert_eq!(lines[3..], ["term web", "term app", "term db"]);
}

/// S04: a stop while the third of five jobs is starting. The others never start; what has started stops in reverse.
#[test]
fn s04_a_stop_during_the_start_starts_nothing_more() {
    let names = ["one", "two", "three", "four", "five"];
    let jobs = names.iter().enumerate().map(|(index, name)| {
        let when = index.checked_sub(1).map_or(String::new(), |before| {
            let source = names[before];
            format!("when: {{ all: [{{ source: '{source}', once: 'healthy' }}] }},")
        });
        // The third is ready only once it has heard TERM, when that must not count any more.
        let exec = format!(
            "{{ shell: \"trap 'echo term {name} >> @DIR@/journal; touch @DIR@/{name}; sleep 0.1; exit 0' TERM; echo up {name} >> @DIR@/journal; while :; do sleep 0.01; done\" }}"
        );
        format!(
            "{{ name: '{name}', exec: {exec}, {when} health: {{ file: '@DIR@/{name}', interval: '10ms' }} }}"
        )
    });
    let jobs = jobs.collect::<Vec<_>>().join(", ");
    let pilot = Pilot::jobs(&format!("[{jobs}]"));
    let mut pilot = pilot.file("one", "").file("two", "").start();
    pilot.journal().wait_for_line("up three", PATIENCE);
    stop(&mut pilot);
    let expected = [
        "up one",
        "up two",
        "up three",
        "term three",
        "term two",
        "term one",
    ];
    assert_eq!(pilot.journal().lines(), expected);
}

/// J07: what waits for a job that never gets ready is skipped, fails or starts, as it says, and is seen to.
#[test]
fn j07_who_waits_for_the_unready_goes_by_its_rule() {
    let waiting = |name: &str, rule: &str| {
        format!(
            "{{ name: '{name}', exec: {}, when: {{ all: [{{ source: 'db', once: 'healthy' }}], timeout: '50ms', onTimeout: '{rule}' }} }},
             {{ name: 'after-{name}', exec: {}, when: {{ all: [{{ source: '{name}', once: 'exitSuccess' }}] }} }}",
            note(name),
            note(&format!("after {name}")),
        )
    };
    let mut pilot = Pilot::jobs(&format!(
        "[{{ name: 'db', exec: ['sleep', '600'], health: {{ file: '@DIR@/never', interval: '10ms' }} }},
          {}, {}, {},
          {{ name: 'heard', exec: {}, when: {{ source: 'fails', once: 'failed' }} }}]",
        waiting("skips", "skip"),
        waiting("fails", "fail"),
        waiting("starts", "start"),
        note("heard"),
    ))
    .start();
    for name in ["skips", "fails"] {
        let line = format!("after-{name} is skipped: it waits for {name}");
        pilot.wait_for_line(&line, PATIENCE);
    }
    let mut lines = pilot.journal().wait_for(3, PATIENCE);
    lines.sort();
    assert_eq!(lines, ["after starts", "heard", "starts"]);
    stop(&mut pilot);
}

#[test]
fn r01_circles_are_refused_with_their_chain() {
    let mut pilot = Pilot::jobs(
        "[{ name: 'a', exec: ['true'], when: { all: [{ source: 'b', once: 'exitSuccess' }] } },
          { name: 'b', exec: ['true'], when: { all: [{ source: 'a', once: 'exitSuccess' }] } }]",
    )
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(1));
    let said = pilot.stderr();
    assert!(
        said.contains("`a` waits for `b`, `b` waits for `a`"),
        "{said}"
    );
}

/// J08: a job that restarts too often is given up, which is an event and the status.
#[test]
fn j08_too_many_restarts_are_a_failure() {
    let mut pilot = Pilot::jobs(&format!(
        "[{{ name: 'app', exec: ['sh', '-c', 'exit 5'], restarts: 'unlimited',
             backoff: {{ initial: '1ms', max: '2ms' }}, maxRestarts: {{ count: 3, within: '1m' }} }},
          {{ name: 'after', exec: {}, when: {{ source: 'app', once: 'failed' }} }}]",
        note("failed")
    ))
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(5));
    pilot.journal().expect_order(&["failed"]);
    pilot.wait_for_line("more than 3 restarts within 1m", PATIENCE);
}

#[test]
fn a_job_restarts_or_signals_another_one() {
    let hear = "trap 'echo usr1 >> @DIR@/journal' USR1; echo up >> @DIR@/journal; while :; do sleep 0.01; done";
    let mut pilot = Pilot::jobs(&format!(
        "[{{ name: 'app', exec: ['sh', '-c', \"{hear}\"] }},
          {{ name: 'tell', action: {{ signal: 'USR1', job: 'app' }}, when: {{ source: 'SIGHUP' }} }},
          {{ name: 'renew', action: {{ restart: 'app' }}, when: {{ source: 'SIGUSR2' }} }}]"
    ))
    .start();
    pilot.journal().wait_for(1, PATIENCE);
    pilot.signal(Signal::SIGHUP);
    pilot.journal().wait_for(2, PATIENCE);
    pilot.signal(Signal::SIGUSR2);
    pilot.journal().wait_for(3, PATIENCE);
    pilot.journal().expect_order(&["up", "usr1", "up"]);
    stop(&mut pilot);
}

/// Version 2: preStart, then the application; at a stop the services leave, then preStop, TERM, postStop.
#[test]
fn a_file_of_version_2_keeps_the_order_of_its_hooks() {
    let hook = |word: &str| format!(r#"["/bin/sh", "-c", "echo {word} >> @DIR@/journal"]"#);
    let config = format!(
        r#"{{ "consul": "127.0.0.1:1", "preStart": {}, "preStop": {}, "postStop": {},
             "services": [{{ "name": "web", "port": 80, "poll": 1, "ttl": 5, "interfaces": ["lo"] }}],
             "coprocesses": [{{ "name": "co", "command": ["sleep", "600"] }}],
             "tasks": [{{ "name": "tick", "command": ["true"], "frequency": "10ms" }}] }}"#,
        hook("preStart"),
        hook("preStop"),
        hook("postStop")
    );
    let pilot = Pilot::command(&["-config", "file://@DIR@/c.json", "@DIR@/app"]);
    let script = format!("#!/bin/sh\nset app\n{APP}\n");
    let mut pilot = pilot.file("c.json", &config).file("app", &script).start();
    pilot.journal().wait_for_line("up app", PATIENCE);
    stop(&mut pilot);
    let order = ["preStart", "up app", "preStop", "term app", "postStop"];
    pilot.journal().expect_order(&order);
}

/// Version 2: the application's status is the container's, and a postStop that fails has the last word.
#[test]
fn version_2_ends_with_the_status_of_its_application() {
    for (config, app, status) in [
        ("{}", "exit 3", 3),
        (r#"{ "postStop": "true" }"#, "exit 3", 3),
        (r#"{ "postStop": ["sh", "-c", "exit 9"] }"#, "exit 3", 9),
        (r#"{ "preStart": ["sh", "-c", "exit 4"] }"#, "exit 3", 4),
    ] {
        let config = format!(r#"{{ "services": [], "stopTimeout": 1, {}"#, &config[1..]);
        let config = config.replace(", }", " }").replace(",  }", " }");
        let pilot = Pilot::command(&["-config", "file://@DIR@/c.json", "/bin/sh", "-c", app]);
        let mut pilot = pilot.file("c.json", &config).start();
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(status), "{config}");
    }
}
