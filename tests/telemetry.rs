//! Metrics, status and probes, of the built program over HTTP.

mod faults;
mod recording;
mod scraping;
mod sensors;
mod service;

use crate::support::{HttpResponse, PATIENCE, Pilot, Running, Scrape, free_port, try_get};

/// A program that serves telemetry.
pub(crate) struct Served {
    pub(crate) pilot: Running,
    pub(crate) port: u16,
}

/// The configuration of one, with these further members of `telemetry` and of the file.
fn config(port: u16, telemetry: &str, more: &str) -> String {
    format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1,
             telemetry: {{ port: {port}, interfaces: "static:127.0.0.1", {telemetry} }}, {more} }}"#
    )
}

impl Served {
    pub(crate) fn start(telemetry: &str, more: &str) -> Served {
        let port = free_port();
        let pilot = Pilot::config(&config(port, telemetry, more)).start();
        pilot.wait_for_line("telemetry: serving at", PATIENCE);
        Served { pilot, port }
    }

    pub(crate) fn get(&self, path: &str) -> HttpResponse {
        try_get(self.port, path, "*/*").expect("it listens")
    }

    pub(crate) fn scrape(&self) -> Scrape {
        Scrape::text(&self.get("/metrics").body)
    }

    /// Waits until a series has a value.
    fn wait_series(&self, series: &str, value: f64) {
        self.pilot
            .wait_until(PATIENCE, &format!("{series} {value}"), || {
                self.scrape().has(series, value)
            });
    }

    /// Waits until a probe has this status.
    fn wait_status(&self, path: &str, status: u16) {
        self.pilot
            .wait_until(PATIENCE, &format!("{path}: {status}"), || {
                self.get(path).status == status
            });
    }

    /// Records values through the socket.
    fn record(&self, values: &str) -> (u16, String) {
        let answer = self.pilot.request("POST", "/v3/metric", values);
        (answer.status, answer.body)
    }
}

/// A job that runs until it is stopped.
const APP: &str = r#"jobs: [ { name: "app", exec: "sleep 1000" } ]"#;
