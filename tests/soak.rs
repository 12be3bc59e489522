//! Everything at once, for as long as wanted: what leaks, drifts or happens twice shows with time.
//!
//! 200 jobs with a check a second, crash loops, a flood of lines, 100 watches, reloads, an operator's commands and a
//! catalogue that pauses, dies and forgets. Each round waits for what it causes, so a lost event fails at once; at the
//! end memory, descriptors, threads and zombies are as they were near the beginning.
//!
//! In the suite it takes some seconds. `PILOTHOUSE_SOAK` sets another duration (`10m`, `1h`); `tests/soak/run` does that
//! with the static binary.

mod config;
mod ledger;

use std::time::{Duration, Instant};

use crate::support::{Consul, Pilot, Running, Signal};

use config::{CHECKED, SERVICES, configuration};
use ledger::Ledger;

/// In the suite: enough for some rounds of each kind.
const SHORT: Duration = Duration::from_secs(12);

/// What one round may take: a catalogue that has forgotten everything is asked again after up to 30 s.
const LIMIT: Duration = Duration::from_secs(90);

/// Every so many rounds.
const OPERATOR_EVERY: u32 = 3;
const RELOAD_EVERY: u32 = 2;
const PAUSE_EVERY: u32 = 7;
const FORGET_EVERY: u32 = 10;

/// Ports of the service that changes: each is used once in a row of this length, so that none is seen by chance.
const PORTS: u32 = 20_000;

struct Soak {
    pilot: Running,
    consul: Consul,
    ledger: Ledger,
    round: u32,
    reloads: u32,
    published: u32,
}

