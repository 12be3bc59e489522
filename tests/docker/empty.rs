//! In an image with nothing but the program.

use super::Engine;

#[test]
fn an_empty_image_has_jobs_checks_a_catalogue_and_an_end() {
    let Some(engine) = Engine::start() else {
        return;
    };
    // On the default bridge, with an address of its own. `localhost` is a name that the program has to look up.
    let container = engine.run_config(
        "empty",
        &["--network=bridge"],
        r#"{ consul: "localhost:8500", control: { socket: "/control.socket" }, jobs: [
            { name: "catalogue", exec: ["/pilothouse", "catalog", "--bind", "127.0.0.1:8500"],
              health: { tcp: 8500, interval: "200ms" } },
            { name: "app", exec: ["/pilothouse", "catalog", "--bind", "0.0.0.0:8501"], port: 8501,
              health: { http: "http://localhost:8501/v1/status/leader", interval: "200ms", ttl: 10 } },
            { name: "hook", exec: ["/pilothouse", "-version"],
              when: { source: "watch.app", once: "healthy" } },
          ], watches: [{ name: "app", interval: 1 }] }"#,
    );
    container.wait_for("Service registered: app", 1);
    container.wait_for(" Version:", 1);
    let address = container.inspect("{{.NetworkSettings.IPAddress}}");
    assert!(!address.is_empty());
    let socket = ["-socket", "/control.socket"];
    assert_eq!(
        container.exec(&[&["/pilothouse", "-ping"][..], &socket].concat()),
        "ok"
    );
    container.exec(&[&["/pilothouse", "healthy"][..], &socket].concat());
    let app = [&["/pilothouse", "healthy"][..], &socket, &["app"]].concat();
    container.exec(&app);
    assert_eq!(container.stop(10), 0, "{}", container.logs());
    assert!(
        !container.logs().contains("killing it"),
        "{}",
        container.logs()
    );
}

#[test]
fn without_a_configuration_the_empty_image_says_what_it_wants() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let container = engine.run("empty", &[], &[]);
    assert_eq!(container.wait(), 1);
    assert!(
        container.logs().contains("/etc/containerpilot.json5"),
        "{}",
        container.logs()
    );
}
