//! The control socket's file (K01, K02, K03, K08).

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::support::{PATIENCE, Pilot, Running, Signal, skip};

/// A configuration with these settings of the socket, and a job that says when it runs.
fn config(control: &str) -> String {
    format!(
        "{{ control: {{ {control} }}, stopTimeout: 1, jobs: [{{ name: 'app', exec: ['sh', '-c', 'echo up; exec sleep 60'] }}] }}"
    )
}

fn ping(pilot: &Running) -> u16 {
    pilot.request("GET", "/v3/ping", "").status
}

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

fn mode(path: &Path) -> u32 {
    let found = fs::symlink_metadata(path).expect("it is there");
    found.permissions().mode() & 0o7777
}

#[test]
fn k01_a_stale_socket_is_taken_over() {
    let pilot = Pilot::config(&config("socket: '@DIR@/control.socket'"));
    let socket = pilot.dir().join("control.socket");
    drop(UnixListener::bind(&socket).expect("a free path"));
    let pilot = pilot.start();
    pilot.wait_for_line("up", PATIENCE);
    assert_eq!(ping(&pilot), 200);
    stop(pilot);
}

#[test]
fn k01_s18_after_a_kill_the_same_files_start_again() {
    let mut first =
        Pilot::config(&config("socket: '@DIR@/control.socket', required: true")).start();
    first.wait_for_line("up", PATIENCE);
    first.signal(Signal::SIGKILL);
    first.may_leave_processes();
    assert!(!first.wait_exit(PATIENCE).success());
    let socket = first.dir().join("control.socket");
    assert!(socket.exists());
    let text = fs::read_to_string(first.dir().join("containerpilot.json5")).expect("its file");
    let second = Pilot::config(&text).start();
    second.wait_for_line("up", PATIENCE);
    let answer = crate::support::raw::talk(&socket, b"GET /v3/ping HTTP/1.0\r\n\r\n");
    assert!(answer.expect("an answer").starts_with("HTTP/1.0 200"));
    stop(second);
}

#[test]
fn k01_a_live_owner_keeps_its_socket() {
    let first = Pilot::config(&config("socket: '@DIR@/control.socket'")).start();
    first.wait_for_line("up", PATIENCE);
    let socket = first.dir().join("control.socket");
    let inode = fs::symlink_metadata(&socket).expect("it is served").ino();
    let theirs = |more: &str| config(&format!("socket: '{}'{more}", socket.display()));
    // Where the socket is required, a second one does not start; otherwise it runs without.
    let mut second = Pilot::config(&theirs(", required: true")).start();
    assert_eq!(second.wait_exit(PATIENCE).code(), Some(1));
    assert!(
        second.stderr().contains("another process serves it"),
        "{}",
        second.stderr()
    );
    assert!(!second.stdout().contains(" up"), "{}", second.stdout());
    let third = Pilot::config(&theirs("")).start();
    third.wait_for_line(" up", PATIENCE);
    assert_eq!(
        third
            .wait_for_lines("another process serves it", 1, PATIENCE)
            .len(),
        1
    );
    stop(third);
    // Neither took or removed what was not its own.
    assert_eq!(
        fs::symlink_metadata(&socket).expect("it is served").ino(),
        inode
    );
    assert_eq!(ping(&first), 200);
    stop(first);
}

/// Puts something in the place of the socket.
type Maker = fn(&Path);

