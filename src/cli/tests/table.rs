//! The table of the command line against the parser, the help, the completions and the man page. That the parser takes no
//! flag that is not in the table follows from how it asks for the next one.

use std::io::Write as _;
use std::process::{Command as Process, Stdio};

use super::super::completions::{Shell, script};
use super::super::table::{COMMANDS, FLAGS, Flag, REQUESTS};
use super::super::{man, parse, usage};
use super::words;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Every flag with the words before it.
fn flags() -> Vec<(Vec<&'static str>, &'static Flag)> {
    let top = FLAGS.iter().chain(REQUESTS);
    let mut all: Vec<_> = top.map(|flag| (vec!["pilothouse"], flag)).collect();
    for command in COMMANDS {
        let own = command.flags.iter();
        all.extend(own.map(|flag| (vec!["pilothouse", command.name], flag)));
    }
    all
}

fn refusal(args: &[&str]) -> String {
    parse(&words(args)).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn the_parser_knows_every_command() {
    for command in COMMANDS {
        let said = refusal(&["pilothouse", command.name]);
        assert!(
            !said.contains("unknown command"),
            "{}: {said}",
            command.name
        );
        let said = refusal(&["pilothouse", command.name, "--nonsense"]);
        let takes_words = matches!(command.name, "migrate" | "help") || command.flags.is_empty();
        assert!(
            takes_words || said.contains("not defined"),
            "{}: {said}",
            command.name
        );
    }
}

#[test]
fn the_parser_knows_every_flag_and_whether_it_has_a_value() {
    for (before, flag) in flags() {
        if flag.name == "help" {
            continue;
        }
        let dashed = format!("--{}", flag.name);
        let mut line = before.clone();
        line.push(&dashed);
        let said = refusal(&line);
        let wants = format!("flag needs an argument: -{}", flag.name);
        assert_eq!(said == wants, !flag.value.is_empty(), "{line:?}: {said}");
        assert!(!said.contains("not defined"), "{line:?}: {said}");
        let wrong = format!("--{}=nonsense", flag.name);
        let mut line = before;
        line.push(&wrong);
        let said = refusal(&line);
        let is_switch = said.contains("invalid boolean value");
        assert_eq!(is_switch, flag.value.is_empty(), "{line:?}: {said}");
    }
}

#[test]
fn help_man_page_and_completions_have_every_command_and_flag() {
    let help = usage();
    let page = man::page().replace("\\-", "-");
    let scripts = SHELLS.map(script);
    for command in COMMANDS {
        assert!(
            help.contains(&format!("pilothouse {} ", command.name)),
            "{}",
            command.name
        );
        assert!(help.contains(command.about), "{}", command.name);
        assert!(
            page.contains(&format!(".TP\n\\fB{}\\fR", command.name)),
            "{}",
            command.name
        );
        for script in &scripts {
            assert!(script.contains(command.name), "{}: {script}", command.name);
        }
    }
    for (before, flag) in flags() {
        let dashes = if before.len() > 1 { "--" } else { "-" };
        let written = format!("{dashes}{}", flag.name);
        assert!(help.contains(&format!("  {written} ")), "{written}");
        assert!(
            page.contains(&format!(".TP\n\\fB{written}\\fR")),
            "{written}"
        );
        let [bash, zsh, fish] = &scripts;
        assert!(bash.contains(&written), "{written}");
        assert!(zsh.contains(&format!("'{written}[")), "{written}");
        let style = if before.len() > 1 { "-l" } else { "-o" };
        assert!(
            fish.contains(&format!(" {style} {} ", flag.name)),
            "{written}"
        );
    }
}

/// What the shell offers after these words, of which the last is still being written.
fn completed(line: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = line.iter().map(|word| format!("'{word}'")).collect();
    let text = format!(
        "{}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_pilothouse\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        script(Shell::Bash),
        quoted.join(" "),
        line.len() - 1
    );
    let said = fed("bash", &["--norc", "--noprofile"], &text).expect("tests need bash");
    said.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What a program says to this input; `None` if there is no such program.
fn fed(program: &str, arguments: &[&str], input: &str) -> Option<String> {
    let mut child = Process::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn bash_completes_what_is_written() {
    if Process::new("bash").arg("--version").output().is_err() {
        return;
    }
    assert_eq!(completed(&["pilothouse", "che"]), ["check", "checks"]);
    assert_eq!(completed(&["pilothouse", ""]).len(), COMMANDS.len());
    assert_eq!(completed(&["pilothouse", "check", "--st"]), ["--strict"]);
    assert_eq!(completed(&["pilothouse", "completions", "z"]), ["zsh"]);
    assert_eq!(
        completed(&["pilothouse", "run", "--restarts", "n"]),
        ["never"]
    );
    assert_eq!(completed(&["pilothouse", "-maintenance", "e"]), ["enable"]);
    assert_eq!(completed(&["pilothouse", "-putm"]), ["-putmetric"]);
    let files = completed(&["pilothouse", "check", "/etc/passw"]);
    assert!(files.contains(&"/etc/passwd".to_owned()), "{files:?}");
}

#[test]
fn scripts_and_page_are_well_formed() {
    for (shell, program, arguments) in [
        (Shell::Zsh, "zsh", &["-n", "/dev/stdin"][..]),
        (Shell::Fish, "fish", &["--no-execute", "/dev/stdin"]),
    ] {
        fed(program, arguments, &script(shell));
    }
    let shown = fed(
        "groff",
        &["-man", "-ww", "-Tascii", "-P-cbou"],
        &man::page(),
    );
    assert!(shown.is_none_or(|shown| shown.contains("SYNOPSIS")));
}

#[test]
fn the_readme_has_every_command() {
    let readme = include_str!("../../../README.md");
    for command in COMMANDS {
        let words = format!("pilothouse {}", command.name);
        assert!(readme.contains(&words), "{words}");
    }
}
