//! Images of the machine's own programs, in the place of those that a registry has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Engine;

/// The image `tag`: `small`, and in their usual places these programs with the libraries that they ask for.
pub(crate) fn of_programs(engine: &Engine, tag: &str, programs: &[&Path]) {
    let context = engine.dir().join(format!("image-{tag}"));
    let files: BTreeSet<PathBuf> = programs
        .iter()
        .flat_map(|path| with_libraries(path))
        .collect();
    for file in files {
        let place = context.join(file.strip_prefix("/").expect("an absolute path"));
        fs::create_dir_all(place.parent().expect("below the root")).expect("a directory of ours");
        fs::copy(&file, place).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    build(engine, tag, &context, "FROM small\nCOPY . /\n");
}

/// A program and what its loader would load.
fn with_libraries(program: &Path) -> Vec<PathBuf> {
    let listed = Command::new("ldd").arg(program).output();
    let listed = listed.expect("libc-bin has ldd");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let words = listed.split_whitespace();
    let libraries = words
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from);
    libraries.chain([program.to_owned()]).collect()
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