#[test]
fn k02_what_is_no_socket_is_left_alone() {
    let make_file = |path: &Path| fs::write(path, "precious").expect("a free path");
    let make_directory = |path: &Path| fs::create_dir(path).expect("a free path");
    let make_dangling = |path: &Path| symlink("nowhere", path).expect("a free path");
    let make_link = |path: &Path| {
        let target = path.with_file_name("target.socket");
        // Its server is gone: were the link followed, this would be taken over.
        drop(UnixListener::bind(&target).expect("a free path"));
        symlink(target, path).expect("a free path");
    };
    let kinds: [(&str, Maker); 4] = [
        ("a regular file", make_file),
        ("a directory", make_directory),
        ("a symbolic link", make_dangling),
        ("a link to a stale socket", make_link),
    ];
    for (kind, make) in kinds {
        let said = kind
            .strip_suffix(" to a stale socket")
            .map_or(kind, |_| "a symbolic link");
        let pilot = Pilot::config(&config("socket: '@DIR@/control.socket'"));
        let path = pilot.dir().join("control.socket");
        make(&path);
        let inode = |path: &Path| fs::symlink_metadata(path).expect("it is still there").ino();
        let before = inode(&path);
        let pilot = pilot.start();
        pilot.wait_for_line("up", PATIENCE);
        let warnings = pilot.wait_for_lines("control socket", 1, PATIENCE);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("ERROR") && warnings[0].contains(said),
            "{warnings:?}"
        );
        let dir = pilot.dir().to_owned();
        pilot.signal(Signal::SIGTERM);
        let mut pilot = pilot;
        assert!(pilot.wait_exit(PATIENCE).success());
        assert_eq!(inode(&path), before, "{kind}");
        assert!(
            kind != "a regular file"
                || fs::read_to_string(&path).ok().as_deref() == Some("precious")
        );
        let target = dir.join("target.socket");
        assert_eq!(
            fs::symlink_metadata(target).is_ok(),
            kind == "a link to a stale socket"
        );
    }
}

#[test]
fn k03_the_mode_is_as_configured_under_any_umask() {
    for umask in ["000", "022", "077", "777"] {
        for (setting, wanted) in [
            ("", 0o600),
            (", mode: '0660'", 0o660),
            (", mode: '0777'", 0o777),
            (", mode: '0'", 0),
        ] {
            let script = format!("umask {umask}; exec @PILOT@");
            let pilot = Pilot::behind(
                &script,
                &config(&format!("socket: '@DIR@/control.socket'{setting}")),
            )
            .start();
            pilot.wait_for_line("up", PATIENCE);
            assert_eq!(
                mode(&pilot.dir().join("control.socket")),
                wanted,
                "{umask} {setting}"
            );
            stop(pilot);
        }
    }
}

#[test]
fn k03_the_owner_is_as_configured() {
    if !nix::unistd::geteuid().is_root() {
        return skip(
            "the owner of the control socket",
            "only root can give a file away",
        );
    }
    for (owner, user, group) in [
        ("12345:54321", 12345, 54321),
        ("12345", 12345, 0),
        (":54321", 0, 54321),
    ] {
        let pilot = Pilot::config(&config(&format!(
            "socket: '@DIR@/control.socket', owner: '{owner}'"
        )))
        .start();
        pilot.wait_for_line("up", PATIENCE);
        let found = fs::metadata(pilot.dir().join("control.socket")).expect("it is served");
        assert_eq!((found.uid(), found.gid()), (user, group), "{owner}");
        assert_eq!(found.mode() & 0o777, 0o600);
        stop(pilot);
    }
}

#[test]
fn k08_without_its_directory_the_container_still_runs() {
    let pilot = Pilot::config(&config("socket: '@DIR@/missing/control.socket'")).start();
    pilot.wait_for_line("up", PATIENCE);
    let warnings = pilot.wait_for_lines("there is no control socket", 1, PATIENCE);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(" WARN "), "{warnings:?}");
    assert!(warnings[0].contains("`control.socket`"), "{warnings:?}");
    assert!(
        !pilot.dir().join("missing").exists(),
        "directories are never made"
    );
    stop(pilot);
}

#[test]
fn k08_a_read_only_directory_is_the_same() {
    let script = "mkdir ro && mount -t tmpfs -o ro tmpfs ro && exec @PILOT@";
    let config = config("socket: '@DIR@/ro/control.socket'");
    let Some(pilot) = Pilot::behind(script, &config).start_as_pid1() else {
        return;
    };
    pilot.wait_for_line(" up", PATIENCE);
    let warnings = pilot.wait_for_lines("there is no control socket", 1, PATIENCE);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("Read-only file system"),
        "{warnings:?}"
    );
    stop(pilot);
}

#[test]
fn k08_a_required_socket_that_cannot_be_made_ends_the_start() {
    let mut pilot = Pilot::config(&config(
        "socket: '@DIR@/missing/control.socket', required: true",
    ))
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(1));
    assert!(
        pilot.stderr().contains("control.required"),
        "{}",
        pilot.stderr()
    );
    assert!(!pilot.stdout().contains(" up"), "{}", pilot.stdout());
}
