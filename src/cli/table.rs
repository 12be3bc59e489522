//! The command line as a table: what the parser accepts, and what help, completions and the man page say.

/// A subcommand.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    /// What follows its name, as the help shows it.
    pub(super) arguments: &'static str,
    /// What its first argument is, for completion.
    pub(super) first: Takes,
    pub(super) about: &'static str,
    pub(super) flags: &'static [Flag],
}

/// A flag.
#[derive(Debug)]
pub(super) struct Flag {
    /// Without dashes.
    pub(super) name: &'static str,
    /// How the help calls its value; empty: it takes none.
    pub(super) value: &'static str,
    pub(super) takes: Takes,
    pub(super) about: &'static str,
}

/// What a value is, for completion.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// There is none.
    Nothing,
    /// Anything.
    Text,
    /// A file that is there.
    File,
    /// One of these, or something else.
    Words(&'static [&'static str]),
    /// A command with its arguments.
    Command,
}

/// The subcommands, in the order of the help.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "run",
        arguments: "[flags] -- COMMAND [ARG...]",
        first: Takes::Command,
        about: "supervise one command, without a file",
        flags: &[
            text(
                "name",
                "NAME",
                "the job's name; default: the command's file name",
            ),
            Flag {
                name: "restarts",
                value: "N",
                takes: Takes::Words(&["unlimited", "never"]),
                about: "restarts after the first run: a number, `unlimited` or `never` (default)",
            },
            text(
                "stop-timeout",
                "TIME",
                "from TERM to KILL, for example `10s`; a bare number is in seconds",
            ),
            file("socket", "PATH", "the control socket"),
        ],
    },
    Command {
        name: "check",
        arguments: "[flags] FILE",
        first: Takes::File,
        about: "say what is wrong with FILE; touches nothing",
        flags: &[
            switch("strict", "warnings count as errors"),
            switch(
                "image",
                "look here for the commands, users, directories and files that jobs need",
            ),
            text(
                "grace",
                "TIME",
                "what the container's runtime leaves between TERM and KILL; default: the usual 10 s, for stated times",
            ),
            switch("json", "say it as JSON, on stdout"),
        ],
    },
    Command {
        name: "render",
        arguments: "[--expanded] FILE",
        first: Takes::File,
        about: "print FILE rendered, or with every hook as the job that it is",
        flags: &[switch("expanded", "print every hook as the job that it is")],
    },
    Command {
        name: "migrate",
        arguments: "FILE [-- APP [ARG...]]",
        first: Takes::File,
        about: "print FILE, which is of version 2 or 1, in the form of version 3",
        flags: &[],
    },
    Command {
        name: "reload",
        arguments: "[flags]",
        first: Takes::Nothing,
        about: "have the configuration read again, or say what that would do",
        flags: &[
            switch(
                "plan",
                "only say what would be restarted, adjusted, started and stopped, and why",
            ),
            switch("json", "say it as JSON"),
            CONFIG,
            SOCKET,
        ],
    },
    Command {
        name: "healthy",
        arguments: "[flags] [JOB]",
        first: Takes::Text,
        about: "exit 0 if JOB, or everything, is healthy",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "status",
        arguments: "[--json] [--watch]",
        first: Takes::Nothing,
        about: "what runs, as a table",
        flags: &[
            JSON,
            switch("watch", "show it again and again"),
            CONFIG,
            SOCKET,
        ],
    },
    Command {
        name: "start",
        arguments: "JOB",
        first: Takes::Text,
        about: "start one job",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "stop",
        arguments: "JOB",
        first: Takes::Text,
        about: "stop one job; it stays so until it is started",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "restart",
        arguments: "JOB",
        first: Takes::Text,
        about: "stop one job and start it anew",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "signal",
        arguments: "SIGNAL JOB",
        first: Takes::Text,
        about: "send a signal to a job's processes",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "why",
        arguments: "[--json] JOB",
        first: Takes::Text,
        about: "what a job waits for, and what was decided about it",
        flags: &[JSON, CONFIG, SOCKET],
    },
    Command {
        name: "logs",
        arguments: "[-f] JOB",
        first: Takes::Text,
        about: "the last lines of a job; -f: and those that come",
        flags: &[FOLLOW, FOLLOWS, CONFIG, SOCKET],
    },
    Command {
        name: "events",
        arguments: "[-f] [--json]",
        first: Takes::Nothing,
        about: "the last events; -f: and those that come",
        flags: &[FOLLOW, FOLLOWS, JSON, CONFIG, SOCKET],
    },
    Command {
        name: "checks",
        arguments: "enable|disable JOB",
        first: Takes::Words(&["enable", "disable"]),
        about: "switch a job's health checks on or off",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "maintenance",
        arguments: "enable|disable [JOB]",
        first: Takes::Words(&["enable", "disable"]),
        about: "of everything, or of one job",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "publish",
        arguments: "EVENT",
        first: Takes::Text,
        about: "start the jobs that wait for the source `event.EVENT`",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "env",
        arguments: "NAME=VALUE...",
        first: Takes::Text,
        about: "set environment variables for later runs, as -putenv",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "metric",
        arguments: "NAME=VALUE...",
        first: Takes::Text,
        about: "record metrics, as -putmetric",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "ping",
        arguments: "",
        first: Takes::Nothing,
        about: "exit 0 if the control socket answers",
        flags: &[CONFIG, SOCKET],
    },
    Command {
        name: "catalog",
        arguments: "[flags]",
        first: Takes::Nothing,
        about: "serve a Consul in memory, for development and tests",
        flags: &[
            text(
                "bind",
                "ADDRESS:PORT",
                "default 127.0.0.1:8500; port 0 takes a free one",
            ),
            text("datacenter", "NAME", "default dc1"),
            text("node", "NAME", "default: the host's name"),
        ],
    },
    Command {
        name: "schema",
        arguments: "",
        first: Takes::Nothing,
        about: "print the JSON Schema of a configuration, for editors",
        flags: &[],
    },
    Command {
        name: "completions",
        arguments: "SHELL",
        first: Takes::Words(&["bash", "zsh", "fish"]),
        about: "print what completes this command line in bash, zsh or fish",
        flags: &[],
    },
    Command {
        name: "man",
        arguments: "",
        first: Takes::Nothing,
        about: "print the man page, for `man -l -`",
        flags: &[],
    },
    Command {
        name: "version",
        arguments: "",
        first: Takes::Nothing,
        about: "print the version",
        flags: &[],
    },
    Command {
        name: "help",
        arguments: "",
        first: Takes::Nothing,
        about: "print this",
        flags: &[],
    },
];

