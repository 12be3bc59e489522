//! Users and groups by name, read from the image's own files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::OwnerError;
use crate::jobs::{Databases, id, id_of};

/// How much of a file is read; what stands behind it is not found.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// The numbers that a configured owner stands for. `None` leaves that half as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) user: Option<u32>,
    pub(super) group: Option<u32>,
}

impl Owner {
    /// Reads `user`, `user:group` or `:group`. What consists of digits is a number and needs no file, so that an
    /// image without users can use it (P17). `user` alone leaves the group as it is.
    pub(super) fn resolve(text: &str, databases: Databases<'_>) -> Result<Owner, OwnerError> {
        let form = || OwnerError::Form(text.to_owned());
        let (user, group) = match text.split_once(':') {
            None => (text, None),
            Some((_, "")) => return Err(form()),
            Some((user, group)) => (user, Some(group)),
        };
        if (user.is_empty() && group.is_none()) || group.is_some_and(|group| group.contains(':')) {
            return Err(form());
        }
        let user = (!user.is_empty())
            .then(|| look_up("user", user, databases.passwd))
            .transpose()?;
        let group = group
            .map(|group| look_up("group", group, databases.group))
            .transpose()?;
        Ok(Owner { user, group })
    }
}

fn look_up(kind: &'static str, name: &str, file: &Path) -> Result<u32, OwnerError> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return id(name.as_bytes()).ok_or_else(|| OwnerError::Form(name.to_owned()));
    }
    let text = read(file).map_err(|source| OwnerError::Read {
        kind,
        name: name.to_owned(),
        file: file.to_owned(),
        source,
    })?;
    id_of(&text, name).ok_or_else(|| OwnerError::Unknown {
        kind,
        name: name.to_owned(),
        file: file.to_owned(),
    })
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(file)?.take(FILE_LIMIT).read_to_end(&mut text)?;
    Ok(text)
}
