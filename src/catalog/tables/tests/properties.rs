//! Random histories against what always holds.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::Behavior;
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Register(u8, bool),
    Deregister(u8),
    Beat(u8, bool),
    Pass(u32),
    Put(u8, u8),
    Acquire(u8, u8),
    Release(u8, u8),
    Delete(u8),
    DeleteBelow,
    Session(u8, u8, bool),
    Destroy(u8),
    Renew(u8),
    Maintenance(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    use Step as S;
    let small = 0..3_u8;
    prop_oneof![
        (small.clone(), any::<bool>()).prop_map(|(a, b)| S::Register(a, b)),
        small.clone().prop_map(S::Deregister),
        (small.clone(), any::<bool>()).prop_map(|(a, b)| S::Beat(a, b)),
        (0..100_u32).prop_map(S::Pass),
        (small.clone(), small.clone()).prop_map(|(a, b)| S::Put(a, b)),
        (small.clone(), small.clone()).prop_map(|(a, b)| S::Acquire(a, b)),
        (small.clone(), small.clone()).prop_map(|(a, b)| S::Release(a, b)),
        small.clone().prop_map(S::Delete),
        Just(S::DeleteBelow),
        (small.clone(), 10..40_u8, any::<bool>()).prop_map(|(a, b, c)| S::Session(a, b, c)),
        small.clone().prop_map(S::Destroy),
        small.clone().prop_map(S::Renew),
        (small, any::<bool>()).prop_map(|(a, b)| S::Maintenance(a, b)),
    ]
}

fn session(number: u8) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

/// Refusals are as good as successes here.
fn take(world: &mut World, step: &Step) {
    let now = world.now;
    let name = |number: &u8| format!("s{number}");
    let key = |number: &u8| format!("k/{number}");
    let tables = &mut world.tables;
    match step {
        Step::Register(number, mortal) => {
            let check = CheckSpec {
                deregister_after: mortal.then_some(secs(60)),
                ..ttl(10)
            };
            let _ = world.try_register(&name(number), vec![check]);
        }
        Step::Deregister(number) => drop(tables.deregister_service(&name(number), now)),
        Step::Beat(number, passing) => {
            let status = if *passing {
                Status::Passing
            } else {
                Status::Critical
            };
            let _ = tables.heartbeat(&format!("service:s{number}"), status, "out", now);
        }
        Step::Pass(seconds) => world.pass(secs((*seconds).into())),
        Step::Put(number, value) => {
            let _ = tables.put_key(&key(number), vec![*value], 0, &Condition::Always, now);
        }
        Step::Acquire(number, by) => {
            let condition = Condition::Acquire(session(*by));
            let _ = tables.put_key(&key(number), vec![1], 0, &condition, now);
        }
        Step::Release(number, by) => {
            let condition = Condition::Release(session(*by));
            let _ = tables.put_key(&key(number), vec![1], 0, &condition, now);
        }
        Step::Delete(number) => drop(tables.delete_key(&key(number), None)),
        Step::DeleteBelow => tables.delete_below("k/"),
        Step::Session(number, seconds, delete) => {
            let known = tables.session(&session(*number)).unwrap().is_some();
            let spec = SessionSpec {
                name: String::new(),
                node: String::new(),
                lock_delay: secs(5),
                behavior: if *delete {
                    Behavior::Delete
                } else {
                    Behavior::Release
                },
                ttl: Some(secs((*seconds).into())),
                ttl_text: String::new(),
                checks: Vec::new(),
            };
            if !known {
                let _ = tables.create_session(session(*number), spec, now);
            }
        }
        Step::Destroy(number) => drop(tables.destroy_session(&session(*number), now)),
        Step::Renew(number) => drop(tables.renew_session(&session(*number), now).map(drop)),
        Step::Maintenance(number, on) => {
            let _ = tables.service_maintenance(&name(number), None, *on, now);
        }
    }
}

