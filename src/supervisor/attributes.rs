//! What a start needs that only the system knows: who a user is, what an `envFile` says. Read at each start, so that the
//! next one sees a change.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::env_file::{self, Line};
use super::environment::{Environment, String8, entry};
use crate::events::StartFailure;
use crate::jobs::{Account, Attributes, Databases, Who, account, groups_of, id_of};
use crate::process::{Identity, SpawnError};

/// How much of a file is read; a longer one is refused, as what stands behind would be missed in silence.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// The changes of a child's environment: `None` unsets.
pub(super) type Changes = BTreeMap<String8, Option<CString>>;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) identity: Option<Identity>,
    pub(super) changes: Changes,
}

/// Why a start cannot be prepared.
#[derive(Debug)]
pub(super) struct Refusal {
    failure: StartFailure,
    cause: String,
}

impl Refusal {
    fn new(cause: String) -> Refusal {
        Refusal {
            failure: StartFailure::Attributes,
            cause,
        }
    }

    /// A file that cannot be read. With no descriptor left that says nothing about the file (X01).
    fn unread(what: &str, path: &Path, error: &io::Error) -> Refusal {
        let is_exhausted = matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
        let path = path.display().to_string();
        Refusal {
            failure: if is_exhausted {
                StartFailure::Exhausted
            } else {
                StartFailure::Attributes
            },
            cause: format!("{what}: cannot read `{}`: {error}", path.escape_debug()),
        }
    }

    /// What to tell people.
    pub(super) fn cause(&self) -> &str {
        &self.cause
    }

    /// The same about the start of a command.
    pub(super) fn of_start(self, program: &str) -> SpawnError {
        SpawnError {
            failure: self.failure,
            ..SpawnError::attributes(program, &self.cause)
        }
    }
}

/// Finds out what a job's attributes mean here and now. Blocks for small regular files alone.
pub(super) fn prepare(
    attributes: &Attributes,
    environment: &Environment,
    databases: Databases<'_>,
) -> Result<Prepared, Refusal> {
    let mut prepared = Prepared::default();
    if attributes.user.is_some() || attributes.group.is_some() {
        let (identity, account) = identify(attributes, databases)?;
        prepared.identity = Some(identity);
        if let Some(account) = account {
            announce(&account, &mut prepared.changes);
        }
    }
    for path in &attributes.env_files {
        read_env_file(Path::new(path), environment, &mut prepared.changes)?;
    }
    for variable in &attributes.env {
        let name = variable.name.as_bytes();
        let value = variable.value.as_ref();
        let value = value.and_then(|value| entry(name, value.as_bytes()));
        prepared.changes.insert(name.to_vec(), value);
    }
    Ok(prepared)
}

/// The numbers behind `user` and `group`, and the entry of the user if there is one.
fn identify(
    attributes: &Attributes,
    databases: Databases<'_>,
) -> Result<(Identity, Option<Account>), Refusal> {
    let mut identity = Identity::default();
    let mut entry = None;
    if let Some(user) = &attributes.user {
        entry = match read(databases.passwd) {
            Ok(text) => account(&text, user),
            // A number needs no file (P17).
            Err(_) if matches!(user, Who::Number(_)) => None,
            Err(error) => {
                let what = format!("user `{user}`");
                return Err(Refusal::unread(&what, databases.passwd, &error));
            }
        };
        identity.user = match (user, &entry) {
            (_, Some(entry)) => Some(entry.user),
            (Who::Number(number), None) => Some(*number),
            (Who::Name(_), None) => return Err(unknown("user", user, databases.passwd)),
        };
        identity.group = entry.as_ref().map(|entry| entry.group);
        identity.groups = Some(match (user, &entry) {
            // An image without the file has no further groups.
            (Who::Name(_), Some(entry)) => {
                groups_of(&read(databases.group).unwrap_or_default(), &entry.name)
            }
            _ => Vec::new(),
        });
    }
    match &attributes.group {
        None => {}
        Some(Who::Number(number)) => identity.group = Some(*number),
        Some(group @ Who::Name(name)) => {
            let text = read(databases.group).map_err(|error| {
                Refusal::unread(&format!("group `{group}`"), databases.group, &error)
            })?;
            let number = id_of(&text, name);
            identity.group = Some(number.ok_or_else(|| unknown("group", group, databases.group))?);
        }
    }
    Ok((identity, entry))
}

fn unknown(kind: &str, who: &Who, file: &Path) -> Refusal {
    let file = file.display();
    Refusal::new(format!(
        "there is no {kind} `{who}` in `{file}`: a number would need no entry"
    ))
}

/// What a login would set.
fn announce(account: &Account, changes: &mut Changes) {
    let home = if account.home.is_empty() {
        b"/"
    } else {
        account.home.as_slice()
    };
    let pairs: [(&[u8], &[u8]); 3] = [
        (b"HOME", home),
        (b"USER", &account.name),
        (b"LOGNAME", &account.name),
    ];
    for (name, value) in pairs {
        changes.insert(name.to_vec(), entry(name, value));
    }
}

fn read_env_file(
    path: &Path,
    environment: &Environment,
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let text = read(path).map_err(|error| Refusal::unread("envFile", path, &error))?;
    let lines = env_file::parse(&text).map_err(|problem| {
        let path = path.display().to_string();
        Refusal::new(format!("envFile: `{}`, {problem}", path.escape_debug()))
    })?;
    for line in lines {
        let (name, value) = match line {
            Line::Set(name, value) => (name, entry(name, value)),
            Line::TakeOver(name) => match environment.find(name) {
                Some(entry) => (name, Some(entry.to_owned())),
                None => continue,
            },
        };
        changes.insert(name.to_vec(), value);
    }
    Ok(())
}

/// A regular file: the opening of a FIFO or a device could wait.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut options = OpenOptions::new();
    let file: File = options
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    let mut text = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_LIMIT {
        return Err(io::Error::other(format!(
            "it has more than {FILE_LIMIT} bytes"
        )));
    }
    Ok(text)
}
