//! What a real child is by its attributes, and what is said when the kernel refuses one.

use std::os::unix::fs::PermissionsExt;

use nix::sys::resource::{Resource as Kind, getrlimit, setrlimit};

use super::*;
use crate::events::StartFailure;
use crate::jobs::{Limit, Resource};

/// A user that no file knows.
const NOBODY: u32 = 54_321;

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("left out: to switch the user needs root");
    }
    root
}

fn resource(name: &str) -> Resource {
    Resource::from_name(name).unwrap()
}

fn limit(soft: u64, hard: u64) -> Limit {
    Limit {
        soft: Some(soft),
        hard: Some(hard),
    }
}

/// What a script prints with these attributes.
fn said(
    world: &mut World,
    script: &str,
    attributes: &Attributes,
    identity: Option<&Identity>,
) -> String {
    let request = SpawnRequest {
        output: Output::Pipe,
        attributes,
        identity,
        ..plain()
    };
    let (run, spawned) = world
        .try_start(&["/bin/sh", "-c", script], &request)
        .unwrap();
    let text = world.read_all(spawned.output.unwrap());
    world.exit_of(run);
    text.trim_end().to_owned()
}

fn refusal(world: &mut World, attributes: &Attributes, identity: Option<&Identity>) -> SpawnError {
    let request = SpawnRequest {
        attributes,
        identity,
        ..plain()
    };
    world.try_start(&["/bin/true"], &request).unwrap_err()
}

fn somebody() -> Identity {
    Identity {
        user: Some(NOBODY),
        group: Some(NOBODY + 1),
        groups: Some(vec![7, 9]),
    }
}

alone!(
    what_needs_no_right_is_as_it_is_asked_for,
    Subreaper,
    |world| {
        let attributes = Attributes {
            umask: Some(0o137),
            nice: Some(7),
            workdir: Some("/usr/bin".to_owned()),
            no_new_privileges: true,
            ..Attributes::NONE
        };
        let script = "umask; nice; pwd; grep NoNewPrivs /proc/self/status; grep -E '^Sig(Blk|Ign)' /proc/self/status";
        let text = said(world, script, &attributes, None);
        assert_eq!(
            text,
            "0137\n7\n/usr/bin\nNoNewPrivs:\t1\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000"
        );
        let (run, pid) = world.start("exec sleep 1000");
        assert_eq!(procfs::Procfs::stat(pid).unwrap().unwrap().pgrp, pid);
        world.processes.kill(run.id);
    }
);

alone!(
    p19_a_told_limit_of_files_wins_over_the_original,
    Subreaper,
    |world| {
        let (_, hard) = getrlimit(Kind::RLIMIT_NOFILE).unwrap();
        let hard = hard.min(4000);
        setrlimit(Kind::RLIMIT_NOFILE, 40, hard).unwrap();
        world.processes.raise_file_limit(500).unwrap();
        let script = "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc";
        let with = |limits| Attributes {
            limits,
            ..Attributes::NONE
        };
        let core = (resource("core"), limit(0, 0));
        let text = said(world, script, &with(vec![core]), None);
        assert_eq!(text, format!("40\n{hard}\n0\n0"), "the original");
        let files = (Resource::NOFILE, limit(30, 50));
        let text = said(world, script, &with(vec![core, files]), None);
        assert_eq!(text, "30\n50\n0\n0");
        let soft = Limit {
            soft: Some(60),
            hard: None,
        };
        let text = said(
            world,
            script,
            &with(vec![core, (Resource::NOFILE, soft)]),
            None,
        );
        assert_eq!(text, format!("60\n{hard}\n0\n0"));
        let low = Limit {
            soft: None,
            hard: Some(35),
        };
        let text = said(
            world,
            script,
            &with(vec![core, (Resource::NOFILE, low)]),
            None,
        );
        assert_eq!(text, "35\n35\n0\n0");
        assert_eq!(getrlimit(Kind::RLIMIT_NOFILE).unwrap(), (500, hard));
        let above = Limit {
            soft: Some(hard + 1),
            hard: None,
        };
        let error = refusal(world, &with(vec![(Resource::NOFILE, above)]), None);
        assert!(error.message.contains("above the hard one"), "{error}");
    }
);

