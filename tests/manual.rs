//! The manual says what is so: its configurations load, its commands run, its outputs come out, its links lead somewhere.
//!
//! A block of a page that no test here knows is a failure, so that no example is written without one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::session::essence;
use crate::support::{PATIENCE, Pilot, Signal, free_port, http_get, wait_until};

const PAGES: [&str; 5] = [
    "README.md",
    "config/README.md",
    "config/DIFFERENCES.md",
    "docker/README.md",
    "src/README.md",
];

/// Samples that say of themselves that a stop takes longer than runtimes wait by default.
const SLOW: [&str; 1] = ["worker.json5"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fenced blocks of a page, each with its language.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let text = lines.by_ref().take_while(|line| *line != "```");
        let text: Vec<&str> = text.collect();
        found.push((language.to_owned(), text.join("\n") + "\n"));
    }
    found
}

/// The blocks of a page in one language.
pub(crate) fn written(name: &str, language: &str) -> Vec<String> {
    let blocks = blocks(&page(name)).into_iter();
    let blocks = blocks.filter(|(of, _)| of == language);
    blocks.map(|(_, text)| text).collect()
}

/// The lines of each block of commands in the section of a page with this heading.
pub(crate) fn commands(name: &str, heading: &str) -> Vec<Vec<String>> {
    let text = page(name);
    let mut sections = text.split("\n## ").skip(1);
    let section = sections.find(|section| section.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("{name} has no section `{heading}`"));
    let blocks = blocks(section).into_iter();
    let blocks = blocks.filter(|(language, _)| language == "sh");
    let lines = |text: String| text.lines().map(str::to_owned).collect();
    blocks.map(|(_, text)| lines(text)).collect()
}

/// The one block of README.md with an output that begins so, without that beginning.
fn shown(beginning: &str) -> String {
    let blocks = written("README.md", "text").into_iter();
    let mut blocks = blocks.filter_map(|text| text.strip_prefix(beginning).map(str::to_owned));
    let found = blocks.next();
    found.unwrap_or_else(|| panic!("README.md shows no `{beginning}`"))
}

fn run(dir: &Path, words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
        .args(words)
        .env_clear()
        .current_dir(dir)
        .output();
    output.expect("the program runs")
}

fn check(dir: &Path, words: &[&str]) {
    let words = [&["check"], words].concat();
    let output = run(dir, &words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}\n{said}");
}

/// The words after `pilothouse` that the program knows as a subcommand or a flag.
fn known() -> BTreeSet<String> {
    let help = String::from_utf8(run(root(), &["help"]).stdout).expect("a text");
    let lines = help.lines().filter_map(|line| {
        let words = line.trim_start();
        words
            .strip_prefix("pilothouse ")
            .unwrap_or(words)
            .split(' ')
            .next()
    });
    lines.map(str::to_owned).collect()
}

#[test]
fn every_block_is_one_that_a_test_knows() {
    let mut count = 0;
    for name in PAGES {
        for (language, text) in blocks(&page(name)) {
            let known: &[&str] = match (name, language.as_str()) {
                // See the other tests.
                (_, "json5" | "Dockerfile") | ("README.md" | "src/README.md", "sh") => &[""],
                ("README.md", "text") => &[
                    "error: ",
                    "pilothouse [-config FILE] ",
                    "$ pilothouse reload --plan\n",
                    "$ pilothouse status\n",
                ],
                // Typed as they stand, by the `Reader` of `docker` and by `static_binary`.
                ("docker/README.md", "sh") => &[
                    "docker build -t ",
                    "docker compose up --build --detach --scale redis=3\n",
                    "docker compose up --build --detach\ncurl http://localhost:9090/metrics ",
                    "docker compose up --build --detach\ncurl http://localhost:8002/ ",
                    "pilothouse check containerpilot.json\npilothouse migrate ",
                    "git clone . ",
                ],
                // A picture of the rooms.
                ("src/README.md", "text") => &["  "],
                _ => &[],
            };
            let is_known = known.iter().any(|beginning| text.starts_with(beginning));
            assert!(is_known, "{name} has a block of {language}:\n{text}");
            count += 1;
        }
    }
    assert!(count > 20, "{count} blocks");
}

