//! The supervisors and how each is told what to run.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// No supervisor: the job itself is PID 1.
    None,
    Ours,
    S6,
    Runit,
    Horust,
    Supervisord,
    Tini,
    DumbInit,
}

/// Where the jobs' output goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Logged {
    /// As the supervisor does it when nothing is said.
    #[default]
    Usual,
    /// The job writes to the supervisor's own standard output.
    Inherited,
    /// The supervisor, or its logger, reads the job's output and writes it to standard output.
    Wrapped,
}

/// What a supervisor is to run.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// The words after the stub's name, one text a job; `@` stands for the directory.
    pub(super) jobs: Vec<String>,
    pub(super) restart: bool,
    /// A health check a second for each job.
    pub(super) checked: bool,
    pub(super) logged: Logged,
    /// A job for each of these signals, that the signal starts.
    pub(super) on_signal: Vec<(&'static str, String)>,
    /// A job for each of these, a source and its event, that the event starts.
    pub(super) on_event: Vec<(&'static str, &'static str, String)>,
    /// The catalogue and the watches, as our configuration writes them.
    pub(super) consul: String,
    /// Every job is registered, and sends a heartbeat a second if it is not checked.
    pub(super) served: bool,
}

impl Plan {
    /// As many jobs that do nothing.
    pub(super) fn idle(count: usize) -> Self {
        Self::of(&vec!["hold @/job"; count])
    }

    pub(super) fn of(jobs: &[&str]) -> Self {
        Self {
            jobs: jobs.iter().map(|&words| words.to_owned()).collect(),
            ..Self::default()
        }
    }
}

/// A supervisor on this machine.
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    pub(super) kind: Kind,
    /// Its programs: the first is PID 1.
    pub(super) programs: Vec<PathBuf>,
    pub(super) version: String,
}

impl Kind {
    pub(super) const ALL: &[Self] = &[
        Self::None,
        Self::Ours,
        Self::S6,
        Self::Runit,
        Self::Horust,
        Self::Supervisord,
        Self::Tini,
        Self::DumbInit,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ours => "pilothouse",
            Self::S6 => "s6",
            Self::Runit => "runit",
            Self::Horust => "horust",
            Self::Supervisord => "supervisord",
            Self::Tini => "tini",
            Self::DumbInit => "dumb-init",
        }
    }

    /// Runs more than one job and starts them again.
    pub(super) fn is_supervisor(self) -> bool {
        matches!(
            self,
            Self::Ours | Self::S6 | Self::Runit | Self::Horust | Self::Supervisord
        )
    }

    /// Checks the health of its jobs, and can do so every second.
    pub(super) fn checks_health(self) -> bool {
        matches!(self, Self::Ours | Self::Horust)
    }

    /// The signal that asks for an orderly end. At TERM, runit does not even tell its services.
    pub(super) fn stop_signal(self) -> Signal {
        match self {
            Self::Runit => Signal::SIGHUP,
            _ => Signal::SIGTERM,
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::None | Self::Ours => &[],
            Self::S6 => &["s6-svscan", "s6-supervise"],
            Self::Runit => &["runsvdir", "runsv"],
            Self::Horust => &["horust"],
            Self::Supervisord => &["supervisord"],
            Self::Tini => &["tini"],
            Self::DumbInit => &["dumb-init"],
        }
    }
}

impl Supervisor {
    /// Finds one of the peers; `None` when it is not installed.
    pub(super) fn find(kind: Kind) -> Option<Self> {
        if kind == Kind::Horust {
            return Self::horust();
        }
        let programs: Option<Vec<PathBuf>> = kind.programs().iter().map(|it| in_path(it)).collect();
        Some(Self {
            kind,
            version: packaged_version(kind),
            programs: programs?,
        })
    }

