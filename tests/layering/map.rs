//! The map of the house, `src/README.md`, against the house.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{ROOMS, table};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn map() -> String {
    fs::read_to_string(Path::new(ROOT).join("src/README.md")).expect("the map")
}

/// What stands in code in a text.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of the table of rooms: the room, and what it may use in words.
fn rows(map: &str) -> Vec<(&str, &str)> {
    let begin = map.find("| room |").expect("the table of rooms");
    let lines = map[begin..].lines().skip(2);
    let lines = lines.take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            let mut cells = line.split('|').skip(1);
            let room = cells.next().and_then(|cell| code(cell).next());
            (room.expect("a room"), cells.next().expect("its friends"))
        })
        .collect()
}

#[test]
fn the_map_has_every_room_and_no_other() {
    let map = map();
    let on_it: BTreeSet<String> = rows(&map)
        .iter()
        .map(|(room, _)| (*room).to_owned())
        .collect();
    let folders = fs::read_dir(Path::new(ROOT).join("src")).expect("src/ can be read");
    let folders = folders.map(|entry| entry.expect("an entry"));
    let there: BTreeSet<String> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(on_it, there);
    assert!(
        there.iter().all(|room| table(ROOMS, room).is_some()),
        "{there:?}"
    );
}

#[test]
fn the_map_says_who_may_use_whom() {
    let map = map();
    let mut count = 0;
    for (room, friends) in rows(&map) {
        let allowed: BTreeSet<&str> = table(ROOMS, room)
            .expect("a room")
            .iter()
            .copied()
            .collect();
        let named: BTreeSet<&str> = code(friends).collect();
        let in_words = ["the rules", "all but"]
            .iter()
            .any(|word| friends.contains(word));
        if in_words {
            continue;
        }
        assert_eq!(named, allowed, "{room}");
        count += 1;
    }
    assert_eq!(count, super::PURE.len());
}

#[test]
fn the_map_leads_to_files_that_are_there() {
    let map = map();
    let mut count = 0;
    let is_file = |code: &str| Path::new(code).extension().is_some_and(|end| end == "rs");
    let paths = code(&map).filter(|code| is_file(code) || code.ends_with('/'));
    // With a `/` in front it is a path of a request.
    for path in paths.filter(|path| !path.starts_with('/')) {
        let places = [
            Path::new(ROOT).join("src").join(path),
            Path::new(ROOT).join(path),
        ];
        assert!(
            places.iter().any(|place| place.exists()) || path == "mod.rs",
            "{path}"
        );
        count += 1;
    }
    assert!(count > 20, "{count} files");
}