/// The words of a `docker compose` line that are no options, nor the values of those that have one.
fn plain_words(line: &str) -> Vec<&str> {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace().skip(2);
    let mut plain = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "--scale" | "--index" | "--signal" => drop(words.next()),
            _ if word.starts_with('-') => {}
            _ => plain.push(word),
        }
    }
    plain
}

/// In the section about an example, each service that is named is one of its compose.yaml, and each published port is the one
/// that is asked. `docker` types these lines where an engine runs; this needs none.
#[test]
fn compose_is_asked_for_services_that_are_there() {
    let text = page("docker/README.md");
    let mut count = 0;
    for section in text.split("\n## ").skip(1) {
        let Some((_, rest)) = section.split_once("](examples/") else {
            continue;
        };
        let example = rest.split([')', '/']).next().unwrap_or_default();
        let compose = page(&format!("docker/examples/{example}/compose.yaml"));
        let has_service = |name: &str| compose.lines().any(|line| line == format!("  {name}:"));
        let shell = blocks(section)
            .into_iter()
            .filter(|(language, _)| language == "sh");
        let lines: Vec<String> = shell
            .flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        for line in &lines {
            if let Some(port) = line.strip_prefix("curl http://localhost:") {
                let port: String = port.chars().take_while(char::is_ascii_digit).collect();
                assert!(compose.contains(&format!("\"{port}:")), "{example}: {line}");
                count += 1;
            }
            if !line.starts_with("docker compose ") {
                continue;
            }
            let words = plain_words(line);
            let named = match words.as_slice() {
                ["up" | "down"] => None,
                ["exec" | "kill" | "logs" | "stop", service, ..] => Some(*service),
                _ => panic!("no test knows `{line}`"),
            };
            let scaled = line.split_once("--scale ").map(|(_, rest)| rest);
            let scaled = scaled.and_then(|rest| rest.split_once('=')).map(|it| it.0);
            for service in named.into_iter().chain(scaled) {
                assert!(has_service(service), "{example}: {line}");
            }
            count += 1;
        }
    }
    assert!(count > 12, "{count} lines");
}

#[test]
fn every_configuration_of_the_manual_is_accepted() {
    let dir = tempfile::tempdir().expect("a place");
    let mut count = 0;
    for text in PAGES.iter().flat_map(|name| written(name, "json5")) {
        // What shows some keys alone may name jobs that it leaves out, which is a warning.
        let is_whole = text.starts_with('{');
        let whole = if is_whole {
            text
        } else {
            format!("{{\n{text}}}\n")
        };
        fs::write(dir.path().join("shown.json5"), &whole).expect("a file of ours");
        let strict = if is_whole { "--strict" } else { "--grace=1h" };
        check(dir.path(), &[strict, "shown.json5"]);
        count += 1;
    }
    assert!(count > 6, "{count} configurations");
}

#[test]
fn every_sample_is_clean_and_listed() {
    let reference = page("config/README.md");
    let config = root().join("config");
    let folder = fs::read_dir(config.join("samples")).expect("the samples");
    let samples = folder.map(|entry| entry.expect("a name").path());
    let mut files: Vec<PathBuf> = samples.collect();
    assert!(files.len() > 8, "{files:?}");
    files.push(config.join("demo.json5"));
    for file in &files {
        let name = file.file_name().expect("a file").to_string_lossy();
        let path = file.to_string_lossy();
        let grace = if SLOW.contains(&&*name) { "60s" } else { "10s" };
        check(root(), &["--strict", "--grace", grace, &path]);
        let place = path
            .strip_prefix(&*config.to_string_lossy())
            .expect("below");
        let link = format!("]({})", place.trim_start_matches('/'));
        assert!(reference.contains(&link), "config/README.md lacks {link}");
    }
    check(root(), &["--strict", "config/session.json5"]);
}

