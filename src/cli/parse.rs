//! From words to an [`Invocation`].

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::completions::Shell;
use super::flags::{Flag, Words};
use super::invocation::{Action, CatalogOptions, CheckRequest, Invocation, RunOptions};
use super::parse_live;
use super::table::{self, COMMANDS, FLAGS, REQUESTS};
use super::usage::UsageError;
use crate::jobs::{Exec, Restarts};

/// Reads a command line; `args[0]` is the program's name.
///
/// # Errors
///
/// The first mistake, in Go's words where the original had it (exit status 2).
pub fn parse(args: &[OsString]) -> Result<Invocation, UsageError> {
    let name = args.first().map(Path::new).and_then(Path::file_name);
    let mut words = Words::new(args.get(1..).unwrap_or_default(), &[FLAGS, REQUESTS]);
    let is_original = name == Some(OsStr::new("containerpilot"));
    let first = words.rest().first().map(|word| word.to_string_lossy());
    match first {
        Some(word) if !is_original && !word.starts_with('-') => {
            words.next_word();
            subcommand(&word, words)
        }
        _ => original(words),
    }
}

fn subcommand(name: &str, words: Words<'_>) -> Result<Invocation, UsageError> {
    let Some(command) = table::command(name) else {
        return Err(unknown_command(name));
    };
    let flags = [command.flags];
    let words = Words::new(words.rest(), &flags);
    match name {
        "check" => check(words),
        "render" => render(words),
        "migrate" => migrate(words),
        "run" => run_command(words),
        "reload" => reload(words),
        "healthy" => healthy(words),
        "catalog" => catalog(words),
        "completions" => completions(words),
        "man" => nothing_more(name, words, Invocation::Man),
        "schema" => nothing_more(name, words, Invocation::Schema),
        "version" => nothing_more(name, words, Invocation::Version),
        "help" => Ok(Invocation::Help),
        _ => parse_live::parse(name, words),
    }
}

fn unknown_command(name: &str) -> UsageError {
    let close = |known: &&str| strsim::damerau_levenshtein(name, known) <= 2;
    let hint = match COMMANDS.iter().map(|command| command.name).find(close) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("to supervise a command, write `run -- {name} ...`"),
    };
    UsageError::new(format!("unknown command `{name}`: {hint}"))
}

fn nothing_more(
    name: &str,
    words: Words<'_>,
    invocation: Invocation,
) -> Result<Invocation, UsageError> {
    match words.rest().first() {
        None => Ok(invocation),
        Some(word) => Err(UsageError::new(format!(
            "`{name}` takes nothing more: `{}`",
            word.display()
        ))),
    }
}

/// The flags of the original, as they were given.
#[derive(Debug, Default)]
struct Given {
    config: Option<OsString>,
    socket: Option<PathBuf>,
    out: Option<OsString>,
    version: bool,
    template: bool,
    reload: bool,
    ping: bool,
    maintenance: Option<OsString>,
    environ: BTreeMap<String, String>,
    metrics: BTreeMap<String, String>,
}

fn original(mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut given = Given::default();
    while let Some(flag) = words.next_flag()? {
        match flag.name() {
            "config" => given.config = some_value(flag, &mut words)?,
            "socket" => given.socket = some_value(flag, &mut words)?.map(PathBuf::from),
            "out" => given.out = some_value(flag, &mut words)?,
            "version" => given.version = flag.switch()?,
            "template" => given.template = flag.switch()?,
            "reload" => given.reload = flag.switch()?,
            "ping" => given.ping = flag.switch()?,
            "maintenance" => given.maintenance = some_value(flag, &mut words)?,
            "putenv" => given.environ.extend([pair(flag, &mut words)?]),
            "putmetric" => given.metrics.extend([pair(flag, &mut words)?]),
            "h" | "help" => return Ok(Invocation::Help),
            _ => return Err(flag.unknown()),
        }
    }
    Ok(given.choose(words.rest()))
}

