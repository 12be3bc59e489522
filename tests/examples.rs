//! The examples of `docker/examples` are what they say: configurations without a warning, Dockerfiles whose files are there,
//! compose files and manifests whose parts fit together. `tests/docker` runs them.

mod manifests;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

const DOCKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker");

/// The directories below `docker/examples`.
fn examples() -> Vec<PathBuf> {
    let all = entries(&Path::new(DOCKER).join("examples"));
    let found: Vec<PathBuf> = all.into_iter().filter(|path| path.is_dir()).collect();
    assert!(!found.is_empty(), "the examples have moved");
    found
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries
        .map(|entry| entry.expect("a readable directory").path())
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The directory of one example.
fn example(name: &str) -> PathBuf {
    Path::new(DOCKER).join("examples").join(name)
}

/// The program without a variable but these.
fn pilothouse(arguments: &[&str], path: &Path, environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pilothouse"))
        .args(arguments)
        .arg(path)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .expect("the program runs")
}

/// Nothing may be wrong with the configuration, nor odd, nor slower to stop than a grace among `flags` says.
fn check(path: &Path, flags: &[&str]) {
    let checked = pilothouse(&[&["check", "--strict"], flags].concat(), path, &[]);
    assert!(checked.status.success(), "{}: {checked:?}", path.display());
}

/// A configuration as the program reads it.
fn rendered(path: &Path) -> Value {
    rendered_in(path, &[])
}

/// The same with these variables.
fn rendered_in(path: &Path, environment: &[(&str, &str)]) -> Value {
    let output = pilothouse(&["render"], path, environment);
    assert!(output.status.success(), "{}: {output:?}", path.display());
    parsed(&String::from_utf8_lossy(&output.stdout))
}

fn parsed(json5: &str) -> Value {
    let parsed = parse_to_ast(json5, &CollectOptions::default(), &ParseOptions::default());
    let parsed = parsed.unwrap_or_else(|error| panic!("{error}: {json5}"));
    parsed.value.map_or(Value::Null, Value::from)
}

/// One document of YAML, with its aliases and merges done.
fn yaml(path: &Path) -> Value {
    let read = serde_yaml_ng::from_str::<serde_yaml_ng::Value>(&read(path));
    let mut document = read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    document.apply_merge().expect("what is merged is a mapping");
    serde_json::to_value(document).expect("keys are strings")
}

/// The arguments of an instruction of a Dockerfile, one list for each time that it is there.
fn instructions(dockerfile: &str, name: &str) -> Vec<Vec<String>> {
    let lines = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines
        .map(|rest| rest.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// The names of the stages of a Dockerfile.
fn stages(dockerfile: &str) -> BTreeSet<String> {
    let from = instructions(dockerfile, "FROM");
    from.iter()
        .filter(|words| words.len() == 3)
        .map(|words| words[2].clone())
        .collect()
}

#[test]
fn every_configuration_is_clean() {
    for example in examples() {
        let files = entries(&example);
        let configurations: Vec<&PathBuf> = files
            .iter()
            .filter(|path| {
                path.extension()
                    .is_some_and(|end| end == "json5" || end == "json")
            })
            .collect();
        assert!(!configurations.is_empty(), "{}", example.display());
        for path in configurations {
            check(path, &[]);
        }
    }
}

#[test]
fn every_dockerfile_finds_its_files_and_takes_term() {
    for example in examples() {
        let dockerfile = read(&example.join("Dockerfile"));
        for words in instructions(&dockerfile, "COPY") {
            match words[0].strip_prefix("--from=") {
                Some(stage) => assert!(stages(&dockerfile).contains(stage), "{words:?}"),
                None => assert!(example.join(&words[0]).is_file(), "{words:?}"),
            }
        }
        assert_eq!(instructions(&dockerfile, "STOPSIGNAL"), [["SIGTERM"]]);
        for words in instructions(&dockerfile, "ENTRYPOINT") {
            let ours = ["[\"/bin/pilothouse\"]", "[\"/bin/containerpilot\"]"];
            assert!(ours.contains(&words.concat().as_str()), "{words:?}");
        }
    }
}

#[test]
fn every_compose_file_names_what_there_is() {
    for example in examples() {
        let compose = yaml(&example.join("compose.yaml"));
        let services = compose["services"].as_object().expect("services");
        for (name, service) in services {
            let image = service["image"].as_str();
            if let Some(build) = service["build"].as_object() {
                assert_eq!(build["context"], ".", "{name}");
                let target = build["target"].as_str().expect("a target");
                assert!(
                    stages(&read(&example.join("Dockerfile"))).contains(target),
                    "{name}"
                );
            } else {
                // The images that a registry has, with the version that their licence allows.
                let known = ["pilothouse", "hashicorp/consul:1.15"];
                assert!(known.contains(&image.expect("an image")), "{name}");
            }
            let others = service["depends_on"].as_array();
            for other in others.into_iter().flatten() {
                assert!(
                    services.contains_key(other.as_str().expect("a name")),
                    "{name}"
                );
            }
        }
    }
}

/// The command of the image of version 2, which the migration puts into the configuration.
#[test]
fn the_migrated_configuration_is_what_the_program_makes_of_the_old_one() {
    let example = example("version-2");
    let dockerfile = read(&example.join("Dockerfile"));
    let command = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("CMD "))
        .expect("the image of version 2 has a command");
    let command: Vec<String> = serde_json::from_str(command).expect("an array of words");
    let migrated = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
        .args(["migrate", "containerpilot.json", "--"])
        .args(command)
        .current_dir(&example)
        .output()
        .expect("the program runs");
    assert!(migrated.status.success(), "{migrated:?}");
    assert_eq!(
        String::from_utf8_lossy(&migrated.stdout),
        read(&example.join("containerpilot.json5"))
    );
}

#[test]
fn the_page_links_what_there_is() {
    let page = read(&Path::new(DOCKER).join("README.md"));
    let links = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    let links: Vec<&str> = links.map(|(link, _)| link).collect();
    assert!(links.len() > 3, "{links:?}");
    for link in links {
        assert!(Path::new(DOCKER).join(link).exists(), "{link}");
    }
}
