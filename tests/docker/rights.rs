//! Images that may do little: a read-only root, any user, no capability, no new privilege, names that a C library would
//! look up with modules of the image.

use super::Engine;

/// A user of whom the image knows nothing, and who may do nothing.
const NOBODY: &[&str] = &[
    "--user=12345",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--read-only",
];

#[test]
fn p18_a_read_only_root_without_a_writable_place() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = engine.run_config(
        "small",
        &["--read-only"],
        r#"{ jobs: [{ name: "app", exec: ["sh", "-c", "touch /tmp/file || echo as told; exec sleep 1000"],
            health: { exec: "true", interval: "200ms", ttl: 10 } },
            { name: "after", exec: "echo healthy", when: { source: "app", once: "healthy" } }] }"#,
    );
    container.wait_for("as told", 1);
    container.wait_for(" healthy", 1);
    assert_eq!(container.stop(10), 0, "{}", container.logs());
}

#[test]
fn p18_a_read_only_root_and_a_place_for_run_files() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = engine.run_config(
        "small",
        &["--read-only", "--tmpfs=/run:noexec"],
        r#"{ control: { socket: "/run/control.socket", required: true }, jobs: [{ name: "app", exec: "sleep 1000" }] }"#,
    );
    container.wait_for("serving at", 1);
    let ping = ["pilothouse", "-ping", "-socket", "/run/control.socket"];
    assert_eq!(container.exec(&ping), "ok");
    assert_eq!(container.stop(10), 0, "{}", container.logs());
}

#[test]
fn p17_any_user_without_capabilities_and_new_privileges() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let text = r#"{ jobs: [
        { name: "app", exec: ["sh", "-c", "echo I am $(id -u); grep -E 'CapEff|NoNewPrivs' /proc/self/status | tr -d '\\t'; exec sleep 1000"] },
        { name: "root", exec: "echo not to be seen", user: "0" },
    ] }"#;
    let container = engine.run_config("small", NOBODY, text);
    container.wait_for("I am 12345", 1);
    container.wait_for("CapEff:0000000000000000", 1);
    container.wait_for("NoNewPrivs:1", 1);
    // The job of another user is refused and named; the program goes on.
    container.wait_for(
        "unable to start root: cannot start `echo`: cannot become user 0",
        1,
    );
    assert!(
        !container.logs().contains("not to be seen"),
        "{}",
        container.logs()
    );
    assert_eq!(container.inspect("{{.State.Running}}"), "true");
    assert_eq!(container.stop(10), 0, "{}", container.logs());
}

#[test]
fn p17_the_empty_image_as_any_user() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = engine.run("empty", NOBODY, &["run", "--", "/pilothouse", "-version"]);
    assert_eq!(container.wait(), 0, "{}", container.logs());
    assert!(
        container.logs().contains("Version:"),
        "{}",
        container.logs()
    );
}
