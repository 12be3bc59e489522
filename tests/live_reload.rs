//! Reloads by difference, as an operator sees them: pids, registrations, watches, and what a plan says before.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Consul, PATIENCE, Pilot, Running, Signal};

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// Reloads with this configuration, waits until it has taken over, and returns the line that says so.
fn reload(pilot: &Running, config: &str) -> String {
    let before = reloads(pilot);
    pilot.write("containerpilot.json5", config);
    let answer = pilot.request("POST", "/v3/reload", "");
    assert_eq!(answer.status, 200, "{answer:?}");
    let lines = pilot.wait_for_lines("reloaded: ", before + 1, PATIENCE);
    lines.last().expect("it was waited for").clone()
}

fn reloads(pilot: &Running) -> usize {
    pilot.stdout().matches("reloaded: ").count()
}

/// A web service with a catalogue; `more` goes into the job.
fn web(consul: &Consul, more: &str) -> String {
    format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}", jobs: [
             {{ name: "web", exec: "sleep 71", port: 8001, interfaces: "static:127.0.0.1",
                health: {{ exec: "true", interval: "50ms", ttl: 10 }}, {more} }} ] }}"#,
        consul.address()
    )
}

fn registered(consul: &Consul) -> BTreeMap<String, Value> {
    let services = consul.get("/v1/agent/services").json();
    let services = services.as_object().cloned().unwrap_or_default();
    services
        .into_iter()
        .map(|(_, service)| {
            let name = service["Service"].as_str().unwrap_or_default().to_owned();
            (name, service)
        })
        .collect()
}

#[test]
fn r02_a_comment_the_order_or_a_description_changes_nothing() {
    let jobs =
        r#"[{ name: "a", exec: "sleep 71", "x-note": "one" }, { name: "b", exec: "sleep 72" }]"#;
    let pilot = Pilot::jobs(jobs).start();
    let (a, b) = (pilot.only("sleep 71").pid, pilot.only("sleep 72").pid);
    let line = reload(
        &pilot,
        r#"{ // about the jobs
             jobs: [{ exec: "sleep 72", name: "b" }, { "x-note": "two", name: "a", exec: "sleep 71" }],
             stopTimeout: "1s", control: { socket: "@DIR@/control.socket" } }"#,
    );
    assert!(line.contains("nothing to restart"), "{line}");
    assert_eq!(pilot.only("sleep 71").pid, a);
    assert_eq!(pilot.only("sleep 72").pid, b);
    stop(pilot);
}