impl Soak {
    fn lines(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.pilot.dir().join(file)).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }

    fn wait_for_lines(&self, file: &str, count: usize) {
        self.pilot
            .wait_until(LIMIT, &format!("{count} lines in {file}"), || {
                self.lines(file).len() >= count
            });
        let lines = self.lines(file).len();
        assert_eq!(lines, count, "more lines in {file} than were caused");
    }

    /// A custom event is heard once.
    fn publish(&mut self) {
        let answer = self
            .pilot
            .request("POST", "/api/v1/events", r#"{ "event": "soak" }"#);
        assert_eq!(answer.status, 200, "{answer:?}");
        self.published += 1;
        self.wait_for_lines("heard", self.published as usize);
    }

    fn target(&self) -> String {
        format!("127.0.0.1:{}", 10_000 + self.round % PORTS)
    }

    /// The service moves to another port: the hook sees each place once.
    fn change_target(&mut self) {
        let port = 10_000 + self.round % PORTS;
        let body = format!(
            r#"{{ "ID": "target", "Name": "target", "Address": "127.0.0.1", "Port": {port} }}"#
        );
        let answer = self.consul.put("/v1/agent/service/register", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        let target = self.target();
        self.pilot.wait_until(LIMIT, "the hook of a change", || {
            self.lines("seen").contains(&target)
        });
    }

    /// A reload restarts what has changed, once, and nothing else.
    fn reload(&mut self) {
        let text = configuration(&self.consul.address(), self.reloads + 1);
        self.pilot.write("containerpilot.json5", &text);
        if self.reloads.is_multiple_of(2) {
            self.pilot.signal(Signal::SIGHUP);
        } else {
            let answer = self.pilot.request("POST", "/v3/reload", "");
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        self.reloads += 1;
        self.wait_for_lines("changing", self.reloads as usize + 1);
    }

    /// Reading and changing commands, and followers that go away.
    fn operate(&mut self) {
        for path in [
            "/api/v1/status",
            "/api/v1/jobs/crash0",
            "/api/v1/jobs/flood/logs",
            "/api/v1/events",
            "/api/v1/watches",
            "/api/v1/services",
            "/api/v1/reload/plan",
        ] {
            let answer = self.pilot.request("GET", path, "");
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
        }
        for follow in ["/api/v1/events?follow", "/api/v1/jobs/flood/logs?follow"] {
            ledger::glance(&self.pilot, follow);
        }
        let before = self.lines("restarted").len();
        let answer = self
            .pilot
            .request("POST", "/api/v1/jobs/restarted/restart", "");
        assert_eq!(answer.status, 200, "{answer:?}");
        self.wait_for_lines("restarted", before + 1);
        for _ in 0..2 {
            for verb in ["enable", "disable"] {
                let answer = self
                    .pilot
                    .request("POST", &format!("/v3/maintenance/{verb}"), "");
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }
    }

    /// All services stand in the catalogue, each once.
    fn all_registered(&self) {
        self.pilot
            .wait_until(LIMIT, "all services are passing", || {
                (0..SERVICES).all(|number| self.consul.passing(&format!("checked{number}")) == 1)
            });
    }

    fn pause_catalogue(&self) {
        self.consul.pause();
        let ticks = self.lines("ticks").len();
        self.pilot
            .wait_until(LIMIT, "work goes on without a catalogue", || {
                self.lines("ticks").len() >= ticks + 2
            });
        self.consul.resume();
    }

    fn next_round(&mut self) {
        let ticks = self.lines("ticks").len();
        self.round += 1;
        self.change_target();
        self.publish();
        if self.round.is_multiple_of(RELOAD_EVERY) {
            self.reload();
        }
        if self.round.is_multiple_of(OPERATOR_EVERY) {
            self.operate();
        }
        if self.round.is_multiple_of(PAUSE_EVERY) {
            self.pause_catalogue();
        }
        if self.round.is_multiple_of(FORGET_EVERY) {
            self.consul.restart_empty();
            self.all_registered();
        }
        // At most a round a second.
        self.pilot
            .wait_until(LIMIT, "a tick", || self.lines("ticks").len() > ticks);
        self.ledger.look(&self.pilot);
    }
}

fn duration() -> Duration {
    match std::env::var("PILOTHOUSE_SOAK") {
        Ok(text) => humantime::parse_duration(&text).expect("PILOTHOUSE_SOAK is a duration"),
        Err(_) => SHORT,
    }
}

mod heavy {
    use super::*;

    #[test]
    fn soak() {
        let duration = duration();
        // 100 watches hold a connection each, and the clients of this test come on top.
        let limits = "limits = { http_max_conns_per_client = 1000 }";
        let Some(consul) = Consul::real_with(limits) else {
            return;
        };
        let pilot = Pilot::config(&configuration(&consul.address(), 0)).released();
        let Some(pilot) = pilot.start_as_pid1() else {
            return;
        };
        let mut soak = Soak {
            pilot,
            consul,
            ledger: Ledger::default(),
            round: 0,
            reloads: 0,
            published: 0,
        };
        soak.wait_for_lines("changing", 1);
        soak.wait_for_lines("restarted", 1);
        soak.all_registered();
        let lasting = || {
            let mut pids: Vec<i32> = soak
                .pilot
                .find("sleep 100001")
                .iter()
                .map(|p| p.pid.as_raw())
                .collect();
            pids.sort_unstable();
            pids
        };
        let pids = lasting();
        assert_eq!(pids.len(), CHECKED);
        let (begin, ticks) = (Instant::now(), soak.lines("ticks").len());
        while begin.elapsed() < duration {
            soak.next_round();
        }
        let lasted = begin.elapsed();
        let ticked = soak.lines("ticks").len() - ticks;
        soak.end(&pids, lasted, ticked);
    }
}

impl Soak {
    fn end(mut self, pids: &[i32], lasted: Duration, ticked: usize) {
        self.all_registered();
        let mut lasting = self.pilot.find("sleep 100001");
        lasting.sort_by_key(|process| process.pid);
        let lasting: Vec<i32> = lasting.iter().map(|process| process.pid.as_raw()).collect();
        assert_eq!(lasting, pids, "a job that did not change was restarted");
        let seconds = lasted.as_secs();
        println!(
            "soak of {seconds} s: {} rounds, {} reloads, {} events, {ticked} ticks\n{}",
            self.round, self.reloads, self.published, self.ledger
        );
        // On a machine that is busy with other work, a tick that comes during a run or too late is skipped.
        let due = usize::try_from(seconds).expect("a test is over before that");
        assert!(
            ticked <= due + 2 && ticked >= due / 2,
            "{ticked} ticks in {seconds} s"
        );
        self.seen_once();
        self.wait_for_lines("heard", self.published as usize);
        self.wait_for_lines("changing", self.reloads as usize + 1);
        self.pilot
            .wait_until(LIMIT, "no zombie stays", || self.pilot.zombies() == 0);
        self.ledger.assert_flat();
        self.pilot.signal(Signal::SIGTERM);
        assert_eq!(self.pilot.wait_exit(LIMIT).code(), Some(0));
    }

    /// Each place of the changing service was told once in a row, and none was left out.
    fn seen_once(&self) {
        let mut seen = self.lines("seen");
        // A catalogue that has forgotten everything has no instance for a while.
        seen.retain(|place| !place.is_empty());
        let expected: Vec<String> = (1..=self.round)
            .map(|round| format!("127.0.0.1:{}", 10_000 + round % PORTS))
            .collect();
        assert_eq!(seen, expected);
    }
}
