//! `docker/examples/hello-world` as its page has one run it, with the machine's nginx in the place of nginx's image.

use std::collections::BTreeSet;
use std::fs;
use std::time::SystemTime;

use super::{Container, Engine, PATIENCE, Reader, images};
use crate::manual::written;
use crate::support::wait_until;

/// The client reads the whole file before it asks for a swarm, which is not there.
fn check_stack(engine: &Engine) {
    let stack = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docker/examples/hello-world/stack.yaml"
    );
    let refused = engine.try_docker(&["stack", "deploy", "--compose-file", stack, "hello"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("not a swarm manager"), "{said}");
}

/// The image of `docker/Dockerfile` has the program under both names, a place for the socket, and what is wanted of it in the
/// Dockerfile of somebody else.
fn check_image(engine: &Engine) {
    let once = ["run", "--rm", "--network=none"];
    for words in [
        &["pilothouse", "-version"][..],
        &["--entrypoint=/containerpilot", "pilothouse", "-version"],
    ] {
        let said = engine.docker(&[&once[..], words].concat());
        assert!(said.contains("Version:"), "{said}");
    }
    let config = r#"{ jobs: [{ name: "app", exec: "/pilothouse -version" }] }"#;
    let alone = engine.run_config("pilothouse", &[], config);
    alone.wait_for("control: serving at /var/run/", 1);
    assert_eq!(alone.wait(), 0);

    let own = engine.dir().join("own");
    fs::create_dir(&own).expect("a directory of ours takes others");
    let config = r#"{ jobs: [{ name: "app", exec: "echo the app runs" }] }"#;
    fs::write(own.join("app.json5"), config).expect("a directory of ours takes files");
    let lines = written("docker/README.md", "Dockerfile").concat();
    images::build(engine, "own", &own, &format!("FROM small\n{lines}"));
    let said = engine.docker(&[&once[..], &["own"]].concat());
    assert!(said.contains("the app runs"), "{said}");
}

/// Asks until each of these has said hello.
fn wait_for_hello<'c>(
    reader: &Reader,
    ask: &str,
    backends: impl IntoIterator<Item = &'c Container<'c>>,
) {
    let hello = |backend: &Container| {
        let name = backend.inspect("{{.Config.Hostname}}");
        format!("hello from {name}\n")
    };
    let wanted: BTreeSet<String> = backends.into_iter().map(hello).collect();
    let mut seen = BTreeSet::new();
    reader.types_until(ask, &format!("{wanted:?}"), |answer| {
        seen.insert(answer.to_owned());
        seen.is_superset(&wanted)
    });
}

#[test]
fn hello_world_follows_its_backends() {
    let Some(engine) = Engine::start() else {
        return;
    };
    check_stack(&engine);
    let Some(mut reader) = Reader::of(&engine, "Hello, world", "") else {
        return;
    };
    if !images::nginx(&engine, "the example hello-world") {
        return;
    }
    let ask = with_compose(&engine, &mut reader);
    without_compose(&engine, &mut reader, &ask);
    reader.closes();
}

