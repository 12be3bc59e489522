//! Addresses that cannot be had, clients that ask too much.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::{APP, Served, config};
use crate::support::{PATIENCE, Pilot, Signal, free_port, try_get, wait_until};

/// The jobs run; telemetry comes as soon as the address is free.
#[test]
fn an_address_in_use_is_tried_again() {
    let port = free_port();
    let taken = TcpListener::bind(("127.0.0.1", port)).expect("it is free");
    let mut pilot = Pilot::config(&config(port, "", APP)).start();
    pilot.wait_for_line("telemetry: cannot listen at", PATIENCE);
    pilot.wait_until(PATIENCE, "the app", || !pilot.find("sleep 1000").is_empty());
    drop(taken);
    pilot.wait_for_line("telemetry: serving at", PATIENCE);
    assert_eq!(
        try_get(port, "/healthz", "").map(|answer| answer.status),
        Some(200)
    );
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// Who cannot listen at all still ends in time.
#[test]
fn without_its_address_the_program_ends_all_the_same() {
    let port = free_port();
    let _taken = TcpListener::bind(("127.0.0.1", port)).expect("it is free");
    let mut pilot = Pilot::config(&config(
        port,
        "",
        r#"jobs: [ { name: "a", exec: "true" } ]"#,
    ))
    .start();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// R07: applied live.
#[test]
fn r07_a_reload_moves_the_port_and_leaves_it() {
    let served = Served::start("", APP);
    let reload = |text: &str| {
        served.pilot.write("containerpilot.json5", text);
        assert_eq!(served.pilot.ask(&["-reload"]).code, Some(0));
    };
    // A client that is connected over a reload of the same address gets its answer: the server is the same.
    let mut client = TcpStream::connect(("127.0.0.1", served.port)).expect("it listens");
    reload(&config(served.port, "", APP));
    served.wait_series("containerpilot_reloads_total{result=\"ok\"}", 1.0);
    client
        .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .expect("it is open");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let other = free_port();
    reload(&config(other, "", APP));
    wait_until(PATIENCE, "the other port", || {
        try_get(other, "/healthz", "").is_some()
    });
    wait_until(PATIENCE, "nobody at the old one", || {
        try_get(served.port, "/healthz", "").is_none()
    });
    // The counts have moved with it.
    let body = try_get(other, "/metrics", "").expect("it listens").body;
    assert!(
        body.contains("containerpilot_reloads_total{result=\"ok\"} 2\n"),
        "{body}"
    );
    reload(&format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, {APP} }}"#
    ));
    wait_until(PATIENCE, "nobody at all", || {
        try_get(other, "/healthz", "").is_none()
    });
}

/// Silent connections are bounded and do not keep others out.
#[test]
fn silent_clients_keep_nobody_out() {
    let served = Served::start("", APP);
    let mut silent: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(("127.0.0.1", served.port)).expect("it listens"))
        .collect();
    assert_eq!(served.get("/healthz").status, 200);
    assert!(served.scrape().value("process_open_fds") < 100.0);
    // The first of them was given up.
    let mut byte = [0];
    silent[0]
        .set_read_timeout(Some(PATIENCE))
        .expect("a socket");
    assert!(matches!(silent[0].read(&mut byte), Ok(0) | Err(_)));
    let mut large = TcpStream::connect(("127.0.0.1", served.port)).expect("it listens");
    let head = format!(
        "GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    let _ = large.write_all(head.as_bytes());
    let mut answer = String::new();
    let _ = large.read_to_string(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert_eq!(served.get("/healthz").status, 200);
}
