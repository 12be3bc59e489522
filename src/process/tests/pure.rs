//! What needs no process.

use super::super::marker::Marker;
use super::super::procfs::parse_stat;
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
    let entry = mine.variable(RunId(7));
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
    let mark = outer.variable(RunId(3)).into_string().unwrap();
    let value = mark.split_once('=').unwrap().1;
    let inner = Marker::new(Some(value.to_owned()));
    let entry = inner.variable(RunId(9));
    assert_eq!(outer.find(entry.to_bytes()), Some(RunId(3)));
    assert_eq!(inner.find(entry.to_bytes()), Some(RunId(9)));
}

#[test]
fn a_mark_does_not_grow_without_bound() {
    let entry = Marker::new(Some("x".repeat(10_000))).variable(RunId(1));
    assert!(entry.to_bytes().len() < 100);
}

/// Tests are linked dynamically; that the static binary says yes was seen by hand.
#[test]
fn a_program_with_a_loader_is_not_static() {
    let is_static = super::super::is_static_glibc();
    let expected = cfg!(all(target_env = "gnu", target_feature = "crt-static"));
    assert_eq!(is_static, expected);
}
