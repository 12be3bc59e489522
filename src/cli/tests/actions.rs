use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

use super::super::actions::{find_socket, template};
use super::super::{RunOptions, usage};
use super::*;
use crate::config::ControlSettings;
use crate::control::{Command, HealthAnswer, ReloadPlan, Server};
use crate::jobs::Exec;
use crate::supervisor::{ConfigPlace, DEFAULT_CONFIG};

#[test]
fn exit_codes_are_the_documented_numbers() {
    for (code, number) in [
        (ExitCode::Success, 0),
        (ExitCode::Failure, 1),
        (ExitCode::Usage, 2),
        (ExitCode::Fault, 70),
        (ExitCode::Job(0), 0),
        (ExitCode::Job(143), 143),
    ] {
        assert_eq!(code.number(), number);
    }
}

#[test]
fn the_version_has_two_lines() {
    for args in [["containerpilot", "-version"], ["pilothouse", "version"]] {
        let outcome = program(&args, &[]);
        let (first, second) = outcome.out.split_once('\n').unwrap();
        assert_eq!(first, concat!("Version: ", env!("CARGO_PKG_VERSION")));
        assert!(second.starts_with("GitHash: ") && second.ends_with('\n'));
        assert_eq!(
            (outcome.code, outcome.err.as_str()),
            (ExitCode::Success, "")
        );
    }
}

#[test]
fn help_that_was_asked_for_is_an_answer_and_other_help_an_error() {
    let asked = program(&["containerpilot", "-help"], &[]);
    assert_eq!(
        (asked.code, asked.out.as_str(), asked.err.as_str()),
        (ExitCode::Success, usage().as_str(), "")
    );
    let wrong = program(&["containerpilot", "-nope"], &[]);
    assert_eq!((wrong.code, wrong.out.as_str()), (ExitCode::Usage, ""));
    let expected = format!("flag provided but not defined: -nope\n{}", usage());
    assert_eq!(wrong.err, expected);
}

#[test]
fn the_rest_is_passed_on() {
    let outcome = program(&["pilothouse", "check", "f"], &[]);
    assert_eq!(
        (outcome.code, outcome.supervised),
        (ExitCode::Job(43), None)
    );
    let outcome = program(
        &["pilothouse", "-socket=/s", "-", "w"],
        &[("CONTAINERPILOT", "/v")],
    );
    assert_eq!(outcome.code, ExitCode::Job(42));
    let expected = SuperviseRequest::Config {
        place: ConfigPlace::File("/v".into()),
        socket: Some("/s".into()),
        ignored: words(&["-", "w"]),
    };
    assert_eq!(outcome.supervised, Some(expected));
    let outcome = program(&["pilothouse", "catalog"], &[]);
    assert_eq!(
        (outcome.code, outcome.supervised),
        (ExitCode::Job(44), None)
    );
    let outcome = program(&["pilothouse", "run", "--", "a"], &[]);
    let expected = SuperviseRequest::Command {
        options: RunOptions::default(),
        command: Exec::new(vec!["a".to_owned()]).unwrap(),
    };
    assert_eq!(outcome.supervised, Some(expected));
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands for a renderer, which may fail"
)]
fn doubled(text: &str) -> Result<String, String> {
    Ok(text.repeat(2))
}

fn render(
    place: &Path,
    out: Option<&Path>,
    renderer: fn(&str) -> Result<String, String>,
) -> (ExitCode, String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut console = Console {
        out: &mut stdout,
        err: &mut stderr,
    };
    let place = ConfigPlace::File(place.to_owned());
    let code = template(&place, out, &mut console, renderer);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(stdout), text(stderr))
}

#[test]
fn a_template_is_written_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let (source, target) = (directory.path().join("in"), directory.path().join("out"));
    fs::write(&source, "{a").unwrap();
    let written = render(&source, None, doubled);
    assert_eq!(
        written,
        (ExitCode::Success, "{a{a".to_owned(), String::new())
    );
    fs::write(&target, "something that is longer").unwrap();
    let written = render(&source, Some(&target), doubled);
    assert_eq!(written, (ExitCode::Success, String::new(), String::new()));
    assert_eq!(fs::read_to_string(&target).unwrap(), "{a{a");
    fs::remove_file(&target).unwrap();
    render(&source, Some(&target), doubled);
    assert_eq!(fs::metadata(&target).unwrap().mode() & 0o7777 & !0o644, 0);
}

