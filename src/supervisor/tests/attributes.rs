//! Who a user is and what an `envFile` says, found in files of the test's own.

use std::path::PathBuf;

use super::super::attributes::{Prepared, prepare};
use super::super::environment::Environment;
use crate::events::StartFailure;
use crate::jobs::{Attributes, Databases, Variable, Who};
use crate::process::{Identity, SpawnError};

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/srv/app:/bin/sh\n";
const GROUP: &str = "root:x:0:\nlog:x:4:app\nstaff:x:50:other,app\n";

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        let files = Files(tempfile::tempdir().unwrap());
        files.write("passwd", PASSWD);
        files.write("group", GROUP);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    fn prepare(&self, attributes: &Attributes) -> Result<Prepared, SpawnError> {
        let variables = [("PATH", "/bin"), ("HOME", "/root"), ("OURS", "o")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let environment = Environment::new(variables.into_iter(), 1);
        let databases = Databases {
            passwd: &self.path("passwd"),
            group: &self.path("group"),
        };
        prepare(attributes, &environment, databases).map_err(|refusal| refusal.of_start("app"))
    }

    #[track_caller]
    fn refuses(&self, attributes: &Attributes, words: &str) {
        let error = self.prepare(attributes).unwrap_err();
        assert_eq!(error.failure, StartFailure::Attributes);
        assert!(error.message.contains(words), "{error} lacks {words}");
    }
}

fn name(name: &str) -> Who {
    Who::Name(name.to_owned())
}

fn user(user: Option<Who>, group: Option<Who>) -> Attributes {
    Attributes {
        user,
        group,
        ..Attributes::NONE
    }
}

/// `NAME=value`, or `NAME` where it is unset.
fn shown(prepared: &Prepared) -> Vec<String> {
    let changes = prepared.changes.iter();
    let text = changes.map(|(name, entry)| match entry {
        Some(entry) => entry.to_string_lossy().into_owned(),
        None => String::from_utf8_lossy(name).into_owned(),
    });
    text.collect()
}

#[test]
fn a_named_user_comes_with_groups_and_a_home() {
    let prepared = Files::new()
        .prepare(&user(Some(name("app")), None))
        .unwrap();
    let identity = Identity {
        user: Some(1000),
        group: Some(1001),
        groups: Some(vec![4, 50]),
    };
    assert_eq!(prepared.identity, Some(identity));
    assert_eq!(
        shown(&prepared),
        ["HOME=/srv/app", "LOGNAME=app", "USER=app"]
    );
    let prepared = Files::new().prepare(&user(Some(name("app")), Some(name("staff"))));
    assert_eq!(prepared.unwrap().identity.unwrap().group, Some(50));
}

#[test]
fn p17_a_number_needs_no_entry_and_no_file() {
    let files = Files::new();
    let stranger = user(Some(Who::Number(54_321)), Some(Who::Number(7)));
    let known = user(Some(Who::Number(1000)), None);
    let prepared = files.prepare(&known).unwrap();
    assert_eq!(prepared.identity.unwrap().group, Some(1001));
    for file in ["passwd", "group"] {
        let prepared = files.prepare(&stranger).unwrap();
        assert!(prepared.changes.is_empty());
        let identity = prepared.identity.unwrap();
        assert_eq!((identity.user, identity.group), (Some(54_321), Some(7)));
        assert_eq!(identity.groups, Some(Vec::new()), "none of ours");
        std::fs::remove_file(files.path(file)).unwrap();
    }
    let prepared = files.prepare(&stranger).unwrap();
    assert_eq!(prepared.identity.unwrap().user, Some(54_321));
}

#[test]
fn p17_who_does_not_exist_is_named() {
    let files = Files::new();
    files.refuses(
        &user(Some(name("nobody")), None),
        "cannot start `app`: there is no user `nobody` in `",
    );
    files.refuses(
        &user(None, Some(name("wheel"))),
        "there is no group `wheel` in `",
    );
    std::fs::remove_file(files.path("passwd")).unwrap();
    files.refuses(&user(Some(name("app")), None), "user `app`: cannot read `");
}

#[test]
fn later_variables_replace_earlier_ones() {
    let files = Files::new();
    let variable = |name: &str, value: Option<&str>| Variable {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    };
    let attributes = Attributes {
        env_files: vec![
            files.write("one", "A=1\nB=1\nOURS=x\nHOME=/one\nABSENT\n"),
            files.write("two", "B=2\nOURS\n"),
        ],
        env: vec![variable("B", None), variable("C", Some("3"))],
        ..user(Some(name("app")), None)
    };
    let prepared = files.prepare(&attributes).unwrap();
    let expected = [
        "A=1",
        "B",
        "C=3",
        "HOME=/one",
        "LOGNAME=app",
        "OURS=o",
        "USER=app",
    ];
    assert_eq!(shown(&prepared), expected);
}

#[test]
fn an_environment_file_is_read_or_the_start_fails() {
    let files = Files::new();
    let with = |path: String| Attributes {
        env_files: vec![path],
        ..Attributes::NONE
    };
    let missing = files.path("missing").to_str().unwrap().to_owned();
    files.refuses(&with(missing), "No such file or directory");
    let bad = files.write("bad", "A=1\nB C=s3cr3t");
    files.refuses(&with(bad), "bad`, line 2: a name has no blanks");
    // A FIFO would be waited for.
    let fifo = files.path("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let fifo = fifo.to_str().unwrap().to_owned();
    files.refuses(&with(fifo), "not a regular file");
    let large = files.write("large", &"#".repeat(4 * 1024 * 1024 + 1));
    files.refuses(&with(large), "more than 4194304 bytes");
}
