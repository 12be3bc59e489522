//! What version 2 says, in the words of version 3.

use super::*;
use crate::config::diagnostic::Report;
use crate::config::secrets::Secrets;
use crate::config::source::Source;
use crate::config::{Variables, json5, print};

fn translated(text: &str, app: App<'_>) -> (String, Report) {
    let secrets = Secrets::of_variables(&Variables::new());
    let source = Source::new(text, None, secrets);
    let root = json5::parse(text).expect("the text is JSON5").root;
    let mut walk = Walk::new(source, "containerpilot.json");
    let tree = translate(&mut walk, &root, app);
    (print::print(&tree), walk.finish())
}

#[track_caller]
fn expect(text: &str, words: &[&str], expected: &str) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let (found, report) = translated(text, App::Words(&words));
    assert!(report.is_empty(), "{report}");
    // Neither comments nor the breaking of lines matter.
    let squeezed = |text: &str| {
        let lines = text.lines().map(str::trim);
        let lines: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
        let text = lines.join("").replace([' ', '\n'], "");
        text.replace(",}", "}").replace(",]", "]")
    };
    assert_eq!(squeezed(&found), squeezed(expected), "{found}");
}

#[track_caller]
fn refuse(keys: &str, expected: &str) {
    let text = format!("{{ consul: \"c:8500\", {keys} }}");
    let (_, report) = translated(&text, App::Unknown);
    let said = report.to_string();
    assert_eq!(report.errors(), 1, "{said}");
    assert!(said.contains(expected), "expected {expected}\n{said}");
}

#[test]
fn the_application_has_the_hooks() {
    expect(
        r#"{ "consul": "c:8500", "preStart": "/a b", "preStop": ["/c"], "postStop": "/d", "stopTimeout": 0 }"#,
        &["/app", "-p", "{{ .X }}"],
        r#"{
          consul: "c:8500",
          jobs: [
            { name: "app", exec: ["/app", "-p", "{{ .X }}"], restarts: "never", essential: true,
              logging: { raw: true }, preStart: "/a b", preStop: ["/c"], },
            { name: "app.postStop", exec: "/d", when: { source: "app", once: "stopped" },
              essential: "onFailure", logging: { raw: true }, },
          ],
        }"#,
    );
}

#[test]
fn a_service_is_up_while_the_application_runs() {
    expect(
        r#"{ "consul": "c:8500", "services": [
            { "name": "app", "port": "80", "poll": 5, "ttl": 15, "health": "/check", "tags": ["a"] }
        ] }"#,
        &["/app"],
        r#"{
          consul: "c:8500",
          jobs: [
            { name: "app", exec: ["/app"], restarts: "never", essential: true, logging: { raw: true } },
            { name: "app.service", port: "80",
              health: { exec: "/check", interval: 5, ttl: 15, timeout: "0" },
              interfaces: ["eth0:inet"], tags: ["a"], consul: { name: "app", plainCheckId: true },
              when: { all: [{ source: "app", is: "running" }] }, },
          ],
        }"#,
    );
}

#[test]
fn nothing_runs_before_pre_start_is_done() {
    expect(
        r#"{ "consul": "c:8500", "preStart": "/a",
            "backends": [{ "name": "db", "poll": 3, "onChange": "/reload", "tag": "x" }],
            "tasks": [{ "command": "/t", "frequency": "5s" }],
            "coprocesses": [{ "command": "/co", "restarts": "unlimited" }] }"#,
        &["/app"],
        r#"{
          consul: "c:8500",
          jobs: [
            { name: "coprocess-1", exec: "/co", restarts: "unlimited",
              when: { source: "app.preStart", once: "exitSuccess" }, },
            { name: "app", exec: ["/app"], restarts: "never", essential: true,
              logging: { raw: true }, preStart: "/a", },
            { name: "onChange-db", exec: "/reload",
              when: { source: "watch.db", each: "changed",
                after: { source: "app.preStart", once: "exitSuccess" }, }, },
            { name: "task-1", exec: "/t",
              when: { interval: "5s", first: "interval", maintenance: "skip",
                after: { source: "app.preStart", once: "exitSuccess" }, }, },
          ],
          watches: [{ name: "db", interval: 3, tag: "x" }],
        }"#,
    );
}