    /// Horust is in no distribution: `HORUST_BIN` says where it is. It does not tell its version, so that is in the name
    /// of a folder around it.
    fn horust() -> Option<Self> {
        let named = std::env::var_os("HORUST_BIN").map(PathBuf::from);
        let program = named
            .or_else(|| in_path("horust"))
            .filter(|it| it.is_file())?;
        let version = program
            .iter()
            .find_map(|part| part.to_str()?.strip_prefix("horust-"));
        Some(Self {
            kind: Kind::Horust,
            version: version.unwrap_or_default().to_owned(),
            programs: vec![program.clone()],
        })
    }

    /// Ours, at the given path.
    pub(super) fn ours(path: &Path) -> Self {
        let output = Command::new(path).arg("-version").output();
        let said = output.map(|output| output.stdout).unwrap_or_default();
        let line = String::from_utf8_lossy(&said);
        Self {
            kind: Kind::Ours,
            programs: vec![path.to_owned()],
            version: line.lines().next().unwrap_or_default().trim().to_owned(),
        }
    }

    /// Writes what the supervisor needs into `dir`. Returns its command; `None` when it cannot do what is planned.
    pub(super) fn prepare(&self, plan: &Plan, stub: &Path, dir: &Path) -> Option<Vec<String>> {
        let stub = stub.display().to_string();
        let place = dir.display().to_string();
        let commands: Vec<String> = plan
            .jobs
            .iter()
            .map(|words| format!("{stub} {}", words.replace('@', &place)))
            .collect();
        let own = self.programs.first().map(|it| it.display().to_string());
        let single = || words(commands.first()).into_iter();
        match self.kind {
            Kind::None => Some(single().collect()),
            Kind::Tini | Kind::DumbInit => {
                Some([own?, "--".into()].into_iter().chain(single()).collect())
            }
            Kind::Ours => {
                let path = write(dir, "config.json5", &ours(plan, &commands, &stub, &place))?;
                Some(vec![own?, "-config".into(), path])
            }
            Kind::S6 => {
                let room = (2 * commands.len() + 8).to_string();
                let scan = services(plan, &commands, dir)?;
                Some(vec![own?, "-c".into(), room, scan])
            }
            Kind::Runit => Some(vec![own?, services(plan, &commands, dir)?]),
            Kind::Horust => Some(horust(own?, plan, &commands, &stub, dir)?),
            Kind::Supervisord => {
                let path = write(
                    dir,
                    "supervisord.conf",
                    &supervisord(plan, &commands, &place),
                )?;
                Some(vec![own?, "-n".into(), "-c".into(), path])
            }
        }
    }
}

/// A configuration of ours.
fn ours(plan: &Plan, commands: &[String], stub: &str, place: &str) -> String {
    let consul = &plan.consul;
    let mut text = format!("{{ control: {{ socket: \"{place}/control\" }}, {consul} jobs: [\n");
    let raw = if plan.logged == Logged::Inherited {
        ", logging: { raw: true }"
    } else {
        ""
    };
    let restarts = if plan.restart {
        ", restarts: \"unlimited\""
    } else {
        ""
    };
    let health = if plan.checked {
        format!(", health: {{ exec: \"{stub} ok\", interval: 1, ttl: 5 }}")
    } else if plan.served {
        ", health: { interval: 1, ttl: 5 }".to_owned()
    } else {
        String::new()
    };
    let served = if plan.served {
        ", port: 80, interfaces: \"static:127.0.0.1\""
    } else {
        ""
    };
    // Writing to a String cannot fail.
    for (number, command) in commands.iter().enumerate() {
        let _ = writeln!(
            text,
            "{{ name: \"j{number}\", exec: \"{command}\"{raw}{restarts}{health}{served} }},"
        );
    }
    for (signal, job) in &plan.on_signal {
        let job = job.replace('@', place);
        let _ = writeln!(
            text,
            "{{ name: \"on-{signal}\", exec: \"{stub} {job}\", when: {{ source: \"{signal}\" }} }},"
        );
    }
    for (number, (source, event, job)) in plan.on_event.iter().enumerate() {
        let job = job.replace('@', place);
        let _ = writeln!(
            text,
            "{{ name: \"on-event-{number}\", exec: \"{stub} {job}\", when: {{ source: \"{source}\", each: \"{event}\" }} }},"
        );
    }
    text + "] }\n"
}

