//! Subcommands that ask a running supervisor about what runs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::flags::Words;
use super::invocation::{Action, Invocation};
use super::live::LiveAction;
use super::parse::{some_value, utf8};
use super::table;
use super::usage::UsageError;
use crate::events::Signal;
use crate::jobs::Operation;

/// The flags that were given.
#[derive(Debug, Default)]
struct Given {
    config: Option<OsString>,
    socket: Option<PathBuf>,
    json: bool,
    watch: bool,
    follow: bool,
}

/// Reads one of the subcommands.
pub(super) fn parse(name: &str, words: Words<'_>) -> Result<Invocation, UsageError> {
    read(name, words)
}

fn read(name: &str, mut words: Words<'_>) -> Result<Invocation, UsageError> {
    let mut given = Given::default();
    let mut rest = Vec::new();
    // A flag may stand behind a word too: `logs app -f`.
    loop {
        while let Some(flag) = words.next_flag()? {
            match (name, flag.name()) {
                (_, "config") => given.config = some_value(flag, &mut words)?,
                (_, "socket") => given.socket = some_value(flag, &mut words)?.map(PathBuf::from),
                ("status" | "events" | "why", "json") => given.json = flag.switch()?,
                ("status", "watch") => given.watch = flag.switch()?,
                ("logs" | "events", "f" | "follow") => given.follow = flag.switch()?,
                (_, "h" | "help") => return Ok(Invocation::Help),
                _ => return Err(flag.unknown()),
            }
        }
        let Some(word) = words.next_word() else { break };
        rest.push(utf8(word)?);
    }
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let action = action(name, &rest, &given)?;
    Ok(Invocation::Request {
        config: given.config,
        socket: given.socket,
        action,
    })
}

fn action(name: &str, rest: &[&str], given: &Given) -> Result<Action, UsageError> {
    let (json, follow) = (given.json, given.follow);
    let live = match (name, rest) {
        ("ping", []) => return Ok(Action::Ping),
        ("maintenance", [mode]) => return Ok(Action::Maintenance(switched(name, mode)?)),
        ("env", [_, ..]) => return Ok(Action::PutEnv(pairs(name, rest)?)),
        ("metric", [_, ..]) => return Ok(Action::PutMetric(pairs(name, rest)?)),
        ("status", []) => LiveAction::Status {
            json,
            watch: given.watch,
        },
        ("start", [job]) => operate(job, Operation::Start),
        ("stop", [job]) => operate(job, Operation::Stop),
        ("restart", [job]) => operate(job, Operation::Restart),
        ("signal", [signal, job]) => {
            let signal: Result<Signal, _> = signal.parse();
            let signal = signal.map_err(|error| UsageError::new(error.to_string()))?;
            operate(job, Operation::Signal(signal))
        }
        ("checks", [mode, job]) => operate(job, Operation::Check(switched(name, mode)?)),
        ("maintenance", [mode, job]) => operate(job, Operation::Maintenance(switched(name, mode)?)),
        ("logs", [job]) => LiveAction::Logs {
            job: (*job).to_owned(),
            follow,
        },
        ("events", []) => LiveAction::Events { json, follow },
        ("why", [job]) => LiveAction::Why {
            job: (*job).to_owned(),
            json,
        },
        ("publish", [event]) => LiveAction::Publish((*event).to_owned()),
        _ => return Err(UsageError::new(format!("write `{}`", form(name)))),
    };
    Ok(Action::Live(live))
}

fn form(name: &str) -> String {
    let arguments = table::command(name).map_or("", |command| command.arguments);
    format!("{name} {arguments}").trim_end().to_owned()
}

fn operate(job: &str, operation: Operation) -> LiveAction {
    LiveAction::Operate {
        job: job.to_owned(),
        operation,
    }
}

fn switched(name: &str, mode: &str) -> Result<bool, UsageError> {
    match mode {
        "enable" => Ok(true),
        "disable" => Ok(false),
        _ => Err(UsageError::new(format!("write `{}`", form(name)))),
    }
}

fn pairs(name: &str, words: &[&str]) -> Result<BTreeMap<String, String>, UsageError> {
    let pair = |word: &&str| {
        let (key, value) = word.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    };
    let found = words.iter().map(pair).collect::<Option<_>>();
    found.ok_or_else(|| UsageError::new(format!("write `{}`", form(name))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse as parse_all;

    fn parsed(words: &str) -> Result<Action, String> {
        let words = std::iter::once("pilothouse").chain(words.split(' '));
        let words: Vec<OsString> = words.map(OsString::from).collect();
        match parse_all(&words) {
            Ok(Invocation::Request {
                config: None,
                socket,
                action,
            }) if socket == Some(PathBuf::from("/s")) => Ok(action),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn every_subcommand_means_one_thing() {
        let live = |action| Ok(Action::Live(action));
        let job = || "app".to_owned();
        let signal = Operation::Signal(Signal::USR1);
        let both = BTreeMap::from([("A", "1=2"), ("B", "")]);
        let both: BTreeMap<String, String> = both
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (words, expected) in [
            ("ping", Ok(Action::Ping)),
            ("maintenance enable", Ok(Action::Maintenance(true))),
            ("maintenance disable", Ok(Action::Maintenance(false))),
            ("env A=1=2 B=", Ok(Action::PutEnv(both.clone()))),
            ("metric A=1=2 B=", Ok(Action::PutMetric(both))),
            (
                "status",
                live(LiveAction::Status {
                    json: false,
                    watch: false,
                }),
            ),
            (
                "status --json --watch",
                live(LiveAction::Status {
                    json: true,
                    watch: true,
                }),
            ),
            ("start app", live(operate("app", Operation::Start))),
            ("stop app", live(operate("app", Operation::Stop))),
            ("restart app", live(operate("app", Operation::Restart))),
            ("signal USR1 app", live(operate("app", signal))),
            (
                "checks enable app",
                live(operate("app", Operation::Check(true))),
            ),
            (
                "checks disable app",
                live(operate("app", Operation::Check(false))),
            ),
            (
                "maintenance enable app",
                live(operate("app", Operation::Maintenance(true))),
            ),
            (
                "logs app",
                live(LiveAction::Logs {
                    job: job(),
                    follow: false,
                }),
            ),
            (
                "logs app -f",
                live(LiveAction::Logs {
                    job: job(),
                    follow: true,
                }),
            ),
            (
                "events --follow",
                live(LiveAction::Events {
                    json: false,
                    follow: true,
                }),
            ),
            (
                "why --json app",
                live(LiveAction::Why {
                    job: job(),
                    json: true,
                }),
            ),
            (
                "publish deploy",
                live(LiveAction::Publish("deploy".to_owned())),
            ),
        ] {
            assert_eq!(parsed(&format!("{words} -socket /s")), expected, "{words}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_the_form() {
        for (words, form) in [
            ("start", "write `start JOB`"),
            ("stop a b", "write `stop JOB`"),
            ("signal HUP", "write `signal SIGNAL JOB`"),
            ("checks on app", "write `checks enable|disable JOB`"),
            (
                "maintenance off",
                "write `maintenance enable|disable [JOB]`",
            ),
            ("env A", "write `env NAME=VALUE...`"),
            ("status -f", "flag provided but not defined: -f"),
            ("start app --json", "flag provided but not defined: -json"),
        ] {
            assert_eq!(parsed(words), Err(form.to_owned()), "{words}");
        }
        let error = parsed("signal NOPE app").expect_err("no such signal");
        assert!(error.contains("`NOPE` is not a signal"), "{error}");
    }
}
