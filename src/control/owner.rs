//! Users and groups by name, read from the image's own files.
//!
//! `getpwnam` is not used: in a static build it loads the image's name service modules, and dies with them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::OwnerError;

/// How much of a file is read; what stands behind it is not found.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// The numbers that a configured owner stands for. `None` leaves that half as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) user: Option<u32>,
    pub(super) group: Option<u32>,
}

/// The files that names are looked up in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Databases<'a> {
    pub(super) passwd: &'a Path,
    pub(super) group: &'a Path,
}

impl Databases<'static> {
    /// Where passwd(5) and group(5) say that they are.
    pub(super) fn of_the_image() -> Databases<'static> {
        Databases {
            passwd: Path::new("/etc/passwd"),
            group: Path::new("/etc/group"),
        }
    }
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
        return number(name.as_bytes()).ok_or_else(|| OwnerError::Form(name.to_owned()));
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

/// The number of `name`: the third field of the first line whose first field it is, as in passwd(5) and group(5).
/// Lines without a number there are passed over.
pub(super) fn id_of(text: &[u8], name: &str) -> Option<u32> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        if fields.next()? != name.as_bytes() {
            return None;
        }
        number(fields.nth(1)?)
    })
}

fn number(digits: &[u8]) -> Option<u32> {
    let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // chown(2) reads this one as "leave it".
    (number != u32::MAX).then_some(number)
}
