use super::super::OwnerError;
use super::super::owner::Owner;
use super::*;
use crate::jobs::{Databases, id_of};

const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n\
    broken\n\
    :x:5:5::/:\n\
    half:x\n\
    words:x:many:1::/:\n\
    words:x:77:1::/:\n\
    minus:x:4294967295:1::/:\n\
    huge:x:4294967296:1::/:\n\
    caf\xe9:x:8:8::/:\n\
    app:x:1000:1000::/home/app:/bin/sh\n\
    app:x:2000:2000::/home/app:/bin/sh\n\
    last:*:1002:1002";

#[test]
fn names_are_found_as_the_file_has_them() {
    for (name, id) in [
        ("root", Some(0)),
        ("app", Some(1000)),
        ("last", Some(1002)),
        ("words", Some(77)),
        ("broken", None),
        ("half", None),
        ("minus", None),
        ("huge", None),
        ("ap", None),
        ("apps", None),
        ("APP", None),
        ("x", None),
    ] {
        assert_eq!(id_of(PASSWD, name), id, "{name}");
    }
    assert_eq!(id_of(b"", "root"), None);
    assert_eq!(id_of(b"\n\n:::\n", "root"), None);
}

fn files() -> (TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let passwd = directory.path().join("passwd");
    let group = directory.path().join("group");
    std::fs::write(&passwd, PASSWD).unwrap();
    std::fs::write(&group, "root:x:0:\nstaff:x:50:app,root\n").unwrap();
    (directory, passwd, group)
}

#[test]
fn owners_are_names_or_numbers() {
    let (_directory, passwd, group) = files();
    let databases = Databases {
        passwd: &passwd,
        group: &group,
    };
    for (text, user, number) in [
        ("app", Some(1000), None),
        ("app:staff", Some(1000), Some(50)),
        (":staff", None, Some(50)),
        ("7", Some(7), None),
        ("7:9", Some(7), Some(9)),
        ("app:9", Some(1000), Some(9)),
        ("0:staff", Some(0), Some(50)),
    ] {
        let owner = Owner::resolve(text, databases).unwrap();
        let expected = Owner {
            user,
            group: number,
        };
        assert_eq!(owner, expected, "{text}");
    }
    for text in ["", ":", "app:", "a:b:c", "4294967295", "1:99999999999"] {
        let error = Owner::resolve(text, databases).unwrap_err();
        assert!(matches!(error, OwnerError::Form(_)), "{text}: {error}");
    }
    for text in ["nobody-here", "app:nobody-here", "staff", "-1"] {
        let error = Owner::resolve(text, databases).unwrap_err();
        assert!(
            matches!(error, OwnerError::Unknown { .. }),
            "{text}: {error}"
        );
    }
}

#[test]
fn p17_numbers_need_no_file() {
    let none = Path::new("/nonexistent/file");
    let databases = Databases {
        passwd: none,
        group: none,
    };
    assert!(Owner::resolve("1000:1000", databases).is_ok());
    let error = Owner::resolve("app", databases).unwrap_err();
    assert!(matches!(error, OwnerError::Read { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("cannot look up the user `app` in `/nonexistent/file`: "),
        "{text}"
    );
}
