//! Every seed of the fuzz targets, among them the inputs that once failed, has the properties of its target. The fuzzer that
//! goes on from them is in `tests/fuzz/`.

mod targets;

use std::cell::Cell;
use std::fs;
use std::panic;
use std::path::Path;
use std::sync::Once;

use targets::Target;

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the panics of each thread: one in a task of the runtime goes no further than the task.
fn count_panics() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            before(info);
        }));
    });
}

fn replay(target: Target, input: &[u8]) {
    count_panics();
    let before = PANICS.get();
    target(input);
    assert_eq!(PANICS.get(), before, "a task has panicked");
}

fn replay_seeds(name: &str) {
    let found = targets::ALL.iter().find(|(known, _)| *known == name);
    let (_, target) = found.expect("there is such a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/seeds")
        .join(name);
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("every target has seeds") {
        let path = entry.expect("the folder can be read").path();
        println!("{}", path.display());
        let input = fs::read(&path).expect("a seed can be read");
        replay(*target, &input);
        count += 1;
    }
    assert!(count > 5, "{count} seeds");
}

#[test]
fn seeds_of_answers() {
    replay_seeds("answers");
}

#[test]
fn seeds_of_catalogue() {
    replay_seeds("catalogue");
}

#[test]
fn seeds_of_configuration() {
    replay_seeds("configuration");
}

#[test]
fn seeds_of_control() {
    replay_seeds("control");
}

#[test]
fn every_target_has_a_test_and_a_dictionary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let source = include_str!("fuzz.rs");
    for (name, _) in targets::ALL {
        assert!(
            source.contains(&format!("replay_seeds(\"{name}\")")),
            "{name}"
        );
        assert!(folder.join("dictionaries").join(name).exists(), "{name}");
    }
}

#[test]
fn a_panic_in_a_task_is_not_lost() {
    let in_task: Target = |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime can be made");
        let task = runtime.spawn(async { panic!("as it should") });
        let _ = runtime.block_on(task);
    };
    let lost = panic::catch_unwind(|| replay(in_task, b""));
    assert!(lost.is_err());
}