alone!(p17_a_user_by_number_needs_no_entry, Subreaper, |world| {
    if !is_root() {
        return;
    }
    let script = "id -u; id -g; id -G; grep CapEff /proc/self/status; echo opened > /dev/stdout";
    let text = said(world, script, &Attributes::NONE, Some(&somebody()));
    assert_eq!(
        text,
        "54321\n54322\n54322 7 9\nCapEff:\t0000000000000000\nopened"
    );
    let group = Identity {
        group: Some(5),
        ..Identity::default()
    };
    let text = said(world, "id -u; id -g", &Attributes::NONE, Some(&group));
    assert_eq!(text, "0\n5");
    // What is started so is ended as any other.
    let identity = somebody();
    let request = SpawnRequest {
        identity: Some(&identity),
        ..plain()
    };
    let (run, _) = world.try_start(&["sleep", "1000"], &request).unwrap();
    world.processes.terminate(run.id, Signal::TERM);
    assert_eq!(world.exit_of(run).0, Exit::Signal(Signal::TERM));
});

alone!(
    p17_the_directory_is_entered_by_the_job_s_user,
    Subreaper,
    |world| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let path = |path: &std::path::Path| Attributes {
            workdir: Some(path.to_str().unwrap().to_owned()),
            ..Attributes::NONE
        };
        let missing = path(&dir.path().join("missing"));
        for (attributes, words) in [
            (&missing, "does not exist"),
            (&path(&file), "not a directory"),
        ] {
            let error = refusal(world, attributes, None);
            assert_eq!(error.failure, StartFailure::Attributes);
            assert!(error.message.contains(words), "{error}");
        }
        if is_root() {
            let mode = PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(dir.path(), mode).unwrap();
            let error = refusal(world, &path(dir.path()), Some(&somebody()));
            assert!(error.message.contains("may not enter"), "{error}");
        }
        assert!(world.processes.is_alone(), "a failed start leaves nothing");
    }
);

alone!(
    a_relative_command_is_found_from_the_workdir,
    Subreaper,
    |world| {
        let attributes = Attributes {
            workdir: Some("/bin".to_owned()),
            ..Attributes::NONE
        };
        let env = c_strings(&["PATH=/nowhere:."]);
        let env: Vec<&CStr> = env.iter().map(CString::as_c_str).collect();
        for program in ["./sh", "sh"] {
            let request = SpawnRequest {
                env: &env,
                attributes: &attributes,
                ..plain()
            };
            let (run, _) = world
                .try_start(&[program, "-c", "exit 6"], &request)
                .unwrap();
            assert_eq!(world.exit_of(run).0, Exit::Code(6));
        }
        let request = SpawnRequest {
            attributes: &attributes,
            ..plain()
        };
        let error = world.try_start(&["./missing"], &request).unwrap_err();
        assert_eq!(error.failure, StartFailure::NotFound, "{error}");
    }
);

alone!(
    p17_without_rights_each_refusal_has_its_words,
    Subreaper,
    |world| {
        if is_root() {
            // For good: this process is the test's own.
            setrlimit(Kind::RLIMIT_NOFILE, 100, 100).unwrap();
            setrlimit(Kind::RLIMIT_NICE, 0, 0).unwrap();
            nix::unistd::setgroups(&[]).unwrap();
            nix::unistd::setgid(NOBODY.into()).unwrap();
            nix::unistd::setuid(NOBODY.into()).unwrap();
        }
        let me = nix::unistd::getuid().as_raw();
        let none = Attributes::NONE;
        let cases = [
            (
                Attributes {
                    nice: Some(-5),
                    ..none.clone()
                },
                None,
                "cannot set `nice` to -5: the kernel refuses it: it needs CAP_SYS_NICE",
            ),
            (
                Attributes {
                    limits: vec![(Resource::NOFILE, limit(1 << 30, 1 << 30))],
                    ..none.clone()
                },
                None,
                "cannot set `limits.nofile`: the hard limit is",
            ),
            (
                none.clone(),
                Some(Identity {
                    user: Some(me + 1),
                    ..Identity::default()
                }),
                "needs CAP_SETUID",
            ),
            (
                none.clone(),
                Some(Identity {
                    group: Some(me + 7),
                    ..Identity::default()
                }),
                "needs CAP_SETGID",
            ),
            (none.clone(), Some(somebody()), "CAP_SETGID"),
        ];
        for (attributes, identity, words) in cases {
            let error = refusal(world, &attributes, identity.as_ref());
            assert_eq!(error.failure, StartFailure::Attributes, "{error}");
            assert!(error.message.contains(words), "{error} lacks {words}");
        }
        // Who one is already one may become.
        let myself = Identity {
            user: Some(me),
            group: None,
            groups: Some(Vec::new()),
        };
        let text = said(world, "id -u", &none, Some(&myself));
        assert_eq!(text, me.to_string());
        assert!(world.processes.is_alone(), "a failed start leaves nothing");
    }
);
