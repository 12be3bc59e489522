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