#[test]
fn r02_other_tags_and_checks_are_applied_to_a_job_that_runs() {
    let consul = Consul::embedded();
    let pilot = Pilot::config(&web(&consul, r#"tags: ["blue"]"#)).start();
    consul.wait_passing("web", 1);
    let pid = pilot.only("sleep 71").pid;

    let line = reload(
        &pilot,
        &web(&consul, r#"tags: ["green"], consul: { meta: { a: "b" } }"#),
    );
    assert!(line.contains("adjusted: web"), "{line}");
    pilot.wait_until(PATIENCE, "the other tag", || {
        registered(&consul)["web"]["Tags"][0] == "green"
    });
    assert_eq!(registered(&consul)["web"]["Meta"]["a"], "b");
    assert_eq!(consul.passing("web"), 1, "it was passing all the time");

    // Another check: it fails, and that is seen.
    let failing = web(&consul, "").replace(r#"exec: "true""#, r#"exec: "false""#);
    reload(&pilot, &failing);
    consul.wait_passing("web", 0);
    assert_eq!(pilot.only("sleep 71").pid, pid);
    assert!(!pilot.stdout().contains("Service deregistered"));
    stop(pilot);
}

#[test]
fn r03_one_of_ten_jobs_restarts_and_nine_keep_their_pids() {
    let jobs = |changed: u32| {
        let jobs = (0..10).map(|n| {
            let seconds = if n == 4 { changed } else { 700 + n };
            format!(r#"{{ name: "j{n}", exec: ["sleep", "{seconds}"] }}"#)
        });
        let jobs: Vec<String> = jobs.collect();
        format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, jobs: [{}] }}"#,
            jobs.join(", ")
        )
    };
    let pilot = Pilot::config(&jobs(800)).start();
    let pids = |changed: u32| -> Vec<_> {
        let seconds = (0..10).map(|n| if n == 4 { changed } else { 700 + n });
        seconds
            .map(|n| pilot.only(&format!("sleep {n}")).pid)
            .collect()
    };
    let before = pids(800);
    let line = reload(&pilot, &jobs(801));
    assert!(line.contains("restarted: j4"), "{line}");
    let after = pids(801);
    for n in 0..10 {
        assert_eq!(before[n] == after[n], n != 4, "j{n}");
    }
    assert!(pilot.find("sleep 800").is_empty());
    stop(pilot);
}

#[test]
fn r03_what_changes_drains_and_its_hooks_run_in_their_order() {
    let consul = Consul::embedded();
    let config = |word: &str| {
        format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 5, consul: "{}", jobs: [
                 {{ name: "web", port: 8001, interfaces: "static:127.0.0.1", drain: "50ms",
                    health: {{ exec: "true", interval: "50ms", ttl: 10 }},
                    preStart: {{ exec: {{ shell: "echo preStart {word} >> journal" }} }},
                    preStop: {{ exec: {{ shell: "echo preStop {word} >> journal" }} }},
                    postStop: {{ exec: {{ shell: "echo postStop {word} >> journal" }} }},
                    exec: {{ shell: "trap 'echo term {word} >> journal; exit 0' TERM; echo up {word} >> journal; while :; do sleep 0.01; done" }} }},
                 {{ name: "other", exec: "sleep 71" }} ] }}"#,
            consul.address()
        )
    };
    let pilot = Pilot::config(&config("one")).start();
    consul.wait_passing("web", 1);
    let other = pilot.only("sleep 71").pid;
    reload(&pilot, &config("two"));
    pilot.journal().wait_for_line("up two", PATIENCE);
    assert_eq!(
        pilot.journal().lines(),
        [
            "preStart one",
            "up one",
            "preStop one",
            "term one",
            "postStop one",
            "preStart two",
            "up two"
        ]
    );
    consul.wait_passing("web", 1);
    assert_eq!(pilot.only("sleep 71").pid, other);
    stop(pilot);
}

#[test]
fn r04_a_job_that_is_removed_leaves_no_check_and_no_service() {
    let consul = Consul::embedded();
    let config = |jobs: &str| {
        format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}", jobs: [
                 {{ name: "stays", exec: "sleep 71", port: 8001, interfaces: "static:127.0.0.1",
                    health: {{ exec: "true", interval: "50ms", ttl: 10 }} }}, {jobs} ] }}"#,
            consul.address()
        )
    };
    // One has passed a check, of which the next hangs; one waits for its next try; one is a hook.
    let pilot = Pilot::config(&config(
        r#"{ name: "goes", exec: "sleep 72", port: 8002, interfaces: "static:127.0.0.1",
             health: { exec: { shell: "[ -e checked ] && exec sleep 73; touch checked" }, interval: "50ms", timeout: 60, ttl: 100 } },
           { name: "backing", exec: "false", restarts: "unlimited", backoff: { initial: "60s", max: "60s" } },
           { name: "hook", exec: { shell: "echo hook >> journal" }, when: { source: "goes", once: "stopping" } },"#,
    ))
    .start();
    consul.wait_passing("goes", 1);
    consul.wait_passing("stays", 1);
    pilot.only("sleep 73");
    pilot.wait_for_line("next start in", PATIENCE);
    let stays = pilot.only("sleep 71").pid;
    let line = reload(&pilot, &config(""));
    assert!(line.contains("removed: goes, backing, hook"), "{line}");
    assert_eq!(pilot.journal().lines(), ["hook"]);
    assert!(pilot.find("sleep 72").is_empty() && pilot.find("sleep 73").is_empty());
    assert_eq!(registered(&consul).keys().collect::<Vec<_>>(), ["stays"]);
    let checks = consul.get("/v1/agent/checks").json();
    assert_eq!(checks.as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(pilot.only("sleep 71").pid, stays);
    stop(pilot);
}

