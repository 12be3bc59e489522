//! The examples of `docker/examples` are what they say: configurations without a warning, Dockerfiles whose files are there,
//! compose files whose parts fit together. `tests/docker` runs them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
            .filter(|path| path.extension().is_some_and(|end| end == "json5"))
            .collect();
        assert!(!configurations.is_empty(), "{}", example.display());
        for path in configurations {
            let checked = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
                .args(["check", "--strict"])
                .arg(path)
                .env_clear()
                .output()
                .expect("the program runs");
            assert!(checked.status.success(), "{}: {checked:?}", path.display());
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
        assert!(dockerfile.contains("ENTRYPOINT [\"/bin/pilothouse\"]"));
    }
}

#[test]
fn every_compose_file_names_what_there_is() {
    for example in examples() {
        let text = read(&example.join("compose.yaml"));
        let compose: Value = serde_yaml_ng::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", example.display()));
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
                assert_eq!(image, Some("pilothouse"), "{name}");
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
