//! `docker/examples/redis`: which one is the primary, and who follows it.

use std::path::Path;
use std::time::Duration;

use super::{Container, Engine, Reader, images};
use crate::support::PATIENCE;

/// Consul keeps the lock of a holder that says nothing for 30 s at most, and gives it to nobody for 15 s more.
const LOCKED: Duration = Duration::from_secs(45);

fn asked(redis: &Container, words: &[&str]) -> String {
    let output = redis.try_exec(&[&["redis-cli", "-e"], words].concat());
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

fn is_primary(redis: &Container) -> bool {
    asked(redis, &["info", "replication"]).contains("role:master")
}

/// Waits until one of them is the primary that all others follow: which one.
fn primary<'c, 'e>(of: &[&'c Container<'e>]) -> &'c Container<'e> {
    primary_within(PATIENCE, of)
}

fn primary_within<'c, 'e>(limit: Duration, of: &[&'c Container<'e>]) -> &'c Container<'e> {
    let followers = format!("connected_slaves:{}", of.len() - 1);
    of[0].wait_within(limit, "one primary, with all others", || {
        let primaries: Vec<_> = of.iter().filter(|one| is_primary(one)).collect();
        let [one] = primaries[..] else {
            return Err(format!("{} of them", primaries.len()));
        };
        let seen = asked(one, &["info", "replication"]);
        if seen.contains(&followers) {
            Ok(())
        } else {
            Err(seen)
        }
    });
    of.iter().find(|one| is_primary(one)).expect("just seen")
}

fn has(redis: &Container, key: &str, value: &str) {
    redis.wait_until(&format!("{key} is {value}"), || {
        let seen = asked(redis, &["get", key]);
        if seen == value { Ok(()) } else { Err(seen) }
    });
}

/// The images of redis and Consul that the example asks for, made of the machine's programs.
fn stand_ins(engine: &Engine, server: &Path, client: &Path, consul: &Path) {
    let tag = |argument| images::default_of("examples/redis/Dockerfile", argument);
    // Its libraries too, which the real one does without: the example takes the program alone from its image.
    let programs = [
        ("redis-server", server),
        ("redis-cli", client),
        ("consul", consul),
    ];
    let data = "RUN mkdir /data && chown 999:1000 /data\n";
    images::of_programs(engine, &tag("REDIS"), &programs, data);
    let entry = "ENTRYPOINT [\"/bin/consul\"]\n";
    images::of_programs(engine, &tag("CONSUL"), &programs[2..], entry);
}

#[test]
fn the_example_redis_has_one_primary_whoever_goes() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let what = "the example redis";
    let (Some(server), Some(client), Some(consul)) = (
        images::program("redis-server", what),
        images::program("redis-cli", what),
        images::consul(what),
    ) else {
        return;
    };
    let Some(mut reader) = Reader::of(
        &engine,
        "A primary and its replicas",
        "docker/examples/redis",
    ) else {
        return;
    };
    stand_ins(&engine, &server, &client, &consul);
    images::pilothouse(&engine);
    reader.opens("docker compose ");
    reader.types("docker compose up ");
    let all = reader.containers("redis");
    assert_eq!(all.len(), 3);
    let all: Vec<&Container> = all.iter().collect();
    let first = primary(&all);
    let wanted = if first.id() == all[0].id() {
        "connected_slaves:2"
    } else {
        "master_link_status:up"
    };
    let told = reader.types("docker compose exec ");
    assert!(told.contains(wanted), "{told}");
    asked(first, &["set", "key", "1"]);
    for redis in &all {
        has(redis, "key", "1");
    }
    // Who only follows takes no writes.
    let follower = all.iter().find(|one| one.id() != first.id());
    let refused = asked(follower.expect("there are three"), &["set", "key", "2"]);
    assert!(refused.contains("READONLY"), "{refused}");

    // Its redis dies. Back again, it is no primary unless it gets the lock anew.
    first.exec(&["sh", "-c", "kill -KILL $(pidof redis-server)"]);
    first.wait_for("redis exited with error", 1);
    let second = primary(&all);
    has(second, "key", "1");

    // Its container is stopped: what it was told last is not lost.
    asked(second, &["set", "key", "3"]);
    assert_eq!(second.stop(10), 0, "{}", second.logs());
    let left: Vec<&Container> = all
        .iter()
        .copied()
        .filter(|one| one.id() != second.id())
        .collect();
    let third = primary(&left);
    has(third, "key", "3");
    engine.docker(&["start", second.id()]);
    assert_eq!(primary(&all).id(), third.id());
    has(second, "key", "3");

    // Its host is gone and says nothing.
    third.signal("KILL");
    assert_eq!(third.wait(), 137);
    let left: Vec<&Container> = all
        .iter()
        .copied()
        .filter(|one| one.id() != third.id())
        .collect();
    let fourth = primary_within(LOCKED + PATIENCE, &left);
    has(fourth, "key", "3");
    engine.docker(&["start", third.id()]);
    assert_eq!(primary(&all).id(), fourth.id());

    reader.types("docker compose stop ");
    for container in &all {
        assert_eq!(container.wait(), 0, "{}", container.logs());
        let logs = container.logs();
        assert!(!logs.contains("killing it"), "{logs}");
    }
    reader.closes();
}