impl Given {
    /// Of several actions one is done, in the original's order of precedence.
    fn choose(self, words: &[OsString]) -> Invocation {
        if self.version {
            return Invocation::Version;
        }
        if self.template {
            return Invocation::Template {
                config: self.config,
                out: self.out.filter(|out| out != "-").map(|out| file_of(&out)),
            };
        }
        let action = if self.reload {
            Action::Reload
        } else if let Some(mode) = self.maintenance {
            Action::Maintenance(mode == "enable")
        } else if !self.environ.is_empty() {
            Action::PutEnv(self.environ)
        } else if !self.metrics.is_empty() {
            Action::PutMetric(self.metrics)
        } else if self.ping {
            Action::Ping
        } else {
            return Invocation::Run {
                config: self.config,
                socket: self.socket,
                words: words.to_vec(),
            };
        };
        Invocation::Request {
            config: self.config,
            socket: self.socket,
            action,
        }
    }
}

/// Version 2 wrote `file://` before a path.
fn file_of(out: &OsStr) -> PathBuf {
    let bytes = out.as_bytes();
    let path = bytes.strip_prefix(b"file://").unwrap_or(bytes);
    PathBuf::from(OsStr::from_bytes(path))
}

/// A value that counts as not given when it is empty, as in the original.
pub(super) fn some_value<'a>(
    flag: Flag<'a>,
    words: &mut Words<'a>,
) -> Result<Option<OsString>, UsageError> {
    let value = flag.value(words)?;
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

/// `NAME=VALUE`; a further `=` belongs to the value.
fn pair<'a>(flag: Flag<'a>, words: &mut Words<'a>) -> Result<(String, String), UsageError> {
    let text = flag.text(words)?;
    let Some((name, value)) = text.split_once('=') else {
        let reason = format!("flag value '{text}' was not in the format 'key=val'");
        return Err(flag.invalid(OsStr::new(text), &reason));
    };
    Ok((name.to_owned(), value.to_owned()))
}

fn check(mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut request = CheckRequest::default();
    while let Some(flag) = words.next_flag()? {
        match flag.name() {
            "strict" => request.strict = flag.switch()?,
            "image" => request.image = flag.switch()?,
            "grace" => request.grace = Some(duration(flag, &mut words)?),
            "json" => request.json = flag.switch()?,
            "h" | "help" => return Ok(Invocation::Help),
            _ => return Err(flag.unknown()),
        }
    }
    let [file] = words.rest() else {
        return Err(UsageError::new(
            "`check` takes its flags and then one file".to_owned(),
        ));
    };
    request.file = PathBuf::from(file);
    Ok(Invocation::Check(request))
}

fn render(mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut expanded = false;
    while let Some(flag) = words.next_flag()? {
        match flag.name() {
            "expanded" => expanded = flag.switch()?,
            "h" | "help" => return Ok(Invocation::Help),
            _ => return Err(flag.unknown()),
        }
    }
    let [file] = words.rest() else {
        return Err(UsageError::new(
            "`render` takes its flags and then one file".to_owned(),
        ));
    };
    let file = PathBuf::from(file);
    Ok(Invocation::Render { expanded, file })
}

fn migrate(words: Words<'_>) -> Result<Invocation, UsageError> {
    let (file, app) = match words.rest() {
        [file] => (file, [].as_slice()),
        [file, dashes, app @ ..] if dashes == "--" => (file, app),
        _ => {
            return Err(UsageError::new(
                "`migrate` takes one file, and the application after `--`: `migrate FILE -- APP [ARG...]`".to_owned(),
            ));
        }
    };
    let app: Result<Vec<String>, UsageError> = app.iter().map(|word| utf8(word)).collect();
    Ok(Invocation::Migrate {
        file: PathBuf::from(file),
        app: app?,
    })
}

fn completions(words: Words<'_>) -> Result<Invocation, UsageError> {
    let shell = match words.rest() {
        [shell] => shell.to_str().and_then(Shell::parse),
        _ => None,
    };
    let shell = shell.ok_or_else(|| {
        UsageError::new("`completions` takes one of `bash`, `zsh` and `fish`".to_owned())
    })?;
    Ok(Invocation::Completions(shell))
}

fn reload(mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut config = None;
    let mut socket = None;
    let mut plan = false;
    let mut json = false;
    while let Some(flag) = words.next_flag()? {
        match flag.name() {
            "config" => config = some_value(flag, &mut words)?,
            "socket" => socket = some_value(flag, &mut words)?.map(PathBuf::from),
            "plan" => plan = flag.switch()?,
            "json" => json = flag.switch()?,
            "h" | "help" => return Ok(Invocation::Help),
            _ => return Err(flag.unknown()),
        }
    }
    let action = match (plan, json) {
        (true, json) => Action::ReloadPlan { json },
        (false, false) => Action::Reload,
        (false, true) => {
            return Err(UsageError::new("`--json` goes with `--plan`".to_owned()));
        }
    };
    let request = Invocation::Request {
        config,
        socket,
        action,
    };
    nothing_more("reload", words, request)
}

