//! Images of the machine's own programs, in the place of those that a registry has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Engine;
use super::engine::found;
use crate::support::{Consul, skip};

/// The image `tag`: `small`, these programs of the machine in `/bin`, and the libraries that they ask for in their places.
pub(crate) fn of_programs(engine: &Engine, tag: &str, programs: &[(&str, &Path)]) {
    let context = engine.dir().join(format!("image-{tag}"));
    let place = |file: &Path| {
        let place = context.join(file.strip_prefix("/").expect("an absolute path"));
        fs::create_dir_all(place.parent().expect("below the root")).expect("a directory of ours");
        place
    };
    let libraries = programs.iter().flat_map(|(_, program)| libraries(program));
    for library in libraries.collect::<BTreeSet<PathBuf>>() {
        copy(&library, &place(&library));
    }
    for (name, program) in programs {
        copy(program, &place(&Path::new("/bin").join(name)));
    }
    build(engine, tag, &context, "FROM small\nCOPY . /\n");
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|error| panic!("cannot copy {}: {error}", from.display()));
}

/// What a program's loader would load.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let listed = Command::new("ldd").arg(program).output();
    let listed = listed.expect("libc-bin has ldd");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let words = listed.split_whitespace();
    words
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect()
}

/// The directory of the C library that a program asks for.
pub(crate) fn place_of_c_library(program: &Path) -> PathBuf {
    let libraries = libraries(program);
    let library = libraries.iter().find(|path| path.ends_with("libc.so.6"));
    let place = library.and_then(|path| path.parent());
    place.expect("a program of glibc").to_owned()
}

/// Options for a container that shall have a program of the machine, and its libraries, without an image of its own.
pub(crate) fn mounted(program: &Path, place: &str) -> Vec<String> {
    let volume = |from: &Path, to: &str| format!("--volume={}:{to}:ro", from.display());
    let libraries = libraries(program)
        .into_iter()
        .map(|library| volume(&library, &library.display().to_string()));
    libraries.chain([volume(program, place)]).collect()
}

/// A program of the machine by its name; `None`, after saying what is left out, where it is missing.
pub(crate) fn program(name: &str, left_out: &str) -> Option<PathBuf> {
    let path = found(name);
    if path.is_none() {
        skip(left_out, &format!("there is no `{name}`"));
    }
    path
}

/// The real Consul of the machine, as a program.
pub(crate) fn consul(left_out: &str) -> Option<PathBuf> {
    let path = Consul::program();
    if path.is_none() {
        skip(
            left_out,
            "set CONSUL_BIN to a Consul, or run `tests/run`, which fetches one",
        );
    }
    path
}

/// Builds `tag` of a directory of ours.
pub(crate) fn build(engine: &Engine, tag: &str, context: &Path, dockerfile: &str) {
    fs::create_dir_all(context).expect("a directory of ours takes others");
    fs::write(context.join("Dockerfile"), dockerfile).expect("a directory of ours takes files");
    let tag = format!("--tag={tag}");
    engine.docker(&["build", "--quiet", &tag, &context.display().to_string()]);
}

/// Builds one stage of an example as its page says, with images of ours in the place of those of a registry.
pub(crate) fn of_example(engine: &Engine, name: &str, target: &str, arguments: &[&str]) {
    let example = format!("{}/docker/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    let (tag, target) = (
        format!("--tag={name}-{target}"),
        format!("--target={target}"),
    );
    let mut words = vec![
        "build",
        "--quiet",
        &tag,
        &target,
        "--build-arg=PILOTHOUSE=empty",
    ];
    let arguments: Vec<String> = arguments
        .iter()
        .map(|one| format!("--build-arg={one}"))
        .collect();
    words.extend(arguments.iter().map(String::as_str));
    words.push(&example);
    engine.docker(&words);
}
