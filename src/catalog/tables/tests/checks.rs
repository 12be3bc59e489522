use super::*;

const PASSING: Status = Status::Passing;
const CRITICAL: Status = Status::Critical;

#[test]
fn a_new_check_has_the_status_it_asks_for() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    let passing = CheckSpec {
        status: PASSING,
        ..ttl(10)
    };
    world.register("b", vec![passing]);
    assert_eq!(world.shown("service:a"), Some((CRITICAL, "")));
    assert_eq!(world.shown("service:b"), Some((PASSING, "")));
}

#[test]
fn checks_are_named_after_their_service() {
    let mut world = World::new();
    let own = CheckSpec {
        id: "own".to_owned(),
        name: "mine".to_owned(),
        ..ttl(10)
    };
    world.register("a", vec![ttl(10), own, ttl(10)]);
    let node = world.tables.own_node().unwrap();
    let checks = node.checks_of("a");
    let names: Vec<_> = checks
        .map(|it| (it.id.as_str(), it.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("own", "mine"),
            ("service:a:1", "Service 'a' check"),
            ("service:a:3", "Service 'a' check"),
        ]
    );
}

#[test]
fn without_a_heartbeat_a_check_expires_exactly_after_its_ttl() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    world.pass(secs(3));
    world.beat("service:a", PASSING, "");
    world.pass(secs(10).saturating_sub(Duration::from_nanos(1)));
    assert_eq!(world.shown("service:a"), Some((PASSING, "")));
    world.pass(Duration::from_nanos(1));
    assert_eq!(world.shown("service:a"), Some((CRITICAL, "TTL expired")));
    assert_eq!(world.tables.next_deadline(), None);
    world.beat("service:a", PASSING, "back");
    assert_eq!(world.shown("service:a"), Some((PASSING, "back")));
}

#[test]
fn an_expiry_shows_the_last_output() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    world.beat("service:a", PASSING, "fine");
    world.pass(secs(10));
    let output = "TTL expired (last output before timeout follows): fine";
    assert_eq!(world.shown("service:a"), Some((CRITICAL, output)));
}

#[test]
fn registering_again_keeps_the_status_and_begins_the_ttl_anew() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    world.beat("service:a", PASSING, "fine");
    world.pass(secs(6));
    let warning = CheckSpec {
        status: Status::Warning,
        ..ttl(10)
    };
    world.register("a", vec![warning]);
    assert_eq!(world.shown("service:a"), Some((PASSING, "fine")));
    world.pass(secs(9));
    assert_eq!(world.shown("service:a"), Some((PASSING, "fine")));
    world.pass(secs(1));
    assert_eq!(world.shown("service:a"), Some((CRITICAL, "TTL expired")));
}

#[test]
fn an_output_alone_is_published_late_and_wakes_nobody_before() {
    let mut world = World::new();
    world.register("a", vec![ttl(60)]);
    world.beat("service:a", PASSING, "one");
    let before = world.index_of("a");
    for _ in 0..9 {
        world.pass(secs(30));
        world.beat("service:a", PASSING, "two");
    }
    assert_eq!(world.shown("service:a"), Some((PASSING, "one")));
    assert_eq!(world.index_of("a"), before);
    let now_output = world
        .tables
        .agent_checks()
        .next()
        .map(|(_, _, output)| output.to_owned());
    assert_eq!(now_output.as_deref(), Some("two"));
    // The check stays alive while its output waits.
    world.pass(secs(30));
    world.beat("service:a", PASSING, "two");
    world.pass(secs(31));
    assert_eq!(world.shown("service:a"), Some((PASSING, "two")));
    assert!(world.index_of("a") > before);
}

#[test]
fn an_output_that_came_back_in_time_was_no_change() {
    let mut world = World::new();
    world.register("a", vec![ttl(1_000)]);
    world.beat("service:a", PASSING, "one");
    let before = world.index_of("a");
    world.beat("service:a", PASSING, "two");
    world.beat("service:a", PASSING, "one");
    world.pass(secs(900));
    assert_eq!(world.index_of("a"), before);
}