/// All that a reader of each topic can see.
fn views(tables: &Tables) -> BTreeMap<Topic, String> {
    let mut views = BTreeMap::new();
    for number in 0..3 {
        let name = format!("s{number}");
        let seen: Vec<_> = tables
            .instances(&name)
            .map(|(node, service)| {
                let checks = node.own_checks().chain(node.checks_of(&service.id));
                format!("{service:?} {:?}", checks.collect::<Vec<_>>())
            })
            .collect();
        views.insert(Topic::Service(name), format!("{seen:?}"));
        let key = format!("k/{number}");
        views.insert(Topic::Key(key.clone()), format!("{:?}", tables.key(&key)));
        let id = session(number);
        let seen = format!("{:?}", tables.session(&id));
        views.insert(Topic::Session(id), seen);
    }
    let below: Vec<_> = tables.keys_below("k/").collect();
    views.insert(Topic::Prefix("k/".to_owned()), format!("{below:?}"));
    let names = format!("{:?}", tables.service_names());
    views.insert(Topic::Services, names);
    let checks: Vec<_> = tables.checks(None).map(|(_, check)| check).collect();
    views.insert(Topic::Checks, format!("{checks:?}"));
    let all: Vec<_> = tables.sessions().collect();
    views.insert(Topic::Sessions, format!("{all:?}"));
    views
}

/// Every lock is held by a session that lives.
fn locks_are_held_by_the_living(tables: &Tables) {
    for entry in tables.keys_below("") {
        if let Some(holder) = &entry.session {
            assert!(tables.session(holder).unwrap().is_some(), "{entry:?}");
        }
    }
}

/// The names lead to all instances and to nothing else.
fn names_are_complete(tables: &Tables) {
    let services = tables.nodes().flat_map(|node| node.services.values());
    let mut by_name = 0;
    for name in tables.by_name.keys() {
        assert!(tables.instances(name).count() > 0, "{name}");
        by_name += tables.instances(name).count();
    }
    assert_eq!(by_name, services.count());
}

/// Every check belongs to something that is there.
fn checks_have_an_owner(tables: &Tables) {
    for (node, check) in tables.checks(None) {
        let owner = &check.service_id;
        assert!(owner.is_empty() || node.services.contains_key(owner));
    }
    for id in tables.agent_checks.keys() {
        assert!(tables.own_check(id).is_some(), "{id}");
    }
}

proptest! {
    // What a failure shrinks to belongs into a test of its own, not into a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A blocking reader misses nothing: whenever it could see something else, its topic was touched and its index rose.
    #[test]
    fn no_change_without_its_topic(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        for step in &steps {
            let before = views(&world.tables);
            let indexes: BTreeMap<Topic, u64> =
                before.keys().map(|topic| (topic.clone(), world.tables.index_of(topic))).collect();
            world.tables.take_touched();
            take(&mut world, step);
            let touched = world.tables.take_touched();
            for (topic, seen) in views(&world.tables) {
                let index = world.tables.index_of(&topic);
                prop_assert!(index >= indexes[&topic], "{step:?}: {topic:?} fell");
                if seen == before[&topic] {
                    continue;
                }
                prop_assert!(index > indexes[&topic], "{step:?}: {topic:?} stands at {index}");
                let is_touched = match &topic {
                    Topic::Prefix(prefix) => touched.iter().any(
                        |it| matches!(it, Topic::Key(key) if key.starts_with(prefix.as_str())),
                    ),
                    topic => touched.contains(topic),
                };
                prop_assert!(is_touched, "{step:?}: nobody says that {topic:?} changed");
            }
        }
    }

    #[test]
    fn what_belongs_together_stays_together(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            take(&mut world, step);
            locks_are_held_by_the_living(&world.tables);
            names_are_complete(&world.tables);
            checks_have_an_owner(&world.tables);
        }
        // Without requests everything comes to rest.
        world.pass(secs(1_000));
        let next = world.tables.next_deadline();
        prop_assert!(next.is_none(), "{next:?}");
    }
}
