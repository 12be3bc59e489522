//! Jobs whose output is the value of a metric: sensors.

use std::io::Read as _;
use std::os::fd::OwnedFd;

use super::app::App;
use crate::events::{Exit, Run, RunKind};

/// More than any number. A sensor that writes more than its pipe holds waits there until its `timeout`.
const LONGEST: u64 = 64 * 1024;

impl App {
    /// Whether the output of a run is not for the log.
    pub(super) fn is_sensor(&self, run: Run) -> bool {
        let spec = self.jobs.spec(run.job);
        run.kind == RunKind::Main && spec.is_some_and(|spec| spec.metric.is_some())
    }

    /// A sensor has ended: what it wrote is recorded. All of it is in the pipe by now.
    pub(super) fn take_value(&mut self, run: Run, exit: Exit) {
        let Some(pipe) = self.values.remove(&run.id) else {
            return;
        };
        let Some(spec) = self.jobs.spec(run.job) else {
            return;
        };
        let Some(metric) = spec.metric.clone() else {
            return;
        };
        // What its end is about is told with it.
        if !spec.is_success(exit) {
            return;
        }
        let written = written(pipe);
        let result = match written.trim().parse::<f64>() {
            Ok(value) => self.record(&[(metric, value)]),
            Err(_) => Err(format!(
                "its output is not a number: {:.60?}",
                written.trim()
            )),
        };
        if let Err(reason) = result {
            let job = self.names.job(run.job);
            tracing::error!(job, "no value of {job} was recorded: {reason}");
        }
    }
}

/// The end of the pipe does not block, so an error is its end or that others still have it.
fn written(pipe: OwnedFd) -> String {
    let mut bytes = Vec::new();
    let _ = std::fs::File::from(pipe)
        .take(LONGEST)
        .read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
