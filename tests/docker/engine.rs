//! A Docker Engine in namespaces of its own, and its containers.
//!
//! The engine's processes, mounts, bridges and rules of iptables are in a PID, a mount and a network namespace: nothing on
//! the machine changes, and all of it ends with the engine. Only its control groups are the machine's; they have a name of
//! their own and are removed at the end.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Container, PATIENCE};
use crate::support::{holds_within, is_root, skip};

/// What runs in the namespaces.
const SCRIPT: &str = include_str!("engine.sh");

const NAMESPACES: &[&str] = &[
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
    "--mount",
    "--net",
];

/// A running engine, with two images: `empty` has the program as `/pilothouse` and nothing else, `small` a shell and what
/// belongs to it as well. Dropping it ends every container.
#[derive(Debug)]
pub(crate) struct Engine {
    dir: tempfile::TempDir,
    init: Child,
    group: String,
}

impl Engine {
    /// An engine with both images; `None`, after saying why, where it cannot be had.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os("PILOTHOUSE_DOCKER").is_none_or(|wanted| wanted.is_empty()) {
            eprintln!(
                "left out: the tests in real containers; PILOTHOUSE_DOCKER=1 asks for them, as tests/run does"
            );
            return None;
        }
        if !is_root("the tests in real containers") {
            return None;
        }
        match Self::try_start() {
            Ok(engine) => Some(engine),
            Err(why) => {
                skip("the tests in real containers", &why);
                None
            }
        }
    }

    fn try_start() -> Result<Self, String> {
        let program =
            std::env::var_os("PILOTHOUSE_STATIC").ok_or("PILOTHOUSE_STATIC is not set")?;
        let tools = ["dockerd", "docker", "setpriv", "unshare", "busybox"];
        if let Some(tool) = tools.iter().find(|tool| found(tool).is_none()) {
            return Err(format!("there is no `{tool}`"));
        }
        let number = next();
        let group = format!("pilothouse-test-{}-{number}", std::process::id());
        let dir = tempfile::tempdir().expect("tests need a temporary directory");
        let log =
            fs::File::create(dir.path().join("log")).expect("a directory of ours takes files");
        // A test that is killed takes it all along.
        let init = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(NAMESPACES)
            .args(["--", "sh", "-ec", SCRIPT, "sh"])
            .arg(dir.path())
            .arg(format!("/{group}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("cannot run setpriv: {error}"))?;
        let mut engine = Self { dir, init, group };
        engine.equip_client();
        engine.wait_ready()?;
        engine.make_images(program.as_ref())?;
        Ok(engine)
    }

    /// The client's own place, with its plugin for `docker compose` where there is one.
    fn equip_client(&self) {
        let plugins = self.client().join("cli-plugins");
        fs::create_dir_all(&plugins).expect("a directory of ours takes others");
        if let Some(compose) = compose() {
            symlink(compose, plugins.join("docker-compose"))
                .expect("a directory of ours takes links");
        }
    }

    fn client(&self) -> PathBuf {
        self.dir().join("client")
    }

    fn wait_ready(&mut self) -> Result<(), String> {
        let mut ended = false;
        let answers = holds_within(PATIENCE, &mut || {
            ended = self.init.try_wait().is_ok_and(|status| status.is_some());
            ended || self.try_docker(&["version"]).status.success()
        });
        if answers && !ended {
            return Ok(());
        }
        let log = fs::read_to_string(self.dir().join("log")).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it says nothing");
        Err(format!("the engine does not start: {last}"))
    }

    fn make_images(&self, program: &Path) -> Result<(), String> {
        let empty = self.dir().join("empty");
        fs::create_dir(&empty).expect("a directory of ours takes others");
        copy(program, &empty.join("pilothouse"));
        self.import("empty", &empty, "ENTRYPOINT [\"/pilothouse\"]");

        let small = self.dir().join("small");
        for place in ["bin", "etc", "run", "tmp", "var"] {
            fs::create_dir_all(small.join(place)).expect("a directory of ours takes others");
        }
        fs::set_permissions(small.join("tmp"), fs::Permissions::from_mode(0o1777))
            .expect("a directory of ours takes a mode");
        symlink("../run", small.join("var/run")).expect("a directory of ours takes links");
        copy(program, &small.join("bin/pilothouse"));
        let busybox = found("busybox").expect("looked for before");
        copy(&busybox, &small.join("bin/busybox"));
        let list = Command::new(busybox).arg("--list").output();
        let list =
            String::from_utf8(list.expect("busybox runs").stdout).expect("names of commands");
        for name in list.lines().filter(|name| *name != "busybox") {
            symlink("busybox", small.join("bin").join(name))
                .expect("a directory of ours takes links");
        }
        self.import("small", &small, "ENTRYPOINT [\"/bin/pilothouse\"]");
        let tried = self.try_docker(&[
            "run",
            "--rm",
            "--network=none",
            "--entrypoint=/bin/true",
            "small",
        ]);
        if tried.status.success() {
            return Ok(());
        }
        // Also what a busybox with libraries says, which the image lacks.
        Err(format!("no container starts: {}", said(&tried)))
    }

    fn import(&self, image: &str, root: &Path, change: &str) {
        let mut tar = Command::new("tar")
            .arg("-C")
            .arg(root)
            .args(["-c", "."])
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar makes an image of a directory");
        let from = tar.stdout.take().expect("stdout is piped");
        let mut docker = self.command();
        docker.args(["import", "--change", change, "-", image]);
        let imported = docker.stdin(from).output().expect("docker is there");
        assert!(imported.status.success(), "{}", said(&imported));
        assert!(tar.wait().is_ok_and(|status| status.success()));
    }

    /// The engine's directory, gone at the end.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A client of this engine.
    pub(crate) fn command(&self) -> Command {
        self.for_clients(Command::new("docker"))
    }

    /// A command of the machine in the engine's network, whose clients ask this engine.
    pub(crate) fn on_network(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        let init = format!("--target={}", self.namespaces());
        command.args([&init, "--net", "--"]).args(words);
        self.for_clients(command)
    }

    /// With the classic builder: the other one is a plugin more, and asks for images in a registry before it looks here.
    fn for_clients(&self, mut command: Command) -> Command {
        command
            .env("DOCKER_HOST", self.address())
            .env("DOCKER_CONFIG", self.client())
            .env("DOCKER_BUILDKIT", "0")
            .stdin(Stdio::null());
        command
    }

    /// What a client names the engine by.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}/socket", self.dir().display())
    }

    /// One call of the client, whatever comes of it.
    pub(crate) fn try_docker(&self, words: &[&str]) -> Output {
        self.command()
            .args(words)
            .output()
            .expect("docker is there")
    }

    /// One call that must succeed: what it printed.
    pub(crate) fn docker(&self, words: &[&str]) -> String {
        let output = self.try_docker(words);
        assert!(
            output.status.success(),
            "docker {words:?}: {}",
            said(&output)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// A file of the host for `--volume`, as its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir().join(name);
        fs::write(&path, text).expect("a directory of ours takes files");
        path.display().to_string()
    }

    /// A container of `image` in the background: `options` as for `docker run`, `words` for the program. It has no network
    /// unless `options` say one.
    pub(crate) fn run(&self, image: &str, options: &[&str], words: &[&str]) -> Container<'_> {
        let has_network = options.iter().any(|option| option.starts_with("--network"));
        let network: &[&str] = if has_network {
            &[]
        } else {
            &["--network=none"]
        };
        let id = self.docker(&[&["run", "--detach"], network, options, &[image], words].concat());
        self.container(&id)
    }

    /// A container that is there already, by its id or its name.
    pub(crate) fn container(&self, id: &str) -> Container<'_> {
        Container::new(self, id)
    }

    /// The same with a configuration in its usual place.
    pub(crate) fn run_config(&self, image: &str, options: &[&str], text: &str) -> Container<'_> {
        let number = next();
        let path = self.file(&format!("config-{number}.json5"), text);
        let volume = format!("--volume={path}:/etc/containerpilot.json5:ro");
        self.run(image, &[&[volume.as_str()], options].concat(), &[])
    }

    /// A process that is in all namespaces of the engine: the first one of its PID namespace.
    pub(crate) fn namespaces(&self) -> u32 {
        let unshare = self.init.id();
        let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"));
        let children = children.expect("the engine runs");
        children.trim().parse().expect("`unshare` has one child")
    }

    /// The control groups of this engine's containers, in every hierarchy.
    fn groups(&self) -> Vec<PathBuf> {
        let top = PathBuf::from("/sys/fs/cgroup");
        let below = fs::read_dir(&top).into_iter().flatten().flatten();
        let all = [top].into_iter().chain(below.map(|entry| entry.path()));
        let groups = all.map(|hierarchy| hierarchy.join(&self.group));
        groups.filter(|group| group.is_dir()).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The init of the namespace dies with `unshare`, and with it everything inside.
        let _ = self.init.kill();
        let _ = self.init.wait();
        let mut groups = Vec::new();
        let gone = holds_within(PATIENCE, &mut || {
            groups = self.groups();
            for group in &groups {
                remove_group(group);
            }
            groups.is_empty()
        });
        if !std::thread::panicking() {
            assert!(gone, "the engine left {groups:?}");
        }
    }
}

/// A control group goes once those below it have gone and nobody is in it; the caller looks whether it did. Who is frozen
/// does not die before the thaw.
fn remove_group(group: &Path) {
    let freezer = group.join("freezer.state");
    if freezer.exists() {
        let _ = fs::write(freezer, "THAWED");
    }
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// A number that nobody else in this process gets.
fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(super) fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|error| panic!("cannot copy {}: {error}", from.display()));
}

/// The program that `docker compose` is: what `tests/run` found or fetched.
pub(super) fn compose() -> Option<PathBuf> {
    let named = std::env::var_os("COMPOSE_BIN").filter(|name| !name.is_empty());
    std::path::absolute(named?).ok()
}

/// The path of a command.
pub(super) fn found(command: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|place| place.join(command));
    places.find(|place| place.is_file())
}