#[test]
fn a_template_that_fails_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (source, target) = (directory.path().join("in"), directory.path().join("out"));
    let (code, out, err) = render(&source, Some(&target), doubled);
    assert_eq!((code, out.as_str()), (ExitCode::Failure, ""));
    assert!(err.starts_with("cannot read the configuration `"), "{err}");
    fs::write(&source, "x").unwrap();
    let (code, _, err) = render(&source, Some(&target), |_| Err("no".to_owned()));
    assert_eq!(code, ExitCode::Failure);
    assert_eq!(
        err,
        format!("cannot render the template of `{}`: no\n", source.display())
    );
    assert!(!target.exists());
    let (code, _, err) = render(&source, Some(directory.path()), doubled);
    assert_eq!(code, ExitCode::Failure);
    assert!(err.starts_with("cannot write `"), "{err}");
}

#[test]
fn a_reader_that_is_gone_is_a_failure() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut err = Vec::new();
    let mut console = Console {
        out: &mut Gone,
        err: &mut err,
    };
    assert_eq!(console.print(b"x"), ExitCode::Failure);
    assert_eq!(err, b"cannot write to stdout: broken pipe\n");
}

#[test]
fn the_socket_is_the_flags_or_the_configurations_or_the_default() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    fs::write(&config, "text").unwrap();
    let place = ConfigPlace::File(config);
    let missing = ConfigPlace::File(directory.path().join("missing"));
    let default = PathBuf::from(ControlSettings::DEFAULT_SOCKET);
    let named = |text: &str| (text == "text").then(|| PathBuf::from("/named"));
    let find = |flag: Option<&str>, place, names: fn(&str) -> Option<PathBuf>| {
        find_socket(flag.map(PathBuf::from), place, names).ok()
    };
    assert_eq!(find(Some("/flag"), &place, named), Some("/flag".into()));
    assert_eq!(find(Some("/flag"), &missing, named), Some("/flag".into()));
    assert_eq!(find(None, &place, named), Some("/named".into()));
    assert_eq!(find(None, &place, |_| None), Some(default.clone()));
    // One that was named and is not there must not become a request to somebody else's supervisor.
    assert_eq!(find(None, &missing, named), None);
    if !Path::new(DEFAULT_CONFIG).exists() {
        let place = ConfigPlace::find(None, &Variables::new());
        assert_eq!(find(None, &place, named), Some(default));
    }
}

