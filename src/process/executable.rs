//! Finding the file to execute, and saying why it could not be (P15).

use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, eaccess};

use super::error::SpawnError;

/// Where the C library's `execvp` looks when there is no `PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// How much of a file is read to find out what it is; the kernel looks at no more of a `#!` line.
const MAX_HEAD: u64 = 256;

/// The file that `program` means: itself if it has a `/`, else the first executable file of that name in `path`.
///
/// An empty element of `path` is the working directory, as for the shell: `workdir`, or else ours.
pub(super) fn find(
    program: &str,
    path: Option<&[u8]>,
    workdir: Option<&str>,
) -> Result<CString, SpawnError> {
    if program.is_empty() {
        return Err(SpawnError::not_found(program, "the command is empty"));
    }
    let name_of = |file: Vec<u8>| {
        let cause = "a file name cannot hold a NUL byte";
        CString::new(file).map_err(|_| SpawnError::not_executable(program, cause))
    };
    let itself = name_of(program.into())?;
    if program.contains('/') {
        return Ok(itself);
    }
    let path = path.unwrap_or(DEFAULT_PATH);
    let mut refused = None;
    for directory in path.split(|byte| *byte == b':') {
        let file = candidate(directory, program, workdir);
        match fs::metadata(&file) {
            Ok(meta) if meta.is_dir() => refused = refused.or(Some((file, "is a directory"))),
            Ok(_) if eaccess(&file, AccessFlags::X_OK).is_err() => {
                refused = refused.or(Some((file, "may not be executed by this user")));
            }
            Ok(_) => return name_of(file.into_os_string().into_encoded_bytes()),
            Err(_) => {}
        }
    }
    if let Some((file, why)) = refused {
        let cause = format!("`{}` {why}, and $PATH has no other", file.display());
        return Err(SpawnError::not_executable(program, &cause));
    }
    let path = String::from_utf8_lossy(path);
    let cause = format!("executable file not found in $PATH (`{path}`)");
    Err(SpawnError::not_found(program, &cause))
}

/// Whether a start of `program` would find something to execute here and now, as far as that can be seen without one:
/// the file, its execute bit and the interpreter that its `#!` line names. `path` and `workdir` as for a job.
///
/// # Errors
///
/// What a start would say.
pub fn look_for(
    program: &str,
    path: Option<&[u8]>,
    workdir: Option<&str>,
) -> Result<(), SpawnError> {
    let file = find(program, path, workdir)?;
    let file = Path::new(OsStr::from_bytes(file.as_bytes()));
    let file = &workdir.map_or(file.to_owned(), |workdir| Path::new(workdir).join(file));
    let Ok(meta) = fs::metadata(file) else {
        return Err(absent(program, file));
    };
    if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
        return Err(refused(program, file));
    }
    match interpreter(&head(file)) {
        Some(name) if fs::metadata(&name).is_err() => Err(absent(program, file)),
        _ => Ok(()),
    }
}

fn candidate(directory: &[u8], program: &str, workdir: Option<&str>) -> PathBuf {
    let directory = if directory.is_empty() {
        b"."
    } else {
        directory
    };
    let file = Path::new(OsStr::from_bytes(directory)).join(program);
    workdir.map_or(file.clone(), |workdir| Path::new(workdir).join(file))
}

/// Turns the error of an exec into words, after a look at the file.
pub(super) fn explain(
    program: &str,
    file: &CString,
    workdir: Option<&str>,
    error: &io::Error,
) -> SpawnError {
    let path = Path::new(OsStr::from_bytes(file.as_bytes()));
    let path = &workdir.map_or(path.to_owned(), |workdir| Path::new(workdir).join(path));
    match error.raw_os_error() {
        Some(libc::EAGAIN) => SpawnError::exhausted(program, "the limit of processes is reached"),
        Some(libc::EMFILE) => SpawnError::exhausted(program, "this program has no descriptor left"),
        Some(libc::ENFILE) => SpawnError::exhausted(program, "the system has no descriptor left"),
        Some(libc::ENOMEM) => SpawnError::exhausted(program, "there is no memory left"),
        Some(libc::ENOENT) => absent(program, path),
        Some(libc::ENOTDIR) => {
            SpawnError::not_found(program, "a part of its path is not a directory")
        }
        Some(libc::EACCES | libc::EPERM) => refused(program, path),
        Some(libc::ENOEXEC) => SpawnError::not_executable(program, &foreign(path)),
        Some(libc::ETXTBSY) => SpawnError::not_executable(program, "the file is open for writing"),
        Some(libc::E2BIG) => SpawnError::not_executable(
            program,
            "arguments and environment are longer than the system allows",
        ),
        _ => SpawnError::not_executable(program, &error.to_string()),
    }
}

/// ENOENT: the file, or what it needs to run.
fn absent(program: &str, path: &Path) -> SpawnError {
    if fs::metadata(path).is_err() {
        return SpawnError::not_found(program, "no such file or directory");
    }
    let cause = match interpreter(&head(path)) {
        Some(name) => format!("its interpreter `{}` does not exist", name.escape_debug()),
        None => {
            "the loader it was linked for does not exist: it needs another C library".to_owned()
        }
    };
    SpawnError::not_found(program, &cause)
}

/// EACCES.
fn refused(program: &str, path: &Path) -> SpawnError {
    let cause = match fs::metadata(path) {
        Err(_) => "a directory on its path may not be searched".to_owned(),
        Ok(meta) if meta.is_dir() => "it is a directory".to_owned(),
        Ok(meta) if !meta.is_file() => "it is not a regular file".to_owned(),
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => {
            "it has no execute bit: run `chmod +x` on it".to_owned()
        }
        Ok(_) if eaccess(path, AccessFlags::X_OK).is_err() => {
            "this user may not execute it, or its file system is mounted noexec".to_owned()
        }
        Ok(_) => match interpreter(&head(path)) {
            Some(name) => format!(
                "its interpreter `{}` is not executable",
                name.escape_debug()
            ),
            None => "the job's user may not execute it, or not search a directory on its path"
                .to_owned(),
        },
    };
    SpawnError::not_executable(program, &cause)
}

/// ENOEXEC: what the file is instead.
fn foreign(path: &Path) -> String {
    let head = head(path);
    // elf(5): byte 5 is the byte order, bytes 18 and 19 the machine.
    match head.get(..20) {
        Some(elf) if elf.starts_with(b"\x7fELF") => {
            let machine = [elf[18], elf[19]];
            let machine = if elf[5] == 2 {
                u16::from_be_bytes(machine)
            } else {
                u16::from_le_bytes(machine)
            };
            let name = machine_name(machine);
            format!("exec format error: it is built for another architecture ({name})")
        }
        _ => "exec format error: it is no program of this system and has no `#!` line".to_owned(),
    }
}

fn machine_name(machine: u16) -> String {
    let known = match machine {
        3 => "x86",
        8 => "mips",
        20 => "ppc",
        21 => "ppc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv",
        258 => "loongarch",
        other => return format!("machine {other}"),
    };
    known.to_owned()
}

fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    // Never a FIFO or a device, whose opening could wait.
    let regular = fs::metadata(path).is_ok_and(|meta| meta.is_file());
    if regular && let Ok(file) = File::open(path) {
        let _ = file.take(MAX_HEAD).read_to_end(&mut head);
    }
    head
}

/// The file that a `#!` line names.
fn interpreter(head: &[u8]) -> Option<String> {
    let line = head
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let line = String::from_utf8_lossy(line);
    // Only blanks and tabs part words for the kernel; a CR belongs to the name.
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    words.next().map(str::to_owned)
}
