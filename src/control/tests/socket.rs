use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Command as Process;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::stat::Mode;
use nix::unistd::{getegid, geteuid, mkfifo};

use super::super::{BindError, OwnerError};
use super::*;

fn scene() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.socket");
    (directory, path)
}

/// What a killed server leaves behind.
fn stale(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_socket_appears_and_leaves_nothing_else() {
    let (directory, path) = scene();
    let server = Server::bind(&settings(&path)).unwrap();
    assert_eq!(server.path(), path);
    assert_eq!(names(&directory), ["control.socket"]);
    UnixStream::connect(&path).unwrap();
    drop(server);
    assert_eq!(names(&directory), [""; 0]);
}

#[test]
fn k01_s18_a_stale_socket_is_taken_over() {
    let (_directory, path) = scene();
    stale(&path);
    let server = Server::bind(&settings(&path)).unwrap();
    UnixStream::connect(&path).unwrap();
    drop(server);
    assert!(!path.exists());
}

#[test]
fn k01_a_live_socket_is_left_alone() {
    let (_directory, path) = scene();
    let owner = UnixListener::bind(&path).unwrap();
    let before = fs::symlink_metadata(&path).unwrap().ino();
    let error = Server::bind(&settings(&path)).unwrap_err();
    assert!(matches!(error, BindError::Live { .. }), "{error}");
    assert_eq!(fs::symlink_metadata(&path).unwrap().ino(), before);
    owner.accept().unwrap();
    UnixStream::connect(&path).unwrap();
}

#[test]
fn k01_a_live_socket_with_a_full_backlog_is_live() {
    let (_directory, path) = scene();
    let owner = UnixListener::bind(&path).unwrap();
    nix::sys::socket::listen(&owner, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    let _first = UnixStream::connect(&path).unwrap();
    let error = Server::bind(&settings(&path)).unwrap_err();
    assert!(matches!(error, BindError::Live { .. }), "{error}");
}

#[test]
fn k01_a_second_server_of_our_own_is_refused() {
    let (_directory, path) = scene();
    let first = Server::bind(&settings(&path)).unwrap();
    Server::bind(&settings(&path)).unwrap_err();
    UnixStream::connect(&path).unwrap();
    drop(first);
    Server::bind(&settings(&path)).unwrap();
}

#[test]
fn k01_of_several_starters_at_a_stale_socket_exactly_one_wins() {
    let (_directory, path) = scene();
    for round in 0..500 {
        stale(&path);
        let ready = AtomicUsize::new(0);
        let attempt = || {
            // Spinning brings the threads to the same microsecond, as a barrier that sleeps does not.
            ready.fetch_add(1, Ordering::SeqCst);
            while ready.load(Ordering::SeqCst) < 2 {
                std::thread::yield_now();
            }
            Server::bind(&settings(&path))
        };
        let results: Vec<Result<Server, BindError>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(attempt)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let winners = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(winners, 1, "round {round}: {results:?}");
        UnixStream::connect(&path).expect("the winner's socket is there");
        drop(results);
        assert!(!path.exists(), "round {round}");
    }
}

#[test]
fn k02_what_is_no_socket_is_never_touched() {
    type Make = fn(&Path);
    let makers: [(&str, Make); 6] = [
        ("a regular file", |path| {
            fs::write(path, "precious").unwrap();
        }),
        ("a directory", |path| fs::create_dir(path).unwrap()),
        ("a symbolic link", |path| {
            symlink("/nowhere/at/all", path).unwrap();
        }),
        ("a symbolic link", |path| {
            let target = path.with_extension("real");
            stale(&target);
            symlink(target, path).unwrap();
        }),
        ("a named pipe", |path| mkfifo(path, Mode::S_IRWXU).unwrap()),
        ("a regular file", |path| fs::write(path, "").unwrap()),
    ];
    for (kind, make) in makers {
        let (directory, path) = scene();
        make(&path);
        let before = (
            names(&directory),
            fs::symlink_metadata(&path).unwrap().ino(),
        );
        let error = Server::bind(&settings(&path)).unwrap_err();
        assert!(
            matches!(&error, BindError::NotASocket { kind: found, .. } if *found == kind),
            "{kind}: {error}"
        );
        let after = (
            names(&directory),
            fs::symlink_metadata(&path).unwrap().ino(),
        );
        assert_eq!(before, after, "{kind}");
    }
}

#[test]
fn k02_a_socket_of_another_kind_is_left_alone() {
    let (_directory, path) = scene();
    let _owner = UnixDatagram::bind(&path).unwrap();
    let error = Server::bind(&settings(&path)).unwrap_err();
    assert!(matches!(error, BindError::Unclear { .. }), "{error}");
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
}

#[test]
fn k08_a_directory_that_is_missing_is_an_error_and_not_made() {
    let (directory, _) = scene();
    let path = directory.path().join("missing/control.socket");
    let error = Server::bind(&settings(&path)).unwrap_err();
    assert!(matches!(error, BindError::Directory { .. }), "{error}");
    assert_eq!(names(&directory), [""; 0]);
}

#[test]
fn paths_that_no_socket_can_have_are_errors() {
    let (directory, _) = scene();
    let long = directory.path().join("x".repeat(120));
    let nul = directory.path().join("a\0b");
    for path in [Path::new(""), &long, &nul] {
        let error = Server::bind(&settings(path)).unwrap_err();
        assert!(matches!(error, BindError::Path { .. }), "{path:?}: {error}");
    }
    let error = Server::bind(&settings(directory.path())).unwrap_err();
    assert!(matches!(error, BindError::NotASocket { .. }), "{error}");
    assert_eq!(names(&directory), [""; 0]);
}

#[test]
fn the_longest_path_works() {
    let (directory, _) = scene();
    let length = 107 - directory.path().as_os_str().as_bytes().len() - 1;
    let path = directory.path().join("x".repeat(length));
    let _server = Server::bind(&settings(&path)).unwrap();
    UnixStream::connect(&path).unwrap();
}

#[test]
fn r07_a_socket_of_somebody_else_at_the_same_path_stays() {
    let (_directory, path) = scene();
    let server = Server::bind(&settings(&path)).unwrap();
    // What the original does at its start, whoever lives there.
    fs::remove_file(&path).unwrap();
    let successor = UnixListener::bind(&path).unwrap();
    drop(server);
    UnixStream::connect(&path).unwrap();
    successor.accept().unwrap();
}

#[test]
fn a_lock_that_is_held_on_is_an_error_in_the_end() {
    let (directory, path) = scene();
    stale(&path);
    let before = fs::symlink_metadata(&path).unwrap().ino();
    let held = fs::File::open(directory.path()).unwrap();
    held.lock().unwrap();
    let error = Server::bind(&settings(&path)).unwrap_err();
    assert!(matches!(error, BindError::Locked { .. }), "{error}");
    // Whoever holds the lock may be about to judge the same socket.
    assert_eq!(fs::symlink_metadata(&path).unwrap().ino(), before);
    held.unlock().unwrap();
    Server::bind(&settings(&path)).unwrap();
}

/// The umask belongs to the whole process, so for each value this test runs itself in a process of its own.
#[test]
fn k03_the_mode_is_as_configured_under_every_umask() {
    if let Some(path) = std::env::var_os("PILOTHOUSE_TEST_SOCKET") {
        return bind_with_every_mode(Path::new(&path));
    }
    for umask in ["000", "022", "027", "077", "777"] {
        let (_directory, path) = scene();
        let script = "umask $1; shift; exec \"$@\"";
        let output = Process::new("/bin/sh")
            .args(["-c", script, "sh", umask])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "control::tests::socket::k03_the_mode_is_as_configured_under_every_umask",
            ])
            .arg("--nocapture")
            .env("PILOTHOUSE_TEST_SOCKET", &path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "umask {umask}: {text}");
        assert!(text.contains("1 passed"), "umask {umask}: {text}");
    }
}