/// A supervisor in a thread of its own. It refuses nothing but the variable `BAD`, and knows one healthy job, `app`.
struct Live {
    _directory: TempDir,
    socket: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Live {
    fn start() -> Live {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let settings = ControlSettings {
            socket: path.clone(),
            ..ControlSettings::default()
        };
        let server = Server::bind(&settings).unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let (commands, inbox) = mpsc::channel(4);
                let handle = server.serve(commands).unwrap();
                tokio::select! {
                    () = supervise(inbox) => {}
                    _ = stopped => {}
                }
                handle.close().await;
            });
        });
        Live {
            socket: path.to_str().unwrap().to_owned(),
            _directory: directory,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn ask(&self, args: &[&str]) -> (ExitCode, String, String) {
        let mut all = vec!["pilothouse"];
        all.extend(args);
        let all: Vec<&str> = all
            .into_iter()
            .map(|word| if word == "SOCKET" { &self.socket } else { word })
            .collect();
        let outcome = program(&all, &[]);
        (outcome.code, outcome.out, outcome.err)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn supervise(mut inbox: mpsc::Receiver<Command>) {
    while let Some(command) = inbox.recv().await {
        match command {
            Command::Reload { reply }
            | Command::Maintenance { reply, .. }
            | Command::Metric { reply, .. } => drop(reply.send(Ok(()))),
            Command::Environ { changes, reply } => {
                let bad = changes.iter().any(|(name, _)| name == "BAD");
                let _ = reply.send(if bad { Err("no".to_owned()) } else { Ok(()) });
            }
            Command::ReloadPlan { reply } => {
                let _ = reply.send(Ok(ReloadPlan::default()));
            }
            // The program's own tests have real ones.
            Command::Live(_) => {}
            Command::Health { job, reply } => {
                let healthy = job.as_deref() == Some("app");
                let reason = (!healthy).then(|| "job `db` is unhealthy".to_owned());
                let known = job.as_deref() != Some("none");
                let _ = reply.send(known.then_some(HealthAnswer { healthy, reason }));
            }
        }
    }
}

#[test]
fn requests_succeed_silently() {
    let live = Live::start();
    for args in [
        &["-socket", "SOCKET", "-reload"][..],
        &["reload", "-socket", "SOCKET"],
        &["-socket", "SOCKET", "-maintenance", "enable"],
        &["-socket", "SOCKET", "-maintenance", "off"],
        &["-socket", "SOCKET", "-putenv", "A=1"],
        &["-socket", "SOCKET", "-putmetric", "m=1"],
        &["healthy", "--socket", "SOCKET", "app"],
    ] {
        let expected = (ExitCode::Success, String::new(), String::new());
        assert_eq!(live.ask(args), expected, "{args:?}");
    }
    let plan = live.ask(&["reload", "--plan", "--socket", "SOCKET"]);
    let nothing = "nothing would change\n".to_owned();
    assert_eq!(plan, (ExitCode::Success, nothing, String::new()));
    let plan = live.ask(&["reload", "--plan", "--json", "--socket", "SOCKET"]);
    assert!(plan.1.contains("\"jobs\": []"), "{plan:?}");
    let pong = live.ask(&["-ping", "-socket", "SOCKET"]);
    assert_eq!(pong, (ExitCode::Success, "ok\n".to_owned(), String::new()));
}

#[test]
fn d46_requests_that_are_refused_fail_with_the_reason() {
    let live = Live::start();
    for (args, expected) in [
        (
            &["-socket", "SOCKET", "-putenv", "BAD=1"][..],
            "-putenv: failed to run subcommand: refused with status 422: Unprocessable Entity: no\n",
        ),
        (
            &["-socket", "SOCKET", "-putmetric", "m=x"],
            "-putmetric: failed to run subcommand: refused with status 422: \
             Unprocessable Entity: cannot record \"m\": its value is not a finite number\n",
        ),
        (
            &["healthy", "--socket", "SOCKET"],
            "job `db` is unhealthy\n",
        ),
        (
            &["healthy", "--socket", "SOCKET", "none"],
            "refused with status 404: no job is called `none`\n",
        ),
    ] {
        let (code, out, err) = live.ask(args);
        assert_eq!(
            (code, out.as_str(), err.as_str()),
            (ExitCode::Failure, "", expected)
        );
    }
}

#[test]
fn requests_that_reach_nobody_fail() {
    for (args, start) in [
        (&["pilothouse", "-ping"][..], "-ping: failed: "),
        (
            &["pilothouse", "-reload"],
            "-reload: failed to run subcommand: ",
        ),
        (
            &["pilothouse", "-maintenance=x"],
            "-maintenance: failed to run subcommand: ",
        ),
        (
            &["pilothouse", "-putenv=A=1"],
            "-putenv: failed to run subcommand: ",
        ),
        (&["pilothouse", "healthy"], ""),
    ] {
        let mut with_socket = args.to_vec();
        with_socket.insert(
            if args[1] == "healthy" { 2 } else { 1 },
            "-socket=/nonexistent/socket",
        );
        let outcome = program(&with_socket, &[]);
        let expected = format!(
            "{start}cannot reach the supervisor at `/nonexistent/socket`: No such file or directory (os error 2)\n"
        );
        assert_eq!(
            (outcome.code, outcome.out.as_str()),
            (ExitCode::Failure, "")
        );
        assert_eq!(outcome.err, expected);
    }
    let outcome = program(
        &["pilothouse", "-ping"],
        &[("CONTAINERPILOT", "/nonexistent/file")],
    );
    assert_eq!(outcome.code, ExitCode::Failure);
    assert_eq!(
        outcome.err,
        "-ping: failed: cannot read the configuration `/nonexistent/file`: \
         No such file or directory (os error 2); `-socket PATH` needs no configuration\n"
    );
}
