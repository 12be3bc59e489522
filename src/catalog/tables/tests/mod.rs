//! The rules in virtual time.

mod checks;
mod kv;
mod properties;
mod services;
mod sessions;

use std::time::{Duration, Instant};

use super::{
    CheckSpec, Condition, Limits, NodeSpec, Problem, Service, ServiceSpec, SessionSpec, Status,
    Tables, Topic,
};

/// Tables, and the time they are told.
struct World {
    tables: Tables,
    now: Instant,
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl World {
    fn new() -> World {
        World::within(Limits::DEFAULT)
    }

    fn within(limits: Limits) -> World {
        let own = NodeSpec {
            name: "n1".to_owned(),
            id: "node-id".to_owned(),
            address: "127.0.0.1".to_owned(),
            ..NodeSpec::default()
        };
        World {
            tables: Tables::new(own, limits),
            now: Instant::now(),
        }
    }

    /// Lets time pass, and what is due happen at its moment.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        // A deadline that does not move would never end.
        for _ in 0..10_000 {
            let Some(at) = self.tables.next_deadline().filter(|at| *at <= end) else {
                self.now = end;
                self.tables.on_time(self.now);
                return;
            };
            self.now = self.now.max(at);
            self.tables.on_time(self.now);
            let next = self.tables.next_deadline();
            assert!(next.is_none_or(|next| next > self.now), "time stands still");
        }
        panic!("there is always something due");
    }

    fn register(&mut self, name: &str, checks: Vec<CheckSpec>) {
        self.try_register(name, checks).unwrap();
    }

    fn try_register(&mut self, name: &str, checks: Vec<CheckSpec>) -> Result<(), Problem> {
        let spec = ServiceSpec {
            service: service(name),
            checks,
            replace_checks: false,
        };
        self.tables.register_service(spec, self.now)
    }

    fn beat(&mut self, check: &str, status: Status, output: &str) {
        let done = self.tables.heartbeat(check, status, output, self.now);
        done.unwrap();
    }

    /// The status of a check of this node, and the output that the catalogue shows.
    fn shown(&self, check: &str) -> Option<(Status, &str)> {
        let check = self.tables.own_check(check)?;
        Some((check.status, &check.output))
    }

    fn index_of(&self, service: &str) -> u64 {
        self.tables.index_of(&Topic::service(service))
    }

    fn put(&mut self, key: &str, value: &str, condition: &Condition) -> Result<bool, Problem> {
        let value = value.as_bytes().to_vec();
        self.tables.put_key(key, value, 0, condition, self.now)
    }
}

fn service(name: &str) -> Service {
    Service {
        id: name.to_owned(),
        name: name.to_owned(),
        ..Service::default()
    }
}

fn ttl(seconds: u64) -> CheckSpec {
    CheckSpec {
        id: String::new(),
        name: String::new(),
        notes: String::new(),
        status: Status::Critical,
        ttl: secs(seconds),
        deregister_after: None,
    }
}