fn bind_with_every_mode(path: &Path) {
    for wanted in [0o600, 0o660, 0o666, 0o777, 0o000] {
        let settings = ControlSettings {
            mode: wanted,
            ..settings(path)
        };
        let server = Server::bind(&settings).unwrap();
        assert_eq!(mode(path), wanted, "{wanted:o}");
        drop(server);
    }
}

#[test]
fn d43_the_mode_is_private_by_default() {
    let (_directory, path) = scene();
    let _server = Server::bind(&settings(&path)).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn k03_the_owner_is_as_configured() {
    let (user, group) = if geteuid().is_root() {
        (1234, 4321)
    } else {
        (geteuid().as_raw(), getegid().as_raw())
    };
    let (_directory, path) = scene();
    let settings = ControlSettings {
        owner: Some(format!("{user}:{group}")),
        mode: 0o660,
        ..settings(&path)
    };
    let _server = Server::bind(&settings).unwrap();
    let found = fs::symlink_metadata(&path).unwrap();
    assert_eq!((found.uid(), found.gid()), (user, group));
    assert_eq!(mode(&path), 0o660);
}

#[test]
fn an_owner_that_does_not_exist_leaves_no_socket() {
    let (directory, path) = scene();
    stale(&path);
    let settings = ControlSettings {
        owner: Some("no-such-user-here".to_owned()),
        ..settings(&path)
    };
    let error = Server::bind(&settings).unwrap_err();
    let BindError::Owner { source, .. } = &error else {
        panic!("{error}");
    };
    assert!(matches!(
        source,
        OwnerError::Unknown { .. } | OwnerError::Read { .. }
    ));
    assert_eq!(
        names(&directory),
        ["control.socket"],
        "not even the stale one is touched"
    );
}

#[test]
fn p17_an_owner_that_may_not_be_set_leaves_no_socket() {
    if geteuid().is_root() {
        // Root may give files away.
        return;
    }
    let (directory, path) = scene();
    let settings = ControlSettings {
        owner: Some("0:0".to_owned()),
        ..settings(&path)
    };
    let error = Server::bind(&settings).unwrap_err();
    assert!(matches!(error, BindError::Permission { .. }), "{error}");
    assert_eq!(names(&directory), [""; 0]);
}
