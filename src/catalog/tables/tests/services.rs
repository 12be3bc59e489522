use super::*;

#[test]
fn a_change_touches_its_own_service_and_no_other() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    world.register("b", vec![ttl(10)]);
    world.tables.take_touched();
    let (a, b) = (world.index_of("a"), world.index_of("b"));
    world.beat("service:a", Status::Passing, "");
    assert!(world.index_of("a") > a);
    assert_eq!(world.index_of("b"), b);
    let touched = world.tables.take_touched();
    assert!(touched.contains(&Topic::service("A")), "{touched:?}");
    assert!(!touched.contains(&Topic::service("b")), "{touched:?}");
    assert!(!touched.contains(&Topic::Services), "{touched:?}");
}

#[test]
fn registering_the_same_again_is_no_change() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    let before = world.index_of("a");
    world.tables.take_touched();
    world.register("a", vec![ttl(10)]);
    assert_eq!(world.index_of("a"), before);
    assert_eq!(world.tables.take_touched(), []);
}

#[test]
fn a_service_that_is_gone_keeps_its_last_index() {
    let mut world = World::new();
    assert_eq!(world.index_of("a"), 1);
    world.register("a", vec![ttl(10)]);
    let before = world.index_of("a");
    assert!(world.tables.deregister_service("a", world.now));
    assert!(!world.tables.deregister_service("a", world.now));
    assert!(world.index_of("a") > before);
    assert_eq!(world.tables.instances("a").count(), 0);
    assert_eq!(world.shown("service:a"), None);
    assert_eq!(world.tables.next_deadline(), None);
}

#[test]
fn a_service_under_another_name_leaves_the_old_one() {
    let mut world = World::new();
    world.register("a", vec![ttl(10)]);
    let spec = ServiceSpec {
        service: Service {
            name: "b".to_owned(),
            ..service("a")
        },
        checks: Vec::new(),
        replace_checks: false,
    };
    let before = world.index_of("a");
    world.tables.register_service(spec, world.now).unwrap();
    assert_eq!(world.tables.instances("a").count(), 0);
    assert_eq!(world.tables.instances("B").count(), 1);
    assert!(world.index_of("a") > before);
    let names: Vec<&str> = world.tables.service_names().into_keys().collect();
    assert_eq!(names, ["b", "consul"]);
}

#[test]
fn maintenance_is_a_check_that_comes_and_goes() {
    let mut world = World::new();
    world.register("a", vec![]);
    let now = world.now;
    let tables = &mut world.tables;
    tables
        .service_maintenance("a", Some("why"), true, now)
        .unwrap();
    tables.service_maintenance("a", None, true, now).unwrap();
    let check = tables.own_check("_service_maintenance:a").unwrap();
    assert_eq!(
        (check.status, check.notes.as_str()),
        (Status::Critical, "why")
    );
    tables.service_maintenance("a", None, false, now).unwrap();
    tables.service_maintenance("a", None, false, now).unwrap();
    assert!(tables.own_check("_service_maintenance:a").is_none());
    let refused = tables.service_maintenance("b", None, true, now);
    assert_eq!(
        refused,
        Err(Problem::NoServiceForMaintenance("b".to_owned()))
    );
    // The node's is about everything on it.
    let before = tables.index_of(&Topic::service("a"));
    tables.node_maintenance(None, true, now).unwrap();
    assert!(tables.index_of(&Topic::service("a")) > before);
}

#[test]
fn other_nodes_come_and_go_with_all_that_is_on_them() {
    let mut world = World::new();
    let node = NodeSpec {
        name: "Far".to_owned(),
        address: "10.0.0.1".to_owned(),
        ..NodeSpec::default()
    };
    let now = world.now;
    let tables = &mut world.tables;
    let put = tables.register("Far", Some(node), Some(service("x")), vec![], now);
    put.unwrap();
    assert_eq!(tables.instances("x").count(), 1);
    assert!(tables.node("fAR").is_some());
    let before = tables.index_of(&Topic::service("x"));
    tables.deregister("far", None, None, now);
    tables.deregister("far", None, None, now);
    assert!(tables.node("far").is_none());
    assert_eq!(tables.instances("x").count(), 0);
    assert!(tables.index_of(&Topic::service("x")) > before);
    // This node stays.
    tables.deregister("n1", None, None, now);
    assert!(tables.own_node().is_some());
}

#[test]
fn beyond_the_bounds_nothing_is_changed() {
    let mut world = World::within(Limits {
        services: 2,
        checks: 2,
        nodes: 1,
        ..Limits::DEFAULT
    });
    // Consul's own are one of each.
    world.register("a", vec![ttl(10)]);
    let full = |what, limit| Err(Problem::Full { what, limit });
    assert_eq!(world.try_register("b", vec![]), full("services", 2));
    assert_eq!(
        world.try_register("a", vec![ttl(1), ttl(1)]),
        full("checks", 2)
    );
    assert_eq!(world.try_register("a", vec![ttl(10)]), Ok(()));
    let node = NodeSpec {
        name: "far".to_owned(),
        ..NodeSpec::default()
    };
    let put = world
        .tables
        .register("far", Some(node), None, vec![], world.now);
    assert_eq!(put, full("nodes", 1));
    assert_eq!(world.tables.agent_services().count(), 1);
    assert!(
        put.unwrap_err()
            .to_string()
            .contains("the catalogue holds 1 nodes at most")
    );
}
