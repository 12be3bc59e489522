//! `pilothouse completions`: scripts that complete the command line, from its table.

use std::fmt::Write;

use super::table::{COMMANDS, Command, FLAGS, Flag, REQUESTS, Takes};

/// A shell that completes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// The shell of this name.
    pub(super) fn parse(name: &str) -> Option<Shell> {
        match name {
            "bash" => Some(Shell::Bash),
            "zsh" => Some(Shell::Zsh),
            "fish" => Some(Shell::Fish),
            _ => None,
        }
    }
}

/// The script for a shell.
pub(super) fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Zsh => zsh(),
        Shell::Fish => fish(),
    }
}

/// The flags without a subcommand.
fn top_flags() -> impl Iterator<Item = &'static Flag> + Clone {
    FLAGS.iter().chain(REQUESTS)
}

fn bash() -> String {
    let mut text = String::from(
        "# bash completion for pilothouse\n\
         _pilothouse() {\n\
         \x20   local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n\
         \x20   COMPREPLY=()\n\
         \x20   case ${COMP_WORDS[1]} in\n",
    );
    for command in COMMANDS {
        // The name itself is still being written.
        let _ = writeln!(
            text,
            "    {})\n        if [ \"$COMP_CWORD\" -gt 1 ]; then",
            command.name
        );
        bash_flags(&mut text, "            ", "--", command.flags.iter());
        bash_value(&mut text, "            ", command.first);
        text.push_str("            return\n        fi ;;\n");
    }
    text.push_str("    esac\n");
    bash_flags(&mut text, "    ", "-", top_flags());
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let _ = writeln!(
        text,
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=( $(compgen -W '{}' -- \"$cur\") )\n    fi\n}}",
        names.join(" ")
    );
    text.push_str("complete -F _pilothouse pilothouse\n");
    text
}

/// The values of flags, then the flags.
fn bash_flags(
    text: &mut String,
    indent: &str,
    dashes: &str,
    flags: impl Iterator<Item = &'static Flag> + Clone,
) {
    let mut valued = flags
        .clone()
        .filter(|flag| !flag.value.is_empty())
        .peekable();
    if valued.peek().is_some() {
        let _ = writeln!(text, "{indent}case $prev in");
        for flag in valued {
            let _ = writeln!(text, "{indent}-{0}|--{0})", flag.name);
            bash_value(text, &format!("{indent}    "), flag.takes);
            let _ = writeln!(text, "{indent}    return ;;");
        }
        let _ = writeln!(text, "{indent}esac");
    }
    let names: Vec<String> = flags.map(|flag| format!("{dashes}{}", flag.name)).collect();
    if !names.is_empty() {
        let _ = writeln!(
            text,
            "{indent}if [[ $cur == -* ]]; then\n{indent}    COMPREPLY=( $(compgen -W '{}' -- \"$cur\") )\n{indent}    return\n{indent}fi",
            names.join(" ")
        );
    }
}

fn bash_value(text: &mut String, indent: &str, takes: Takes) {
    let _ = match takes {
        Takes::Nothing | Takes::Text => Ok(()),
        Takes::File => writeln!(
            text,
            "{indent}compopt -o filenames 2>/dev/null\n{indent}COMPREPLY=( $(compgen -f -- \"$cur\") )"
        ),
        Takes::Words(words) => writeln!(
            text,
            "{indent}COMPREPLY=( $(compgen -W '{}' -- \"$cur\") )",
            words.join(" ")
        ),
        Takes::Command => writeln!(text, "{indent}COMPREPLY=( $(compgen -c -- \"$cur\") )"),
    };
}

fn zsh() -> String {
    let mut text = String::from(
        "#compdef pilothouse\n\
         _pilothouse() {\n\
         \x20   local context state line\n\
         \x20   local -a commands\n\
         \x20   commands=(\n",
    );
    for command in COMMANDS {
        let _ = writeln!(
            text,
            "        {}",
            zsh_quoted(&format!("{}:{}", command.name, command.about))
        );
    }
    text.push_str("    )\n    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n        _describe command commands\n        return\n    fi\n    case $words[2] in\n");
    for command in COMMANDS {
        let _ = writeln!(
            text,
            "    {})\n        shift words; (( CURRENT-- ))",
            command.name
        );
        text.push_str("        _arguments");
        for flag in command.flags {
            zsh_flag(&mut text, "--", flag);
        }
        zsh_first(&mut text, command);
        text.push_str(" ;;\n");
    }
    text.push_str("    *)\n        _arguments");
    for flag in top_flags() {
        zsh_flag(&mut text, "-", flag);
    }
    text.push_str(" ;;\n    esac\n}\ncompdef _pilothouse pilothouse\n");
    text
}

fn zsh_flag(text: &mut String, dashes: &str, flag: &Flag) {
    let mut spec = format!(
        "{dashes}{}[{}]",
        flag.name,
        flag.about.replace(['[', ']'], "")
    );
    if !flag.value.is_empty() {
        let _ = write!(
            spec,
            ":{}:{}",
            flag.value.replace(':', "\\:"),
            zsh_action(flag.takes)
        );
    }
    let _ = write!(text, " \\\n            {}", zsh_quoted(&spec));
}

fn zsh_first(text: &mut String, command: &Command) {
    let spec = match command.first {
        Takes::Nothing => return,
        Takes::Command => "*::command:_normal".to_owned(),
        takes => format!("1:argument:{}", zsh_action(takes)),
    };
    let _ = write!(text, " \\\n            {}", zsh_quoted(&spec));
}

fn zsh_action(takes: Takes) -> String {
    match takes {
        Takes::Nothing | Takes::Text => " ".to_owned(),
        Takes::File => "_files".to_owned(),
        Takes::Words(words) => format!("({})", words.join(" ")),
        Takes::Command => "_command_names".to_owned(),
    }
}

fn zsh_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn fish() -> String {
    let mut text = String::from("# fish completion for pilothouse\ncomplete -c pilothouse -f\n");
    let first = "__fish_is_first_arg";
    for command in COMMANDS {
        let about = fish_quoted(command.about);
        let _ = writeln!(
            text,
            "complete -c pilothouse -n {first} -a {} -d {about}",
            command.name
        );
    }
    for flag in top_flags() {
        fish_flag(
            &mut text,
            "not __fish_seen_subcommand_from (__pilothouse_commands)",
            "-o",
            flag,
        );
    }
    for command in COMMANDS {
        let seen = format!("__fish_seen_subcommand_from {}", command.name);
        for flag in command.flags {
            fish_flag(&mut text, &seen, "-l", flag);
        }
        let argument = fish_argument(command.first);
        if !argument.is_empty() {
            let _ = writeln!(
                text,
                "complete -c pilothouse -n {}{argument}",
                fish_quoted(&seen)
            );
        }
    }
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let _ = writeln!(
        text,
        "function __pilothouse_commands\n    string split ' ' {}\nend",
        fish_quoted(&names.join(" "))
    );
    text
}

/// `style`: `-o` for one dash, `-l` for two.
fn fish_flag(text: &mut String, condition: &str, style: &str, flag: &Flag) {
    let value = if flag.value.is_empty() {
        String::new()
    } else {
        format!(" -r{}", fish_argument(flag.takes))
    };
    let (condition, about) = (fish_quoted(condition), fish_quoted(flag.about));
    let _ = writeln!(
        text,
        "complete -c pilothouse -n {condition} {style} {}{value} -d {about}",
        flag.name
    );
}

fn fish_argument(takes: Takes) -> String {
    match takes {
        Takes::Nothing | Takes::Text => String::new(),
        Takes::File => " -F".to_owned(),
        Takes::Words(words) => format!(" -a {}", fish_quoted(&words.join(" "))),
        Takes::Command => " -a '(__fish_complete_command)'".to_owned(),
    }
}

fn fish_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