/// Returns the line that asks the front.
fn with_compose(engine: &Engine, reader: &mut Reader) -> String {
    images::toolchain(engine);
    reader.opens("docker build ");
    reader.types("docker build -t pilothouse ");
    check_image(engine);
    reader.types("cd ");
    reader.types("docker compose up --build ");
    let ask = reader.line("curl ");
    let backends = reader.containers("backend");
    assert_eq!(backends.len(), 2);
    wait_for_hello(reader, &ask, &backends);

    reader.types("docker compose up --detach --scale ");
    let backends = reader.containers("backend");
    assert_eq!(backends.len(), 3);
    wait_for_hello(reader, &ask, &backends);

    reader.types("docker compose kill ");
    for backend in &backends {
        assert_eq!(backend.wait(), 137);
    }
    let front = &reader.containers("front")[0];
    front.wait_until("their checks have expired", || {
        let seen = front.exec(&["cat", "/run/upstreams.conf"]);
        let (nobody, servers) = ("server 127.0.0.1:1;", seen.matches("server ").count());
        if seen.contains(nobody) && servers == 1 {
            Ok(())
        } else {
            Err(seen)
        }
    });
    let nobody = "502 Bad Gateway";
    reader.types_until(&ask, nobody, |answer| answer.contains(nobody));
    // Which is no reason for the front not to start.
    engine.docker(&["restart", front.id()]);
    front.wait_for("Service registered: front", 2);
    reader.types_until(&ask, nobody, |answer| answer.contains(nobody));

    reader.types("docker compose up ");
    let backends = reader.containers("backend");
    assert_eq!(backends.len(), 2);
    wait_for_hello(reader, &ask, &backends);
    let logs = reader.types("docker compose logs ");
    let happened = [
        "front.preStart exited: exit status 0",
        "Service registered: front",
        "front.onChange.backend exited: exit status 0",
        "SIGTERM received: stopping",
        "Service deregistered: front",
        "Service registered: front",
        "front.onChange.backend exited: exit status 0",
    ];
    let mut lines = logs.lines();
    for one in happened {
        assert!(lines.any(|line| line.contains(one)), "{one}\n{logs}");
    }
    down(engine, reader);
    ask
}

/// What compose ends, ends well, and nothing is left of it.
fn down(engine: &Engine, reader: &mut Reader) {
    let since = format!("--since={}", now());
    reader.types("docker compose down");
    let until = format!("--until={}", now());
    let status = "{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}";
    let of_ends = ["--filter=event=die", "--format", status];
    let ended = engine.docker(&[&["events", &since, &until][..], &of_ends].concat());
    assert_eq!(ended.lines().count(), 4, "{ended}");
    assert!(ended.lines().all(|end| end.ends_with(" 0")), "{ended}");
    let ours = "--filter=label=com.docker.compose.project";
    assert_eq!(engine.docker(&["ps", "--all", "--quiet", ours]), "");
    let networks = engine.docker(&["network", "ls", "--format", "{{.Name}}"]);
    assert!(!networks.contains("hello"), "{networks}");
}

/// As `docker events` wants it: seconds since 1970.
fn now() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("a time after 1970");
    format!("{}.{:09}", now.as_secs(), now.subsec_nanos())
}

fn without_compose(engine: &Engine, reader: &mut Reader, ask: &str) {
    reader.opens("docker build -t hello-backend ");
    reader.types("docker build -t hello-backend ");
    reader.types("docker build -t hello-front ");
    reader.types("docker network create ");
    reader.types("docker run -d ");
    reader.types("docker run -d --network hello --name one ");
    reader.types("docker run -d --network hello --name two ");
    let (one, two) = (engine.container("one"), engine.container("two"));
    let mut client = reader.leaves_running("docker run --rm ");
    let mut front = String::new();
    wait_until(PATIENCE, "the front runs", || {
        front = engine.docker(&["ps", "--quiet", "--filter", "ancestor=hello-front"]);
        !front.is_empty()
    });
    let front = engine.container(&front);
    wait_for_hello(reader, ask, [&one, &two]);
    front.wait_healthy();

    // A backend that stops is missed by nobody: requests come all the time, and each is answered.
    let asking = "while :; do wget -q -O - http://localhost:8080/ >> /run/answers || echo >> /run/refused; done";
    engine.docker(&["exec", "--detach", front.id(), "sh", "-c", asking]);
    let host = two.inspect("{{.Config.Hostname}}");
    let asked = format!("until grep -q {host} /run/answers; do sleep 0.1; done");
    front.exec(&["sh", "-c", &asked]);
    assert_eq!(two.stop(10), 0, "{}", two.logs());
    let logs = two.logs();
    assert!(logs.contains("Service deregistered: backend"), "{logs}");
    front.exec(&["test", "!", "-e", "/run/refused"]);
    wait_for_hello(reader, ask, [&one]);

    assert_eq!(one.stop(10), 0, "{}", one.logs());
    let logs = [one.logs(), front.logs()].concat();
    assert!(!logs.contains("killing it"), "{logs}");
    engine.docker(&["stop", front.id()]);
    // The client that waits for it hands its status on.
    assert_eq!(client.wait().expect("ours").code(), Some(0));
}
