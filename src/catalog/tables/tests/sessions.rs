use super::super::Behavior;
use super::*;

/// The number of a session, with the length that one must have.
fn id(number: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{number:02}")
}

fn spec(ttl: Option<u64>, behavior: Behavior, delay: u64) -> SessionSpec {
    SessionSpec {
        name: String::new(),
        node: String::new(),
        lock_delay: secs(delay),
        behavior,
        ttl: ttl.map(secs),
        ttl_text: String::new(),
        checks: vec!["serfHealth".to_owned()],
    }
}

impl World {
    fn session(&mut self, number: u8, spec: SessionSpec) {
        let made = self.tables.create_session(id(number), spec, self.now);
        made.unwrap();
    }

    fn acquire(&mut self, key: &str, number: u8) -> bool {
        self.put(key, "x", &Condition::Acquire(id(number))).unwrap()
    }

    fn holder(&self, key: &str) -> Option<String> {
        self.tables.key(key)?.session.clone()
    }

    fn is_alive(&self, number: u8) -> bool {
        self.tables.session(&id(number)).unwrap().is_some()
    }
}

#[test]
fn a_session_ends_at_twice_its_ttl_unless_it_is_renewed() {
    let mut world = World::new();
    world.session(1, spec(Some(10), Behavior::Release, 0));
    world.session(2, spec(None, Behavior::Release, 0));
    world.pass(secs(15));
    world.tables.renew_session(&id(1), world.now).unwrap();
    world.pass(secs(20).saturating_sub(Duration::from_nanos(1)));
    assert!(world.is_alive(1));
    world.pass(Duration::from_nanos(1));
    assert!(!world.is_alive(1));
    let gone = world.tables.renew_session(&id(1), world.now).unwrap_err();
    assert_eq!(gone, Problem::SessionGone(id(1)));
    world.pass(secs(1_000_000));
    assert!(world.is_alive(2));
}

#[test]
fn a_ttl_has_bounds() {
    let mut world = World::new();
    for (ttl, fits) in [
        (0, true),
        (9, false),
        (10, true),
        (86_400, true),
        (86_401, false),
    ] {
        let spec = spec(Some(ttl), Behavior::Release, 0);
        let made = world.tables.create_session(id(9), spec, world.now);
        assert_eq!(made.is_ok(), fits, "{ttl}");
        world.tables.destroy_session(&id(9), world.now).unwrap();
    }
}

#[test]
fn one_session_holds_a_lock_at_a_time() {
    let mut world = World::new();
    world.session(1, spec(None, Behavior::Release, 15));
    world.session(2, spec(None, Behavior::Release, 15));
    assert!(world.acquire("lock", 1));
    assert!(world.acquire("lock", 1));
    assert!(!world.acquire("lock", 2));
    assert_eq!(world.tables.key("lock").unwrap().lock_index, 1);
    assert_eq!(world.put("lock", "", &Condition::Release(id(2))), Ok(false));
    assert_eq!(world.put("lock", "", &Condition::Release(id(1))), Ok(true));
    assert_eq!(world.holder("lock"), None);
    // Given back on purpose, there is no delay.
    assert!(world.acquire("lock", 2));
    assert_eq!(world.tables.key("lock").unwrap().lock_index, 2);
    let unknown = world.put("lock", "", &Condition::Acquire(id(7)));
    assert_eq!(unknown, Err(Problem::NoSession(id(7))));
    let misspelt = world.put("lock", "", &Condition::Acquire("x".to_owned()));
    assert_eq!(misspelt, Err(Problem::NotAUuid));
}

#[test]
fn a_plain_write_keeps_the_holder_and_forgets_the_count() {
    let mut world = World::new();
    world.session(1, spec(None, Behavior::Release, 15));
    assert!(world.acquire("lock", 1));
    assert_eq!(world.put("lock", "other", &Condition::Always), Ok(true));
    assert_eq!(world.holder("lock"), Some(id(1)));
    assert_eq!(world.tables.key("lock").unwrap().lock_index, 0);
}

#[test]
fn after_an_invalidation_nobody_locks_for_the_delay() {
    for (delay, real) in [(15, 15), (90, 60)] {
        let mut world = World::new();
        world.session(1, spec(Some(10), Behavior::Release, delay));
        world.session(2, spec(None, Behavior::Release, 0));
        assert!(world.acquire("lock", 1));
        let before = world.tables.key("lock").unwrap().modify;
        world.pass(secs(20));
        assert_eq!(world.holder("lock"), None);
        assert!(world.tables.key("lock").unwrap().modify > before);
        assert!(!world.acquire("lock", 2));
        world.pass(secs(real).saturating_sub(Duration::from_nanos(1)));
        assert!(!world.acquire("lock", 2));
        world.pass(Duration::from_nanos(1));
        assert!(world.acquire("lock", 2));
    }
}

#[test]
fn without_a_delay_the_next_may_lock_at_once() {
    let mut world = World::new();
    world.session(1, spec(None, Behavior::Release, 0));
    world.session(2, spec(None, Behavior::Release, 0));
    assert!(world.acquire("lock", 1));
    world.tables.destroy_session(&id(1), world.now).unwrap();
    world.tables.destroy_session(&id(1), world.now).unwrap();
    assert!(world.acquire("lock", 2));
}

#[test]
fn a_session_that_deletes_takes_its_keys_along() {
    let mut world = World::new();
    world.session(1, spec(None, Behavior::Delete, 15));
    assert!(world.acquire("mine", 1));
    world.put("other", "x", &Condition::Always).unwrap();
    world.tables.take_touched();
    world.tables.destroy_session(&id(1), world.now).unwrap();
    assert!(world.tables.key("mine").is_none());
    assert!(world.tables.key("other").is_some());
    let touched = world.tables.take_touched();
    assert!(touched.contains(&Topic::Key("mine".to_owned())));
    assert!(touched.contains(&Topic::Session(id(1))));
}

#[test]
fn a_session_depends_on_its_checks() {
    let mut world = World::new();
    let on = |check: &str| SessionSpec {
        checks: vec![check.to_owned()],
        ..spec(None, Behavior::Release, 0)
    };
    let passing = CheckSpec {
        name: "disk".to_owned(),
        status: Status::Passing,
        ..ttl(10)
    };
    world.tables.register_check(passing, "", world.now).unwrap();
    world.session(1, on("disk"));
    world.session(2, on("serfHealth"));
    world.pass(secs(10));
    assert!(!world.is_alive(1));
    assert!(world.is_alive(2));
    let refused = |problem| Err::<(), Problem>(problem);
    let create = |world: &mut World, check| {
        let now = world.now;
        world.tables.create_session(id(3), on(check), now)
    };
    let critical = Problem::CheckIsCritical("disk".to_owned());
    assert_eq!(create(&mut world, "disk"), refused(critical));
    let unknown = Problem::NoCheck("nope".to_owned());
    assert_eq!(create(&mut world, "nope"), refused(unknown));
    world.beat("disk", Status::Passing, "");
    assert_eq!(create(&mut world, "disk"), Ok(()));
    world.tables.deregister_check("disk", world.now);
    assert!(!world.is_alive(3));
}

#[test]
fn sessions_are_bounded() {
    let mut world = World::within(Limits {
        sessions: 1,
        ..Limits::DEFAULT
    });
    world.session(1, spec(None, Behavior::Release, 0));
    let more = spec(None, Behavior::Release, 0);
    let refused = world.tables.create_session(id(2), more, world.now);
    let (what, limit) = ("sessions", 1);
    assert_eq!(refused, Err(Problem::Full { what, limit }));
}