#[test]
fn a_long_output_is_cut_with_a_remark() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    // A character of three bytes lies across the bound.
    let output = "€".repeat(2_000);
    world.beat("service:a", PASSING, &output);
    let (_, shown) = world.shown("service:a").unwrap();
    let remark = " ... (captured 4096 of 6000 bytes)";
    assert_eq!(shown, format!("{}{remark}", "€".repeat(4_096 / 3)));
}

#[test]
fn only_ttl_checks_take_heartbeats() {
    let mut world = World::new();
    world.register("a", vec![]);
    world
        .tables
        .service_maintenance("a", None, true, world.now)
        .unwrap();
    for id in ["nope", "serfHealth", "_service_maintenance:a"] {
        let refused = world.tables.heartbeat(id, PASSING, "", world.now);
        assert_eq!(refused, Err(Problem::NoTtl(id.to_owned())));
    }
}

/// A service whose only check asks to be deregistered after `after` seconds.
fn mortal(world: &mut World, after: u64) {
    let check = CheckSpec {
        deregister_after: Some(secs(after)),
        ..ttl(10)
    };
    world.register("a", vec![check]);
}

#[test]
fn what_stays_critical_goes_but_not_before_a_minute() {
    for (asked, real) in [(1, 60), (60, 60), (90, 90)] {
        let mut world = World::new();
        mortal(&mut world, asked);
        world.pass(secs(10));
        world.pass(secs(real).saturating_sub(Duration::from_nanos(1)));
        assert!(world.shown("service:a").is_some(), "{asked}");
        world.pass(Duration::from_nanos(1));
        assert_eq!(world.shown("service:a"), None, "{asked}");
        assert_eq!(world.tables.agent_services().count(), 0);
        assert_eq!(world.tables.next_deadline(), None);
    }
}

#[test]
fn a_critical_heartbeat_does_not_put_the_end_off_but_a_better_one_does() {
    let mut world = World::new();
    mortal(&mut world, 60);
    world.beat("service:a", CRITICAL, "");
    for _ in 0..5 {
        world.pass(secs(9));
        world.beat("service:a", CRITICAL, "");
    }
    world.beat("service:a", Status::Warning, "");
    world.beat("service:a", CRITICAL, "");
    world.pass(secs(59));
    assert!(world.shown("service:a").is_some());
    world.pass(secs(1));
    assert_eq!(world.shown("service:a"), None);
}

#[test]
fn checks_of_an_earlier_registration_stay_unless_they_are_replaced() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    let own = || CheckSpec {
        id: "own".to_owned(),
        ..ttl(10)
    };
    world.register("a", vec![own()]);
    assert!(world.shown("service:a").is_some());
    let spec = ServiceSpec {
        service: service("a"),
        checks: vec![own()],
        replace_checks: true,
    };
    world.tables.register_service(spec, world.now).unwrap();
    assert!(world.shown("service:a").is_none());
    assert!(world.shown("own").is_some());
}

#[test]
fn a_check_needs_its_service() {
    let mut world = World::new();
    let refused = world.tables.register_check(ttl(10), "nope", world.now);
    assert_eq!(refused, Err(Problem::NoSuchService("nope".to_owned())));
    // One of the node touches everything on it.
    world.register("a", vec![]);
    let before = world.index_of("a");
    let check = CheckSpec {
        name: "disk".to_owned(),
        ..ttl(10)
    };
    world.tables.register_check(check, "", world.now).unwrap();
    assert_eq!(world.shown("disk"), Some((CRITICAL, "")));
    assert!(world.index_of("a") > before);
}

#[test]
fn a_ttl_beyond_all_time_never_ends() {
    let mut world = World::new();
    let check = CheckSpec {
        ttl: Duration::MAX,
        ..ttl(1)
    };
    world.register("a", vec![check]);
    assert_eq!(world.tables.next_deadline(), None);
}
