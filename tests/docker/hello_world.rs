//! `docker/examples/hello-world` as its page has one run it, with the machine's nginx in the place of nginx's image.

use super::{Container, Engine, LEAST, images};

/// What the front answers; empty for an error.
fn answer(front: &Container) -> String {
    let output = front.try_exec(&[
        "timeout",
        "5",
        "wget",
        "-q",
        "-O",
        "-",
        "http://localhost:8080/",
    ]);
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

fn wait_for_answer(front: &Container, wanted: &str) {
    front.wait_until(&format!("the answer `{wanted}`"), || {
        let seen = answer(front);
        if seen == wanted { Ok(()) } else { Err(seen) }
    });
}

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

#[test]
fn hello_world_follows_its_backends() {
    let Some(engine) = Engine::start() else {
        return;
    };
    check_stack(&engine);
    let Some(nginx) = images::program("nginx", "the example hello-world") else {
        return;
    };
    images::of_programs(&engine, "nginx", &[("nginx", &nginx)]);
    for target in ["backend", "front"] {
        images::of_example(&engine, "hello-world", target, &["NGINX=nginx"]);
    }
    engine.docker(&["network", "create", "hello"]);
    let on = |name: &'static str| {
        let place = ["--network=hello", "--name", name, "--hostname", name];
        [&place[..], LEAST].concat()
    };
    let catalog = ["catalog", "--bind", "0.0.0.0:8500"];
    let _catalogue = engine.run(
        "empty",
        &[&on("catalogue")[..], &["--user=65534"]].concat(),
        &catalog,
    );
    let front = engine.run("hello-world-front", &on("front"), &[]);
    // Nobody is there yet, which is no reason for the front not to run.
    front.wait_for("Service registered: front", 1);
    assert_eq!(answer(&front), "");

    let one = engine.run("hello-world-backend", &on("one"), &[]);
    // It runs on a root that may be written to as well.
    let two = ["--network=hello", "--hostname=two"];
    let two = engine.run("hello-world-backend", &two, &[]);
    wait_for_answer(&front, "hello from one");
    wait_for_answer(&front, "hello from two");
    front.wait_until("the image's own health check", || {
        match front.inspect("{{.State.Health.Status}}").as_str() {
            "healthy" => Ok(()),
            other => Err(other.to_owned()),
        }
    });

    // A backend that stops is missed by nobody: requests come all the time, and each is answered.
    let asking = "while :; do wget -q -O - http://localhost:8080/ >> /run/answers || echo >> /run/refused; done";
    engine.docker(&["exec", "--detach", front.id(), "sh", "-c", asking]);
    front.exec(&[
        "sh",
        "-c",
        "until grep -q two /run/answers; do sleep 0.1; done",
    ]);
    assert_eq!(two.stop(10), 0, "{}", two.logs());
    assert!(
        two.logs().contains("Service deregistered: backend"),
        "{}",
        two.logs()
    );
    front.exec(&["test", "!", "-e", "/run/refused"]);
    wait_for_answer(&front, "hello from one");

    // One that dies says nothing; its check expires.
    one.signal("KILL");
    wait_for_answer(&front, "");
    front.wait_for("front.onChange.backend", 1);
    engine.docker(&["start", one.id()]);
    wait_for_answer(&front, "hello from one");

    assert_eq!(one.stop(10), 0, "{}", one.logs());
    assert_eq!(front.stop(10), 0, "{}", front.logs());
    for container in [&one, &front] {
        assert!(
            !container.logs().contains("killing it"),
            "{}",
            container.logs()
        );
    }
}