#[test]
fn r07_another_catalogue_is_told_of_what_runs() {
    let (first, second) = (Consul::embedded(), Consul::embedded());
    let pilot = Pilot::config(&web(&first, "")).start();
    first.wait_passing("web", 1);
    let pid = pilot.only("sleep 71").pid;
    reload(&pilot, &web(&second, ""));
    second.wait_passing("web", 1);
    pilot.wait_until(PATIENCE, "nothing is left at the first", || {
        registered(&first).is_empty()
    });
    assert_eq!(pilot.only("sleep 71").pid, pid);
    stop(pilot);
    assert!(registered(&second).is_empty());
}

#[test]
fn a_watch_that_is_the_same_is_not_told_again_and_a_new_one_is_told_at_once() {
    let consul = Consul::embedded();
    let config = |more: &str, watches: &str| {
        format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}", jobs: [
                 {{ name: "app", exec: "sleep 71" }},
                 {{ name: "hook", exec: {{ shell: "echo $CONTAINERPILOT_WATCH $CONTAINERPILOT_EVENT >> journal" }},
                    when: {{ source: "watch.db", each: "changed" }} }}, {more} ],
                 watches: [ {{ name: "db", interval: 1 }}, {watches} ] }}"#,
            consul.address()
        )
    };
    let register = |port: u16| {
        let body = format!(
            r#"{{ "ID": "db-{port}", "Name": "db", "Address": "127.0.0.1", "Port": {port} }}"#
        );
        assert_eq!(consul.put("/v1/agent/service/register", &body).status, 200);
    };
    register(1);
    let pilot = Pilot::config(&config("", "")).start();
    pilot.journal().wait_for(1, PATIENCE);
    let app = pilot.only("sleep 71").pid;
    // The new job and the new watch are of the service that is known already.
    let more = r#"{ name: "late", exec: { shell: "echo late $CONTAINERPILOT_EVENT >> journal" }, when: { source: "watch.db", once: "healthy" } },
                  { name: "too", exec: { shell: "echo too $CONTAINERPILOT_EVENT >> journal" }, when: { source: "watch.tagged", each: "unhealthy" } },"#;
    reload(
        &pilot,
        &config(
            more,
            r#"{ name: "tagged", service: "db", tag: "none", interval: 1 }"#,
        ),
    );
    pilot.journal().wait_for(3, PATIENCE);
    let mut lines = pilot.journal().lines();
    lines.sort();
    assert_eq!(lines, ["db changed", "late", "too unhealthy"]);
    register(2);
    pilot.journal().wait_for(4, PATIENCE);
    assert_eq!(
        pilot.journal().lines().last().map(String::as_str),
        Some("db changed")
    );
    assert_eq!(pilot.only("sleep 71").pid, app);
    stop(pilot);
}

