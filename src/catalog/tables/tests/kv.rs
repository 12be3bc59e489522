use super::*;

const ALWAYS: Condition = Condition::Always;

fn modify(world: &World, key: &str) -> u64 {
    world.tables.key(key).map_or(0, |entry| entry.modify)
}

#[test]
fn the_same_value_again_is_no_change() {
    let mut world = World::new();
    assert_eq!(world.put("a", "1", &ALWAYS), Ok(true));
    let first = modify(&world, "a");
    world.tables.take_touched();
    assert_eq!(world.put("a", "1", &ALWAYS), Ok(true));
    assert_eq!(modify(&world, "a"), first);
    assert_eq!(world.tables.take_touched(), []);
    assert_eq!(world.put("a", "2", &ALWAYS), Ok(true));
    assert!(modify(&world, "a") > first);
    assert_eq!(world.tables.key("a").unwrap().create, first);
}

#[test]
fn a_write_can_depend_on_the_index() {
    let mut world = World::new();
    let at = Condition::Unchanged;
    assert_eq!(world.put("a", "1", &at(5)), Ok(false));
    assert_eq!(world.put("a", "1", &at(0)), Ok(true));
    assert_eq!(world.put("a", "2", &at(0)), Ok(false));
    let index = modify(&world, "a");
    assert_eq!(world.put("a", "2", &at(index)), Ok(true));
    assert_eq!(world.put("a", "3", &at(index)), Ok(false));
    assert!(!world.tables.delete_key("a", Some(index)));
    let index = modify(&world, "a");
    assert!(world.tables.delete_key("a", Some(index)));
    assert!(world.tables.delete_key("a", Some(index)));
    assert!(world.tables.key("a").is_none());
}

#[test]
fn a_prefix_sees_its_keys_and_their_removal_and_nothing_else() {
    let mut world = World::new();
    let prefix = Topic::Prefix("d/".to_owned());
    assert_eq!(world.tables.index_of(&prefix), 1);
    world.put("d/1", "1", &ALWAYS).unwrap();
    let one = world.tables.index_of(&prefix);
    assert_eq!(one, modify(&world, "d/1"));
    for other in ["d", "c/9", "e/1", "d0"] {
        world.put(other, "1", &ALWAYS).unwrap();
    }
    assert_eq!(world.tables.index_of(&prefix), one);
    world.tables.delete_key("d/1", None);
    assert!(world.tables.index_of(&prefix) > one);
    let whole = Topic::Prefix(String::new());
    assert!(world.tables.index_of(&whole) >= world.tables.index_of(&prefix));
}

#[test]
fn a_recursive_delete_takes_all_below_in_one_change() {
    let mut world = World::new();
    for key in ["d/1", "d/2", "d/e/3", "d", "e"] {
        world.put(key, "1", &ALWAYS).unwrap();
    }
    world.tables.take_touched();
    world.tables.delete_below("d/");
    let left: Vec<&str> = world
        .tables
        .keys_below("")
        .map(|it| it.key.as_str())
        .collect();
    assert_eq!(left, ["d", "e"]);
    assert_eq!(world.tables.take_touched().len(), 3);
    world.tables.delete_below("d/");
    assert_eq!(world.tables.take_touched(), []);
}

#[test]
fn keys_and_bytes_are_bounded() {
    let mut world = World::within(Limits {
        keys: 2,
        key_bytes: 10,
        ..Limits::DEFAULT
    });
    assert_eq!(world.put("a", "1234", &ALWAYS), Ok(true));
    let refused = world.put("b", "123456", &ALWAYS).unwrap_err();
    assert!(refused.to_string().contains("10 bytes"), "{refused}");
    assert_eq!(world.put("b", "1234", &ALWAYS), Ok(true));
    let refused = world.put("c", "", &ALWAYS).unwrap_err();
    assert!(refused.to_string().contains("2 keys"), "{refused}");
    // What is removed or replaced makes room.
    assert_eq!(world.put("a", "", &ALWAYS), Ok(true));
    assert_eq!(world.put("b", "12345678", &ALWAYS), Ok(true));
    assert!(world.tables.delete_key("b", None));
    assert_eq!(world.put("c", "12345678", &ALWAYS), Ok(true));
}
