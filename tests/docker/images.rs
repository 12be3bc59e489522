//! Images of the machine's own programs, in the place of those that a registry has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Engine;
use super::engine::found;
use crate::support::{Consul, skip};

/// The image `tag`: `small`, these programs of the machine in `/bin`, the libraries that they ask for in their places, and
/// what `more` lines of a Dockerfile add.
pub(crate) fn of_programs(engine: &Engine, tag: &str, programs: &[(&str, &Path)], more: &str) {
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
    build(
        engine,
        tag,
        &context,
        &format!("FROM small\nCOPY . /\n{more}"),
    );
}

/// The image that a Dockerfile below `docker` takes by default for one of its arguments.
pub(crate) fn default_of(dockerfile: &str, argument: &str) -> String {
    let path = format!("{}/docker/{dockerfile}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut defaults = text.lines().filter_map(|line| {
        let (name, default) = line.strip_prefix("ARG ")?.split_once('=')?;
        (name == argument).then(|| default.to_owned())
    });
    defaults
        .next()
        .unwrap_or_else(|| panic!("{path} has no {argument}"))
}

/// The machine's nginx in the place of nginx's image, which the examples ask for; whether there is one, else it says what is
/// left out.
pub(crate) fn nginx(engine: &Engine, left_out: &str) -> bool {
    let nginx = program("nginx", left_out);
    if let Some(nginx) = &nginx {
        let tag = default_of("examples/hello-world/Dockerfile", "NGINX");
        of_programs(engine, &tag, &[("nginx", nginx)], "");
    }
    nginx.is_some()
}

/// The image `pilothouse`, as the examples ask for it, without the build of `docker/Dockerfile`.
pub(crate) fn pilothouse(engine: &Engine) {
    engine.docker(&["tag", "empty", "pilothouse"]);
}

/// Stand in for a toolchain: the binary is built already. What there is to build has come, and nothing that was built
/// elsewhere.
const RUSTC: &str = "#!/bin/sh\ncase $1 in -vV) echo host: $(uname -m)-unknown-linux-gnu ;; *) echo /sysroot ;; esac\n";
const CARGO: &str = "#!/bin/sh
test -e src/main.rs -a -e Cargo.lock -a ! -e target -a ! -e .git || exit
[ $1 = build ] || exit 0
place=target/$(uname -m)-unknown-linux-musl/release
mkdir -p $place && cp /bin/pilothouse $place/\n";

/// An image with a toolchain, as `docker/Dockerfile` asks for it, whose compiler hands out the binary that is tested: a real
/// one would be a gigabyte and some minutes more.
pub(crate) fn toolchain(engine: &Engine) {
    let context = engine.dir().join("toolchain");
    fs::create_dir(&context).expect("a directory of ours takes others");
    for (name, text) in [("rustc", RUSTC), ("cargo", CARGO)] {
        fs::write(context.join(name), text).expect("a directory of ours takes files");
    }
    let dockerfile = "FROM small
        COPY rustc cargo /bin/
        RUN chmod +x /bin/rustc /bin/cargo && mkdir -p /sysroot/lib/rustlib/$(uname -m)-unknown-linux-musl/lib\n";
    let tag = default_of("Dockerfile", "BUILDER");
    build(engine, &tag, &context, dockerfile);
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

/// Builds one stage of an example as its page says.
pub(crate) fn of_example(engine: &Engine, name: &str, target: &str) {
    let example = format!("{}/docker/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    let tag = format!("--tag={name}-{target}");
    let target = format!("--target={target}");
    engine.docker(&["build", "--quiet", &tag, &target, &example]);
}
