//! Effects to actions.

use std::os::fd::AsFd;
use std::time::Instant;

use super::app::App;
use super::attributes::prepare;
use super::environment::{own_variable, own_variables};
use super::recorder::What;
use crate::events::{Event, PublicEvent, Run, RunKind, Signal, Source, StartFailure};
use crate::jobs::{Databases, Effect, JobIo, Stdin};
use crate::logging::Label;
use crate::process::{Output, SpawnError, SpawnRequest, Spawned};

impl App {
    /// Performs orders in their sequence.
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        if self.jobs.is_ending() {
            self.precede_at_the_end();
        }
        for effect in effects {
            self.chronicle(&effect);
            match effect {
                Effect::Spawn { run, cause } => self.starts.add(run, cause),
                Effect::Terminate(run) | Effect::Kill(run) if self.withdraw(run) => {}
                // It begins after what the signal is about.
                Effect::Signal(run, _) if self.starts.awaits(run.id) => {}
                Effect::Terminate(run) => {
                    self.remember(What::Terminated(run));
                    tracing::debug!("terminating command '{}'", self.names.run(run));
                    self.processes.terminate(run.id, self.stop_signal(run));
                }
                Effect::Signal(run, signal) => {
                    self.remember(What::Signalled(run, signal));
                    self.processes.forward(run.id, signal);
                }
                Effect::Kill(run) => {
                    if self.end_probe(run) {
                        continue;
                    }
                    self.remember(What::Killed(run));
                    tracing::debug!("killing command '{}'", self.names.run(run));
                    self.processes.kill(run.id);
                }
                Effect::Show(job, presence) => self.show(job, presence),
                Effect::Announce(event) => {
                    self.remember(What::Event(event));
                    self.names.announce(event);
                    self.count(|counts| counts.on_published(event));
                }
                Effect::Report(job, note) => {
                    self.count(|counts| counts.on_note(job, &note));
                    let exec = self.jobs.spec(job).and_then(|spec| spec.exec.as_ref());
                    let command = exec.map_or("", |exec| exec.program());
                    self.names.note(job, &note, command);
                    self.remember(What::Note(job, note));
                }
            }
        }
    }

    /// Passes a signal on to the jobs that want it (decision 20). Says whether any job does.
    pub(super) fn forward(&mut self, signal: Signal) -> bool {
        let mut wanted = false;
        let live: Vec<Run> = self.processes.live().map(|(run, _)| run).collect();
        for run in live.into_iter().filter(|run| self.jobs.owns(*run)) {
            let spec = self.jobs.spec(run.job);
            let wants = spec.is_some_and(|spec| spec.forward.contains(&signal));
            if run.kind == RunKind::Main && wants {
                self.processes.forward(run.id, signal);
            }
        }
        for (_, spec) in self.jobs.iter() {
            wanted |= spec.forward.contains(&signal);
        }
        wanted
    }

    /// The signal of its job. A check has its own command, which knows nothing of that.
    fn stop_signal(&self, run: Run) -> Signal {
        match run.kind {
            RunKind::Main => {
                let spec = self.jobs.spec(run.job);
                spec.and_then(|spec| spec.attributes.stop_signal)
            }
            RunKind::Check(_) => None,
        }
        .unwrap_or(Signal::TERM)
    }

    /// Starts the command of a run, or looks at what a check without one looks at.
    pub(super) fn spawn(&mut self, run: Run, cause: Option<PublicEvent>) {
        if self.begin_probe(run) {
            return;
        }
        self.remember_start(run);
        let quiet = self.jobs.is_lenient(run, Instant::now());
        let mouthpiece = match self.mouthpiece(run) {
            Ok(mouthpiece) => mouthpiece,
            Err(error) => {
                let name = self.names.run(run);
                tracing::error!("unable to start {name}: {error}");
                let failure = Event::SpawnFailed(run, StartFailure::Exhausted);
                return self.answers.push_back(failure);
            }
        };
        let facts = cause.and_then(|event| match event.source {
            Source::Watch(watch) => self.discovery.facts(run.job, watch, event.code),
            _ => None,
        });
        let withdrawn = Event::SpawnFailed(run, StartFailure::Withdrawn);
        // The rules order runs only of jobs and commands that are there, and take back what waits when they go.
        let Some(spec) = self.jobs.spec(run.job) else {
            return self.answers.push_back(withdrawn);
        };
        let (exec, io) = match run.kind {
            RunKind::Main => (spec.exec.as_ref(), spec.io),
            RunKind::Check(number) => {
                let health = spec.health.as_ref();
                let check = health.and_then(|health| health.checks.get(usize::from(number)));
                let io = JobIo {
                    // What it writes before the job is up says nothing (J04).
                    raw: check.is_some_and(|check| check.raw) && !quiet,
                    ..JobIo::default()
                };
                (check.and_then(|check| check.probe.exec()), io)
            }
        };
        let Some(exec) = exec else {
            return self.answers.push_back(withdrawn);
        };
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
                return self.on_not_spawned(run, &error, quiet);
            }
        };
        own.extend(mouthpiece.variables);
        let request = SpawnRequest {
            run,
            argv: exec.argv(),
            env: &self.environment.for_child(&own, &prepared.changes),
            output: if io.raw || io.tty {
                Output::Inherit
            } else if self.is_sensor(run) {
                Output::Value
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
            ready: mouthpiece
                .descriptor
                .as_ref()
                .map(|(end, number)| (end.as_fd(), *number)),
        };
        match self.processes.spawn(&request) {
            Ok(spawned) => {
                if let Some(Source::Watch(watch)) = cause.map(|event| event.source) {
                    self.discovery.on_told(run.job, watch);
                }
                self.on_spawned(run, spawned, quiet);
            }
            Err(error) => self.on_not_spawned(run, &error, quiet),
        }
    }

    fn on_not_spawned(&mut self, run: Run, error: &SpawnError, quiet: bool) {
        self.remember(What::NotStarted(run));
        let name = self.names.run(run);
        if quiet {
            tracing::debug!("unable to start {name}: {error}");
        } else {
            tracing::error!(
                job = self.names.job(run.job),
                "unable to start {name}: {error}"
            );
        }
        if let RunKind::Check(number) = run.kind {
            let place = (run.job, number);
            self.check_output.insert(place, error.to_string());
        }
        self.answers
            .push_back(Event::SpawnFailed(run, error.failure));
    }

    fn on_spawned(&mut self, run: Run, spawned: Spawned, quiet: bool) {
        let Spawned { pid, mut output } = spawned;
        if self.is_sensor(run) {
            self.values.extend(output.take().map(|pipe| (run.id, pipe)));
        }
        self.count(|counts| counts.on_started(run, Instant::now()));
        self.remember(What::Started { run, pid });
        let job = self.names.job(run.job);
        tracing::debug!(job, pid, "{}.Run start", self.names.run(run));
        let label = match run.kind {
            RunKind::Main => Label::job(job, pid),
            RunKind::Check(_) if quiet => Label::quiet_check(job, pid),
            RunKind::Check(_) => Label::check(job, pid),
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
            RunKind::Check(_) => {
                self.checks.insert(run.job, pid);
            }
        }
    }
}