#[test]
fn a_sensor_is_a_metric_and_a_job_that_writes_its_value() {
    let (found, report) = translated(
        r#"{ "consul": "c:8500", "preStart": "/pre", "telemetry": { "port": 9090, "interfaces": ["lo"], "sensors": [
            { "namespace": "n", "name": "x", "help": "h", "type": "gauge", "poll": 5, "check": ["/s"] },
            { "name": "y", "help": "h", "type": "counter", "poll": 2, "check": "/t 1", "timeout": "300ms" }
        ] } }"#,
        App::Words(&["/app".to_owned()]),
    );
    assert!(report.is_empty(), "{report}");
    for part in [
        r#"{ name: "sensor-n_x", exec: ["/s"], metric: "n_x", timeout: 5,"#,
        r#"{ name: "sensor-y", exec: "/t 1", metric: "y", timeout: "300ms","#,
        r#"interval: 5, first: "interval", maintenance: "skip","#,
        r#"after: { source: "app.preStart", once: "exitSuccess" }"#,
        r#"{ namespace: "n", name: "x", help: "h", type: "gauge" }"#,
    ] {
        let squeezed = found.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(part), "{part}\n{squeezed}");
    }
    refuse(
        r#"telemetry: { sensors: [{ name: "x", help: "h", type: "gauge", check: "/s" }] }"#,
        "`poll` is missing",
    );
    refuse(
        r#"telemetry: { sensors: [{ name: "x", help: "h", type: "gauge", poll: 1 }] }"#,
        "could not parse check",
    );
}

#[test]
fn what_version_2_refused_is_refused() {
    let (_, report) = translated("{ etcd: {} }", App::Unknown);
    assert!(
        report.to_string().contains("etcd is not supported"),
        "{report}"
    );
    refuse(
        "services: [{ name: \"a1\", poll: 1, ttl: 1 }]",
        "services[0]: `port` is missing",
    );
    refuse(
        "services: [{ name: \"a1\", poll: 0, ttl: 1, port: 1 }]",
        "services[0].poll: cannot use `0`: `poll` must be > 0",
    );
    refuse(
        "services: [{ poll: 1, ttl: 1, port: 1 }]",
        "`name` must not be blank",
    );
    refuse(
        "backends: [{ name: \"db\", poll: 1 }]",
        "backends[0]: `onChange` is required",
    );
    refuse(
        "tasks: [{ command: \"a\", frequency: \"10us\" }]",
        "cannot be less than 1ms",
    );
    refuse("coprocesses: [{}]", "Coprocess did not provide a command");
    refuse("prestart: \"x\"", "did you mean `preStart`?");
    refuse("logging: { output: \"/var/log/x\" }", "Unknown output type");
}

#[test]
fn what_version_2_warned_of_is_a_warning() {
    for (text, expected) in [
        (
            "{ consul: \"c\", onStart: \"/a\" }",
            "`onStart` is the old name of `preStart`",
        ),
        ("{ services: [] }", "no discovery backend defined"),
        ("{ consul: \"c\", tasks: {} }", "is no array and is ignored"),
        (
            "{ consul: \"c\", backends: [{ name: \"a_b\", poll: 1, onChange: \"/x\" }] }",
            "is no good name for a service",
        ),
    ] {
        let (_, report) = translated(text, App::Unknown);
        let said = report.to_string();
        assert_eq!((report.errors(), report.len()), (0, 1), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn version_1_takes_a_public_address() {
    let text =
        "{ consul: \"c\", services: [{ name: \"a1\", poll: 1, ttl: 1, port: 1, publicIp: true }] }";
    let (found, report) = translated(text, App::Unknown);
    assert!(report.is_empty(), "{report}");
    assert!(found.contains("interfaces: [\"inet:public\"]"), "{found}");
}

#[test]
fn words_that_want_an_address_find_it_in_the_environment() {
    let words = ["/app", "it's", "{{ .CONTAINERPILOT_APP_IP }}:80"].map(str::to_owned);
    assert_eq!(
        words::script(&words).as_deref(),
        Some(r#"exec '/app' 'it'\''s' "$CONTAINERPILOT_APP_IP"':80'"#)
    );
    assert_eq!(words::script(&words[..2]), None);
}
