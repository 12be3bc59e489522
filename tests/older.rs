//! Configurations of `ContainerPilot` 2 as their users drive them.

use crate::support::{PATIENCE, Pilot, Signal};

fn side_by_side() -> Pilot {
    let config = r#"{ "coprocesses": [{ "command": ["sleep", "600"] }] }"#;
    Pilot::command(&["-socket", "@DIR@/s", "-config", "file://@DIR@/c.json"]).file("c.json", config)
}

#[test]
fn usr1_enters_maintenance_and_leaves_it() {
    let mut pilot = side_by_side().start();
    pilot.wait_for_line("no application is given on the command line", PATIENCE);
    pilot.signal(Signal::SIGUSR1);
    pilot.wait_for_line("SIGUSR1 received: entering maintenance", PATIENCE);
    pilot.signal(Signal::SIGUSR1);
    pilot.wait_for_line("SIGUSR1 received: leaving maintenance", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn a_reload_changes_neither_to_a_bad_file_nor_to_another_version() {
    let mut pilot = side_by_side().start();
    pilot.wait_for_line("no application is given on the command line", PATIENCE);
    let file = pilot.dir().join("c.json");
    std::fs::write(&file, "{ \"preStart\": {} }").expect("a file of ours");
    pilot.signal(Signal::SIGHUP);
    pilot.wait_for_line("received zero-length argument", PATIENCE);
    std::fs::write(&file, "{ \"jobs\": [] }").expect("a file of ours");
    pilot.signal(Signal::SIGHUP);
    pilot.wait_for_line("is now of another version of ContainerPilot", PATIENCE);
    assert_eq!(pilot.find("sleep 600").len(), 1);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// What the template does within values is as it was, and the new file means the same.
#[test]
fn migrate_keeps_the_actions_of_the_template() {
    let config = r#"{ "consul": "{{ .CONSUL | default "localhost" }}:8500", "preStart": ["true"],
        "services": [{ "name": "web", "port": {{ .PORT | default "80" }}, "poll": 5, "ttl": 15, "interfaces": ["lo"] }] }"#;
    let words = ["migrate", "@DIR@/c.json", "--", "/bin/app", "-v"];
    let mut pilot = Pilot::command(&words).file("c.json", config).start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let text = pilot.stdout();
    for kept in [
        r#"consul: "{{ .CONSUL | default "localhost" }}:8500""#,
        r#"port: {{ .PORT | default "80" }},"#,
        r#"exec: ["/bin/app", "-v"]"#,
        "preStart",
    ] {
        assert!(text.contains(kept), "{kept}\n{text}");
    }
    let check = Pilot::command(&["check", "@DIR@/new.json5"]);
    let mut check = check.file("new.json5", &text).start();
    assert_eq!(check.wait_exit(PATIENCE).code(), Some(0), "{text}");
}

#[test]
fn migrate_says_what_it_cannot_keep_and_what_needs_nothing() {
    for (config, code, said) in [
        (
            r#"{ {{ if true }}"tasks": []{{ end }} }"#,
            0,
            "// the template has been rendered",
        ),
        ("{ jobs: [] }", 1, "is of version 3 already"),
        (r#"{ "etcd": {} }"#, 1, "etcd is not supported"),
    ] {
        let pilot = Pilot::command(&["migrate", "@DIR@/c.json"]);
        let mut pilot = pilot.file("c.json", config).start();
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(code), "{config}");
        let output = pilot.stdout() + &pilot.stderr();
        assert!(output.contains(said), "{config}\n{output}");
    }
}
