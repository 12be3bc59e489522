//! What needs no process.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::marker::Marker;
use super::super::oom::{self, OomKills};
use super::super::procfs::parse_stat;
use super::super::streak::Streak;
use crate::events::RunId;

#[test]
fn a_process_name_cannot_forge_numbers() {
    let line = b"7 (a) S 1 1 (b)) T 3 4 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 1 2\n";
    let stat = parse_stat(7, line).unwrap();
    assert_eq!((stat.ppid, stat.pgrp, stat.session), (3, 4, 5));
    assert_eq!(stat.start, 4242);
    assert!(stat.is_stopped() && !stat.has_ended());
    for broken in [&b""[..], b"7", b"7 (a)", b"7 (a) S 1 2", b"7 (a) S x 2 3"] {
        assert_eq!(parse_stat(7, broken), None);
    }
}

#[test]
fn a_mark_is_found_by_its_own_instance_alone() {
    let (mine, other) = (Marker::new(None), Marker::new(None));
    let entry = mine.variable(RunId(7)).unwrap();
    assert!(Marker::is_variable(entry.to_bytes()));
    let environ = [b"A=1\0", entry.to_bytes_with_nul(), b"B=2\0"].concat();
    assert_eq!(mine.find(&environ), Some(RunId(7)));
    assert_eq!(other.find(&environ), None);
    assert_eq!(mine.find(b""), None);
    assert_eq!(
        mine.find(b"XCONTAINERPILOT_RUN=\0CONTAINERPILOT_RUN\0"),
        None
    );
}

#[test]
fn a_mark_inside_of_another_supervisor_names_both() {
    let outer = Marker::new(None);
    let mark = outer.variable(RunId(3)).unwrap().into_string().unwrap();
    let value = mark.split_once('=').unwrap().1;
    let inner = Marker::new(Some(value.to_owned()));
    let entry = inner.variable(RunId(9)).unwrap();
    assert_eq!(outer.find(entry.to_bytes()), Some(RunId(3)));
    assert_eq!(inner.find(entry.to_bytes()), Some(RunId(9)));
}

#[test]
fn a_mark_does_not_grow_without_bound() {
    let marker = Marker::new(Some("x".repeat(10_000)));
    let entry = marker.variable(RunId(1)).unwrap();
    assert!(entry.to_bytes().len() < 100);
}

/// Tests are linked dynamically; that the static binary says yes was seen by hand.
#[test]
fn a_program_with_a_loader_is_not_static() {
    let is_static = super::super::is_static_glibc();
    let expected = cfg!(all(target_env = "gnu", target_feature = "crt-static"));
    assert_eq!(is_static, expected);
}

#[test]
fn x07_only_an_unbroken_row_of_numbers_proves_that_nothing_was_made() {
    let begin = Instant::now();
    let mut streak = Streak::default();
    assert!(!streak.covers(0, 0, begin));
    for pid in [7, 8, 9] {
        streak.add(pid, begin);
    }
    assert!([7, 8, 9].iter().all(|pid| streak.covers(*pid, 9, begin)));
    // Before the first one everything may have happened, and after the last one somebody made a process.
    assert!(!streak.covers(6, 9, begin) && !streak.covers(10, 9, begin));
    assert!(!streak.covers(8, 10, begin) && !streak.covers(8, 8, begin));
    // Somebody took number 10.
    streak.add(11, begin);
    assert!(!streak.covers(9, 11, begin) && streak.covers(11, 11, begin));
    // The numbers went round.
    streak.add(300, begin);
    assert!(!streak.covers(11, 300, begin) && streak.covers(300, 300, begin));
    // In a long time they may have gone round all the way.
    let later = begin + Duration::from_secs(2);
    assert!(!streak.covers(300, 300, later));
    streak.add(301, later);
    assert!(!streak.covers(300, 301, later) && streak.covers(301, 301, later));
}

const VERSION_1: &str = "4:memory:/docker/ab\n3:cpu,cpuacct:/docker/x\n0::/docker/y\n";
const VERSION_2: &str = "0::/system.slice/app\n";

#[test]
fn x03_the_count_of_kills_is_where_the_group_of_the_program_is() {
    let mount = |root: &str, point: &str, kind: &str, options: &str| {
        format!("30 24 0:27 {root} {point} rw,nosuid shared:9 - {kind} cgroup {options}\n")
    };
    let cpu = mount("/", "/sys/fs/cgroup/cpu", "cgroup", "rw,cpu,cpuacct");
    for (groups, mounts, expected) in [
        // A machine, and a container that sees its own part only.
        (
            VERSION_1,
            mount("/", "/c/memory", "cgroup", "rw,memory"),
            Some("/c/memory/docker/ab/memory.oom_control"),
        ),
        (
            VERSION_1,
            mount("/docker/ab", "/c/m", "cgroup", "rw,memory"),
            Some("/c/m/memory.oom_control"),
        ),
        // Mounted from another namespace.
        (
            VERSION_1,
            mount("/other", "/c/m", "cgroup", "rw,memory"),
            Some("/c/m/memory.oom_control"),
        ),
        (
            VERSION_2,
            mount("/", "/c", "cgroup2", "rw,nsdelegate"),
            Some("/c/system.slice/app/memory.events"),
        ),
        (
            "0::/\n",
            mount("/", "/c", "cgroup2", "rw"),
            Some("/c/memory.events"),
        ),
        // Not there.
        (VERSION_1, String::new(), None),
        (VERSION_2, mount("/", "/c", "cgroup", "rw,memory"), None),
        ("", mount("/", "/c", "cgroup2", "rw"), None),
    ] {
        let found = oom::place(groups, &format!("{cpu}{mounts}"));
        assert_eq!(found, expected.map(PathBuf::from), "{groups:?} {mounts:?}");
    }
}

#[test]
fn x03_as_many_are_told_to_be_killed_for_memory_as_the_kernel_counts() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("memory.events");
    let write = |count: u32| fs::write(&file, format!("low 0\noom 9\noom_kill {count}\n")).unwrap();
    write(5);
    let begin = Instant::now();
    let mut kills = OomKills::of(Some(file.clone()));
    // What was before us is nobody's.
    assert_eq!((kills.look(begin), kills.claim()), (0, false));
    write(7);
    assert_eq!(kills.look(begin), 2);
    assert_eq!(
        (kills.claim(), kills.claim(), kills.claim()),
        (true, true, false)
    );
    // A victim that is no run's first process is not mistaken for one that dies later.
    write(8);
    assert_eq!(kills.look(begin), 1);
    let later = begin + Duration::from_secs(1);
    assert_eq!((kills.look(later), kills.claim()), (0, false));
    // A count that is gone says nothing.
    fs::remove_file(&file).unwrap();
    assert_eq!((kills.look(later), kills.claim()), (0, false));
    assert_eq!(OomKills::of(Some(file)).look(later), 0);
    assert_eq!(OomKills::of(None).look(later), 0);
}