/// A directory of services as s6 and runit share it. The script's interpreter is the stub itself, without a shell.
fn services(plan: &Plan, commands: &[String], dir: &Path) -> Option<String> {
    let scan = dir.join("scan");
    for (number, command) in commands.iter().enumerate() {
        let service = scan.join(format!("j{number}"));
        fs::create_dir_all(service.join("log")).ok()?;
        write(&service, "run", &format!("#!{command}\n"))?;
        // What `crash` writes to; only s6 reads it.
        write(&service, "notification-fd", "3\n")?;
        if plan.logged == Logged::Wrapped {
            write(&service.join("log"), "run", "#!/bin/sh\nexec s6-log 1\n")?;
        } else {
            fs::remove_dir(service.join("log")).ok()?;
        }
    }
    // A directory that has just changed makes runsvdir wait for a second.
    let long_ago = SystemTime::now() - Duration::from_mins(1);
    let touched = fs::File::open(&scan).and_then(|dir| dir.set_modified(long_ago));
    touched.ok()?;
    Some(scan.display().to_string())
}

/// A directory of services for Horust, and its command. It checks health every second and cannot do otherwise.
fn horust(
    own: String,
    plan: &Plan,
    commands: &[String],
    stub: &str,
    dir: &Path,
) -> Option<Vec<String>> {
    let services = dir.join("services");
    fs::create_dir_all(&services).ok()?;
    let strategy = if plan.restart { "always" } else { "never" };
    let health = if plan.checked {
        format!("[healthiness]\ncommand = \"{stub} ok\"\n")
    } else {
        String::new()
    };
    for (number, command) in commands.iter().enumerate() {
        let text =
            format!("command = \"{command}\"\n[restart]\nstrategy = \"{strategy}\"\n{health}");
        write(&services, &format!("j{number}.toml"), &text)?;
    }
    let sockets = dir.join("sockets");
    let words = [
        own,
        "--services-path".to_owned(),
        services.display().to_string(),
        "--uds-folder-path".to_owned(),
        sockets.display().to_string(),
    ];
    Some(words.into())
}

fn supervisord(plan: &Plan, commands: &[String], place: &str) -> String {
    // Its pid file is removed at its end, so that must be a file of ours.
    let mut text = format!(
        "[supervisord]\nlogfile={place}/log\nlogfile_maxbytes=0\npidfile={place}/pidfile\nuser=root\nminfds=8192\n"
    );
    let output = if plan.logged == Logged::Usual {
        "NONE"
    } else {
        "/dev/stdout"
    };
    for (number, command) in commands.iter().enumerate() {
        let _ = writeln!(
            text,
            "[program:j{number}]\ncommand={command}\nautorestart={}\nstartsecs=0\nstdout_logfile={output}\nstdout_logfile_maxbytes=0\nstderr_logfile=NONE",
            plan.restart
        );
    }
    text
}

fn words(command: Option<&String>) -> Vec<String> {
    let words = command.into_iter().flat_map(|command| command.split(' '));
    words.map(str::to_owned).collect()
}

/// Writes a file, executable so that it may be a script, and returns its path.
fn write(dir: &Path, name: &str, text: &str) -> Option<String> {
    let path = dir.join(name);
    fs::write(&path, text).ok()?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).ok()?;
    Some(path.display().to_string())
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).map(|place| place.join(program));
    places
        .chain([PathBuf::from("/usr/bin").join(program)])
        .find(|file| file.is_file())
}

/// The version of the Debian package; empty elsewhere.
fn packaged_version(kind: Kind) -> String {
    let package = match kind {
        Kind::Supervisord => "supervisor",
        kind => kind.name(),
    };
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", package])
        .output();
    let said = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).trim().to_owned()
}
