//! The time zones of the image, for `when.cron`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use crate::schedule::{NoZone, Zone};

/// Where zones are looked for, the first that is there counts.
const DIRECTORIES: [&str; 3] = ["/usr/share/zoneinfo", "/share/zoneinfo", "/etc/zoneinfo"];

/// The largest file that is read. That of a zone has some thousand bytes.
const LARGEST: u64 = 256 * 1024;

/// Zones by name, each read once in a load.
#[derive(Debug, Default)]
pub(super) struct ZoneFiles {
    found: RefCell<HashMap<String, Result<Zone, NoZone>>>,
}

impl ZoneFiles {
    /// The zone of a name, of an absolute path, or of a rule in the words of POSIX; `localtime` is that of
    /// `/etc/localtime`.
    pub(super) fn find(&self, name: &str) -> Result<Zone, NoZone> {
        if let Some(found) = self.found.borrow().get(name) {
            return found.clone();
        }
        let found = find(name, &DIRECTORIES);
        self.found
            .borrow_mut()
            .insert(name.to_owned(), found.clone());
        found
    }
}

fn find(name: &str, directories: &[&str]) -> Result<Zone, NoZone> {
    if name == "localtime" {
        return read(name, Path::new("/etc/localtime"));
    }
    if name.starts_with('/') {
        return read(name, Path::new(name));
    }
    let mut has_data = false;
    for directory in directories.iter().map(Path::new) {
        has_data |= directory.is_dir();
        match read(name, &directory.join(name)) {
            Err(NoZone::Unknown) => {}
            found => return found,
        }
    }
    let missing = if has_data {
        NoZone::Unknown
    } else {
        NoZone::NoData
    };
    Zone::from_rule(name).ok_or(missing)
}

/// Reads a file that must be a plain one: another could take for ever.
fn read(name: &str, path: &Path) -> Result<Zone, NoZone> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => NoZone::Unknown,
        _ => NoZone::Unreadable(error.to_string()),
    };
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(NoZone::Unknown);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Zone::from_file(name, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of version 1 with one offset and no change: an hour east of UTC.
    fn one_hour_east() -> Vec<u8> {
        let mut bytes = b"TZif\0".to_vec();
        bytes.extend([0; 15]);
        for count in [0_u32, 0, 0, 0, 1, 4] {
            bytes.extend(count.to_be_bytes());
        }
        bytes.extend(3600_i32.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(b"ABC\0");
        bytes
    }

    #[test]
    fn zones_are_files_in_a_directory() {
        let dir = tempfile::tempdir().expect("a directory");
        let empty = dir.path().join("none");
        let data = dir.path().join("zoneinfo");
        fs::create_dir_all(data.join("Area")).expect("a directory");
        fs::write(data.join("Area/City"), one_hour_east()).expect("a file");
        fs::write(data.join("Area/Text"), "no zone").expect("a file");
        let empty = empty.to_str().expect("text");
        let data = data.to_str().expect("text");
        let both = [empty, data];
        assert_eq!(
            find("Area/City", &both).expect("a zone").name(),
            "Area/City"
        );
        let path = format!("{data}/Area/City");
        assert_eq!(find(&path, &[]).expect("a zone").name(), path);
        assert_eq!(find("Area", &both), Err(NoZone::Unknown));
        assert_eq!(find("Area/City/Part", &both), Err(NoZone::Unknown));
        assert_eq!(find("Area/Town", &both), Err(NoZone::Unknown));
        assert_eq!(find("Area/City", &[empty]), Err(NoZone::NoData));
        assert!(matches!(
            find("Area/Text", &both),
            Err(NoZone::Unreadable(_))
        ));
        // What its name describes in full needs no data.
        assert!(find("CET-1CEST,M3.5.0,M10.5.0/3", &[empty]).is_ok());
    }

    #[test]
    fn a_zone_is_read_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("zone");
        fs::write(&path, one_hour_east()).expect("a file");
        let path = path.to_str().expect("text");
        let zones = ZoneFiles::default();
        let first = zones.find(path);
        assert!(first.is_ok());
        fs::remove_file(path).expect("removed");
        assert_eq!(zones.find(path), first);
    }
}
