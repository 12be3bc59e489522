//! S07: clients that know the catalogue notice nothing of a rolling restart.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};

use super::cluster::{self, NETWORK, address, on_network};
use super::{Container, Engine, LEAST, images};
use crate::support::try_http_get;

/// Requests a second of all clients together.
const RATE: u32 = 200;
const CLIENTS: u32 = 4;
/// How often the clients look into the catalogue.
const LOOK: Duration = Duration::from_secs(1);

/// Clients in the engine's network, until they are told to end.
struct Load<'l> {
    /// Where they send to: what the catalogue said last.
    servers: &'l Mutex<Vec<SocketAddr>>,
    ended: &'l AtomicBool,
    network: &'l File,
}

impl Load<'_> {
    fn enter(&self) {
        setns(self.network, CloneFlags::CLONE_NEWNET).expect("root may enter a network");
    }

    fn goes_on(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    /// Looks into the catalogue once a second.
    fn look(&self, consul: SocketAddr) {
        self.enter();
        while self.goes_on() {
            let servers = passing(consul);
            *self.servers.lock().expect("no client panics with it") = servers;
            thread::sleep(LOOK);
        }
    }

    /// Sends its share of the requests, to one server after the other: how many, and what became of those that failed.
    fn send(&self) -> (u32, Vec<String>) {
        self.enter();
        let (mut sent, mut failed) = (0, Vec::new());
        let begin = Instant::now();
        while self.goes_on() {
            let servers = self.servers.lock().expect("nobody panics with it").clone();
            let server = servers[sent as usize % servers.len()];
            match try_http_get(server, "/") {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) => failed.push(format!("{server}: {answer:?}")),
                Err(error) => failed.push(format!("{server}: {error}")),
            }
            sent += 1;
            let due = begin + Duration::from_secs(1) * CLIENTS * sent / RATE;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        (sent, failed)
    }
}

/// The backends that pass their check.
fn passing(consul: SocketAddr) -> Vec<SocketAddr> {
    let answer =
        try_http_get(consul, "/v1/health/service/backend?passing").expect("Consul answers");
    let entries = answer.json();
    let entries = entries.as_array().expect("a list");
    let place = |entry: &serde_json::Value| {
        let service = &entry["Service"];
        let place = format!("{}:{}", service["Address"].as_str()?, service["Port"]);
        place.parse().ok()
    };
    entries.iter().filter_map(place).collect()
}

/// A backend of the example, known to Consul.
fn backend<'e>(engine: &'e Engine, name: &str) -> Container<'e> {
    let options = [&on_network(name)[..], LEAST, &["--env=CONSUL=consul:8500"]].concat();
    let backend = engine.run("hello-world-backend", &options, &[]);
    backend.wait_for("Service registered: backend", 1);
    backend
}

#[test]
fn s07_a_rolling_restart_refuses_no_request() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let what = "the rolling restart";
    let Some(program) = images::consul(what) else {
        return;
    };
    if !images::nginx(&engine, what) {
        return;
    }
    images::pilothouse(&engine);
    images::of_example(&engine, "hello-world", "backend");
    engine.docker(&["network", "create", NETWORK]);
    let consul = cluster::consul(&engine, &program);
    let consul: SocketAddr = format!("{}:8500", address(&consul))
        .parse()
        .expect("an address");
    let olds = ["old-1", "old-2", "old-3"].map(|name| backend(&engine, name));

    let network = format!("/proc/{}/ns/net", engine.namespaces());
    let network = File::open(network).expect("the engine runs");
    let servers = Mutex::new(
        olds.iter()
            .map(|old| {
                format!("{}:8080", address(old))
                    .parse()
                    .expect("an address")
            })
            .collect(),
    );
    let ended = AtomicBool::new(false);
    let load = Load {
        servers: &servers,
        ended: &ended,
        network: &network,
    };
    let begin = Instant::now();
    let (report, reports) = mpsc::channel();
    thread::scope(|scope| {
        // However this ends, so do the clients.
        let _end = Ending(&ended);
        scope.spawn(|| load.look(consul));
        for _ in 0..CLIENTS {
            let report = report.clone();
            let load = &load;
            scope.spawn(move || report.send(load.send()));
        }
        for (old, name) in olds.iter().zip(["new-1", "new-2", "new-3"]) {
            backend(&engine, name);
            assert_eq!(old.stop(10), 0, "{}", old.logs());
        }
    });
    drop(report);
    let took = begin.elapsed().as_secs_f64();
    let (mut sent, mut failed) = (0, Vec::new());
    for (requests, failures) in reports {
        sent += requests;
        failed.extend(failures);
    }
    eprintln!("{sent} requests in {took:.1} s");
    assert!(failed.is_empty(), "{} of {sent}: {failed:#?}", failed.len());
    assert!(
        f64::from(sent) > took * f64::from(RATE) * 0.5,
        "{sent} requests in {took} s"
    );
}

/// Ends the load when it goes.
struct Ending<'l>(&'l AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
