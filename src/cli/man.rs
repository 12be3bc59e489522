//! `pilothouse man`: the man page, from the table of the command line.

use std::fmt::Write;

use super::table::{COMMANDS, FLAGS, Flag, REQUESTS};

/// The page in the language of man(7).
pub(super) fn page() -> String {
    let mut text = format!(
        ".TH PILOTHOUSE 8 \"\" \"pilothouse {}\"\n\
         .SH NAME\n\
         pilothouse \\- supervisor of a container's processes\n\
         .SH SYNOPSIS\n",
        roff(env!("CARGO_PKG_VERSION"))
    );
    synopsis(
        &mut text,
        "",
        "[\\fB\\-config\\fR FILE] [\\fB\\-socket\\fR PATH]",
    );
    for command in COMMANDS {
        text.push_str(".br\n");
        synopsis(&mut text, command.name, &roff(command.arguments));
    }
    text.push_str(
        ".SH DESCRIPTION\n\
         Without a subcommand \\fBpilothouse\\fR supervises what its configuration says. Under the name\n\
         \\fBcontainerpilot\\fR there are no subcommands.\n\
         .SH COMMANDS\n",
    );
    for command in COMMANDS {
        let _ = writeln!(
            text,
            ".TP\n\\fB{}\\fR {}\n{}.",
            roff(command.name),
            roff(command.arguments),
            roff(command.about)
        );
        if !command.flags.is_empty() {
            text.push_str(".RS\n");
            flags(&mut text, "--", command.flags);
            text.push_str(".RE\n");
        }
    }
    text.push_str(".SH FLAGS\nFlags have one dash or two.\n");
    flags(&mut text, "-", FLAGS);
    text.push_str(".SH REQUESTS\nThese ask a running supervisor for something.\n");
    flags(&mut text, "-", REQUESTS);
    text.push_str(
        ".SH EXIT STATUS\n\
         0 done, 1 failed, 2 wrong usage, 70 internal fault; else that of a job.\n\
         .SH ENVIRONMENT\n\
         .TP\n\
         \\fBCONTAINERPILOT\\fR\n\
         The configuration, where no flag names one.\n\
         .SH FILES\n\
         .TP\n\
         /etc/containerpilot.json5\n\
         The configuration, where nothing else names one.\n\
         .TP\n\
         /var/run/containerpilot.socket\n\
         The control socket, unless the configuration names another one.\n",
    );
    text
}

fn synopsis(text: &mut String, command: &str, rest: &str) {
    let line = format!("\\fBpilothouse {command}\\fR {rest}");
    let _ = writeln!(text, "{}", line.trim_end());
}

fn flags(text: &mut String, dashes: &str, flags: &[Flag]) {
    for flag in flags {
        let name = roff(&format!("{dashes}{}", flag.name));
        let value = roff(flag.value);
        let _ = writeln!(text, ".TP\n\\fB{name}\\fR {value}\n{}.", roff(flag.about));
    }
}

/// A text in which nothing is an instruction.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    // At the start of a line these begin a request.
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
