//! The static binary needs nothing from the image: it is checked byte by byte and started in an empty root.
//!
//! `PILOTHOUSE_STATIC` names it; `tests/run` builds it and sets that. `PILOTHOUSE_TWO_BUILDS=1` asks for two more, which have to be
//! the same.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::manual::commands;
use crate::support::skip;

/// Program header types, elf(5): the dynamic section and the path of a loader.
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
/// The tag of a dynamic entry that names a library, elf(5).
const DT_NEEDED: u64 = 1;

fn static_binary() -> Option<PathBuf> {
    let path = std::env::var_os("PILOTHOUSE_STATIC").map(PathBuf::from);
    if path.is_none() {
        skip("the static binary", "PILOTHOUSE_STATIC is not set");
    }
    path
}

/// A little-endian number of `width` bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let field = bytes[at..at + width].iter().rev();
    field.fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn offset(bytes: &[u8], at: usize, width: usize) -> usize {
    usize::try_from(number(bytes, at, width)).expect("an offset in a file that fits in memory")
}

/// What a 64-bit little-endian ELF file wants from outside: a loader, libraries.
fn wants(elf: &[u8]) -> Vec<&'static str> {
    assert_eq!(
        &elf[..6],
        b"\x7fELF\x02\x01",
        "not a 64-bit little-endian ELF file"
    );
    let (table, size, count) = (offset(elf, 32, 8), offset(elf, 54, 2), offset(elf, 56, 2));
    let mut wants = Vec::new();
    for header in (0..count).map(|i| table + i * size) {
        let kind = u32::try_from(number(elf, header, 4)).expect("four bytes");
        let (start, length) = (offset(elf, header + 8, 8), offset(elf, header + 32, 8));
        if kind == PT_INTERP {
            wants.push("a loader");
        }
        if kind == PT_DYNAMIC {
            let mut entries = elf[start..start + length].chunks_exact(16);
            if entries.any(|entry| number(entry, 0, 8) == DT_NEEDED) {
                wants.push("a library");
            }
        }
    }
    wants
}

#[test]
fn it_wants_no_loader_and_no_library() {
    let Some(path) = static_binary() else {
        return;
    };
    let elf = std::fs::read(&path).expect("PILOTHOUSE_STATIC is a file");
    assert_eq!(wants(&elf), Vec::<&str>::new(), "{}", path.display());
}

/// What a build would leave of the machine that it was done on: the checkout, the sources of the crates.
fn traces(bytes: &[u8]) -> Vec<String> {
    let checkout = env!("CARGO_MANIFEST_DIR");
    let wanted = [
        format!("{checkout}/src/"),
        format!("{checkout}/target/"),
        "/.cargo/".to_owned(),
        "/registry/src/".to_owned(),
    ];
    let finds = |text: &String| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    wanted.into_iter().filter(finds).collect()
}

#[test]
fn it_names_no_path_of_the_machine_that_built_it() {
    let Some(path) = static_binary() else {
        return;
    };
    let bytes = std::fs::read(&path).expect("PILOTHOUSE_STATIC is a file");
    assert_eq!(traces(&bytes), Vec::<String>::new(), "{}", path.display());
}

#[test]
fn the_check_sees_the_paths_of_a_usual_build() {
    let bytes = std::fs::read(env!("CARGO_BIN_EXE_pilothouse")).expect("the program was built");
    assert!(!traces(&bytes).is_empty());
}

#[test]
fn the_check_sees_a_dynamic_program() {
    let elf = std::fs::read(std::env::current_exe().expect("this test")).expect("this test");
    if cfg!(target_feature = "crt-static") {
        return;
    }
    assert_eq!(wants(&elf), ["a loader", "a library"]);
}

#[test]
fn it_starts_in_an_empty_root() {
    let Some(path) = static_binary() else {
        return;
    };
    if !nix::unistd::geteuid().is_root() {
        skip("the empty root", "chroot needs root");
        return;
    }
    let root = tempfile::tempdir().expect("tests need a temporary directory");
    std::fs::copy(path, root.path().join("pilothouse")).expect("a root of ours takes files");
    let output = Command::new("chroot")
        .arg(root.path())
        .args(["/pilothouse", "-version"])
        .stdin(Stdio::null())
        .output()
        .expect("coreutils has chroot");
    assert!(output.status.success(), "{output:?}");
}

/// Types `Two builds` of docker/README.md as it stands, but for `/tmp/other`, in a clone of this checkout's commit.
#[test]
fn two_builds_at_two_places_are_the_same() {
    let what = "the comparison of two builds";
    if std::env::var_os("PILOTHOUSE_TWO_BUILDS").is_none_or(|wanted| wanted.is_empty()) {
        eprintln!("left out: {what}; PILOTHOUSE_TWO_BUILDS=1 asks for it, which takes minutes");
        return;
    }
    let dir = tempfile::tempdir().expect("tests need a temporary directory");
    let type_in = |place: &Path, line: &str| {
        let mut shell = Command::new("sh");
        // What changes the bytes, or puts both builds into one place, is not the page's.
        for variable in ["CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            shell.env_remove(variable);
        }
        let output = shell.args(["-c", line]).current_dir(place).output();
        let output = output.expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}\n{said}");
        let digest = said.split_once("SHA-256 ");
        digest.map(|(_, digest)| digest.trim().to_owned())
    };
    let place = dir.path().join("checkout");
    let clone = format!("git clone --quiet . {}", place.display());
    type_in(Path::new(env!("CARGO_MANIFEST_DIR")), &clone);
    let other = dir.path().join("other").display().to_string();
    let blocks = commands("docker/README.md", "Two builds");
    let digests: Vec<_> = blocks[0]
        .iter()
        .map(|line| type_in(&place, &line.replace("/tmp/other", &other)))
        .collect();
    eprintln!("{digests:?}");
    assert!(
        matches!(&digests[..], [Some(one), Some(two)] if one == two),
        "{digests:?}"
    );
}
