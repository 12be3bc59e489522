//! The demonstration shows what its comments promise.

use crate::support::{PATIENCE, Pilot, Signal};

#[test]
fn the_demonstration_keeps_its_promises() {
    // As it is, but for its place: others may run it on this machine at the same time.
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo.json5");
    let text = std::fs::read_to_string(text).expect("the demonstration is part of the repository");
    let text = text.replace("/tmp/pilothouse-demo", "@DIR@/demo");
    assert!(
        text.matches("@DIR@/demo").count() > 3,
        "the demonstration has moved"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let free = listener.local_addr().expect("it listens").to_string();
    drop(listener);
    assert!(text.contains("127.0.0.1:8505"), "the catalogue has moved");
    let text = text.replace("127.0.0.1:8505", &free);
    let mut pilot = Pilot::config(&text).start();

    pilot.wait_for_line("app: ready", PATIENCE);
    pilot.wait_for_line("client: the app is healthy, so I can start", PATIENCE);
    pilot.wait_for_line("Service registered: app", PATIENCE);
    pilot.wait_for_line("on-change: the app is at: 127.0.0.1:8000", PATIENCE);
    pilot.wait_for_line("gremlin: the app is not ready any more", PATIENCE);
    pilot.wait_for_line("on-change: the app is at: nowhere", PATIENCE);
    // Once at the start, when nobody had registered yet, and once for the gremlin.
    pilot.wait_for_lines("alarm: nobody serves the app", 2, PATIENCE);
    pilot.wait_for_lines("on-change: the app is at: 127.0.0.1:8000", 2, PATIENCE);
    let ping = pilot.ask(&["-socket", "@DIR@/demo.socket", "-ping"]);
    assert_eq!(ping.stdout, "ok\n");
    pilot.wait_for_line("shaky: crash", PATIENCE);
    pilot.wait_for_lines("shaky: I last two seconds", 2, PATIENCE);
    pilot.signal(Signal::SIGUSR2);
    pilot.wait_for_line("on-usr2: somebody sent SIGUSR2", PATIENCE);
    pilot.wait_for_line("shaky ended soon after its start: next start in", PATIENCE);
    pilot.wait_for_lines("clock: it is", 2, PATIENCE);

    pilot.signal(Signal::SIGINT);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let text = pilot.stdout();
    let at = |line: &str| {
        text.find(line)
            .unwrap_or_else(|| panic!("no `{line}` in {text}"))
    };
    let order = [
        "setup: making a place to work",
        "app: warming up",
        "app: ready",
        "client: the app is healthy",
        "Service deregistered: app",
        "farewell: the app is about to stop",
        "postscript: the app is gone",
    ];
    assert!(order.is_sorted_by_key(|line| at(line)), "{text}");
    assert!(!pilot.dir().join("demo").exists() && !pilot.dir().join("demo.socket").exists());
}