#[test]
fn migrate_makes_one_sample_of_the_other() {
    let words = "migrate config/samples/v2.json -- /bin/shop serve --listen 0.0.0.0:8080";
    let words: Vec<&str> = words.split(' ').collect();
    let made = String::from_utf8(run(root(), &words).stdout).expect("a text");
    assert_eq!(made, page("config/samples/v2-migrated.json5"));
}

#[test]
fn every_command_of_the_manual_is_there() {
    let known = known();
    assert!(known.len() > 20, "{known:?}");
    // ContainerPilot's own flags, and what every job is called by.
    let flags = [
        "-version",
        "-template",
        "-reload",
        "-maintenance",
        "-putenv",
        "-putmetric",
        "-ping",
    ];
    let is_there = |word: &str| {
        let word = word.trim_end_matches(['`', ',', ')', '.', ':']);
        known.contains(word) || flags.contains(&word) || word.starts_with("[-config")
    };
    let mut count = 0;
    for name in PAGES {
        let text = page(name);
        for code in text.split('`').skip(1).step_by(2) {
            for command in code.lines().filter_map(|line| {
                let line = line
                    .trim_start_matches("$ ")
                    .trim_start_matches("target/release/");
                line.strip_prefix("pilothouse ")
            }) {
                let word = command.split_whitespace().next().unwrap_or_default();
                let is_output = word.starts_with(|c: char| c.is_ascii_digit());
                assert!(
                    is_there(word) || is_output,
                    "{name}: `pilothouse {command}`"
                );
                count += 1;
            }
        }
        for text in written(name, "Dockerfile") {
            let words = text
                .lines()
                .filter_map(|line| line.split_once("[\"/bin/pilothouse\", "));
            for (_, words) in words {
                let words: Vec<String> = serde_json::from_str(&format!("[{words}")).expect("words");
                assert!(is_there(&words[0]), "{name}: {words:?}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count} commands");
    for line in written("src/README.md", "sh")
        .iter()
        .flat_map(|text| text.lines())
    {
        let word = line.split(' ').next().unwrap_or_default();
        assert!(word == "cargo" || root().join(word).is_file(), "{line}");
    }
}

/// The `cargo run` and `target/release/pilothouse` lines of README.md, and the requests, while the demonstration runs.
#[test]
fn the_commands_of_readme_run() {
    let places = [
        ("/tmp/pilothouse-demo", "@DIR@/demo".to_owned()),
        ("127.0.0.1:8505", format!("127.0.0.1:{}", free_port())),
    ];
    let moved = |text: &str| {
        let places = places.iter();
        places.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let pilot = Pilot::config(&moved(&page("config/demo.json5"))).start();
    pilot.wait_for_line("on-change: the app is at: 127.0.0.1:8000", PATIENCE);
    let dir = pilot.dir().display().to_string();
    let mut asked = 0;
    let mut started = 0;
    for line in written("README.md", "sh")
        .iter()
        .flat_map(|text| text.lines())
    {
        let line = moved(line).replace("@DIR@", &dir).replace('\'', "");
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            // `the_demonstration_keeps_its_promises`
            [
                "cargo",
                "run",
                "--release",
                "--",
                "-config",
                "config/demo.json5",
            ]
            | ["export", "CONTAINERPILOT=config/demo.json5"] => started += 1,
            ["target/release/pilothouse", words @ ..] => {
                let answer = pilot.ask(words);
                assert_eq!(answer.code, Some(0), "{line}: {answer:?}");
                asked += 1;
            }
            ["curl", "--unix-socket", socket, url] => {
                let target = url.strip_prefix("http://control").expect("a path");
                let answer = pilot.request_at(Path::new(socket), "GET", target, "");
                assert_eq!(answer.status, 200, "{line}: {answer:?}");
                asked += 1;
            }
            ["curl", url] => {
                let (place, path) = url
                    .strip_prefix("http://")
                    .and_then(|it| it.split_once('/'))
                    .expect("a URL");
                let path = format!("/{path}");
                let answer = http_get(place, &path);
                assert_eq!(answer.status, 200, "{line}: {answer:?}");
                asked += 1;
            }
            [script] => assert!(root().join(script).is_file(), "{line}"),
            _ => panic!("no test runs `{line}`"),
        }
    }
    assert_eq!((started, asked > 6), (2, true));
    pilot.signal(Signal::SIGTERM);
    let mut pilot = pilot;
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

#[test]
fn readme_shows_the_report_as_it_is() {
    let dir = tempfile::tempdir().expect("a place");
    let text = "{\n  jobs: [\n    { name: \"db\", exec: \"/bin/db\" },\n    {\n      name: \"app\",\n      \
                exec: \"/bin/app\",\n      timeout: \"1m\",\n      restart: \"unlimited\",\n    },\n  ],\n}\n";
    fs::write(dir.path().join("app.json5"), text).expect("a file of ours");
    let output = run(dir.path(), &["check", "app.json5"]);
    let report = String::from_utf8(output.stderr).expect("a text");
    assert_eq!(
        report.strip_prefix("error: "),
        Some(shown("error: ").as_str())
    );
}

#[test]
fn readme_shows_a_plan_as_it_is() {
    let config = |exec: u32, interval: u32, more: &str| {
        let others: Vec<String> = (0..9)
            .map(|number| {
                format!(
                    "{{ name: 'other-{number}', exec: 'true', when: {{ source: 'SIGUSR2' }} }},"
                )
            })
            .collect();
        let others = others.concat();
        format!(
            "{{ control: {{ socket: '@DIR@/control.socket' }}, stopTimeout: 1, jobs: [
                {{ name: 'app', exec: 'sleep {exec}', preStop: 'true' }},
                {{ name: 'web', exec: 'sleep 600', health: {{ exec: 'true', interval: {interval}, ttl: 60 }} }},
                {others} {more} ] }}"
        )
    };
    let mut pilot = Pilot::config(&config(601, 1, "")).start();
    pilot.wait_for_line("control: serving", PATIENCE);
    let report = "{ name: 'report', exec: 'sleep 600' }";
    pilot.write("containerpilot.json5", &config(602, 2, report));
    let plan = pilot.ask(&["reload", "--plan"]);
    assert_eq!(
        plan.stdout,
        shown("$ pilothouse reload --plan\n"),
        "{plan:?}"
    );
    pilot.signal(Signal::SIGTERM);
    pilot.wait_exit(PATIENCE);
}

#[test]
fn readme_shows_the_status_as_it_is() {
    let mut pilot = Pilot::jobs(
        "[{ name: 'db', exec: 'sleep 600', health: { exec: 'true', interval: '100ms', ttl: 5 } },
          { name: 'app', exec: 'sleep 601', preStart: 'true', restarts: 'unlimited',
            health: { exec: 'true', interval: '100ms', ttl: 5 } },
          { name: 'report', exec: 'false', restarts: 'unlimited', backoff: { initial: '1h', max: '2h' } }]",
    )
    .start();
    wait_until(PATIENCE, "the app runs", || {
        pilot.find("sleep 601").len() == 1
    });
    let app = pilot.find("sleep 601")[0].pid;
    nix::sys::signal::kill(app, Signal::SIGKILL).expect("it is ours");
    let lines = |text: &str| text.lines().map(essence).collect::<Vec<_>>();
    let wanted = lines(&shown("$ pilothouse status\n"));
    let mut last = Vec::new();
    wait_until(PATIENCE, &format!("the status {wanted:#?}"), || {
        last = lines(&pilot.ask(&["status"]).stdout);
        last == wanted
    });
    pilot.signal(Signal::SIGTERM);
    pilot.wait_exit(PATIENCE);
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for name in PAGES {
        let text = page(name);
        let folder = root().join(name);
        let folder = folder.parent().expect("a page is in a folder");
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        for (link, _) in links.filter(|(link, _)| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(name)
            } else {
                folder.join(file)
            };
            assert!(target.exists(), "{name}: {link}");
            if !heading.is_empty() {
                let target = fs::read_to_string(target).expect("a page");
                let mut headings = target.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|line| anchor(line) == heading),
                    "{name}: {link}"
                );
            }
            count += 1;
        }
    }
    assert!(count > 30, "{count} links");
}
