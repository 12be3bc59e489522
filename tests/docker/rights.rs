//! Images that may do little: a read-only root, any user, no capability, no new privilege, names that a C library would
//! look up with modules of the image.

use super::{Container, Engine};

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

/// The line about the control socket, of which there may be one.
fn socket_warning(container: &Container) -> String {
    let logs = container.logs();
    let lines: Vec<&str> = logs
        .lines()
        .filter(|line| line.contains("control socket"))
        .collect();
    let [line] = lines[..] else {
        container.fail("one line about the control socket is wanted");
    };
    line.to_owned()
}

#[test]
fn k08_without_a_place_for_its_socket_the_program_runs_and_says_so_once() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let text = r#"{ jobs: [{ name: "app", exec: ["/pilothouse", "catalog"], health: { tcp: 8500, interval: "200ms" } },
        { name: "after", exec: ["/pilothouse", "-version"], when: { source: "app", once: "healthy" } }] }"#;
    // `FROM scratch` has no /var/run at all.
    let scratch = engine.run_config("empty", &[], text);
    scratch.wait_for(" Version:", 1);
    let warning = socket_warning(&scratch);
    assert!(warning.contains(" WARN "), "{warning}");
    assert!(
        warning.contains("directory of `/var/run/containerpilot.socket`: No such file"),
        "{warning}"
    );
    assert!(
        warning.contains("`control.socket` can name a place"),
        "{warning}"
    );
    let asked = scratch.try_exec(&["/pilothouse", "healthy"]);
    assert_eq!(asked.status.code(), Some(1), "{asked:?}");
    assert_eq!(scratch.stop(10), 0, "{}", scratch.logs());

    let text = text.replace("/pilothouse", "/bin/pilothouse");
    let read_only = engine.run_config("small", &["--read-only"], &text);
    read_only.wait_for(" Version:", 1);
    let warning = socket_warning(&read_only);
    assert!(
        warning.contains("`/var/run/containerpilot.socket`: Read-only file system"),
        "{warning}"
    );
    assert_eq!(read_only.stop(10), 0, "{}", read_only.logs());
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
