//! `docker/examples/worker` and `docker/examples/version-2`, as their compose files run them.

use std::fs;
use std::path::Path;

use super::{Container, Engine, LEAST, Reader, images};

fn is_quiet(container: &Container) {
    assert_eq!(container.stop(10), 0, "{}", container.logs());
    let logs = container.logs();
    assert!(
        !logs.contains("killing it") && !logs.contains("ERROR"),
        "{logs}"
    );
}

/// The value of a metric; `None` where it is not there.
fn metric(metrics: &str, name: &str) -> Option<f64> {
    let mut values = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    values.next()?.parse().ok()
}

#[test]
fn the_example_worker_works_and_counts() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let Some(mut reader) = Reader::of(&engine, "A worker", "docker/examples/worker") else {
        return;
    };
    let base = images::default_of("examples/worker/Dockerfile", "BASE");
    engine.docker(&["tag", "small", &base]);
    images::pilothouse(&engine);
    reader.opens("docker compose ");
    reader.types("docker compose up ");
    let ask = reader.line("curl ");
    reader.types_until(&ask, "three orders are done", |metrics| {
        metric(metrics, "worker_queue_length").is_some()
            && metric(metrics, "worker_orders_total").is_some_and(|done| done >= 3.0)
    });
    let worker = &reader.containers("worker")[0];
    worker.wait_healthy();
    let status = reader.types("docker compose exec ");
    for job in ["worker ", "customer ", "tidy ", "queue "] {
        assert!(status.lines().any(|line| line.starts_with(job)), "{status}");
    }
    reader.closes();
    is_quiet(worker);

    // What the clock starts each five minutes, each second.
    let options = ["--env=TIDY=* * * * * *"];
    let worker = engine.run("worker-worker", &[&options[..], LEAST].concat(), &[]);
    worker.wait_for("tidy exited: exit status 0", 2);
    is_quiet(&worker);
}

/// Somebody who is only there.
const BACKEND: &str = r#"{ consul: "catalogue:8500", jobs: [
    { name: "backend", exec: "sleep 1000", port: 80, health: { exec: "true", interval: "1s", ttl: 10 } },
] }"#;

#[test]
fn the_example_version_2_is_the_same_after_the_migration() {
    let Some(engine) = Engine::start() else {
        return;
    };
    // One of its files is written anew.
    let copy = engine.dir().join("version-2");
    copy_of("version-2", &copy);
    let made = copy.join("containerpilot.json5");
    let shown = fs::read(&made).expect("the example has it");
    let place = copy.display().to_string();
    let Some(mut reader) = Reader::of(&engine, "An image of ContainerPilot 2", &place) else {
        return;
    };
    if !images::nginx(&engine, "the example version-2") {
        return;
    }
    images::pilothouse(&engine);
    reader.opens("pilothouse ");
    reader.types("pilothouse check ");
    reader.types("pilothouse migrate ");
    assert!(fs::read(&made).expect("just made") == shown);
    reader.opens("docker compose ");
    reader.types("docker compose up ");
    let asks = [reader.line("curl "), reader.line("curl ")];
    let apps = ["version-2", "version-3"].map(|version| reader.containers(version).remove(0));
    for (ask, app) in asks.iter().zip(&apps) {
        // Nobody is there yet but the page.
        reader.types_until(ask, "nobody", |page| page.trim() == "[]");
        let catalogue = "http://catalogue:8500/v1/health/service/web?passing";
        let host = app.inspect("{{.Config.Hostname}}");
        app.wait_until("its service is in the catalogue", || {
            let seen = app.try_exec(&["wget", "-q", "-O", "-", catalogue]).stdout;
            let seen = String::from_utf8_lossy(&seen);
            if seen.contains(&format!("\"web-{host}\"")) {
                Ok(())
            } else {
                Err(seen.into_owned())
            }
        });
        let (ask, _) = ask.split_once(" #").expect("a comment");
        let age = format!("{}age", ask.trim_end());
        let date = |page: &str| !page.is_empty() && !page.contains("404");
        reader.types_until(&age, "the task has run", date);
    }
    // A backend that comes is on both pages.
    let on = ["--network=version-2_default", "--hostname=new"];
    let _backend = engine.run_config("small", &on, BACKEND);
    for ask in &asks {
        reader.types_until(ask, "the backend", |page| page.contains("\"backend-new\""));
    }
    for app in &apps {
        assert_eq!(app.stop(10), 0, "{}", app.logs());
        assert!(!app.logs().contains("killing it"), "{}", app.logs());
    }
    reader.closes();
}

fn copy_of(example: &str, to: &Path) {
    let from = format!("{}/docker/examples/{example}", env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(to).expect("a directory of ours takes others");
    for entry in fs::read_dir(from).expect("the example is there") {
        let entry = entry.expect("a readable directory");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a file of the example");
    }
}