#[test]
fn a_plan_says_what_would_happen_and_does_nothing() {
    let config = |jobs: &str, more: &str| {
        format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, {more} jobs: [{jobs}] }}"#
        )
    };
    let pilot = Pilot::config(&config(
        r#"{ name: "app", exec: "sleep 71", preStop: { exec: "true" } }, { name: "web", exec: "sleep 72" }, { name: "old", exec: "sleep 73" }"#,
        "",
    ))
    .start();
    let pid = pilot.only("sleep 71").pid;
    let plan = |arguments: &[&str]| {
        let mut all = vec!["reload", "--plan"];
        all.extend(arguments);
        pilot.ask(&all)
    };
    assert_eq!(plan(&[]).stdout, "nothing would change\n");
    pilot.write(
        "containerpilot.json5",
        &config(
            r#"{ name: "app", exec: "sleep 71", timeout: "1h", preStop: { exec: "true" } }, { name: "web", exec: "sleep 72", drain: "1s" },
               { name: "new", exec: "sleep 74" }"#,
            "shutdownTimeout: '1m',",
        ),
    );
    let answer = plan(&[]);
    assert_eq!(
        answer.stdout,
        "restart app: timeout has changed\nrestart app.preStop: it belongs to app\nadjust web: drain has changed\n\
         start new\nstop old\nchange shutdownTimeout\n",
        "{answer:?}"
    );
    let json: Value = serde_json::from_str(&plan(&["--json"]).stdout).expect("JSON");
    assert_eq!(json["jobs"][0]["name"], "app");
    assert_eq!(json["jobs"][0]["action"], "restart");
    assert_eq!(pilot.only("sleep 71").pid, pid);
    assert_eq!(reloads(&pilot), 0);

    pilot.write("containerpilot.json5", "{ jobs: [ }");
    let answer = plan(&["--socket", "@DIR@/control.socket"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(
        answer.stderr.contains("containerpilot.json5:1:11"),
        "{answer:?}"
    );
    stop(pilot);
}

#[test]
fn a_change_of_the_file_reloads_it_if_that_is_wanted() {
    let config = |app: &str, every: &str| {
        format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, reloadOnChange: {every},
                 jobs: [{{ name: "app", exec: "{app}" }}, {{ name: "other", exec: "sleep 79" }}] }}"#
        )
    };
    let pilot = Pilot::config(&config("sleep 71", "'100ms'")).start();
    let other = pilot.only("sleep 79").pid;
    pilot.only("sleep 71");
    // Written in place.
    pilot.write("containerpilot.json5", &config("sleep 72", "'100ms'"));
    pilot.only("sleep 72");
    // A bad one is told of and changes nothing.
    pilot.write("containerpilot.json5", "{ jobs: [ }");
    pilot.wait_for_line("the configuration was not reloaded", PATIENCE);
    // Another file under its name, as editors and volumes of configurations do it.
    pilot.write("next.json5", &config("sleep 73", "false"));
    let path = |name: &str| pilot.dir().join(name);
    std::fs::rename(path("next.json5"), path("containerpilot.json5")).expect("files of ours");
    pilot.only("sleep 73");
    assert_eq!(pilot.only("sleep 79").pid, other);
    assert_eq!(reloads(&pilot), 2);
    stop(pilot);
}

mod heavy {
    use std::thread;
    use std::time::Duration;

    use super::stop;
    use crate::support::{PATIENCE, Pilot, Process, Signal, request};

    /// From each of the two sources, so 200 a second together.
    const PAUSE: Duration = Duration::from_millis(10);
    /// Of each source: 3 s of storm.
    const RELOADS: usize = 300;

    #[test]
    fn r05_a_storm_of_reloads_leaves_what_is_the_same_in_peace() {
        let jobs = |version: usize| {
            format!(
                r#"[{{ name: "same", exec: "sleep 1000" }}, {{ name: "other", exec: "sleep 2000", stopTimeout: "{version}s" }}]"#
            )
        };
        let pilot = Pilot::jobs(&jobs(1)).start();
        let pids = [pilot.only("sleep 1000").pid, pilot.only("sleep 2000").pid];
        let open = || Process::read(pilot.pid()).expect("it runs").open_files();
        let before = open();
        let socket = pilot.dir().join("control.socket");
        thread::scope(|scope| {
            let clients = scope.spawn(|| {
                for _ in 0..RELOADS {
                    let answer = request(&socket, "POST", "/v3/reload", "", PATIENCE);
                    let status = answer.expect("an answer").status;
                    assert!(matches!(status, 200 | 503), "{status}");
                    thread::sleep(PAUSE);
                }
            });
            for version in 1..=RELOADS {
                pilot.write_jobs(&jobs(version));
                pilot.signal(Signal::SIGHUP);
                thread::sleep(PAUSE);
            }
            clients.join().expect("every request was answered");
        });
        let now = [pilot.only("sleep 1000").pid, pilot.only("sleep 2000").pid];
        assert_eq!(now, pids);
        assert!(!pilot.stdout().contains("exited"));
        pilot.wait_until(PATIENCE, "the descriptors of the beginning", || {
            open() <= before + 2
        });
        stop(pilot);
    }
}
