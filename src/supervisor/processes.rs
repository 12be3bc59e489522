//! What has become of processes: ended, gone, killed for memory.

use std::time::Instant;

use super::app::App;
use super::recorder::What;
use crate::events::{Event, Run, RunKind};
use crate::jobs::{JobState, Orphans};
use crate::logging::PumpHandle;
use crate::process::ProcessEvent;

/// Statuses collected before the loop looks at the clock and the signals again (P04).
const REAP_SLICE: usize = 16;

impl App {
    /// Collects what has ended, and looks for what was left behind when that is due.
    pub(super) fn look_at_processes(&mut self, now: Instant) {
        let mut seen = Vec::new();
        if self.more_to_reap {
            self.more_to_reap = self.processes.reap(REAP_SLICE, &mut seen);
        }
        if self.processes.next_sweep().is_some_and(|due| due <= now) {
            self.processes.sweep(now, &mut seen);
        }
        for event in seen {
            self.on_process_event(event);
        }
    }

    fn on_process_event(&mut self, event: ProcessEvent) {
        match event {
            ProcessEvent::Exited { run, .. } | ProcessEvent::Gone { run }
                if !self.jobs.owns(run) =>
            {
                self.values.remove(&run.id);
                self.finish_pump(run);
            }
            ProcessEvent::Exited {
                run,
                exit,
                left,
                pid,
            } => {
                self.forget(run, left);
                let status = self.jobs.status(run.job);
                let stopping = status.is_some_and(|status| status.state == JobState::Stopping);
                let spec = self.jobs.spec(run.job);
                // A job that is at its end keeps nothing.
                let orphans = match spec.map(|spec| spec.orphans) {
                    Some(Orphans::Keep) if !stopping => Orphans::Keep,
                    Some(Orphans::Keep | Orphans::Sweep) | None => Orphans::Sweep,
                };
                let is_success = spec.is_some_and(|spec| spec.is_success(exit));
                let left_over = left.then_some(orphans);
                self.names
                    .exited(run, pid, exit, left_over, is_success || stopping);
                self.remember(What::Exited { run, exit });
                self.note_check(run, exit);
                self.take_value(run, exit);
                self.tell(&Event::Exited { run, exit, left });
            }
            ProcessEvent::Gone { run } => {
                self.finish_pump(run);
                self.tell(&Event::Gone(run));
            }
            ProcessEvent::OutOfMemory { killed } => super::report::out_of_memory(killed),
            ProcessEvent::Orphan { .. } => {}
        }
    }

    /// A run's first process is no more.
    fn forget(&mut self, run: Run, left: bool) {
        match run.kind {
            RunKind::Main => self.environment.set_pid(self.names.job(run.job), None),
            RunKind::Check(number) => {
                self.checks.remove(&run.job);
                let written = self.pumps.get(&run.id).map(PumpHandle::tail);
                let place = (run.job, number);
                self.check_output.insert(place, written.unwrap_or_default());
            }
        }
        if !left {
            self.finish_pump(run);
        }
    }

    fn finish_pump(&mut self, run: Run) {
        if let Some(pump) = self.pumps.remove(&run.id) {
            pump.finish();
        }
    }
}
