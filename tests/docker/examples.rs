//! `docker/examples/worker` and `docker/examples/version-2`, as their compose files run them.

use super::{Container, Engine, LEAST, images};

/// What a page of the container's own server says.
fn page(container: &Container, address: &str, path: &str) -> String {
    let url = format!("http://{address}{path}");
    let output = container.try_exec(&["timeout", "5", "wget", "-q", "-O", "-", &url]);
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

/// The value of a metric; `None` where it is not there.
fn metric(worker: &Container, name: &str) -> Option<f64> {
    let address = worker.inspect("{{.NetworkSettings.IPAddress}}");
    let metrics = page(worker, &format!("{address}:9090"), "/metrics");
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
    images::of_example(&engine, "worker", "worker", &["BASE=small"]);
    let options = [
        "--network=bridge",
        "--volume=queue:/queue",
        "--env=TIDY=* * * * * *",
    ];
    let worker = engine.run("worker-worker", &[&options[..], LEAST].concat(), &[]);
    worker.wait_until("three orders are done", || {
        match metric(&worker, "worker_orders_total") {
            Some(done) if done >= 3.0 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    assert!(metric(&worker, "worker_queue_length").is_some());
    worker.wait_for("tidy exited: exit status 0", 2);
    worker.wait_until("the image's own health check", || {
        match worker.inspect("{{.State.Health.Status}}").as_str() {
            "healthy" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    assert_eq!(worker.stop(10), 0, "{}", worker.logs());
    let logs = worker.logs();
    assert!(
        !logs.contains("killing it") && !logs.contains("ERROR"),
        "{logs}"
    );
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
    let Some(nginx) = images::program("nginx", "the example version-2") else {
        return;
    };
    images::of_programs(&engine, "nginx", &[("nginx", &nginx)]);
    engine.docker(&["network", "create", "old"]);
    let on = |name: &'static str| ["--network=old", "--name", name, "--hostname", name];
    let catalog = ["catalog", "--bind", "0.0.0.0:8500"];
    let catalogue = engine.run("empty", &on("catalogue"), &catalog);
    let services = |of: &Container| page(of, "catalogue:8500", "/v1/health/service/web?passing");
    for version in ["version-2", "version-3"] {
        images::of_example(&engine, "version-2", version, &["NGINX=nginx"]);
        let app = engine.run(&format!("version-2-{version}"), &on(version), &[]);
        app.wait_until("its service is in the catalogue", || {
            let seen = services(&app);
            if seen.contains(&format!("\"web-{version}\"")) {
                Ok(())
            } else {
                Err(seen)
            }
        });
        assert!(
            page(&app, "127.0.0.1:8080", "/").starts_with('['),
            "{}",
            app.logs()
        );
        app.wait_until("the task has run", || {
            match page(&app, "127.0.0.1:8080", "/age") {
                age if age.is_empty() => Err(age),
                _ => Ok(()),
            }
        });
        // A backend that comes is on the page.
        let name = format!("for-{version}");
        let _backend = engine.run_config("small", &["--network=old", "--hostname", &name], BACKEND);
        app.wait_until("the backend is on the page", || {
            let seen = page(&app, "127.0.0.1:8080", "/");
            if seen.contains(&format!("\"backend-{name}\"")) {
                Ok(())
            } else {
                Err(seen)
            }
        });
        assert_eq!(app.stop(10), 0, "{}", app.logs());
        assert!(!app.logs().contains("killing it"), "{}", app.logs());
    }
    drop(catalogue);
}