fn healthy(mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut config = None;
    let mut socket = None;
    while let Some(flag) = words.next_flag()? {
        match flag.name() {
            "config" => config = some_value(flag, &mut words)?,
            "socket" => socket = some_value(flag, &mut words)?.map(PathBuf::from),
            "h" | "help" => return Ok(Invocation::Help),
            _ => return Err(flag.unknown()),
        }
    }
    let job = match words.rest() {
        [] => None,
        [job] => Some(utf8(job)?),
        _ => {
            return Err(UsageError::new(
                "`healthy` takes its flags and then at most one job".to_owned(),
            ));
        }
    };
    Ok(Invocation::Request {
        config,
        socket,
        action: Action::Healthy(job),
    })
}

fn run_command(mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut options = RunOptions::default();
    while let Some(flag) = words.next_flag()? {
        match flag.name() {
            "name" => options.name = Some(name(flag, &mut words)?),
            "restarts" => options.restarts = Some(restarts(flag, &mut words)?),
            "stop-timeout" => options.stop_timeout = Some(duration(flag, &mut words)?),
            "socket" => options.socket = some_value(flag, &mut words)?.map(PathBuf::from),
            "h" | "help" => return Ok(Invocation::Help),
            _ => return Err(flag.unknown()),
        }
    }
    let argv: Result<Vec<String>, UsageError> =
        words.rest().iter().map(|word| utf8(word)).collect();
    let command = Exec::new(argv?).filter(|command| !command.program().is_empty());
    let command = command.ok_or_else(|| {
        UsageError::new("`run` needs a command: `run [flags] -- COMMAND [ARG...]`".to_owned())
    })?;
    Ok(Invocation::RunCommand { options, command })
}

fn catalog(mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut options = CatalogOptions::default();
    while let Some(flag) = words.next_flag()? {
        match flag.name() {
            "bind" => options.bind = Some(address(flag, &mut words)?),
            "datacenter" => options.datacenter = Some(name(flag, &mut words)?),
            "node" => options.node = Some(name(flag, &mut words)?),
            "h" | "help" => return Ok(Invocation::Help),
            _ => return Err(flag.unknown()),
        }
    }
    nothing_more("catalog", words, Invocation::Catalog(options))
}

fn address<'a>(flag: Flag<'a>, words: &mut Words<'a>) -> Result<SocketAddr, UsageError> {
    let text = flag.text(words)?;
    text.parse().map_err(|_| {
        let reason = "write an address and a port, such as `127.0.0.1:8500` or `[::1]:0`";
        flag.invalid(OsStr::new(text), reason)
    })
}

fn name<'a>(flag: Flag<'a>, words: &mut Words<'a>) -> Result<String, UsageError> {
    let name = flag.text(words)?;
    if name.is_empty() {
        return Err(flag.invalid(OsStr::new(name), "it must not be blank"));
    }
    Ok(name.to_owned())
}

fn restarts<'a>(flag: Flag<'a>, words: &mut Words<'a>) -> Result<Restarts, UsageError> {
    let text = flag.text(words)?;
    match text {
        "unlimited" => Ok(Restarts::Unlimited),
        "never" => Ok(Restarts::Limited(0)),
        _ => text.parse().map(Restarts::Limited).map_err(|_| {
            let reason = "write a number, `unlimited` or `never`";
            flag.invalid(OsStr::new(text), reason)
        }),
    }
}

fn duration<'a>(flag: Flag<'a>, words: &mut Words<'a>) -> Result<Duration, UsageError> {
    let text = flag.text(words)?;
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text).map_err(|_| {
        let reason = "write a time such as `10s`, `1m30s` or a number of seconds";
        flag.invalid(OsStr::new(text), reason)
    })
}

pub(super) fn utf8(word: &OsStr) -> Result<String, UsageError> {
    let text = word.to_str();
    let text = text.ok_or_else(|| {
        let message = format!("cannot use `{}`: it is not UTF-8", word.display());
        UsageError::new(message)
    })?;
    Ok(text.to_owned())
}
