//! Effects to actions.

use std::os::fd::AsFd;

use super::app::App;
use super::attributes::prepare;
use super::environment::{own_variable, own_variables};
use crate::events::{Event, PublicEvent, Run, RunKind, Signal, Source};
use crate::jobs::{Databases, Effect, JobIo, Stdin};
use crate::logging::Label;
use crate::process::{Output, SpawnError, SpawnRequest, Spawned};

impl App {
    /// Performs orders in their sequence.
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Spawn { run, cause } => self.spawn(run, cause),
                Effect::Terminate(run) => {
                    tracing::debug!("terminating command '{}'", self.names.run(run));
                    self.processes.terminate(run.id, self.stop_signal(run));
                }
                Effect::Signal(run, signal) => self.processes.forward(run.id, signal),
                Effect::Kill(run) => {
                    tracing::debug!("killing command '{}'", self.names.run(run));
                    self.processes.kill(run.id);
                }
                Effect::Show(job, presence) => self.show(job, presence),
                Effect::Announce(event) => self.names.announce(event),
                Effect::Report(job, note) => {
                    let exec = self.jobs.spec(job).exec.as_ref();
                    let command = exec.map_or("", |exec| exec.program());
                    self.names.note(job, &note, command);
                }
            }
        }
    }

    /// The signal of its job. A check has its own command, which knows nothing of that.
    fn stop_signal(&self, run: Run) -> Signal {
        match run.kind {
            RunKind::Main => self.jobs.spec(run.job).attributes.stop_signal,
            RunKind::Check => None,
        }
        .unwrap_or(Signal::TERM)
    }

    fn spawn(&mut self, run: Run, cause: Option<PublicEvent>) {
        let facts = cause.and_then(|event| match event.source {
            Source::Watch(watch) => self.discovery.facts(run.job, watch, event.code),
            _ => None,
        });
        let spec = self.jobs.spec(run.job);
        let (exec, io) = match run.kind {
            RunKind::Main => (spec.exec.as_ref(), spec.io),
            RunKind::Check => {
                let health = spec.health.as_ref();
                let io = JobIo {
                    raw: health.is_some_and(|health| health.raw),
                    ..JobIo::default()
                };
                (health.and_then(|health| health.exec.as_ref()), io)
            }
        };
        // The rules order runs only of commands that are there.
        let Some(exec) = exec else { return };
        let mut own = own_variables(
            cause,
            |source| self.names.source(source),
            self.checks.get(&run.job).copied(),
        );
        for (name, value) in facts.iter().flat_map(|facts| &facts.variables) {
            own.extend(own_variable(name, value));
        }
        let prepared = prepare(
            &spec.attributes,
            &self.environment,
            Databases::of_the_image(),
        );
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let error = refusal.of_start(exec.program());
                return self.on_not_spawned(run, &error);
            }
        };
        let request = SpawnRequest {
            run,
            argv: exec.argv(),
            env: &self.environment.for_child(&own, &prepared.changes),
            output: if io.raw || io.tty {
                Output::Inherit
            } else {
                Output::Pipe
            },
            stdin: if io.tty { Stdin::Inherit } else { io.stdin },
            tty: io.tty,
            sheltered: self.jobs.is_ending(),
            orphans: spec.orphans,
            keeps: facts
                .as_ref()
                .and_then(|facts| facts.file.as_ref())
                .map(AsFd::as_fd),
            attributes: &spec.attributes,
            identity: prepared.identity.as_ref(),
        };
        match self.processes.spawn(&request) {
            Ok(spawned) => {
                if let Some(Source::Watch(watch)) = cause.map(|event| event.source) {
                    self.discovery.on_told(run.job, watch);
                }
                self.on_spawned(run, spawned);
            }
            Err(error) => self.on_not_spawned(run, &error),
        }
    }

    fn on_not_spawned(&mut self, run: Run, error: &SpawnError) {
        let name = self.names.run(run);
        tracing::error!(
            job = self.names.job(run.job),
            "unable to start {name}: {error}"
        );
        self.answers
            .push_back(Event::SpawnFailed(run, error.failure));
    }

    fn on_spawned(&mut self, run: Run, spawned: Spawned) {
        let Spawned { pid, output } = spawned;
        let job = self.names.job(run.job);
        tracing::debug!(job, pid, "{}.Run start", self.names.run(run));
        let label = match run.kind {
            RunKind::Main => Label::job(job, pid),
            RunKind::Check => Label::check(job, pid),
        };
        match output.map(|output| self.logging.pump(output, label)) {
            Some(Ok(pump)) => {
                self.pumps.insert(run.id, pump);
            }
            // The pipe is closed, so the command gets SIGPIPE when it writes; it is supervised all the same.
            Some(Err(error)) => {
                tracing::error!(job, pid, "cannot read the output of {job}: {error}");
            }
            None => {}
        }
        match run.kind {
            RunKind::Main => self.environment.set_pid(job, Some(pid)),
            RunKind::Check => {
                self.checks.insert(run.job, pid);
            }
        }
    }
}