/// The flags without a subcommand, which the original had.
pub(super) const FLAGS: &[Flag] = &[
    CONFIG,
    SOCKET,
    switch("template", "render the configuration's template and stop"),
    file(
        "out",
        "FILE",
        "where -template writes; default or `-`: stdout",
    ),
    switch("version", "print the version and stop"),
    switch("help", "print this and stop"),
];

/// Those of them that ask a running supervisor for something.
pub(super) const REQUESTS: &[Flag] = &[
    switch("ping", "exit 0 if the control socket answers"),
    switch("reload", "read the configuration again"),
    Flag {
        name: "maintenance",
        value: "MODE",
        takes: Takes::Words(&["enable", "disable"]),
        about: "`enable`: enter maintenance; anything else: leave it",
    },
    text(
        "putenv",
        "NAME=VALUE",
        "set an environment variable for later runs; may be repeated",
    ),
    text(
        "putmetric",
        "NAME=VALUE",
        "record a metric; may be repeated",
    ),
];

const JSON: Flag = switch("json", "say it as JSON");
const FOLLOW: Flag = switch("f", "go on with those that come");
const FOLLOWS: Flag = switch("follow", "the same");

const CONFIG: Flag = file(
    "config",
    "FILE",
    "the configuration; else $CONTAINERPILOT, else /etc/containerpilot.json5",
);

const SOCKET: Flag = file(
    "socket",
    "PATH",
    "the control socket; else the one that the configuration names",
);

const fn switch(name: &'static str, about: &'static str) -> Flag {
    Flag {
        name,
        value: "",
        takes: Takes::Nothing,
        about,
    }
}

const fn text(name: &'static str, value: &'static str, about: &'static str) -> Flag {
    Flag {
        name,
        value,
        takes: Takes::Text,
        about,
    }
}

const fn file(name: &'static str, value: &'static str, about: &'static str) -> Flag {
    Flag {
        name,
        value,
        takes: Takes::File,
        about,
    }
}

/// The subcommand of this name.
pub(super) fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}
