//! passwd(5) and group(5), as text.
//!
//! `getpwnam` and its like are not used: in a static build they load the image's name service modules, and die with them.

use std::path::Path;

use super::attributes::Who;

/// The files that names are looked up in.
#[derive(Clone, Copy, Debug)]
pub struct Databases<'a> {
    pub passwd: &'a Path,
    pub group: &'a Path,
}

impl Databases<'static> {
    /// Where passwd(5) and group(5) say that they are.
    #[must_use]
    pub fn of_the_image() -> Databases<'static> {
        Databases {
            passwd: Path::new("/etc/passwd"),
            group: Path::new("/etc/group"),
        }
    }
}

/// An entry of passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: Vec<u8>,
    pub user: u32,
    pub group: u32,
    pub home: Vec<u8>,
}

/// The first entry of this name or number. Lines without both numbers are passed over.
#[must_use]
pub fn account(passwd: &[u8], who: &Who) -> Option<Account> {
    lines(passwd).find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let user = id(fields.get(2)?)?;
        let group = id(fields.get(3)?)?;
        let is_meant = match who {
            Who::Name(name) => fields[0] == name.as_bytes(),
            Who::Number(number) => user == *number,
        };
        (is_meant && !fields[0].is_empty()).then(|| Account {
            name: fields[0].to_vec(),
            user,
            group,
            home: fields.get(5).copied().unwrap_or_default().to_vec(),
        })
    })
}

/// The number of `name`: the third field of the first line whose first field it is, as in passwd(5) and group(5).
/// Lines without a number there are passed over.
#[must_use]
pub fn id_of(text: &[u8], name: &str) -> Option<u32> {
    lines(text).find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        if fields.next()? != name.as_bytes() {
            return None;
        }
        id(fields.nth(1)?)
    })
}

/// The groups of group(5) that have this user among their members.
#[must_use]
pub fn groups_of(group: &[u8], name: &[u8]) -> Vec<u32> {
    let joined = lines(group).filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b':').skip(2);
        let number = id(fields.next()?)?;
        let mut members = fields.next()?.split(|byte| *byte == b',');
        members.any(|member| member == name).then_some(number)
    });
    let mut groups: Vec<u32> = joined.collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// A user's or a group's number in digits.
#[must_use]
pub fn id(digits: &[u8]) -> Option<u32> {
    let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // The kernel reads this one as "leave it".
    (number != u32::MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nbroken:x:5\n:x:6:6::/:\n\
        app:x:1000:1001::/home/app:/bin/sh\nbare:x:7:8";
    const GROUP: &[u8] =
        b"root:x:0:\nlog:x:4:app,other\nall:x:9:other,app\nagain:x:4:app\nnear:x:5:apps\nnone:x:6";

    #[test]
    fn accounts_are_found_by_name_and_by_number() {
        let app = account(PASSWD, &Who::Name("app".to_owned())).unwrap();
        assert_eq!((app.user, app.group), (1000, 1001));
        assert_eq!(app.home, b"/home/app");
        assert_eq!(account(PASSWD, &Who::Number(1000)), Some(app));
        let bare = account(PASSWD, &Who::Number(7)).unwrap();
        assert_eq!((bare.group, bare.home), (8, Vec::new()));
        for nobody in ["broken", "", "ap", "x"] {
            assert_eq!(account(PASSWD, &Who::Name(nobody.to_owned())), None);
        }
        assert_eq!(account(PASSWD, &Who::Number(6)), None, "it has no name");
    }

    #[test]
    fn groups_are_those_that_name_the_member_in_full() {
        assert_eq!(groups_of(GROUP, b"app"), [4, 9]);
        assert!(groups_of(GROUP, b"nobody").is_empty());
    }
}
